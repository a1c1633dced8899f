"""Weights in safetensors files that know which preset they belong to. Imports torch only to read or write weights."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_models.errors import ModelError
from reference_models.presets import Preset

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

METADATA = "reference_models"
LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the safetensors format."""


def save_checkpoint(
    path: Path, module: nn.Module, preset: Preset, notes: Mapping[str, str] | None = None, half: bool = True
) -> str:
    """Write the weights atomically and return the file's sha256. `half` stores floats as float16.

    `notes` goes into the file's metadata beside the preset's name and digest. Equal weights and notes are equal bytes.
    """
    from safetensors.torch import save_file

    weights = {name: _stored(value, half) for name, value in module.state_dict().items()}
    # One entry, because safetensors writes several in no fixed order.
    about = json.dumps({**(notes or {}), "preset": preset.name, "preset_digest": preset.digest}, sort_keys=True)
    part = path.with_name(f".{path.name}.part")
    save_file(weights, part, {METADATA: about})
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(path)
    return file_hash(path)


def load_checkpoint(path: Path, module: nn.Module, preset: Preset, sha256: str | None = None) -> dict[str, str]:
    """Fill a module with a checkpoint's weights, and return the file's metadata.

    Raises ModelError as `check_checkpoint`, and when the tensors do not fit.
    """
    from safetensors.torch import load_file

    metadata = check_checkpoint(path, preset, sha256)
    weights = load_file(path)
    try:
        module.load_state_dict({name: value.to(_kind(module, name)) for name, value in weights.items()})
    except (RuntimeError, KeyError) as error:
        raise ModelError(f"{path}: does not fit '{preset.name}': {error}") from error
    return metadata


def check_checkpoint(path: Path, preset: Preset, sha256: str | None = None) -> dict[str, str]:
    """The file's metadata, when it is this preset's.

    Raises ModelError, before any weight is read, on a missing file, a wrong hash, another format than safetensors
    (pickles are never opened), or weights of another preset.
    """
    metadata = read_metadata(path)
    if sha256 is not None and file_hash(path) != sha256:
        raise ModelError(f"{path}: sha256 is {file_hash(path)}, expected {sha256}")
    if metadata.get("preset_digest") != preset.digest:
        owner = metadata.get("preset")
        whose = "no preset that is named" if owner is None else f"'{owner}'"
        if owner == preset.name:
            whose = "another version of this preset"
        raise ModelError(f"{path}: holds weights of {whose}, not of '{preset.name}'")
    return metadata


def read_metadata(path: Path) -> dict[str, str]:
    """What `save_checkpoint` noted; nothing for other safetensors files. Raises ModelError on any other file."""
    try:
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header: Any = json.loads(stream.read(size)) if size <= LONGEST_HEADER else None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, json.JSONDecodeError):
        header = None
    if not isinstance(header, dict):
        raise ModelError(f"{path}: is no safetensors file; pickles (.pt, .ckpt) are never opened, convert it first")
    found = json.loads(header.get("__metadata__", {}).get(METADATA, "{}"))
    return {str(name): str(value) for name, value in found.items()}


def file_hash(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stored(value: Tensor, half: bool) -> Tensor:
    import torch

    value = value.detach().cpu().contiguous()
    return value.to(torch.float16) if half and value.is_floating_point() else value


def _kind(module: nn.Module, name: str) -> torch.dtype:
    kept: torch.dtype = module.state_dict()[name].dtype
    return kept
