"""The items of a suite that names a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from calm_eval.data.datasets import LOADERS
from calm_eval.data.datasets.entry import Entry, check_entries
from calm_eval.data.datasets.expected import check_ids
from calm_eval.data.datasets.root import data_root, require_data
from calm_eval.data.datasets.shape import Shape, shape_items
from calm_eval.data.item import Item
from calm_eval.errors import InputError
from calm_eval.specs.suite import LoadedSuite

Loader = Callable[..., list[Entry]]


def dataset_items(suite: LoadedSuite) -> list[Item]:
    """Missing data first, then rows and ids, then audio: what costs most comes last.

    Paths in the options lie below the data root where the suite has a `data` block, else below the suite's folder.
    Raises UnavailableError naming all that is missing, InputError with file and line, StoreError for the cache.
    """
    use, data = suite.spec.items.dataset, suite.spec.data
    assert use is not None
    if data is not None:
        require_data(suite.spec.name, data)
    root = data_root() if data is not None else suite.path.parent.resolve()
    shape, options = _shape(suite.path, dict(use.options))
    entries = _read(suite.path, LOADERS.load(use.loader), use.loader, root, options)
    check_entries(str(suite.path), entries)
    if data is not None:
        check_ids(suite.spec.name, suite.spec.version, data, [entry.id for entry in entries])
    return shape_items(entries, shape)


def _shape(suite: Path, options: dict[str, object]) -> tuple[Shape, dict[str, object]]:
    try:
        return Shape.split(options)
    except InputError as error:
        raise InputError(f"{suite}: items.dataset: {error}") from error


def _read(suite: Path, loader: Loader, name: str, root: Path, options: dict[str, object]) -> list[Entry]:
    import inspect

    try:
        inspect.signature(loader).bind(root, **options)
    except TypeError as error:
        allowed = ", ".join(list(inspect.signature(loader).parameters)[1:])
        raise InputError(f"{suite}: items.dataset: loader '{name}': {error}; its options: {allowed}") from error
    return loader(root, **options)
