"""What a system is asked and what it answers. Standard library only: this file also runs in foreign interpreters.

A system is an object with an `info` and a `generate`; a system file names a factory (`python: module:factory`) that
returns one. Arrays may be NumPy arrays, torch tensors or anything with the buffer interface holding float32.
"""

from __future__ import annotations

import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Union  # `X | Y` as a value needs Python 3.10

Value = Union[bool, int, float, str]  # noqa: UP007

PARTS = ("prefill", "backbone", "head", "codec", "other")
"""What a step may be divided into: names of spans."""
STEP = "step"
"""The name of a span that holds a whole step."""


@dataclass(frozen=True)
class Parameter:
    """One sampling parameter: its default and what it may be (a closed range, or a list of choices)."""

    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class SystemInfo:
    """What a system declares about itself, before any weight is loaded.

    `family` is `continuous`, `discrete` or `other`. `sample_rate` in Hz (0: differs by item), `frame_rate` in Hz
    (0: not frame based). `weights` maps a name to a sha256. `version` is raised by hand when the same weights and
    options give other audio; None makes the sha256 of the source file stand for it. `unscored` is a reason why its
    quality must not be scored, such as `untrained` for random weights: it is only timed. Empty: it is scored.
    `execution` says how it computes (`eager`, `compiled`, `cuda-graph`): times of two kinds are never compared.
    """

    tasks: tuple[str, ...]
    family: str
    sample_rate: int
    frame_rate: float = 0.0
    streaming: bool = False
    sampling: Mapping[str, Parameter] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    unscored: str = ""
    execution: str = "eager"


@dataclass(frozen=True)
class Audio:
    """Float32 samples in [-1, 1], frame-interleaved (`samples[frame * channels + channel]`), with their rate in Hz."""

    samples: array.array[float]
    sample_rate: int
    channels: int

    def numpy(self) -> Any:
        """The samples as a NumPy float32 array of shape [channels, frames]."""
        import numpy

        return numpy.frombuffer(self.samples, dtype=numpy.float32).reshape(-1, self.channels).T


@dataclass(frozen=True)
class Request:
    """One sample to make. `prompt` is the voice prompt or the audio to continue; `duration` in seconds, or None.

    `trace` False asks for no spans: what marking them costs is measured so.
    """

    item: str
    seed: int
    task: str
    text: str | None = None
    prompt: Audio | None = None
    duration: float | None = None
    trace: bool = True


@dataclass(frozen=True)
class Chunk:
    """Audio of one sample, in order. `samples` has shape [frames] or [channels, frames], float32 in [-1, 1]."""

    item: str
    seed: int
    samples: Any
    sample_rate: int


@dataclass(frozen=True)
class Span:
    """Time spent in one part (`prefill`, `backbone`, `head`, `codec`, `other`) of one step, in nanoseconds.

    The name `step` is that of the whole of a step, from one frame of audio to the next, which the parts divide. `start`
    is when it began on `time.perf_counter_ns`, None where that is not known. `nanoseconds` is None for a part that
    began and did not end. A span may come until the batch ends, after the sample's `Done` too.
    """

    item: str
    seed: int
    name: str
    step: int
    nanoseconds: int | None
    start: int | None = None


@dataclass(frozen=True)
class Done:
    """A sample is complete. `why` is `eos`, `length` or `limit`."""

    item: str
    seed: int
    why: str = "eos"


@dataclass(frozen=True)
class Failure:
    """A sample that the system could not make: a short name that is counted, and a sentence for the person."""

    item: str
    seed: int
    name: str
    text: str


Event = Union[Chunk, Span, Done, Failure]  # noqa: UP007


class System(Protocol):
    """The thing under test."""

    @property
    def info(self) -> SystemInfo:
        """What it is; cheap, no weights loaded."""
        ...

    def load(self, device: str, dtype: str, threads: int) -> None:
        """Bring the weights into memory. Called once, before the first `generate`."""
        ...

    def generate(self, requests: Sequence[Request], sampling: Mapping[str, Value]) -> Iterator[Event]:
        """Make every request. `sampling` holds every declared parameter. Noise is drawn per (item, seed)."""
        ...

    def head_evaluations_per_second(self, sampling: Mapping[str, Value]) -> float | None:
        """Head network evaluations per second of audio at this sampling; None when it does not apply."""
        ...

    # A system may also have `weight_bytes_per_frame(sampling) -> dict[str, float]`: bytes of weights that one frame
    # reads, by part (`backbone`, `head`, `codec`), once it is loaded. Latency tables show the bound that they imply.
