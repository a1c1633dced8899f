"""PaSST: the front end against torchaudio's Kaldi mels, the network by hand, and how a clip is cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.passt import PasstJudge, passt_sam
from calm_eval.judges.passt_front_end import SAMPLE_RATE, PasstLogMel, mel_filters, windows_of
from calm_eval.judges.passt_network import PasstNetwork, build

torch = pytest.importorskip("torch")


def noise(seconds: float, seed: int = 0):
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def test_filters_are_torchaudios_kaldi_mels() -> None:
    kaldi = pytest.importorskip("torchaudio.compliance.kaldi", exc_type=ImportError)
    banks, _ = kaldi.get_mel_banks(128, 1024, 32000, 0.0, 15000.0, 100.0, -500.0, 1.0)
    assert mel_filters()[:, :512] == pytest.approx(banks.numpy(), abs=2e-5)
    assert not mel_filters()[:, 512].any()


def test_log_mel_by_hand() -> None:
    audio = noise(0.5)
    found = PasstLogMel(torch, "cpu")(torch.from_numpy(audio)[None])[0].numpy()
    assert found.shape == (128, 50)
    # The frame in the middle: 800 samples of the emphasised signal around its centre.
    emphasised = audio[1:].astype(np.float64) - 0.97 * audio[:-1]
    piece = emphasised[25 * 320 - 400 : 25 * 320 + 400]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 799)
    power = np.abs(np.fft.rfft(piece * window, 1024)) ** 2
    assert found[:, 25] == pytest.approx((np.log(mel_filters() @ power + 1e-5) + 4.5) / 5, abs=1e-4)
    silence = PasstLogMel(torch, "cpu")(torch.zeros(1, 16000)).numpy()
    assert silence == pytest.approx((math.log(1e-5) + 4.5) / 5)


@pytest.mark.parametrize(
    ("seconds", "framing", "size", "pieces"),
    [
        (25.0, "segments", 10, [10.0, 10.0, 5.0]),
        (20.1, "segments", 10, [10.0, 10.0]),
        (20.2, "segments", 10, [10.0, 10.0, 0.2]),
        (20.0, "segments", 20, [20.0]),
        (30.0, "overlapping", 10, [10.0] * 5),
        (12.0, "overlapping", 10, [10.0, 10.0]),
        (4.0, "overlapping", 10, [10.0]),
        (1.0, "overlapping", 10, [1.0]),
    ],
)
def test_pieces_of_a_clip(seconds, framing, size, pieces) -> None:
    found = windows_of(noise(seconds), framing, size)
    assert [piece.size / SAMPLE_RATE for piece in found] == pytest.approx(pieces)


def test_overlapping_pieces_begin_each_half_and_end_in_zeros() -> None:
    clip = noise(12.0)
    first, second = windows_of(clip, "overlapping", 10)
    assert np.array_equal(first, clip[: 10 * SAMPLE_RATE])
    assert np.array_equal(second[: 7 * SAMPLE_RATE], clip[5 * SAMPLE_RATE :])
    assert not second[7 * SAMPLE_RATE :].any()


def test_the_keys_are_those_of_the_published_checkpoints() -> None:
    state = build(torch, 99).state_dict()
    blocks = {
        f"blocks.{place}.{part}.{kind}"
        for place in range(12)
        for part in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
        for kind in ("weight", "bias")
    }
    tokens = {"cls_token", "dist_token", "new_pos_embed", "freq_new_pos_embed", "time_new_pos_embed"}
    layers = ("patch_embed.proj", "norm", "head.0", "head.1", "head_dist")
    assert set(state) == blocks | tokens | {f"{name}.{kind}" for name in layers for kind in ("weight", "bias")}
    assert tuple(state["time_new_pos_embed"].shape) == (1, 768, 1, 99)
    assert tuple(state["patch_embed.proj.weight"].shape) == (768, 1, 16, 16)
    assert sum(value.numel() for value in state.values()) == pytest.approx(86e6, rel=0.02)


def test_a_block_and_the_tokens_by_hand() -> None:
    """One block of small numbers, in NumPy: softmax of scaled products, exact GELU, mean of two tokens."""
    torch.manual_seed(0)
    network = build(torch, 99)
    network.blocks = network.blocks[:1]
    state = {name: value.detach().double().numpy() for name, value in network.state_dict().items()}
    log_mel = torch.randn(1, 128, 36)
    from calm_eval.judges.passt_network import forward

    with torch.inference_mode():
        found = forward(network, log_mel, torch)[0].numpy()

    def linear(name, x):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name, x, epsilon):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    mel = log_mel[0].double().numpy()
    kernel = state["patch_embed.proj.weight"].reshape(768, 256)
    states = [state["cls_token"][0, 0] + state["new_pos_embed"][0, 0]]
    states.append(state["dist_token"][0, 0] + state["new_pos_embed"][0, 1])
    for band in range(12):
        for place in range(3):
            patch = mel[10 * band : 10 * band + 16, 10 * place : 10 * place + 16].reshape(256)
            position = state["freq_new_pos_embed"][0, :, band, 0] + state["time_new_pos_embed"][0, :, 0, place]
            states.append(kernel @ patch + state["patch_embed.proj.bias"] + position)
    x = np.stack(states)
    q, k, v = np.split(linear("blocks.0.attn.qkv", norm("blocks.0.norm1", x, 1e-6)), 3, axis=-1)
    mixed = []
    for head in range(12):
        part = slice(64 * head, 64 * head + 64)
        scores = q[:, part] @ k[:, part].T / 8
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed.append(shares / shares.sum(-1, keepdims=True) @ v[:, part])
    x = x + linear("blocks.0.attn.proj", np.concatenate(mixed, axis=-1))
    hidden = linear("blocks.0.mlp.fc1", norm("blocks.0.norm2", x, 1e-6))
    erf = np.vectorize(math.erf)
    x = x + linear("blocks.0.mlp.fc2", hidden * (1 + erf(hidden / math.sqrt(2))) / 2)
    x = norm("norm", x, 1e-6)
    expected = linear("head.1", norm("head.0", (x[0] + x[1]) / 2, 1e-5))
    assert found == pytest.approx(expected, abs=2e-4)


def test_judgements_and_refusals() -> None:
    judge = PasstJudge(10, random=0)
    judge.load("cpu", 2)
    found = judge.judge([noise(1.0), noise(0.1)])
    assert found[0].vectors.shape == (1, 527)
    assert found[0].notes == {"windows": 1}
    assert found[1].refused == "too-short"
    assert judge.judge([np.zeros(9000, dtype=np.float32)])[0].refused == "silent"
    # Ten seconds fill the positions; more in one piece has none.
    network = PasstNetwork(build(torch, 2).state_dict(), 2, torch, "cpu")
    with pytest.raises(InputError, match="positions for 2"):
        network(noise(1.0)[None])


def test_identities_and_options() -> None:
    names = [PasstJudge(random=0).info.name, PasstJudge(10, random=0).info.name, passt_sam(random=0).info.name]
    assert names == ["passt-20s/segments", "passt-10s/segments", "passt-10s/overlapping/peak"]
    with pytest.raises(InputError, match="no checkpoint for 30 s"):
        PasstJudge(30)
    with pytest.raises(InputError, match="no framing 'crop'"):
        PasstJudge(framing="crop")


def test_the_checkpoint_of_another_length_is_refused(tmp_path) -> None:
    file = tmp_path / "passt.pt"
    torch.save(build(torch, 99).state_dict(), file)
    PasstJudge(10, path=str(file)).load("cpu", 1)
    with pytest.raises(
        UnavailableError, match="PaSST-S with 200 places: missing, unknown or of another shape are time_new_pos_embed"
    ):
        PasstJudge(20, path=str(file)).load("cpu", 1)


@pytest.mark.parametrize(
    ("seconds", "places", "clips"),
    [
        (10, 99, {"chord": 10.0, "chirp": 2.0, "noise": 0.5}),
        pytest.param(20, 200, {"chirp": 20.0, "noise": 0.5}, marks=pytest.mark.slow),
    ],
)
def test_answers_are_those_of_hear21passt(tmp_path, seconds, places, clips) -> None:
    """hear21passt 0.0.26 on the same weights and samples, its keys among them."""
    theirs = peer("hear21passt")
    assert set(build(torch, places).state_dict()) == set(theirs[f"{seconds} keys"])
    judge = PasstJudge(seconds, path=shared_checkpoint(build(torch, places), tmp_path / "passt.pt", torch))
    judge.load("cpu", 1)
    answers = [judge.judge([parity_clip(kind, length, SAMPLE_RATE)])[0].vectors[0] for kind, length in clips.items()]
    for answer, kind in zip(answers, clips, strict=True):
        assert apart(answer, theirs[f"{seconds} {kind}"]) < 1e-4
    assert apart(answers[0], answers[-1]) > 0.05


def test_hear21passt_draws_random_numbers_in_evaluation_and_this_does_not() -> None:
    """So that what is generated after it is scored depends on what was scored."""
    assert peer("hear21passt")["10 chord moved the global random numbers"]
    judge = PasstJudge(10, random=0)
    judge.load("cpu", 1)
    before = torch.random.get_rng_state()
    judge.judge([parity_clip("chord", 2.0, SAMPLE_RATE)])
    assert torch.equal(before, torch.random.get_rng_state())
