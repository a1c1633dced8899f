"""Fréchet distances as tools take them: what each hears, its laws of gain, and by how much the tools' own errors go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from judges.shared_weights import parity_clip

from calm_eval.judges import JUDGES
from calm_eval.judges.protocol import Judgement
from calm_eval.metrics import METRICS
from calm_eval.metrics.fad import LOW_RANK
from calm_eval.metrics.fad_presets import FAD_AUDIOCRAFT, FAD_FADTK, FAD_FRECHET_AUDIO_DISTANCE, FD_PANNS
from calm_eval.metrics.frechet import frechet_distance_checked
from calm_eval.metrics.protocol import SampleView, SetReference, SetSample

PEER = Path(__file__).resolve().parents[1] / "judges" / "goldens" / "audioldm_eval.npz"
HEARD = {
    "fad_audiocraft": "vggish/google/peak/int16",
    "fad_frechet_audio_distance": "vggish/torch",
    "fad_fadtk": "vggish/torch/int16",
    "fad_fadtk_encodec": "encodec-24k/fadtk/int16",
    "fd_openl3": "openl3-music/kapre-0.3/44100/peak",
    "fd_panns": "panns-cnn14-16k/audioldm",
}


def distance(metric, generated, reference):
    """The value of two sets of frames by clip."""
    samples = [
        SetSample(name, 0, SampleView(failure=None, judgements={"sample": Judgement(vectors=frames)}))
        for name, frames in generated.items()
    ]
    return metric.measure_set(samples, [SetReference(name, Judgement(vectors=one)) for name, one in reference.items()])


def frames(count, per_clip, dimensions, seed=0, move=0.0):
    rng = np.random.default_rng(seed)
    return {f"{n}": (rng.standard_normal((per_clip, dimensions)) + move).astype(np.float32) for n in range(count)}


@pytest.mark.parametrize("name", HEARD)
def test_a_preset_names_its_judge_and_its_tool(name) -> None:
    spec = METRICS.load(name).spec
    assert JUDGES.load(spec.judge)(random=0).info.name == HEARD[name]
    assert (spec.kind, spec.needs, spec.higher_is_better) == ("set", ("reference_set",), False)
    assert spec.parameters["preset"].replace("-", "_").split("_")[0] in name.replace("openl3", "stable").replace(
        "panns", "audioldm"
    )
    prints = {METRICS.load(other).spec.definition for other in HEARD}
    assert len(prints) == len(HEARD)


@pytest.fixture(scope="module")
def heard():
    """Eight sounds, and the same at a tenth of their level, as both VGGish presets hear them; random weights."""
    rng = np.random.default_rng(3)
    clips = [parity_clip(kind, 2.0, 16000) * rng.uniform(0.3, 1) for kind in ("chord", "chirp", "noise")]
    clips += [np.roll(one, 5000 * place) + clips[2] * 0.2 for place, one in enumerate([*clips[:2], *clips[:2]], 1)]
    clips = [clip.astype(np.float32) for clip in clips]
    made = {}
    for metric in (FAD_AUDIOCRAFT, FAD_FRECHET_AUDIO_DISTANCE):
        judge = JUDGES.load(metric.spec.judge)(random=0)
        judge.load("cpu", 1)
        for gain in (1.0, 0.1):
            told = judge.judge([np.float32(gain) * clip for clip in clips])
            made[metric.spec.name, gain] = {f"{n}": one.vectors for n, one in enumerate(told)}
    return made


def test_the_gain_of_a_set_in_two_presets(heard) -> None:
    apart = {}
    for metric in (FAD_AUDIOCRAFT, FAD_FRECHET_AUDIO_DISTANCE):
        loud, quiet = heard[metric.spec.name, 1.0], heard[metric.spec.name, 0.1]
        spread = np.concatenate(list(loud.values())).var(axis=0, ddof=1).sum()
        apart[metric.spec.name] = distance(metric, quiet, loud).value / spread
        assert distance(metric, loud, loud).value == pytest.approx(0.0, abs=1e-7 * float(spread))
    assert apart["fad_audiocraft"] < 1e-4
    assert apart["fad_frechet_audio_distance"] > 0.1


def test_the_distance_of_audioldm_eval() -> None:
    """What `calculate_fid` of audioldm_eval 0.0.3 says of the same vectors, one a clip: sqrtm was right here."""
    logits = 3 * np.random.default_rng(0).standard_normal((57, 12)).astype(np.float64)
    made, true = ({f"{n}": one[None] for n, one in enumerate(part)} for part in (logits[:30], logits[30:]))
    with np.load(PEER) as told:
        assert distance(FD_PANNS, made, true).value == pytest.approx(float(told["fid"]), rel=1e-9)


def test_panns_of_the_package_is_one_dimensional() -> None:
    """frechet-audio-distance 0.3.4 joins its vectors [2048] end to end, of which a covariance is one number: sets that
    lie far apart in every direction but the mean of all are then next to each other: here 0.001 against 60, in 128
    dimensions."""
    rng = np.random.default_rng(0)
    towards = np.repeat([-0.5, 0.5], 64)
    first, second = (np.abs(rng.standard_normal((60, 128)) + 1.5 + side * towards) for side in (-1, 1))
    made, true = ({f"{n}": one[None].astype(np.float32) for n, one in enumerate(rows)} for rows in (first, second))
    found = distance(FD_PANNS, made, true)
    flat = [np.concatenate(list(first)), np.concatenate(list(second))]
    package = (flat[0].mean() - flat[1].mean()) ** 2 + (flat[0].std(ddof=1) - flat[1].std(ddof=1)) ** 2
    assert package < 0.01
    assert found.value > 50
    assert LOW_RANK in found.warnings


def test_float16_of_fadtk() -> None:
    """Rounding embeddings to 11 bits moves a distance by less than a part in a thousand, until one is over 65,504."""
    made, true = frames(30, 10, 32, move=0.3), frames(30, 10, 32, seed=1)
    stored = {name: one.astype(np.float16) for name, one in made.items()}
    plain, rounded = (distance(FAD_FADTK, one, true).value for one in (made, stored))
    assert 0 < abs(rounded - plain) < 1e-3 * plain
    with np.errstate(over="ignore"):
        assert np.isinf(np.float32(70_000).astype(np.float16))


def test_a_clip_of_one_frame() -> None:
    """fadtk adds n - 1 times each clip's covariance: NaN for one frame, and then for the whole set. Here it counts."""
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        assert np.isnan(np.cov(np.ones((1, 3)), rowvar=False) * 0).all()
    true = frames(20, 5, 3, seed=1)
    made = {**frames(20, 5, 3), "short": np.ones((1, 3), dtype=np.float32)}
    together = [np.concatenate(list(each.values())) for each in (made, true)]
    assert distance(FAD_FADTK, made, true).value == pytest.approx(frechet_distance_checked(*together), rel=1e-6)
