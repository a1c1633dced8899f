"""From a suite to its items: read the manifest, or build the corpus on first use and read that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from calm_eval.assets import cache_folder
from calm_eval.data.audio_folder import folder_items
from calm_eval.data.building import build_folder
from calm_eval.data.corpus import build_split
from calm_eval.data.corpus_items import corpus_items
from calm_eval.data.datasets.load import dataset_items
from calm_eval.data.item import Item
from calm_eval.data.manifest import read_manifest
from calm_eval.data.texts import read_texts
from calm_eval.errors import InputError
from calm_eval.registry import import_target
from calm_eval.specs.suite import LoadedSuite

BUILDERS = {"readings": "calm_eval.data.readings:Readings"}
"""Corpora that are built on first use: name in a suite file to `module:class`."""

Progress = Callable[[int, int], None]


class Builder(Protocol):
    """A corpus recipe: `identity` names the result on every machine, `build` writes a manifest folder."""

    @property
    def identity(self) -> str:
        """Sha256 over everything that decides the corpus."""
        ...

    def build(self, folder: Path, progress: Progress | None = None) -> None:
        """Write `manifest.jsonl` and its audio into an empty folder."""
        ...


def suite_items(suite: LoadedSuite, progress: Progress | None = None) -> list[Item]:
    """All items of a suite, in the order of its manifest. Raises InputError, UnavailableError or StoreError."""
    source = suite.spec.items
    if source.manifest is not None:
        return read_manifest(suite.local(source.manifest))
    if source.folder is not None:
        texts = read_texts(suite.local(source.texts)) if source.texts is not None else {}
        return folder_items(suite.local(source.folder), texts)
    if source.corpus is not None:
        return corpus_items(source, suite.spec.task, str(suite.path), progress)
    if source.dataset is not None:
        return dataset_items(suite)
    return read_manifest(_built(suite, progress) / "manifest.jsonl")


def reference_set(suite: LoadedSuite, progress: Progress | None = None) -> list[Item]:
    """The clips of a suite's reference set, as items with a reference; none where the suite names no set.

    A mini corpus is built on first use. Raises InputError, UnavailableError or StoreError.
    """
    source = suite.spec.reference_set
    if source is None:
        return []
    if source.folder is not None:
        return folder_items(suite.local(source.folder))
    if source.items:
        return _references(suite, progress)
    if source.manifest is not None:
        manifest = suite.local(source.manifest)
    else:
        assert source.corpus is not None
        manifest = build_split(source.corpus, "reference_set", progress) / "reference_set.jsonl"
    clips = read_manifest(manifest)
    lacking = [clip.id for clip in clips if clip.reference is None]
    if lacking:
        raise InputError(f"{manifest}: '{lacking[0]}' of the reference set has no 'reference' audio")
    return clips


def _references(suite: LoadedSuite, progress: Progress | None) -> list[Item]:
    """The items with a reference; of several with the same audio (captions of one recording) the first."""
    clips = {clip.reference.identity: clip for clip in reversed(suite_items(suite, progress)) if clip.reference}
    if not clips:
        raise InputError(f"{suite.path}: reference_set.items: no item of this suite has reference audio")
    return list(reversed(clips.values()))


def _built(suite: LoadedSuite, progress: Progress | None) -> Path:
    source = suite.spec.items
    if source.build not in BUILDERS:
        raise InputError(f"{suite.path}: items.build: unknown '{source.build}'; known: {', '.join(BUILDERS)}")
    if source.sentences is None:
        raise InputError(f"{suite.path}: items.build '{source.build}' needs 'sentences'")
    builder: Builder = import_target(BUILDERS[source.build])(suite.local(source.sentences))
    folder = cache_folder() / "corpora" / f"{source.build}-{builder.identity[:16]}"
    return build_folder(folder, "manifest.jsonl", lambda building: builder.build(building, progress))
