"""A manifest folder as training sees it: clips by split, every file held to the folder's own digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_models.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("train", "valid")
"""The splits that training reads. Test items and reference sets are never opened."""


@dataclass(frozen=True)
class Clip:
    """One row: its audio file (relative to the folder), transcript or caption, voice and tags."""

    id: str
    split: str
    path: str
    text: str | None
    speaker: str | None
    tags: tuple[str, ...]


class Corpus:
    """A folder with `corpus.json`, `SHA256SUMS` and a manifest for each split.

    `digest` is the sha256 of SHA256SUMS, which names every file. Raises ModelError when the folder is no corpus, or
    when its sums or manifests are not those that `corpus.json` was written for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            about: dict[str, Any] = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
            sums = (folder / "SHA256SUMS").read_bytes()
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder}: is no finished corpus: {error}") from error
        self.name, self.digest = str(about["name"]), hashlib.sha256(sums).hexdigest()
        self.terms: list[str] = about["terms"]
        self._sums = {path: value for value, _, path in (line.partition("  ") for line in sums.decode().splitlines())}
        if self.digest != about["digest"]:
            raise ModelError(f"{folder}: SHA256SUMS has digest {self.digest}, corpus.json was written for another")

    def clips(self, tag: str = "") -> list[Clip]:
        """The rows of the training splits in their order; with `tag`, those that carry it. Raises ModelError."""
        rows = [row for split in SPLITS for row in self._rows(split) if not tag or tag in row.tags]
        if not rows:
            raise ModelError(f"{self.folder}: no clip has the tag '{tag}'")
        return rows

    def samples(self, clip: Clip, rate: int) -> Tensor:
        """A clip as mono float32 [samples] at `rate` Hz (soxr VHQ). Raises ModelError when the file has changed."""
        import io

        import soundfile
        import soxr
        import torch

        samples, found = soundfile.read(io.BytesIO(self._bytes(clip.path)), dtype="float32", always_2d=True)
        mono = samples.mean(axis=1)
        return torch.from_numpy(mono if found == rate else soxr.resample(mono, found, rate, "VHQ"))

    def _rows(self, split: str) -> Iterator[Clip]:
        for line in self._bytes(f"{split}.jsonl").decode().splitlines():
            row = json.loads(line)
            yield Clip(row["id"], split, row["reference"], row.get("text"), row.get("speaker"), tuple(row["tags"]))

    def _bytes(self, path: str) -> bytes:
        try:
            content = (self.folder / path).read_bytes()
        except OSError as error:
            raise ModelError(f"{self.folder / path}: cannot be read: {error.strerror}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self._sums.get(path):
            raise ModelError(
                f"{self.folder / path}: has changed since the corpus was built (sha256 {found}, "
                f"SHA256SUMS says {self._sums.get(path)}): build the corpus again"
            )
        return content
