"""What was measured of one row, and how it is written down and read back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calm_eval.audio.write import write_atomically
from calm_eval.errors import InputError
from calm_eval.latency.generation import Generation
from calm_eval.latency.rows import Row

SCHEMA = 1
"""Version of the file's layout; a file of another version is refused."""


@dataclass
class Measured:
    """`counted` generations in the order of their rounds, after `discarded` ones; `batches` by batch size.

    `failure` is a name and a sentence: no figure is told of such a row. `batch_failures` say which batch did not fit.
    """

    row: Row
    discarded: list[Generation] = field(default_factory=list)
    counted: list[Generation] = field(default_factory=list)
    batches: dict[int, list[Generation]] = field(default_factory=dict)
    batch_failures: dict[int, tuple[str, str]] = field(default_factory=dict)
    failure: tuple[str, str] | None = None

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "row": self.row.json(),
            "discarded": [one.json() for one in self.discarded],
            "counted": [one.json() for one in self.counted],
            "batches": {str(size): [one.json() for one in made] for size, made in self.batches.items()},
            "batch_failures": {str(size): list(told) for size, told in self.batch_failures.items()},
            "failure": list(self.failure) if self.failure else None,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Measured:
        """Read back what `json` gave."""
        failure = told["failure"]
        return cls(
            row=Row(**told["row"]),
            discarded=[Generation.from_json(one) for one in told["discarded"]],
            counted=[Generation.from_json(one) for one in told["counted"]],
            batches={int(size): [Generation.from_json(one) for one in made] for size, made in told["batches"].items()},
            batch_failures={int(size): (name, text) for size, (name, text) in told["batch_failures"].items()},
            failure=(failure[0], failure[1]) if failure else None,
        )


@dataclass(frozen=True)
class Measurement:
    """A whole measurement. `about`: title, task, tier, pairs, environment, machine states, command, as JSON values."""

    about: Mapping[str, Any]
    rows: Sequence[Measured]

    def write(self, file: Path) -> None:
        """Write everything to one JSON file."""
        told = {"schema": SCHEMA, "about": dict(self.about), "rows": [one.json() for one in self.rows]}
        write_atomically(file, json.dumps(told).encode())


def read_measurement(file: Path) -> Measurement:
    """Read a file that `write` made, compressed by gzip or not. Raises InputError."""
    try:
        data = file.read_bytes()
        told = json.loads(gzip.decompress(data) if file.suffix == ".gz" else data)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{file}: not a latency measurement: {error}") from error
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise InputError(f"{file}: not a latency measurement of schema {SCHEMA}")
    return Measurement(told["about"], [Measured.from_json(one) for one in told["rows"]])
