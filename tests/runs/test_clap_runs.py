"""A run with CLAP scores on random weights: captions and audio are asked, the gates and cells speak."""

from __future__ import annotations

import numpy as np
import pytest

import calm_eval

pytest.importorskip("torch")
pytest.importorskip("tokenizers")


def test_captions_and_audio_reach_both_judges(tone_suite, tmp_path) -> None:
    metrics = [
        {"name": "clap", "judge": {"name": "clap-general", "options": {"random": 0}}},
        {"name": "clap_microsoft", "judge": {"name": "ms-clap", "options": {"random": 0}}},
    ]
    suite = tone_suite(3, metrics=metrics, systems=["reference"])
    run = calm_eval.evaluate(str(suite), out=tmp_path / "run")
    ((_, cells),) = run.cells()
    told = {(cell.variant.name, cell.metric.spec.name): cell.estimate for cell in cells}
    for metric in ("clap", "clap_microsoft"):
        assert told["reference", metric].value is None
        assert dict(told["reference", metric].failures) == {"unscored": 3}
    # Three sounds and their three captions at each judge, every vector of length 1.
    stored = [np.load(file) for file in sorted((run.folder / "embeddings").rglob("*.npy"))]
    assert sorted(one.shape for one in stored) == [(6, 512), (6, 1024)]
    assert np.linalg.norm(stored[0].astype(np.float64), axis=1) == pytest.approx(1.0, abs=2e-3)
