"""A Whisper model in a folder as transformers saves one: which files it is made of, and how it is read safely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calm_eval.errors import UnavailableError

NEEDED = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json")
_ALSO = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


def whisper_files(folder: Path) -> list[str]:
    """Names of the files that an answer depends on; those that must be there are named even where they are not."""
    stored = sorted(file.name for file in folder.glob("*.safetensors")) or ["model.safetensors"]
    return [*stored, *NEEDED, *(name for name in _ALSO if (folder / name).is_file())]


def read_whisper(judge: str, folder: Path, dtype: Any, attention: str, transformers: Any) -> tuple[Any, Any, Any]:
    """Model, feature extractor and tokenizer, from safetensors alone and never from the hub.

    Raises UnavailableError, saying what is wrong, for a folder that lacks a file or a tensor or cannot be read.
    """
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise UnavailableError(f"{judge}: there is no {' and no '.join(missing)} in {folder}")
    try:
        model, told = transformers.WhisperForConditionalGeneration.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation=attention,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        features = transformers.WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    # What is wrong in a folder comes in classes of json, safetensors, tokenizers and transformers.
    except Exception as error:
        said = next(iter(str(error).strip().splitlines()), "no more is said")
        raise UnavailableError(
            f"{judge}: {folder} is not a Whisper model that can be loaded safely ({type(error).__name__}: {said})"
        ) from error
    # The output projection is the embedding of the tokens and need not be stored.
    lost = sorted(str(name) for kind in ("missing_keys", "mismatched_keys") for name in told[kind])
    if lost:
        raise UnavailableError(f"{judge}: {folder} lacks weights: {', '.join(lost[:4])}")
    return model, features, tokenizer
