"""PANNs as audioldm_eval asks it: what it does to a clip before, beside the judge that does not."""

from __future__ import annotations

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval.judges.panns import PannsJudge
from calm_eval.judges.panns_audioldm import PannsAudioldmJudge, panns_audioldm_logits
from calm_eval.judges.panns_network import build

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def judges():
    made = {"plain": PannsJudge(random=0), "tool": PannsAudioldmJudge(random=0)}
    for judge in made.values():
        judge.load("cpu", 1)
    return made


def test_answers_are_those_of_audioldm_eval(tmp_path) -> None:
    """audioldm_eval 0.0.3 on the same weights and samples, from its file reader on: a short clip and one over 2 s."""
    told = peer("audioldm_eval")
    clips = [parity_clip(kind, seconds, 16000) + np.float32(0.05) for kind, seconds in (("chord", 0.7), ("noise", 2.3))]
    file = shared_checkpoint(build(torch), tmp_path / "shared.pth", torch)
    for output, ending in (("embedding", ""), ("logits", "-logits")):
        judge = PannsAudioldmJudge(output=output, path=file)
        judge.load("cpu", 1)
        chord, noise = (one.vectors for one in judge.judge(clips))
        assert apart(chord, told[f"chord{ending}"]) < 1e-4
        assert apart(noise, told[f"noise{ending}"]) < 1e-4
        assert apart(chord, noise) > 0.02


def test_less_its_mean_and_two_seconds_at_least(judges) -> None:
    clip = parity_clip("chord", 0.7, 16000)
    offset = clip + np.float32(0.2)
    filled = np.pad(clip - clip.mean(), (0, 32000 - clip.size))
    plain, as_it_is, as_filled = judges["plain"].judge([clip, offset, filled])
    tool, with_offset = judges["tool"].judge([clip, offset])
    size = np.abs(plain.vectors).max()
    assert tool.vectors == pytest.approx(as_filled.vectors, abs=1e-5)
    assert with_offset.vectors == pytest.approx(tool.vectors, abs=1e-4 * float(size))
    # An offset is not heard in either: no mel begins under 50 Hz. Two seconds for 0.7 are.
    assert as_it_is.vectors == pytest.approx(plain.vectors, abs=1e-4 * float(size))
    assert np.abs(tool.vectors - plain.vectors).max() > 1e-3 * size


def test_nothing_is_too_short(judges) -> None:
    short = parity_clip("noise", 0.1, 16000)
    assert judges["plain"].judge([short])[0].refused == "too-short"
    assert judges["tool"].judge([short])[0].vectors.shape == (1, 2048)
    broken = [[], [np.nan] * 9000, [0.0] * 9000]
    refused = [one.refused for one in judges["tool"].judge([np.array(clip, dtype=np.float32) for clip in broken])]
    assert refused == ["empty", "nan", "silent"]


def test_identities() -> None:
    info = PannsAudioldmJudge(random=0).info
    assert (info.name, info.output) == ("panns-cnn14-16k/audioldm", "embedding")
    assert info.parameters["level"] == "less its mean"
    logits = panns_audioldm_logits(32000, random=0).info
    assert (logits.name, logits.output, logits.sample_rate) == ("panns-cnn14-32k/logits/audioldm", "tags", 32000)
