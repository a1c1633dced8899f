"""How fast this machine was: seconds of each kind of work, kept in the cache from one run to the next.

The figures are for forecasts alone. They are part of no identity, and a run goes on without them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from calm_eval.assets import cache_folder
from calm_eval.audio.write import write_atomically
from calm_eval.keys import digest

KEPT = 5000
"""How many speeds a file holds; the oldest go first."""

_MACHINE = ("processor", "cores", "threads", "device", "dtype", "batch_size")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Speed:
    """What was measured: `count` pieces with `units` in all (seconds of audio, or pieces) took `seconds`."""

    count: float
    units: float
    seconds: float

    @property
    def per_unit(self) -> float:
        """Seconds for each unit; `units` must be above 0."""
        return self.seconds / self.units

    def __add__(self, other: Speed) -> Speed:
        return Speed(self.count + other.count, self.units + other.units, self.seconds + other.seconds)

    def halved(self) -> Speed:
        """The same speed with half the weight: what is old is forgotten as new figures come."""
        return Speed(self.count / 2, self.units / 2, self.seconds / 2)


def add(speeds: dict[str, Speed], measured: Mapping[str, Speed]) -> None:
    """Add what was measured under each of its keys."""
    for key, one in measured.items():
        speeds[key] = speeds[key] + one if key in speeds else one


def machine_of(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What a speed depends on besides the work itself, out of `describe_environment`."""
    return {name: environment[name] for name in _MACHINE}


class SpeedBook:
    """The speeds of one machine, in a file of its own. Trouble with the file is said once and stops nothing."""

    def __init__(self, machine: Mapping[str, Any], say: Say) -> None:
        self.path = cache_folder() / "speeds" / f"{digest(dict(machine))[:16]}.json"
        self.machine = dict(machine)
        self._say = say
        self._told = False
        self.past = {key: speed for key, (speed, _) in self._read().items()}

    def keep(self, fresh: Mapping[str, Speed]) -> None:
        """Store all that this run has measured so far, with the older figures at half their weight.

        Another run may write at the same time: each file is whole, and the later one's keys stand.
        """
        if not fresh:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        mine = {key: (self.past[key].halved() + one if key in self.past else one, now) for key, one in fresh.items()}
        rows = {**self._read(), **mine}
        newest = sorted(rows, key=lambda key: rows[key][1])[-KEPT:]
        told = {key: [*asdict(rows[key][0]).values(), rows[key][1]] for key in sorted(newest)}
        try:
            write_atomically(self.path, json.dumps({"machine": self.machine, "speeds": told}, indent=0).encode())
        except OSError as error:
            self._trouble(f"speeds are not kept: {self.path.parent} cannot be written ({error.strerror})")

    def _read(self) -> dict[str, tuple[Speed, str]]:
        """What the file holds; a damaged one is moved aside and said."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._trouble(f"no past speeds: {self.path} cannot be read ({error.strerror})")
            return {}
        try:
            return _parsed(text)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            aside = self.path.with_suffix(".damaged")
            self._trouble(f"no past speeds: {self.path} is damaged ({error}); moved to {aside.name}")
            try:
                self.path.replace(aside)
            except OSError as refused:
                self._trouble(f"{self.path} cannot be moved ({refused.strerror})")
            return {}

    def _trouble(self, text: str) -> None:
        if not self._told:
            self._told = True
            self._say(text)


def _parsed(text: bytes) -> dict[str, tuple[Speed, str]]:
    """Speeds and when each was measured. Raises ValueError, TypeError, KeyError or AttributeError on anything else."""
    found = {}
    for key, (count, units, seconds, at) in json.loads(text)["speeds"].items():
        speed = Speed(float(count), float(units), float(seconds))
        if not (0 < speed.units < float("inf") and 0 <= speed.seconds < float("inf") and isinstance(at, str)):
            raise ValueError(f"'{key}' is no speed")
        found[key] = speed, at
    return found
