"""What is slow to measure, kept in a folder of the caller's so that tables and bars come from one measurement."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


def kept(work: Path | None, name: str, kind: type[Result], make: Callable[[], Result]) -> Result:
    """The dataclass `kind` that lies in `work/name.json`; made and put there when it is not. No folder: made anew.

    Nothing tells whether the code has changed since: a folder is good for one measurement.
    """
    if work is None:
        return make()
    path = work / f"{name}.json"
    if path.is_file():
        return kind(**json.loads(path.read_text(encoding="utf-8")))
    made = make()
    work.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")  # type: ignore[call-overload]
    return made
