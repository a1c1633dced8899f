"""Answers of msclap on weights that both sides draw, into `goldens/msclap.npz`.

To be run from the repository's root in an environment with msclap==1.3.4 (without its dependencies), torch==2.12.*,
torchaudio==2.11.*, torchlibrosa, transformers==4.45.*, pyyaml, numpy<2:

    HF_HUB_OFFLINE=1 PYTHONPATH=tests/judges python tests/judges/peers/msclap_peer.py

The package asks a hub for GPT-2 when it is built; here it gets an empty one of the published size, and a tokenizer of a
small vocabulary. Its own code for cutting clips and reading texts is called as it is.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import transformers
from shared_weights import drawn, parity_clip

CLIPS = [("chord", 7.0), ("chirp", 7.0), ("noise", 3.1), ("chord", 0.5), ("chirp", 20.0)]
TEXTS = ["low lower lowest", "a new song, slower", "stop! it is too low!", "the lowest new song " * 30]
MERGES = [("l", "o"), ("lo", "w"), ("e", "r"), ("Ġ", "low"), ("Ġ", "s"), ("Ġs", "o"), ("n", "g"), ("Ġ", "t")]


def write_vocabulary(folder: Path) -> None:
    """`vocab.json`, the exclamation mark first as in GPT-2's, and `merges.txt`."""
    letters = sorted(transformers.models.gpt2.tokenization_gpt2.bytes_to_unicode().values())
    names = [*letters, *("".join(pair) for pair in MERGES), "<|endoftext|>"]
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys(names))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def filled(model: torch.nn.Module) -> None:
    """Draw all learned tensors by their names; those of the front end, and tables of indices, stay."""
    state = model.state_dict()
    for name, value in state.items():
        fixed = ("spectrogram_extractor", "logmel_extractor", "attn_mask", "relative_position_index", ".attn.bias")
        if value.is_floating_point() and not any(part in name for part in fixed):
            state[name] = torch.from_numpy(drawn(name, tuple(value.shape)))
    model.load_state_dict(state)


def main() -> None:
    """Both sides, each clip as the package cuts it (seeded) and, for its first 7 s, as it is."""
    folder = Path(tempfile.mkdtemp())
    write_vocabulary(folder)
    empty = transformers.GPT2Model(transformers.GPT2Config())
    transformers.AutoModel.from_pretrained = lambda *_, **__: empty
    from msclap.CLAPWrapper import CLAPWrapper
    from msclap.models.clap import CLAP

    wrapper = CLAPWrapper.__new__(CLAPWrapper)
    wrapper.args = SimpleNamespace(sampling_rate=44100, duration=7, text_model="gpt2", text_len=77)
    wrapper.token_keys, wrapper.use_cuda = ["input_ids", "attention_mask"], False
    wrapper.np_str_obj_array_pattern = __import__("re").compile(r"[SaUO]")
    wrapper.tokenizer = transformers.GPT2TokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    wrapper.tokenizer.add_special_tokens({"pad_token": "!"})
    wrapper.clap = CLAP("HTSAT", 44100, 1024, 320, 64, 50, 8000, 527, 768, "gpt2", 768, 1024).eval()
    filled(wrapper.clap)
    found = {"keys": np.array(sorted(wrapper.clap.state_dict()))}
    for place, (kind, seconds) in enumerate(CLIPS):
        samples = torch.from_numpy(parity_clip(kind, seconds, 44100))
        wrapper.read_audio = lambda *_, samples=samples, **__: (samples[None], 44100)
        for seed in (1, 2):
            random.seed(seed)
            found[f"audio_{place}_{seed}"] = wrapper.get_audio_embeddings(["a.wav"])[0].numpy()
    with torch.no_grad():
        chunk = torch.from_numpy(parity_clip("chirp", 20.0, 44100))[None, 44100 * 7 : 44100 * 14]
        found["middle"] = wrapper.clap.audio_encoder(chunk)[0][0].numpy()
    for place, text in enumerate(TEXTS):
        found[f"ids_{place}"] = wrapper.preprocess_text([text])["input_ids"][0].numpy()
    found["texts"] = torch.cat([wrapper.get_text_embeddings([text]) for text in TEXTS]).numpy()
    np.savez_compressed(Path(__file__).parents[1] / "goldens" / "msclap.npz", **found)


if __name__ == "__main__":
    main()
