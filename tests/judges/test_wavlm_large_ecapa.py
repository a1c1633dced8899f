"""WavLM-large with ECAPA-TDNN against UniSpeech's code on s3prl, and checkpoints that must not be scored with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.ecapa_network import EcapaNetwork, build
from calm_eval.judges.torch_weights import read_state
from calm_eval.judges.wavlm_large_ecapa import LEAST, WavlmLargeEcapaJudge, tts_longeval
from calm_eval.judges.wavlm_network import WAVLM_LARGE

torch = pytest.importorskip("torch")
CLIPS = (("chord", 2.5), ("chirp", 0.6), ("noise", 0.05))
SMALL = replace(WAVLM_LARGE, width=64, depth=4, heads=4, inner=128, channels=32, buckets=64, furthest=60)


@pytest.fixture(scope="module")
def golden():
    return peer("s3prl_ecapa")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The tensors of a small one, as its checkpoint file holds them."""
    file = tmp_path_factory.mktemp("ecapa") / "wavlm_large_finetune.pth"
    shared_checkpoint(build(torch, SMALL), file, torch)
    return read_state(file, torch)


def test_the_keys_are_those_of_the_published_checkpoint(golden) -> None:
    """710 tensors, and one more for the loss of its training."""
    with torch.device("meta"):
        state = build(torch).state_dict()
    assert sorted(state) == golden["large-keys"].tolist()
    assert len(state) == 710
    assert state["feature_weight"].shape == (25,)
    assert state["linear.weight"].shape == (256, 3072)


def test_vectors_are_those_of_unispeech(golden, small) -> None:
    network = EcapaNetwork(small, torch, "cpu", SMALL)
    found = {kind: network(parity_clip(kind, seconds, 16000))[0] for kind, seconds in CLIPS}
    for kind in found:
        assert apart(found[kind], golden[f"small-{kind}"]) < 1e-4
    assert apart(found["chirp"], found["chord"]) > 0.1


@pytest.mark.slow
def test_vectors_of_the_published_size_are_those_of_unispeech(golden, tmp_path) -> None:
    """As a checkpoint file, through the judge: 1.3 GB on disk, 4 GB in memory."""
    with torch.device("meta"):
        network = build(torch)
    file = tmp_path / "wavlm_large_finetune.pth"
    shared_checkpoint(network.to_empty(device="cpu"), file, torch)
    state = torch.load(file, weights_only=True)
    whole = {"model": {**state, "loss_calculator.projection.weight": torch.zeros(7, 256)}, "best_valid_eer": 100.0}
    torch.save(whole, file)
    del state, whole
    judge = WavlmLargeEcapaJudge(path=str(file))
    judge.load("cpu", 1)
    for kind, seconds in CLIPS:
        (found,) = judge.judge([parity_clip(kind, seconds, 16000)])
        assert apart(found.vectors[0], golden[f"large-{kind}"]) < 1e-4
    clip = parity_clip("chord", 1.0, 16000)
    assert judge.judge([clip[: LEAST - 1]])[0].refused == "too-short"
    assert judge.judge([clip[:0], clip])[1].vectors == pytest.approx(judge.judge([clip])[0].vectors, abs=1e-5)


def test_a_checkpoint_that_lacks_the_head_would_be_scored_at_random(small, golden) -> None:
    """What `strict=False` lets through: the base model without ECAPA, or with other names, still gives cosines."""
    for missing in ("feature_weight", "layer3.SE_Connect.linear1.weight", "bn.running_var"):
        with pytest.raises(InputError, match=f"WavLM with ECAPA-TDNN: missing, unknown .* are {missing}"):
            EcapaNetwork({name: value for name, value in small.items() if name != missing}, torch, "cpu", SMALL)
    with pytest.raises(InputError, match="WavLM with ECAPA-TDNN"):
        EcapaNetwork(
            {name.removeprefix("feature_extract."): value for name, value in small.items()}, torch, "cpu", SMALL
        )
    # The same with the tools' rule: a head that nobody loaded, and a number all the same.
    network = build(torch, SMALL).eval()
    told = network.load_state_dict({k: v for k, v in small.items() if k.startswith("feature_extract")}, strict=False)
    assert len(told.missing_keys) == 193
    lax = EcapaNetwork(network.state_dict(), torch, "cpu", SMALL)
    found = lax(parity_clip("chord", 2.5, 16000))[0]
    assert np.isfinite(found).all()
    assert apart(found, golden["small-chord"]) > 0.5
    EcapaNetwork({**small, "loss_calculator.projection.weight": torch.zeros(3, 256)}, torch, "cpu", SMALL)


def test_blind_to_level_and_offset(small) -> None:
    network = EcapaNetwork(small, torch, "cpu", SMALL)
    clip = parity_clip("chord", 1.0, 16000)
    assert apart(network(clip * 4), network(clip)) < 1e-3
    assert apart(network(clip + np.float32(0.2)), network(clip)) < 1e-3


def test_segments_of_a_clip_are_not_the_clip(small) -> None:
    """tts_longeval cuts at 30 s by default and takes means, F5-TTS and seed-tts-eval take the whole."""
    network = EcapaNetwork(small, torch, "cpu", SMALL)
    clip = np.concatenate([parity_clip("chord", 1.0, 16000), parity_clip("noise", 1.0, 16000)])
    whole, first, second = (network(part)[0].astype(np.float64) for part in (clip, clip[:16000], clip[16000:]))
    mean = first + second
    cosine = float(whole @ mean / np.linalg.norm(whole) / np.linalg.norm(mean))
    assert cosine < 0.999


class SmallJudge(WavlmLargeEcapaJudge):
    """The judge with a smaller network: windows and weights are its own."""

    def _opened(self, state, torch, device):
        return EcapaNetwork(state, torch, device, SMALL)


def test_segments_are_tts_longevals(small, tmp_path) -> None:
    """30 s one after the other, the last one dropped under a second; each as if it were a clip."""
    file = tmp_path / "small.pth"
    torch.save(dict(small), file)
    judge = SmallJudge(2.0, 1.0, path=str(file))
    judge.load("cpu", 1)
    clip = np.concatenate([parity_clip("chord", 2.5, 16000), parity_clip("noise", 2.0, 16000)])
    (found,) = judge.judge([clip])
    assert found.notes == {"seconds": [2.0, 2.0]}
    whole = SmallJudge(path=str(file))
    whole.load("cpu", 1)
    first, second = whole.judge([clip[:32000], clip[32000:64000]])
    assert found.vectors == pytest.approx(np.concatenate([first.vectors, second.vectors]), abs=1e-6)
    (longer,) = judge.judge([clip[:48000]])
    assert longer.notes == {"seconds": [2.0, 1.0]}
    assert judge.judge([clip[:15999]])[0].refused == "too-short"
    assert judge.judge([clip[:16000]])[0].vectors.shape == (1, 256)
    names = [made.info.name for made in (judge, whole, tts_longeval(random=0))]
    assert names == ["wavlm-large-ecapa/2s-1s", "wavlm-large-ecapa", "wavlm-large-ecapa/30s-1s"]
    with pytest.raises(InputError, match=r"segments of 0\.5 s, of at least 1 s"):
        WavlmLargeEcapaJudge(0.5)


@pytest.mark.slow
def test_a_judge_on_random_weights_runs() -> None:
    judge = WavlmLargeEcapaJudge(random=0)
    judge.load("cpu", 1)
    (found,) = judge.judge([parity_clip("chord", 1.0, 16000)])
    assert found.vectors.shape == (1, 256)
    assert np.isfinite(found.vectors).all()


def test_identity() -> None:
    info = WavlmLargeEcapaJudge(random=0).info
    assert (info.name, info.verified, info.unscored) == ("wavlm-large-ecapa", "code", "random weights")
    assert info.sample_rate == 16000
    assert WavlmLargeEcapaJudge().requires.assets == ("wavlm-large-ecapa",)
    with pytest.raises(InputError, match="give one of them"):
        WavlmLargeEcapaJudge(path="a.pth", random=0)


def test_another_file_is_refused(tmp_path) -> None:
    file = tmp_path / "other.pth"
    torch.save({"model": {"weight": torch.zeros(2)}}, file)
    with pytest.raises(UnavailableError, match="not a checkpoint of WavLM-large with ECAPA-TDNN"):
        WavlmLargeEcapaJudge(path=str(file)).load("cpu", 1)
    file.write_bytes(b"<html>quota exceeded</html>")
    with pytest.raises(UnavailableError, match="give another `path`"):
        WavlmLargeEcapaJudge(path=str(file)).load("cpu", 1)
