"""VGGish: the front end's published figures, both ways of cutting a clip, and a network held against loops by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.vggish import VggishJudge, vggish_audiocraft, vggish_fadtk, vggish_torch
from calm_eval.judges.vggish_front_end import (
    GOOGLE_LEAST_STEP,
    SAMPLE_RATE,
    VggishLogMel,
    google_examples,
    mel_filters,
    torch_examples,
)
from calm_eval.judges.vggish_network import PCA_ONLY, build

torch = pytest.importorskip("torch")
SECONDS = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
SINE = 0.5 * np.sin(2 * np.pi * 440 * SECONDS)
CHIRP = 0.5 * np.sin(2 * np.pi * (100 * SECONDS + 345 * SECONDS**2))


@pytest.fixture(scope="module")
def log_mel():
    return VggishLogMel()


@pytest.fixture(scope="module")
def judges():
    """Both forms on the same random weights."""
    made = {form: VggishJudge(form, random=0) for form in ("google", "torch")}
    for judge in made.values():
        judge.load("cpu", 1)
    return made


def test_log_mel_of_ten_seconds_of_torchvggish(log_mel) -> None:
    """Figures of torchvggish's `vggish_input` on 16 kHz: zeros, a sine and a chirp."""
    silence = log_mel(np.zeros(10 * SAMPLE_RATE))
    assert silence.shape == (998, 64)
    assert silence == pytest.approx(math.log(0.01))
    sine, chirp = log_mel(SINE), log_mel(CHIRP)
    assert (sine.mean(), sine.min(), sine.max()) == pytest.approx((-3.501798, -4.604327, 4.089175), abs=2e-6)
    assert (chirp.mean(), chirp.max()) == pytest.approx((-3.954958, 4.798874), abs=2e-6)


def test_filters_are_triangles_over_mels_without_zero_hertz() -> None:
    filters = mel_filters()
    assert filters.shape == (257, 64)
    assert not filters[0].any()
    bins = np.linspace(0, 8000, 257)
    used = filters.any(axis=1)
    assert bins[used].min() > 125
    assert bins[used].max() < 7500
    # Between the first and the last corner two triangles overlap, and sum to 1.
    inner = (bins > 200) & (bins < 7100)
    assert filters[inner].sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("samples", "of_google", "of_torch"),
    [
        (8_000, 0, 0),
        (15_360, 0, 0),  # 0.96 s, an example by name and not by samples
        (15_599, 0, 0),
        (15_600, 0, 1),
        (16_000, 1, 1),
        (160_000, 19, 10),
        (480_000, 59, 31),
    ],
)
def test_examples_of_a_clip(log_mel, samples, of_google, of_torch) -> None:
    clip = 0.1 * np.random.default_rng(0).standard_normal(samples)
    assert google_examples(clip, log_mel).shape == (of_google, 96, 64)
    assert torch_examples(clip, log_mel).shape == (of_torch, 96, 64)


def test_the_level_counts_in_one_form_and_hardly_in_the_other(log_mel) -> None:
    louder, quieter = google_examples(CHIRP, log_mel), google_examples(CHIRP / 4, log_mel)
    assert quieter == pytest.approx(louder, abs=1e-9)
    # Under a largest sample of 0.1 the boost ends, at 20 dB.
    assert np.abs(google_examples(CHIRP / 50, log_mel) - louder).max() > 1.0
    assert np.abs(torch_examples(CHIRP / 10, log_mel) - torch_examples(CHIRP, log_mel)).max() == pytest.approx(
        math.log(10), abs=0.01
    )
    # The largest sample and not the largest magnitude: upside down is another input.
    lopsided = np.where(CHIRP > 0, CHIRP / 2, CHIRP)
    assert np.abs(google_examples(-lopsided, log_mel) - google_examples(lopsided, log_mel)).max() > 0.5


def test_a_file_of_sixteen_bits_has_no_least_level(log_mel) -> None:
    """Google's code takes what scipy reads, integers, so that max(0.1, largest) is the largest of any clip with sound;
    of floats in [-1, 1] it leaves a faint clip 20 dB up at most."""
    steps = np.rint(CHIRP * 32768 / 40)
    tool = log_mel(np.stack([steps[:15_600] / max(0.1, steps.max())]))[0]
    from_file = google_examples(steps / 32768, log_mel, GOOGLE_LEAST_STEP)[0]
    assert from_file == pytest.approx(tool, abs=1e-9)
    assert np.abs(google_examples(steps / 32768, log_mel)[0] - tool).max() > 1.0
    faint = VggishJudge("google", int16=True, random=0).info.parameters
    assert faint["level"] == "over the largest sample"


def test_second_windows_overlap_by_half(log_mel) -> None:
    clip = 0.3 * np.random.default_rng(1).standard_normal(3 * SAMPLE_RATE)
    clip /= clip.max()
    whole = google_examples(clip, log_mel)
    assert len(whole) == 5
    assert whole[2] == pytest.approx(log_mel(clip[16_000:])[:96])


def test_the_keys_are_those_of_the_published_checkpoint() -> None:
    places = [0, 3, 6, 8, 11, 13]
    expected = {f"features.{place}.{part}" for place in places for part in ("weight", "bias")}
    expected |= {f"embeddings.{place}.{part}" for place in (0, 2, 4) for part in ("weight", "bias")}
    state = build(torch).state_dict()
    assert set(state) == expected
    assert state["features.13.weight"].shape == (512, 512, 3, 3)
    assert [tuple(state[f"embeddings.{place}.weight"].shape) for place in (0, 2, 4)] == [
        (4096, 12288), (4096, 4096), (128, 4096),
    ]  # fmt: skip


def test_the_network_by_hand(judges, log_mel) -> None:
    """Convolution by convolution with torch's functions, channels laid out last, and no ReLU at the end."""
    functional = torch.nn.functional
    examples = torch_examples(CHIRP[:32_000], log_mel)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = build(torch).state_dict()
    maps = torch.from_numpy(examples.astype(np.float32))[:, None]
    for place, pooled in ((0, 1), (3, 1), (6, 0), (8, 1), (11, 0), (13, 1)):
        weight, bias = state[f"features.{place}.weight"], state[f"features.{place}.bias"]
        maps = functional.relu(functional.conv2d(maps, weight, bias, padding=1))
        maps = functional.max_pool2d(maps, 2) if pooled else maps
    assert maps.shape == (2, 512, 6, 4)
    flat = torch.stack([torch.cat([one[:, y, x] for y in range(6) for x in range(4)]) for one in maps])
    for place in (0, 2, 4):
        flat = functional.linear(flat, state[f"embeddings.{place}.weight"], state[f"embeddings.{place}.bias"])
        flat = functional.relu(flat) if place < 4 else flat
    (judgement,) = judges["torch"].judge([CHIRP[:32_000].astype(np.float32)])
    assert judgement.vectors == pytest.approx(flat.numpy(), abs=1e-5)
    assert judgement.vectors.min() < 0


def test_examples_and_vectors_of_torchvggish(tmp_path, log_mel) -> None:
    """torchvggish 0.2 on shared random weights, without its last ReLU as every FAD tool takes it."""
    told = peer("torchvggish")
    network = build(torch)
    judge = VggishJudge("torch", path=shared_checkpoint(network, tmp_path / "shared.pth", torch))
    judge.load("cpu", 1)
    keys = sorted(f"{name} {tuple(value.shape)}" for name, value in network.state_dict().items())
    assert keys == [key for key in told["keys"] if not key.startswith("embeddings.5")]
    clips = {kind: parity_clip(kind, seconds, SAMPLE_RATE) for kind, seconds in (("chord", 2.1), ("noise", 0.975))}
    answers = judge.judge(list(clips.values()))
    for (kind, clip), found in zip(clips.items(), answers, strict=True):
        assert torch_examples(clip, log_mel)[:, ::8, ::8] == pytest.approx(told[f"{kind}-examples"], abs=1e-5)
        assert apart(found.vectors, told[kind]) < 1e-4
    assert np.abs(told["chord"][0] - told["noise"][0]).max() > 0.02 * np.abs(told["noise"]).max()
    # What the package itself makes of a clip as long as its example is called: nothing.
    assert told["0.96 s"].tolist() == [0, 1, 96, 64]


def test_what_tools_do_to_the_level_before() -> None:
    """audiocraft's peak at -1 dB makes an answer blind to the gain of a clip; torchvggish hears it."""
    made = {"audiocraft": vggish_audiocraft(random=0), "torch": vggish_torch(random=0), "fadtk": vggish_fadtk(random=0)}
    names = [judge.info.name for judge in made.values()]
    assert names == ["vggish/google/peak/int16", "vggish/torch", "vggish/torch/int16"]
    clip = CHIRP[:32_000].astype(np.float32)
    apart_by_gain = {}
    for name, judge in made.items():
        judge.load("cpu", 1)
        loud, quiet = (one.vectors for one in judge.judge([clip, clip / 16]))
        apart_by_gain[name] = np.abs(loud - quiet).max() / np.abs(loud).max()
    assert apart_by_gain["audiocraft"] < 1e-6
    assert min(apart_by_gain["torch"], apart_by_gain["fadtk"]) > 0.05
    plain, stepped = (made[name].judge([clip])[0].vectors for name in ("torch", "fadtk"))
    assert 0 < np.abs(plain - stepped).max() < 1e-2 * np.abs(plain).max()


def test_judgements_of_both_forms(judges) -> None:
    clip = CHIRP.astype(np.float32)
    google, plain = (judges[form].judge([clip])[0] for form in ("google", "torch"))
    assert (google.vectors.shape, plain.vectors.shape) == ((19, 128), (10, 128))
    assert google.notes == {"examples": 19, "dropped_seconds": 0.0}
    assert plain.notes == {"examples": 10, "dropped_seconds": pytest.approx(0.4)}
    short = np.float32(0.1) * np.ones(15_800, dtype=np.float32)
    assert judges["google"].judge([short])[0].refused == "too-short"
    assert judges["torch"].judge([short])[0].vectors.shape == (1, 128)
    for broken, why in (([], "empty"), ([np.nan] * 20_000, "nan"), ([0.0] * 20_000, "silent")):
        assert judges["google"].judge([np.array(broken, dtype=np.float32)])[0].refused == why


def test_identities() -> None:
    google, plain = VggishJudge("google", random=0).info, VggishJudge("torch", random=0).info
    assert (google.name, plain.name, google.verified) == ("vggish/google", "vggish/torch", "code")
    assert google.parameters != plain.parameters
    assert google.unscored == "random weights"
    assert VggishJudge(random=1).info.weights != google.weights
    with pytest.raises(InputError, match="no form 'tf'"):
        VggishJudge("tf")
    with pytest.raises(InputError, match="give one of them"):
        VggishJudge(path="a.pth", random=0)


def test_checkpoints_that_are_not_vggish(tmp_path) -> None:
    state = build(torch).state_dict()
    kept = tmp_path / "kept.pth"
    torch.save({**state, **{name: torch.zeros(2) for name in PCA_ONLY}}, kept)
    VggishJudge(path=str(kept)).load("cpu", 1)

    def refused(name, content) -> str:
        file = tmp_path / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            torch.save(content, file)
        with pytest.raises(UnavailableError) as caught:
            VggishJudge(path=str(file)).load("cpu", 1)
        return str(caught.value)

    assert "checkpoint of VGGish: missing, unknown or of another shape are embeddings.4.bias" in refused(
        "part.pth", {name: value for name, value in state.items() if name != "embeddings.4.bias"}
    )
    assert "conv_block1" in refused("other.pth", {**state, "conv_block1.conv1.weight": torch.zeros(2)})
    assert "give another `path`" in refused("half.pth", kept.read_bytes()[:100_000])
    assert "holds no tensors by name" in refused("empty.pth", {})
    assert "read safely" in refused("code.pth", {"weight": math.sqrt, "run": _Code()})


class _Code:
    """What a pickle with code in it looks like."""

    def __reduce__(self):
        return print, ("never printed",)
