"""NISQA: own network and front end against torchmetrics' on shared weights, and a licence that must be accepted."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from shared_weights import drawn, parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.nisqa import LICENCE, SCORES, NisqaJudge
from calm_eval.judges.nisqa_front_end import LEAST, SAMPLE_RATE, NisqaLogMel, segments
from calm_eval.judges.nisqa_network import NisqaNetwork, build
from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.nisqa import DISCONTINUITY, OVERALL
from calm_eval.metrics.protocol import SampleView

torch = pytest.importorskip("torch")
CLIPS = (("chord", 0.5), ("chirp", 0.96), ("noise", 0.975), ("chord", 10.0), ("chirp", 30.0))


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parent / "goldens" / "nisqa.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def log_mel():
    return NisqaLogMel()


def shared_state():
    """As the peer fills the original."""
    return {
        name: value if name.endswith("num_batches_tracked") else torch.from_numpy(drawn(name, value.shape))
        for name, value in build(torch).state_dict().items()
    }


@pytest.fixture(scope="module")
def network():
    return NisqaNetwork(shared_state(), torch, "cpu")


@pytest.fixture(scope="module")
def judge():
    made = NisqaJudge(random=0)
    made.load("cpu", 1)
    return made


def test_the_keys_are_those_of_the_original(golden) -> None:
    assert sorted(build(torch).state_dict()) == list(golden["keys"])


@pytest.mark.parametrize(("kind", "seconds"), CLIPS)
def test_scores_on_shared_weights_are_torchmetrics(golden, log_mel, network, kind, seconds) -> None:
    name = f"{kind}-{seconds:g}"
    mel = log_mel(parity_clip(kind, seconds, SAMPLE_RATE))
    assert mel[::6, ::7][:, :60] == pytest.approx(golden[f"{name}/mel"], abs=2e-3)
    cut = segments(mel)
    assert len(cut) == golden[f"{name}/segments"]
    assert network(cut) == pytest.approx(golden[f"{name}/scores"], abs=1e-4)


def test_other_sounds_have_other_scores(golden) -> None:
    scores = np.array([golden[f"{kind}-{seconds:g}/scores"] for kind, seconds in CLIPS])
    apart = np.abs(scores[:, None] - scores[None]).max(axis=-1)[np.triu_indices(len(CLIPS), 1)]
    assert apart.min() > 100 * 1e-4


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 10), (0.96, 21), (0.975, 21), (10, 247), (30, 747), (60, 1497)])
def test_segments_of_a_clip(log_mel, seconds, count) -> None:
    """ceil((1 + n // 480 - 14) / 4) of n samples."""
    clip = 0.1 * np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))
    assert segments(log_mel(clip)).shape == (count, 48, 15)


def test_front_end_on_a_tone(log_mel) -> None:
    """80 dB deep and no more; twice the amplitude is 6.02 dB."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = log_mel(0.5 * np.sin(2 * np.pi * 1000 * time))[:, 50]
    assert tone.max() - tone.min() == pytest.approx(80.0)
    louder = log_mel(np.sin(2 * np.pi * 1000 * time))[:, 50]
    assert louder.max() - tone.max() == pytest.approx(20 * math.log10(2), abs=1e-6)


def test_a_file_at_16_khz_is_another_input_to_the_tool(golden, log_mel, network) -> None:
    """It takes a file at its own rate; here every clip comes at 48 kHz. The bands up to 7 kHz are the same."""
    import soxr

    mel = log_mel(soxr.resample(parity_clip("noise", 2.0, 16000), 16000, SAMPLE_RATE, quality="VHQ"))
    theirs = golden["noise-2/mel"]
    apart = (mel[::6, ::7][:, :60] - theirs).mean(axis=1)
    assert np.abs(apart[:6]).max() < 0.05
    assert theirs[-1] == pytest.approx(-80.0)
    assert 1.0 < np.abs(apart[6:]).max() < 5.0
    assert 1e-3 < np.abs(network(segments(mel)) - golden["noise-2/scores"]).max() < 0.05


def test_judgements(judge) -> None:
    clip = parity_clip("chord", 2.0, SAMPLE_RATE)
    other = parity_clip("noise", 2.0, SAMPLE_RATE)
    both, alone = judge.judge([other, clip])[1], judge.judge([clip])[0]
    assert both == alone
    assert tuple(alone.scores) == SCORES
    assert alone.notes == {"segments": 47, "beyond_training": False}
    long = judge.judge([parity_clip("noise", 53.0, SAMPLE_RATE)])[0]
    assert long.notes["beyond_training"] is True
    refused = judge.judge([np.array(one, np.float32) for one in ([], [np.nan] * 9000, [0] * 9000, [0.1] * (LEAST - 1))])
    assert [one.refused for one in refused] == ["empty", "nan", "silent", "too-short"]
    assert judge.judge([parity_clip("noise", LEAST / SAMPLE_RATE, SAMPLE_RATE)])[0].notes["segments"] == 1


def test_the_licence_must_be_accepted() -> None:
    for options in ({}, {"accept_licence": "yes"}, {"path": "nisqa.tar"}):
        with pytest.raises(UnavailableError, match=f"accept_licence: {LICENCE}"):
            NisqaJudge(**options)
    judge = NisqaJudge(accept_licence=LICENCE)
    assert judge.info.licence == LICENCE
    assert judge.info.weights == {"nisqa.tar": "7ec4cf937514dd3f8860b21e66fabd8ca87a168572675ef8d979c4c4ad2e805c"}
    assert judge.info.verified == "code"
    assert judge.info.unscored == ""
    assert NisqaJudge(random=1).info.unscored == "random weights"
    with pytest.raises(InputError, match="give one of them"):
        NisqaJudge(LICENCE, path="nisqa.tar", random=0)


def test_who_does_not_accept_is_told_before_anything_runs() -> None:
    from calm_eval.judges.readiness import readiness
    from calm_eval.metrics.bound import bind
    from calm_eval.specs.suite import JudgeUse, MetricUse

    assert LICENCE in readiness("nisqa").told
    assert LICENCE in str(bind(MetricUse(name="nisqa_mos")).unavailable)
    accepted = MetricUse(name="nisqa_mos", judge=JudgeUse(name="nisqa", options={"accept_licence": LICENCE}))
    assert bind(accepted).unavailable is None


def test_checkpoints(tmp_path, network, log_mel) -> None:
    """The original's file holds its tensors under `model_state_dict`, beside arguments."""
    file = tmp_path / "nisqa.tar"
    torch.save({"model_state_dict": shared_state(), "args": {"ms_n_fft": 4096, "name": "NISQA_DIM"}}, file)
    judge = NisqaJudge(LICENCE, path=str(file))
    judge.load("cpu", 1)
    clip = parity_clip("chirp", 1.0, SAMPLE_RATE)
    assert list(judge.judge([clip])[0].scores.values()) == pytest.approx(network(segments(log_mel(clip))).tolist())

    def refused(name, content) -> str:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        with pytest.raises(UnavailableError) as caught:
            NisqaJudge(LICENCE, path=str(path)).load("cpu", 1)
        return str(caught.value)

    tts = {name.replace("pool_layers.0", "pool"): value for name, value in shared_state().items()}
    assert "not a checkpoint of NISQA v2.0" in refused("nisqa_tts.tar", {"model_state_dict": tts})
    assert "give another `path`" in refused("half.tar", file.read_bytes()[:20_000])
    assert "read safely" in refused("code.tar", {"model_state_dict": {"weight": _Code()}})


class _Code:
    def __reduce__(self):
        return print, ("never printed",)


def test_metrics_take_their_scale() -> None:
    told = Judgement(scores=dict(zip(SCORES, (3.1, 3.2, 3.3, 3.4, 3.5), strict=True)))
    view = SampleView(failure=None, judgements={"sample": told})
    assert (OVERALL.measure(view).numerator, DISCONTINUITY.measure(view).numerator) == (3.1, 3.3)
    assert OVERALL.measure(SampleView(failure="empty")).refused == "empty"
    silent = SampleView(failure=None, judgements={"sample": Judgement(refused="silent")})
    assert OVERALL.measure(silent).refused == "judge:silent"


def test_the_list_tells_of_it_before_its_licence_is_accepted() -> None:
    from calm_eval.listing import listing

    (row,) = [line for line in listing("judges").splitlines() if line.startswith("nisqa ")]
    assert all(part in row for part in ("scores", "48000", LICENCE, "1.1 MB", "needs options", "code"))
