"""Audio that was made elsewhere: matched to items by id, through a manifest or by file name, never by order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from calm_eval.audio.read import AudioError, read_audio
from calm_eval.data.audio_folder import audio_files
from calm_eval.data.item import Item
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.systems.outcome import Outcome
from calm_eval.systems.protocol import SystemInfo, Value


class FolderEngine:
    """Reads recorded samples. A file serves every seed unless the manifest gives one; nothing is timed."""

    def __init__(self, folder: Path, manifest: Path | None, info: SystemInfo) -> None:
        self.folder = folder.resolve()
        self.info = info
        self._files = self._by_manifest(manifest) if manifest else self._by_name()
        self._hashes: dict[Path, str] = {}
        self._seeds: dict[str, list[int | None]] = {}
        for item, seed in self._files:
            self._seeds.setdefault(item, []).append(seed)

    def _by_name(self) -> dict[tuple[str, int | None], Path]:
        return {(name, None): path for name, path in audio_files(self.folder).items()}

    def _by_manifest(self, manifest: Path) -> dict[tuple[str, int | None], Path]:
        found: dict[tuple[str, int | None], Path] = {}
        for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            where = f"{manifest}:{number}"
            try:
                row = json.loads(line)
                key = (str(row["id"]), int(row["seed"]) if "seed" in row else None)
                path = (self.folder / str(row["path"])).resolve()
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f'{where}: expected {{"id": ..., "path": ...}} with an optional "seed"') from error
            if not path.is_relative_to(self.folder):
                raise InputError(f"{where}: '{row['path']}' leaves the folder {self.folder}")
            if key in found:
                raise InputError(f"{where}: item '{key[0]}' stands twice")
            found[key] = path
        return found

    @property
    def identity(self) -> Mapping[str, Any]:
        """The digest of the manifest: every id with the hash of its file. A sample depends on its own file only."""
        rows = sorted((item, str(seed), self._hash(path)) for (item, seed), path in self._files.items())
        return {"folder": digest(rows), "version": 1}

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        return self._hashes[path]

    def _find(self, item: str, seed: int) -> Path | None:
        return self._files.get((item, seed)) or self._files.get((item, None))

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """The hash of this item's files, so that a changed file invalidates its own sample only."""
        files = {str(seed): self._hash(self._files[item.id, seed]) for seed in self._seeds.get(item.id, ())}
        return digest({"recorded": files, "version": 1})

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """Unknown for recorded audio."""
        return [None] * len(samplings)

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """The recorded file of each item."""
        for item in items:
            path = self._find(item.id, seed)
            if path is None:
                yield Outcome(item.id, seed, failure="missing", text=f"no audio for this item in {self.folder.name}")
                continue
            try:
                yield Outcome(item.id, seed, clip=read_audio(path))
            except AudioError as error:
                yield Outcome(item.id, seed, failure=error.name, text=str(error))

    def close(self) -> None:
        """Nothing is open."""
