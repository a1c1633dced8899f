"""laion-clap's CLAP_Module, asked one clip and one text at a time."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def opened(options: Mapping[str, Any]) -> tuple[Callable[[Any], Any], Callable[[str], Any] | None]:
    """`roberta` is a folder with vocab.json and merges.txt, or None: then no text is read."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(options["threads"])
    transformers = importlib.import_module("transformers")
    _without_a_hub(transformers, options["roberta"])
    torch.manual_seed(options["random"] or 0)
    package = importlib.import_module("laion_clap")
    module = package.CLAP_Module(enable_fusion=options["fusion"], amodel=options["amodel"], device="cpu")
    if options["checkpoint"] is not None:
        module.load_ckpt(options["checkpoint"], verbose=False)
    module.eval()

    def hear(audio: Any) -> Any:
        # Over ten seconds the package crops at a place that it draws from NumPy's global numbers.
        np.random.seed(zlib.crc32(audio.tobytes()))  # noqa: NPY002
        with torch.no_grad():
            return module.get_audio_embedding_from_data([audio], use_tensor=False)

    def read(text: str) -> Any:
        # Of one text alone the package loses the axis.
        with torch.no_grad():
            return module.get_text_embedding([text, text])[:1]

    return hear, read if options["roberta"] is not None else None


def _without_a_hub(transformers: Any, roberta: str | None) -> None:
    """The package asks a hub for three tokenizers as it is imported, and for RoBERTa's weights, which its checkpoint
    then overwrites: given here from files, or not at all."""

    def tokenizer(*_: Any, **__: Any) -> Any:
        if roberta is None:
            return None
        return transformers.RobertaTokenizer(*(str(Path(roberta) / name) for name in ("vocab.json", "merges.txt")))

    transformers.RobertaTokenizer.from_pretrained = tokenizer
    for other in (transformers.BertTokenizer, transformers.BartTokenizer):
        other.from_pretrained = lambda *_, **__: None
    configuration = transformers.RobertaConfig(
        vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5
    )
    transformers.RobertaModel.from_pretrained = lambda *_, **__: transformers.RobertaModel(configuration)
