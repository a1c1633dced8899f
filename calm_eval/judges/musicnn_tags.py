"""The tags of musicnn, read as data from the package's own source file: nothing of it is run."""

from __future__ import annotations

import ast
from pathlib import Path

from calm_eval.errors import InputError

LISTS = {"MTT": "MTT_LABELS", "MSD": "MSD_LABELS"}


def read_tags(configuration: Path, model: str) -> tuple[str, ...]:
    """The 50 tags of model `MTT` or `MSD`, in the order of its outputs, from musicnn's `configuration.py`.

    Raises InputError when the file is not Python or holds no such list of strings, OSError when it cannot be read.
    """
    wanted = LISTS[model]
    try:
        tree = ast.parse(configuration.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(to, ast.Name) and to.id == wanted for to in node.targets
            ):
                found = ast.literal_eval(node.value)
                if isinstance(found, list) and all(isinstance(tag, str) for tag in found):
                    return tuple(found)
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{configuration}: cannot read the tags: {error}") from error
    raise InputError(f"{configuration}: no list of strings named {wanted}")
