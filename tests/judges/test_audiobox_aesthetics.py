"""Audiobox Aesthetics against audiobox-aesthetics 0.0.4 on shared random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.audiobox_aesthetics import SCALES, AudioboxAestheticsJudge
from calm_eval.judges.audiobox_network import AXES, AudioboxNetwork, build
from calm_eval.judges.torch_weights import read_state
from calm_eval.judges.wavlm_network import WAVLM_BASE

torch = pytest.importorskip("torch")
CLIPS = (("chord", 11.3), ("chirp", 2.0), ("noise", 10.0))
SMALL = replace(WAVLM_BASE, width=64, depth=4, heads=4, inner=128, channels=32)


class SmallJudge(AudioboxAestheticsJudge):
    """The judge with a smaller network: windows, weights and scales are its own."""

    def _opened(self, state, torch, device):
        return AudioboxNetwork(state, torch, device, SMALL)


@pytest.fixture(scope="module")
def golden():
    return peer("audiobox")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return shared_checkpoint(build(torch, SMALL), tmp_path_factory.mktemp("audiobox") / "small.pt", torch)


@pytest.fixture(scope="module")
def judge(file):
    made = SmallJudge(path=file)
    made.load("cpu", 1)
    return made


def axes(judgement) -> list[float]:
    return [judgement.scores[axis] for axis in AXES]


def test_the_keys_are_those_of_the_published_checkpoint(golden) -> None:
    with torch.device("meta"):
        state = build(torch).state_dict()
    assert sorted(state) == golden["published-keys"].tolist()
    assert len(state) == 324
    assert state["proj_layer.PQ.12.weight"].shape == (1, 768)
    assert state["layer_weights.CE"].shape == (13,)


def test_scores_are_those_of_the_package(golden, judge) -> None:
    """Two windows, of which one has 1.3 s; one window of 2 s; one that is full."""
    found = judge.judge([parity_clip(kind, seconds, 16000) for kind, seconds in CLIPS])
    assert apart([axes(one) for one in found], golden["small"]) < 1e-5
    assert [one.notes["windows"] for one in found] == [2, 1, 1]
    assert abs(found[0].scores["PQ"] - found[2].scores["PQ"]) > 0.5


@pytest.mark.slow
def test_scores_of_the_published_size_are_those_of_the_package(golden, tmp_path) -> None:
    with torch.device("meta"):
        network = build(torch)
    path = shared_checkpoint(network.to_empty(device="cpu"), tmp_path / "model.pt", torch)
    made = AudioboxAestheticsJudge(path=path)
    made.load("cpu", 1)
    found = made.judge([parity_clip(kind, seconds, 16000) for kind, seconds in CLIPS])
    assert apart([axes(one) for one in found], golden["published"]) < 1e-5


def test_windows_count_by_their_length(judge) -> None:
    clip = np.concatenate([parity_clip("chord", 10.0, 16000), parity_clip("noise", 2.5, 16000)])
    whole, first, last = (np.array(axes(one)) for one in judge.judge([clip, clip[:160000], clip[160000:]]))
    assert whole == pytest.approx((4 * first + last) / 5, abs=1e-6)
    assert np.abs(first - last).max() > 0.1
    assert [judge.judge([parity_clip("noise", seconds, 16000)])[0].notes["windows"] for seconds in (0.5, 10, 30)] == [
        1, 1, 3,
    ]  # fmt: skip


def test_a_clip_and_its_filling_up_are_two_things(judge) -> None:
    """Zeros behind a clip count when they are the clip's, and are heard through the group norm when they are not."""
    clip = parity_clip("noise", 2.0, 16000)
    inside = np.concatenate([clip, np.zeros(16000, dtype=np.float32)])
    ours, longer = (np.array(axes(one)) for one in judge.judge([clip, inside]))
    assert np.abs(ours - longer).max() > 1e-3


def test_both_published_forms_of_a_checkpoint(file, judge, tmp_path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    clip = parity_clip("chord", 1.0, 16000)
    expected = axes(judge.judge([clip])[0])
    state = read_state(Path(file), torch)
    safe, whole = tmp_path / "model.safetensors", tmp_path / "checkpoint.pt"
    safetensors.save_file(dict(state), safe)
    torch.save({"state_dict": {f"model.{name}": value for name, value in state.items()}, "model_cfg": {}}, whole)
    for path in (safe, whole):
        made = SmallJudge(path=str(path))
        made.load("cpu", 1)
        assert axes(made.judge([clip])[0]) == pytest.approx(expected)


def test_refusals_identity_and_random_weights(judge) -> None:
    clip = parity_clip("chord", 0.5, 16000)
    nothing = np.full(9000, np.inf, dtype=np.float32)
    for broken, why in ((clip[:0], "empty"), (clip[:399], "too-short"), (0 * clip, "silent"), (nothing, "nan")):
        assert judge.judge([broken])[0].refused == why
    made = AudioboxAestheticsJudge(random=0)
    assert (made.info.name, made.info.verified, made.info.unscored) == ("audiobox-aesthetics", "code", "random weights")
    assert made.info.parameters["scales"]["PQ"] == [6.57505, 1.51466]
    assert list(SCALES) == list(AXES)
    made.load("cpu", 1)
    assert all(np.isfinite(axes(made.judge([clip])[0])))
    with pytest.raises(InputError, match="give one of them"):
        AudioboxAestheticsJudge(path="a.pt", random=0)


def test_the_checkpoint_of_another_size_is_refused(file, tmp_path) -> None:
    with pytest.raises(UnavailableError, match="not a checkpoint of Audiobox Aesthetics"):
        AudioboxAestheticsJudge(path=file).load("cpu", 1)
    broken = tmp_path / "checkpoint.pt"
    broken.write_bytes(Path(file).read_bytes()[:1000])
    with pytest.raises(UnavailableError, match="give another `path`"):
        AudioboxAestheticsJudge(path=str(broken)).load("cpu", 1)
