"""Answers of laion-clap on weights that both sides draw, into `goldens/laion_clap.npz`.

To be run from the repository's root in an environment with laion-clap==1.1.7, torch==2.12.*, torchaudio==2.11.*,
torchvision==0.27.*, transformers==4.45.*, numpy<2:

    HF_HUB_OFFLINE=1 PYTHONPATH=tests/judges python tests/judges/peers/laion_clap_peer.py

The package asks hubs for tokenizers and RoBERTa when it is imported and built; here it gets a tokenizer of a small
vocabulary and an empty RoBERTa of the published size.
"""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torchvision
import transformers
from shared_weights import drawn, parity_clip

CLIPS = [("chord", 10.0), ("noise", 10.0), ("chirp", 3.7), ("chord", 0.5), ("chirp", 25.0)]
TEXTS = [
    "low lower lowest",
    "a new song, slower",
    "two  spaces\nand 12 é <mask> lines",
    "the lowest new song " * 30,
]
MERGES = [("l", "o"), ("lo", "w"), ("e", "r"), ("Ġ", "low"), ("Ġ", "s"), ("Ġs", "o"), ("n", "g"), ("Ġ", "t")]


def vocabulary() -> dict[str, int]:
    """Marks, each byte, what the merges make, the mask last."""
    letters = sorted(transformers.models.gpt2.tokenization_gpt2.bytes_to_unicode().values())
    names = ["<s>", "<pad>", "</s>", "<unk>", *letters, *("".join(pair) for pair in MERGES), "<mask>"]
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def write_vocabulary(folder: Path) -> None:
    """`vocab.json` and `merges.txt`."""
    (folder / "vocab.json").write_text(json.dumps(vocabulary(), ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def filled(model: torch.nn.Module) -> None:
    """Draw all learned tensors by their names; those of the front end, and tables of indices, stay."""
    state = model.state_dict()
    for name, value in state.items():
        fixed = ("spectrogram_extractor", "logmel_extractor", "attn_mask", "relative_position_index", "position_ids")
        if value.is_floating_point() and not any(part in name for part in fixed):
            state[name] = torch.from_numpy(drawn(name, tuple(value.shape)))
    model.load_state_dict(state)


def main() -> None:
    """All three sizes of the audio side, and the text side once."""
    folder = Path(tempfile.mkdtemp())
    write_vocabulary(folder)
    tokenizer = transformers.RobertaTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    config = transformers.RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1,
                                        layer_norm_eps=1e-5)  # fmt: skip
    for kind in ("BertTokenizer", "BartTokenizer", "RobertaTokenizer"):
        getattr(transformers, kind).from_pretrained = lambda *_, **__: tokenizer
    empty = transformers.RobertaModel(config)
    transformers.RobertaModel.from_pretrained = lambda *_, **__: empty
    import laion_clap

    found: dict[str, np.ndarray] = {}
    for size, amodel, fusion in (("tiny", "HTSAT-tiny", False), ("base", "HTSAT-base", False),
                                 ("fusion", "HTSAT-tiny", True)):  # fmt: skip
        package = laion_clap.CLAP_Module(enable_fusion=fusion, device="cpu", amodel=amodel)
        filled(package.model)
        found[f"{size}_keys"] = np.array(sorted(package.model.state_dict()))
        for place, (kind, seconds) in enumerate(CLIPS):
            if size == "base" and place not in (0, 2):
                continue
            clip = parity_clip(kind, seconds, 48000)
            np.random.seed(7)  # noqa: NPY002 (the package draws from these)
            found[f"{size}_{place}"] = package.get_audio_embedding_from_data(x=[clip])[0]
            if fusion and seconds > 10:
                np.random.seed(7)  # noqa: NPY002 (the package draws from these)
                resize = torchvision.transforms.Resize
                torchvision.transforms.Resize = partial(resize, antialias=False)
                found[f"{size}_{place}_straight"] = package.get_audio_embedding_from_data(x=[clip])[0]
                torchvision.transforms.Resize = resize
            if size == "tiny" and seconds > 10:
                found["asked_again"] = package.get_audio_embedding_from_data(x=[clip])[0]
            if size == "tiny" and place in (0, 4):
                np.random.seed(8)  # noqa: NPY002
                plain = torch.from_numpy(clip)[None]
                found[f"{size}_{place}_float"] = (
                    package.get_audio_embedding_from_data(x=plain, use_tensor=True)[0].detach().numpy()
                )
        if size == "tiny":
            # As audioldm_eval hands samples over: at most the first ten seconds, and nothing filled up.
            asked = {"waveform": torch.from_numpy(parity_clip(*CLIPS[2], 48000)), "longer": torch.tensor([False])}
            found["tiny_2_first"] = package.model.get_audio_embedding([asked])[0].detach().numpy()
            ids = package.tokenizer(TEXTS)
            found["ids"] = ids["input_ids"].numpy()
            found["mask"] = ids["attention_mask"].numpy()
            found["texts"] = package.get_text_embedding(TEXTS)
    np.savez_compressed(Path(__file__).parents[1] / "goldens" / "laion_clap.npz", **found)


if __name__ == "__main__":
    main()
