"""A judge on random weights: it runs, and no number comes of it."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

import calm_eval

pytest.importorskip("torch")
METRICS = [
    {"name": "fad", "judge": {"name": "vggish", "options": {"form": "torch", "random": 0}}},
    {"name": "speaker_similarity", "judge": {"name": "panns", "options": {"random": 0}}},
    "demo_level",
]


@pytest.fixture
def run(tone_suite, tmp_path):
    suite = tone_suite(4, metrics=METRICS, systems=["reference", "silence"], reference_set={"items": True})
    for number, path in enumerate(sorted((suite.parent / "audio").glob("*.wav"))):
        wave = 0.1 * np.random.default_rng(number).standard_normal(24_000)
        soundfile.write(path, wave, 16_000)
    return calm_eval.evaluate(str(suite), out=tmp_path / "run")


def test_their_cells_say_so_and_hold_no_number(run) -> None:
    ((_, cells),) = run.cells()
    told = {(cell.variant.name, cell.metric.spec.name): cell.estimate for cell in cells}
    for metric in ("fad", "speaker_similarity"):
        assert told["reference", metric].value is None
        assert dict(told["reference", metric].failures) == {"unscored": 4}
    assert told["reference", "demo_level"].value is not None
    text = (run.folder / "report.md").read_text()
    assert text.count("random weights: not scored") == 4
    assert "unscored" not in text
    # They were asked all the same: that is what such a run is for.
    assert (run.folder / "embeddings").is_dir()
    assert set(run.values().query("metric == 'speaker_similarity'")["refused"]) == {"unscored"}
