"""How much is measured: the full protocol, and a smaller one for machines without a GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Tier:
    """`counted` generations of `seconds` of audio, spread over `processes`; each process first makes `discarded` ones.

    A process keeps its place in memory and its threads for life, and is a per cent or two faster or slower than the
    next one: what is to hold again must be measured in several. `percentiles` are those of steps that its tables show.
    `short_seconds` is for samplings of more than `short_above` head steps, which would take hours on a CPU.
    """

    name: str
    discarded: int
    counted: int
    processes: int
    seconds: float
    percentiles: tuple[float, ...]
    short_seconds: float | None = None
    short_above: int = 16

    @property
    def blocks(self) -> list[int]:
        """How many generations count in each process, as even as can be."""
        processes = min(self.processes, self.counted)
        return [self.counted // processes + (place < self.counted % processes) for place in range(processes)]

    def seconds_for(self, steps: object) -> float:
        """Seconds of audio for a sampling with so many head steps."""
        many = isinstance(steps, int) and steps > self.short_above
        return self.short_seconds if many and self.short_seconds is not None else self.seconds

    def with_(self, counted: int | None, seconds: float | None) -> Tier:
        """Another number of counted generations, or another length; the name then says so."""
        changed = replace(
            self,
            counted=self.counted if counted is None else counted,
            seconds=self.seconds if seconds is None else seconds,
            short_seconds=None if self.short_seconds is None else min(self.short_seconds, seconds or self.seconds),
        )
        return changed if changed == self else replace(changed, name=f"{self.name}, changed")

    @property
    def text(self) -> str:
        """In words, for tables."""
        short = "" if self.short_seconds is None else f" ({self.short_seconds:g} s above {self.short_above} head steps)"
        processes = len(self.blocks)
        return (
            f"{self.name}: {self.counted} generations counted in {processes} process{'es' if processes > 1 else ''}, "
            f"{self.discarded} discarded in each, {self.seconds:g} s each{short}"
        )


FULL = Tier("full", 1, 10, 5, 30.0, (0.5, 0.9, 0.95, 0.99))
CPU = Tier("cpu", 1, 3, 3, 10.0, (0.5, 0.9, 0.95), short_seconds=2.0)
TIERS = {tier.name: tier for tier in (FULL, CPU)}


def default_tier(device: str) -> Tier:
    """The smaller one for a CPU."""
    return CPU if device == "cpu" else FULL
