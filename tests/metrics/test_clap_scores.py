"""The CLAP scores: a cosine behind two gates, each with the judge of its tool."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.judges import JUDGES
from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.clap_scores import CLAP, CLAP_AUDIOCRAFT, CLAP_AUDIOLDM2, CLAP_MICROSOFT, CLAP_SAM
from calm_eval.metrics.protocol import SampleView, SetSample

ALL = [CLAP, CLAP_AUDIOCRAFT, CLAP_SAM, CLAP_AUDIOLDM2, CLAP_MICROSOFT]


def captioned(texts, sounds):
    return [
        SetSample(f"i{number}", 0, SampleView(None, text=f"caption {number}", judgements={
            "text": Judgement(vectors=text[None]), "sample": Judgement(vectors=sound[None])}))
        for number, (text, sound) in enumerate(zip(texts, sounds, strict=True))
    ]  # fmt: skip


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.spec.name)
def test_scores_go_through_both_gates(metric) -> None:
    rng = np.random.default_rng(0)
    texts = rng.standard_normal((12, 16)).astype(np.float32)
    good = captioned(texts, texts + 0.3 * rng.standard_normal((12, 16)).astype(np.float32))
    assert metric.gate(good).invalid is None
    value = metric.measure(good[3].view)
    first, second = texts[3], good[3].view.judgements["sample"].vectors[0]
    assert value.numerator == pytest.approx(float(first @ second / np.linalg.norm(first) / np.linalg.norm(second)))
    # Another caption's audio, and a text tower of one direction: each is named, and no number comes out.
    assert metric.gate(captioned(texts, np.roll(texts, 1, axis=0))).invalid == "gate: not telling captions apart"
    collapsed = (1 + 0.01 * texts).astype(np.float32)
    assert "telling texts apart" in metric.gate(captioned(collapsed, collapsed)).invalid


def test_each_score_has_the_judge_of_its_tool() -> None:
    infos = {metric.spec.name: JUDGES.load(metric.spec.judge)(random=0).info for metric in ALL}
    assert {name: info.name for name, info in infos.items()} == {
        "clap": "clap-music",
        "clap_audiocraft": "clap-music/randcrop/float",
        "clap_sam": "clap-fusion/randcrop/peak",
        "clap_audioldm2": "clap-music-speech/first/float/512-tokens",
        "clap_microsoft": "ms-clap-2023",
    }
    assert len({str(sorted(info.parameters.items())) for info in infos.values()}) == len(infos)
    assert infos["clap_sam"].parameters["level"] == "largest magnitude at -1 dB"
    assert infos["clap_audiocraft"].parameters["steps"] == "none"
