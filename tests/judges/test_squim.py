"""Squim: torchaudio's own bundle on the same random weights; order, level and length."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shared_weights import drawn, parity_clip
from torchaudio_or_skip import torchaudio_or_skip

from calm_eval.errors import UnavailableError
from calm_eval.judges.protocol import Judgement
from calm_eval.judges.squim import SCORES, SquimJudge
from calm_eval.metrics.protocol import SampleView
from calm_eval.metrics.squim import PESQ, SI_SDR, STOI

torch = pytest.importorskip("torch")
RATE = 16000
CLIPS = [
    parity_clip(kind, seconds, RATE)
    for kind, seconds in (("chord", 0.5), ("chirp", 0.96), ("noise", 0.975), ("chord", 10.0))
]


@pytest.fixture(scope="module")
def torchaudio():
    return torchaudio_or_skip()


@pytest.fixture(scope="module")
def checkpoint(torchaudio, tmp_path_factory):
    """Drawn by name, so that the answers are not all alike."""
    shapes = torchaudio.models.squim_objective_base().state_dict()
    state = {name: torch.from_numpy(drawn(name, value.shape)) for name, value in shapes.items()}
    file = tmp_path_factory.mktemp("squim") / "squim.pth"
    torch.save(state, file)
    return file


@pytest.fixture(scope="module")
def judge(checkpoint):
    made = SquimJudge(path=str(checkpoint))
    made.load("cpu", 1)
    return made


def test_answers_are_those_of_the_bundle(torchaudio, judge, checkpoint, monkeypatch) -> None:
    monkeypatch.setattr(torchaudio.utils, "_download_asset", lambda *_, **__: str(checkpoint))
    original = torchaudio.pipelines.SQUIM_OBJECTIVE.get_model()
    rows = []
    for clip, found in zip(CLIPS, judge.judge(CLIPS), strict=True):
        with torch.inference_mode():
            stoi, pesq, si_sdr = (float(one[0]) for one in original(torch.from_numpy(clip)[None]))
        assert dict(found.scores) == pytest.approx({"stoi": stoi, "pesq": pesq, "si_sdr": si_sdr}, abs=1e-5)
        assert 0 < stoi < 1
        assert 1 < pesq < 0.999 + 4 / (1 + math.exp(-1.3669 * 4.5 + 3.8224)) + 1e-6
        rows.append([stoi, pesq, si_sdr])
    apart = np.abs(np.array(rows)[:, None] - np.array(rows)).max(axis=-1)[np.triu_indices(len(CLIPS), 1)]
    assert apart.min() > 1e-3


def test_the_level_does_not_count(judge) -> None:
    loud, quiet = judge.judge([CLIPS[0], np.float32(0.05) * CLIPS[0]])
    assert dict(quiet.scores) == pytest.approx(dict(loud.scores), abs=1e-4)


def test_a_clip_does_not_hear_its_neighbours(judge) -> None:
    assert judge.judge(CLIPS)[2] == judge.judge(CLIPS[2:3])[0]


def test_the_file_is_the_one_that_the_bundle_names(torchaudio) -> None:
    from calm_eval.assets import load_catalogue

    (file,) = load_catalogue()["squim-objective"].files
    bundle = torchaudio.pipelines.SQUIM_OBJECTIVE
    assert str(file.source) == f"https://download.pytorch.org/torchaudio/models/{bundle._path}"
    assert bundle.sample_rate == RATE


def test_refusals_and_random_weights(torchaudio) -> None:
    judge = SquimJudge(random=0)
    judge.load("cpu", 1)
    broken = [np.array(one, np.float32) for one in ([], [np.nan] * 900, [0.0] * 900, [0.1] * 63)]
    assert [each.refused for each in judge.judge(broken)] == ["empty", "nan", "silent", "too-short"]
    assert set(judge.judge([CLIPS[0][:64]])[0].scores) == set(SCORES)
    assert judge.info.unscored == "random weights"


def test_checkpoints_that_are_others(torchaudio, checkpoint, tmp_path) -> None:
    state = torch.load(checkpoint, weights_only=True)
    file = tmp_path / "part.pth"
    torch.save({name: value for name, value in state.items() if not name.startswith("branches.2")}, file)
    with pytest.raises(UnavailableError, match="not a checkpoint of SQUIM_OBJECTIVE"):
        SquimJudge(path=str(file)).load("cpu", 1)


def test_identity() -> None:
    info = SquimJudge().info
    assert info.weights == {"squim.pth": "2c54586fea83fb5eb5394d710038ee89f55cab7011a5bf730bebed4c8777e828"}
    assert (info.name, info.verified, info.licence) == ("squim-objective", "code", "CC-BY-4.0")
    assert SquimJudge(random=0).info.weights != info.weights


def test_metrics_take_their_score() -> None:
    told = Judgement(scores={"stoi": 0.9, "pesq": 3.5, "si_sdr": 18.0})
    view = SampleView(failure=None, judgements={"sample": told})
    assert [metric.measure(view).numerator for metric in (PESQ, STOI, SI_SDR)] == [3.5, 0.9, 18.0]
    assert PESQ.measure(SampleView(failure="nan")).refused == "nan"
