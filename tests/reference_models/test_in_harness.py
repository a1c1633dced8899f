"""A reference model behind the harness: one process for a whole row, and every step told."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from calm_eval import evaluate


@pytest.mark.parametrize("in_process", [False, True])
def test_one_process_serves_all_items_and_tells_every_step(tmp_path, tone_suite, in_process):
    suite = tone_suite(3, task="tts", metrics=["rtf"], systems=["mini-calm-tts"])
    run = evaluate(str(suite), ["mini-calm-tts"], out=tmp_path / "run", in_process=in_process)
    samples = run.samples()
    assert samples["failure"].isna().all()
    assert not samples["flags"].map(lambda flags: "broke-after" in flags).any()
    assert samples["cold"].tolist() == ([0, 0, 0] if in_process else [1, 0, 0])
    for spans in samples["spans"].map(json.loads):
        steps = Counter(name for name, _, _ in spans)
        assert steps["codec"] == steps["head"] >= 1
