"""Time of one generation step at batch 1 on the CPU, ours against the public pocket-tts package, in alternating blocks.

`CALM_EVAL_POCKET_TTS_PYTHON` names an interpreter that has pocket-tts 4.0.1 and the torch version of this one. Both
sides have the same dimensions, random float32 weights, as many threads and as many positions in their caches. By hand:
`python benchmarks/step_speed.py [threads ...]`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch

VARIABLE = "CALM_EVAL_POCKET_TTS_PYTHON"
PACKAGE = "4.0.1"
CHILD = Path(__file__).parent / "pocket_tts_child.py"

Step = Callable[[], object]


@dataclass(frozen=True)
class Plan:
    """How long to measure. Each side runs `pairs` blocks of `discarded + block` steps; the first ones do not count.

    At the start of a block the caches and the threads still belong to the other side: hence `discarded`.
    """

    threads: int = 1
    prefix: int = 128
    pairs: int = 16
    block: int = 20
    discarded: int = 3
    warm_up: int = 5
    rest: float = 0.02
    seed: int = 0

    @property
    def length(self) -> int:
        """Positions that a side's cache needs beyond the prefix."""
        return self.warm_up + self.pairs * (self.block + self.discarded)


@dataclass(frozen=True)
class Speed:
    """Nanoseconds of the counted steps, by block; block i of both sides ran next to each other."""

    ours: list[list[int]]
    theirs: list[list[int]]
    about: dict[str, Any]

    def medians(self) -> tuple[float, float]:
        """Median step in milliseconds, ours and theirs."""
        return _median(self.ours) / 1e6, _median(self.theirs) / 1e6

    def ratio(self) -> float:
        """Our median over theirs: at most 1 means no slower."""
        return _median(self.ours) / _median(self.theirs)

    def interval(self, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
        """95 % percentile bootstrap of the ratio; pairs of neighbouring blocks are drawn, as they share the machine."""
        ours, theirs = np.array(self.ours), np.array(self.theirs)
        picks = np.random.default_rng(seed).integers(0, len(ours), (draws, len(ours)))
        ratios = np.median(ours[picks].reshape(draws, -1), 1) / np.median(theirs[picks].reshape(draws, -1), 1)
        low, high = np.percentile(ratios, [2.5, 97.5])
        return float(low), float(high)

    def sentence(self) -> str:
        """The result in one line."""
        (ours, theirs), (low, high) = self.medians(), self.interval()
        count = sum(map(len, self.ours))
        return (
            f"ours {ours:.2f} ms, pocket-tts {self.about['package']} {theirs:.2f} ms, ratio {self.ratio():.3f} "
            f"[{low:.3f}, {high:.3f}], {count} steps each, threads {self.about['threads']}, torch {self.about['torch']}"
        )


class PocketChild:
    """The other interpreter, from `with` to the end of it."""

    def __init__(self, interpreter: str | Path) -> None:
        argv = [str(interpreter), str(CHILD)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> PocketChild:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if kind is not None:
            self._process.kill()
        self._process.wait()

    def build(self, plan: Plan) -> dict[str, Any]:
        """Build the package's model and read the prefix; what it says about itself."""
        return self._ask(do="build", threads=plan.threads, prefix=plan.prefix, length=plan.length, seed=plan.seed)

    def steps(self, count: int) -> list[int]:
        """Nanoseconds of each of the next `count` steps."""
        spent: list[int] = self._ask(do="steps", count=count)["nanoseconds"]
        return spent

    def _ask(self, **request: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"pocket-tts ended with code {self._process.wait()}; its words are on standard error")
        answer: dict[str, Any] = json.loads(line)
        return answer


def compare(child: PocketChild, ours: Step, plan: Plan) -> Speed:
    """Alternate blocks, ours first in every second pair. `ours` makes one step and has `plan.prefix` positions read.

    Sets torch's threads here to `plan.threads`. Raises RuntimeError when the sides are not comparable: another package
    version, another torch, another number of threads.
    """
    torch.set_num_threads(plan.threads)
    about = child.build(plan)
    here = {"package": PACKAGE, "torch": torch.__version__, "threads": torch.get_num_threads()}
    for name, value in here.items():
        if _release(about[name]) != _release(value):
            raise RuntimeError(f"not comparable: {name} is {about[name]} with pocket-tts, and {value} is wanted")
    sides: list[Callable[[int], list[int]]] = [child.steps, lambda count: timed(ours, count)]
    blocks: list[list[list[int]]] = [[], []]
    for side in sides:
        side(plan.warm_up)
    for pair in range(plan.pairs):
        for number in (0, 1) if pair % 2 == 0 else (1, 0):
            time.sleep(plan.rest)  # until the threads of the other side have stopped spinning
            blocks[number].append(sides[number](plan.discarded + plan.block)[plan.discarded :])
    return Speed(ours=blocks[1], theirs=blocks[0], about=about)


def timed(step: Step, count: int) -> list[int]:
    """Nanoseconds of each of `count` calls."""
    spent: list[int] = []
    for _ in range(count):
        began = time.perf_counter_ns()
        step()
        spent.append(time.perf_counter_ns() - began)
    return spent


def our_step(plan: Plan, preset: str = "pocket-tts") -> Step:
    """A step of a CALM preset with random weights: end-of-speech logit, head, then the backbone on the new latent."""
    from reference_models.build import make_model
    from reference_models.heads.protocol import Sampling
    from reference_models.models.conditioning import Conditions
    from reference_models.noise import Noise
    from reference_models.presets import load_model_preset

    model = make_model(load_model_preset(preset), seed=plan.seed).eval()
    text = torch.arange(plan.prefix - 2)  # with the start of the voice and the start frame: `prefix` positions
    with torch.inference_mode():
        state = model.begin([Conditions(text)], [None], plan.length, Sampling(0.7, 1), Noise([("speed", plan.seed)]))

    def step() -> None:
        with torch.inference_mode():
            model.stop_logits(state)
            model.advance(model.draw(state), state)

    return step


def measure(plan: Plan) -> Speed:
    """Our `pocket-tts` preset against the package. Raises KeyError when no interpreter is named."""
    with PocketChild(os.environ[VARIABLE]) as child:
        return compare(child, our_step(plan), plan)


def _median(blocks: list[list[int]]) -> float:
    return statistics.median(step for block in blocks for step in block)


def _release(value: object) -> str:
    return str(value).partition("+")[0]


if __name__ == "__main__":
    for threads in [int(word) for word in sys.argv[1:]] or [1, 2]:
        print(measure(Plan(threads=threads)).sentence())
