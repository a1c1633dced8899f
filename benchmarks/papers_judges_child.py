"""`python benchmarks/papers_judges_child.py CLIPS OUT METRIC...`: score a folder by judges on random weights.

Judges: `bench-cnn14` (with `CALM_EVAL_BENCH_CNN14`, a checkpoint) and `bench-vggish`. For each judge it prints how many
clips a second went from file to stored answer between the end of its loading and its closing.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from calm_eval.judges import JUDGES
from calm_eval.judges.panns import PannsJudge
from calm_eval.judges.protocol import JudgeInfo
from calm_eval.judges.vggish import VggishJudge

RANDOM = "random weights of a benchmark"


class TimedCnn14(PannsJudge):
    """Cnn14's logits at 16 kHz; says when it was loaded and closed."""

    def __init__(self) -> None:
        super().__init__(16000, "logits", os.environ["CALM_EVAL_BENCH_CNN14"])
        self.heard = 0

    @property
    def info(self) -> JudgeInfo:
        """As its parent's; nothing may be scored."""
        return replace(super().info, unscored=RANDOM)

    def load(self, device: str, threads: int) -> None:
        super().load(device, threads)
        self.began = time.perf_counter()

    def judge(self, batch):  # type: ignore[no-untyped-def]
        self.heard += len(batch)
        return super().judge(batch)

    def close(self) -> None:
        if self._network is not None:
            print(f"cnn14: {self.heard / (time.perf_counter() - self.began):.4f} clips/s", flush=True)
        super().close()


def vggish() -> VggishJudge:
    """VGGish on random weights."""
    return VggishJudge("torch", random=1)


def main() -> None:
    clips, out = map(Path, sys.argv[1:3])
    JUDGES._builtin["bench-cnn14"] = "papers_judges_child:TimedCnn14"
    JUDGES._builtin["bench-vggish"] = "papers_judges_child:vggish"
    sys.modules.setdefault("papers_judges_child", sys.modules["__main__"])
    from calm_eval.runs.evaluate import evaluate
    from calm_eval.runs.two_folders import Folders, folder_order
    from calm_eval.systems.engine import Conditions

    order = folder_order(Folders(clips, clips, None, tuple(sys.argv[3:])), out, Conditions(threads=2), "benchmark")
    evaluate(order, out, stages=("generate",), quiet=True)
    evaluate(order, out, stages=("score",), quiet=True)


if __name__ == "__main__":
    main()
