"""What a judge is: pretrained weights that turn a batch of audio into transcripts, scores or vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Mono = NDArray[np.float32]
"""Float32 samples in [-1, 1], shape [frames], at the judge's sample rate."""


Verified = Literal["weights", "code", "never"]
"""`weights`: its answers are the original's on trained weights; `code`: on shared random ones; `never`: not known."""


@dataclass(frozen=True)
class JudgeInfo:
    """The identity of a judge.

    `output` is `transcript`, `scores`, `embedding` or `tags` (probabilities, as vectors). `weights` maps a name to a
    sha256. `version` is raised by hand when the same weights give other answers. `parameters` holds everything that
    changes an answer (decoding options, level rule, windows); library versions are environment and stay out.
    `verified` says how far the answers were held against the original's, `proven` for `weights` by whom, when and
    against what. `unscored` is a reason why no number may come
    of them (`random weights`); empty for a judge that scores.
    """

    name: str
    output: str
    sample_rate: int
    version: int
    weights: Mapping[str, str]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    verified: Verified = "never"
    proven: str = ""
    unscored: str = ""


@dataclass(frozen=True)
class Requires:
    """What a judge needs to run: modules to import, assets to have, and the extra that installs the modules.

    `environment` names an interpreter of its own that a package needs (`environments.toml`).
    `files` are weights that the package downloads by itself on first use, where it looks for them. A judge may say so
    in an attribute `requires`; `calm-eval doctor` reads it without loading anything.
    """

    packages: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    extra: str = "mini"
    files: tuple[str, ...] = ()
    environment: str = ""


@dataclass(frozen=True)
class Judgement:
    """A judge's answer on one audio, or its named refusal (`refused` set, everything else empty).

    `text` for transcripts; `scores` for named numbers; `vectors` (float32, [frames, dim]) for embeddings; `notes`
    for diagnostics that are recorded but never scored.
    """

    text: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    vectors: NDArray[np.float32] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    refused: str | None = None


class Judge(Protocol):
    """A judge. Construction is cheap and offline; `load` brings the weights into memory, `close` lets them go.

    A class attribute `concurrent = True` says that `judge` works in the thread that calls it and may be called from
    several at once; `threads` of `load` is then the number of those calls. A small network can be faster in two
    calls of one thread each than in one call of two.
    """

    @property
    def info(self) -> JudgeInfo:
        """Who it is. May fetch nothing; raises UnavailableError when its weights' identity cannot be known."""
        ...

    def load(self, device: str, threads: int) -> None:
        """Fetch (if need be), verify and load the weights. Raises UnavailableError with what to install or fetch."""
        ...

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One judgement for each audio, in order. An answer depends on its own audio, never on its neighbours."""
        ...

    def close(self) -> None:
        """Free the weights."""
        ...


class TextJudge(Judge, Protocol):
    """A judge that puts text and audio into one space."""

    def judge_texts(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement (a vector [1, dim]) for each text, in order."""
        ...


class PairJudge(Judge, Protocol):
    """A judge that hears two audios together."""

    def judge_pairs(self, batch: Sequence[tuple[Mono, Mono]]) -> list[Judgement]:
        """One judgement for each (sample, other), in order; both at the judge's sample rate."""
        ...
