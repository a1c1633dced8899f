"""Hugging Face data sets through the package `datasets`, imported when a suite asks for one."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from calm_eval.assets import cache_folder
from calm_eval.assets.cache import cache_errors
from calm_eval.audio.write import write_atomically
from calm_eval.data.datasets.entry import Entry, seconds
from calm_eval.data.datasets.root import below
from calm_eval.errors import InputError, UnavailableError


def hub(
    root: Path,
    split: str,
    dataset: str | None = None,
    folder: str | None = None,
    config: str | None = None,
    revision: str | None = None,
    id: str = "id",
    text: str | None = "text",
    audio: str | None = "audio",
    prompt: str | None = None,
    speaker: str | None = None,
    duration: str | None = None,
) -> list[Entry]:
    """One entry a row of a split, from `dataset` (its name; fetched on first use below the root) or `folder` (saved).

    `id`, `text`, `audio` (the reference), `prompt`, `speaker` and `duration` (seconds) name columns; an empty name
    means none. Audio is taken as the bytes that are stored, never decoded and encoded again. Name a `revision`:
    without it the newest one is fetched.

    Raises UnavailableError when the package is missing or the data cannot be had, InputError for a split or column that
    is not there, or a cell of another kind.
    """
    rows = _open(root, dataset, folder, config, revision, split)
    title = f"{dataset or folder}, split {split}"
    columns = {"id": id, "text": text, "audio": audio, "prompt": prompt, "speaker": speaker, "duration": duration}
    lacking = [name for name in columns.values() if name and name not in rows.column_names]
    if lacking:
        raise InputError(f"{title}: there is no column '{lacking[0]}'; there are: {', '.join(rows.column_names)}")
    for sound in (audio, prompt):
        if sound and type(rows.features[sound]).__name__ != "Audio":
            raise InputError(f"{title}: column '{sound}' holds no audio: {rows.features[sound]}")
    entries = []
    for number, row in enumerate(_stored(rows), start=1):
        where = f"{title}, row {number}"
        told = {key: _cell(where, row, name) for key, name in columns.items() if key in ("id", "text", "speaker")}
        entries.append(
            Entry(
                where,
                told["id"] or "",
                told["text"],
                told["speaker"],
                prompt=_file(where, row[prompt]) if prompt else None,
                reference=_file(where, row[audio]) if audio else None,
                duration=seconds(where, "duration", row[duration]) if duration else None,
            )
        )
    return entries


def _open(
    root: Path, dataset: str | None, folder: str | None, config: str | None, revision: str | None, split: str
) -> Any:
    if (dataset is None) == (folder is None):
        raise InputError("loader 'hf': give exactly one of the options 'dataset' (a name) and 'folder' (saved to disk)")
    datasets = _package()
    try:
        if folder is not None:
            saved = datasets.load_from_disk(str(below(root, "option 'folder'", folder)))
            if isinstance(saved, datasets.DatasetDict) and split not in saved:
                raise InputError(f"{folder}: there is no split '{split}'; there are: {', '.join(saved)}")
            return saved[split] if isinstance(saved, datasets.DatasetDict) else saved
        return datasets.load_dataset(dataset, config, split=split, revision=revision, cache_dir=str(root / "hub"))
    # Whatever the network, the hub or a broken cache does reaches us as one of these.
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        name = dataset or folder
        raise UnavailableError(f"cannot read the dataset {name}: {type(error).__name__}: {error}") from error


def _package() -> Any:
    try:
        package = importlib.import_module("datasets")
    # Broken binary packages raise OSError or RuntimeError on import, not only ImportError.
    except (ImportError, OSError, RuntimeError) as error:
        raise UnavailableError(
            f"the loader 'hf' needs the package datasets: pip install datasets ({type(error).__name__}: {error})"
        ) from error
    # Many projects have a folder `datasets`, which Python takes for a package when it stands where they start.
    if not hasattr(package, "load_dataset"):
        raise UnavailableError(
            f"the loader 'hf' needs the package datasets: another module of that name is found first ({package})"
        )
    return package


def _stored(rows: Any) -> Iterator[dict[str, Any]]:
    """Rows as they are stored: in the format of Arrow nothing is decoded, and no decoder needs to be installed."""
    for batch in rows.with_format("arrow").iter(batch_size=16):
        yield from batch.to_pylist()


def _cell(where: str, row: Mapping[str, Any], column: str | None) -> str | None:
    value = row[column] if column else None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InputError(f"{where}: {column}: expected a text, got {type(value).__name__}")


def _file(where: str, stored: Mapping[str, Any] | None) -> Path:
    """The stored bytes as a file in the cache, or the file that is named. Raises InputError when there is neither."""
    data, path = (stored.get("bytes"), stored.get("path")) if stored else (None, None)
    if data is None:
        if not path:
            raise InputError(f"{where}: holds no audio")
        return Path(path)
    ending = PurePosixPath(path).suffix if path else ""
    name = hashlib.sha256(data).hexdigest()
    file = cache_folder() / "datasets" / "audio" / name[:2] / f"{name}{ending}"
    with cache_errors():
        if not file.is_file():
            write_atomically(file, data)
    return file
