"""`python benchmarks/scoring_child.py GENERATED REFERENCE OUT`: score two folders by a stub embedder; prints seconds.

The embedder is a fixed random projection of half-second pieces, no judge of anything: what is measured is the harness.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from calm_eval.judges import JUDGES
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono

PIECE = 8000
DIMENSIONS = 128


class Projection:
    """Log energies of 128 slices of each half second, turned by a fixed matrix: vectors [pieces, 128]."""

    info = JudgeInfo(name="stub-projection", output="embedding", sample_rate=16000, version=1, weights={})

    def load(self, device: str, threads: int) -> None:
        """Draw the matrix."""
        self.matrix = np.random.default_rng(0).standard_normal((DIMENSIONS, DIMENSIONS)) / DIMENSIONS**0.5

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One judgement for each audio."""
        return [Judgement(vectors=self._one(audio)) for audio in batch]

    def close(self) -> None:
        """Nothing to free."""

    def _one(self, audio: Mono) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        pieces = audio[: audio.size // PIECE * PIECE].reshape(-1, PIECE)
        slices = pieces[:, : PIECE // DIMENSIONS * DIMENSIONS].reshape(len(pieces), DIMENSIONS, -1)
        energies = np.log(1e-6 + (slices.astype(np.float64) ** 2).mean(axis=2))
        return np.asarray(energies @ self.matrix, dtype=np.float32)


def main() -> None:
    generated, reference, out = map(Path, sys.argv[1:4])
    JUDGES._builtin["stub-projection"] = "scoring_child:Projection"
    sys.modules.setdefault("scoring_child", sys.modules["__main__"])
    from calm_eval.runs.evaluate import evaluate
    from calm_eval.runs.two_folders import Folders, folder_order
    from calm_eval.systems.engine import Conditions

    metrics = tuple(f"{name}:stub-projection" for name in ("fad", "fad_floor"))
    order = folder_order(Folders(generated, reference, None, metrics), out, Conditions(threads=2), "benchmark")
    evaluate(order, out, quiet=True)
    database = out / "run.sqlite"
    import sqlite3

    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM set_values")
    began = time.perf_counter()
    evaluate(order, out, stages=("score",), quiet=True)
    print(f"second scoring: {time.perf_counter() - began:.3f} s")


if __name__ == "__main__":
    main()
