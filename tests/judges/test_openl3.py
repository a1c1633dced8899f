"""OpenL3 against openl3 0.4.2 (TensorFlow) and torchopenl3, which give the same weights two different inputs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from shared_weights import all_drawn, parity_clip

from calm_eval.audio.clip import Clip
from calm_eval.audio.resample import to_mono
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.openl3 import Openl3Judge, openl3_sam
from calm_eval.judges.openl3_front_end import (
    SAMPLE_RATE,
    Openl3Decibels,
    htk_filters,
    slaney_filters,
    windows_of,
)
from calm_eval.judges.openl3_network import TRANSFORM_ONLY, build

torch = pytest.importorskip("torch")
GOLDENS = Path(__file__).parent / "goldens"
CLIPS = (("chord", 1.2), ("noise", 0.4))


def held(name):
    with np.load(GOLDENS / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Drawn weights, the mel filters as they are, and the transform that only a published file holds."""
    network = build(torch).state_dict()
    learned = {name: tuple(value.shape) for name, value in network.items() if value.ndim and "speclayer" not in name}
    state = {**network, **{name: torch.from_numpy(value) for name, value in all_drawn(learned).items()}}
    file = tmp_path_factory.mktemp("openl3") / "openl3.pth.tar"
    torch.save({**state, **{name: torch.zeros(2) for name in TRANSFORM_ONLY}}, file)
    return file


def loaded(checkpoint, **options):
    judge = Openl3Judge(path=str(checkpoint), **options)
    judge.load("cpu", 1)
    return judge


def clip_of(kind, seconds):
    return parity_clip(kind, seconds, SAMPLE_RATE) + parity_clip("noise", seconds, SAMPLE_RATE) / 4


@pytest.mark.filterwarnings("ignore:Empty filters")
def test_filters_are_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    told = {"sr": SAMPLE_RATE, "n_fft": 2048, "n_mels": 256, "fmin": 0.0, "fmax": 24000.0}
    htk = librosa.filters.mel(**told, htk=True, norm=1, dtype=np.float64)
    slaney = librosa.filters.mel(**told, htk=False, norm="slaney", dtype=np.float64)
    assert htk_filters() == pytest.approx(htk, abs=1e-9)
    assert slaney_filters() == pytest.approx(slaney, abs=1e-12)


def test_decibels_are_those_of_kapre() -> None:
    peer = held("openl3")
    front_end = Openl3Decibels("kapre-0.3", None, torch)
    for kind, seconds in CLIPS:
        found = front_end(windows_of(clip_of(kind, seconds))[:1])[0].numpy()
        assert found.shape == (256, 199)
        assert (found.max(), found.min()) == (0.0, -80.0)
        assert found[::5, 100:140:4] == pytest.approx(peer[f"{kind}-decibels"], abs=2e-3)


@pytest.mark.parametrize(("front_end", "package"), [("kapre-0.3", "openl3"), ("kapre-0.1", "torchopenl3")])
def test_vectors_are_those_of_the_packages(checkpoint, front_end, package) -> None:
    peer = held(package)
    judge = loaded(checkpoint, front_end=front_end)
    answers = judge.judge([clip_of(kind, seconds) for kind, seconds in CLIPS])
    for (kind, _), found in zip(CLIPS, answers, strict=True):
        assert found.vectors.shape == peer[kind].shape
        size = float(np.abs(peer[kind]).max())
        assert found.vectors == pytest.approx(peer[kind], abs=1e-4 * size)
    chord, noise = (peer[kind].mean(axis=0) for kind, _ in CLIPS)
    assert np.abs(chord - noise).max() > 0.02 * np.abs(chord).max()


def test_two_releases_with_the_same_weights_are_two_embeddings() -> None:
    """openl3 0.4 exchanged the front end under the weights: other filters, other edges, magnitudes for powers."""
    new, old = held("openl3"), held("torchopenl3")
    apart = np.abs(new["chord"] - old["chord"]).max() / np.abs(old["chord"]).max()
    assert apart > 0.1


def test_the_keys_are_those_of_torchopenl3() -> None:
    ours = {name: tuple(value.shape) for name, value in build(torch).state_dict().items()}
    peer = list(held("torchopenl3")["keys"])
    assert sorted(f"{name} {shape}" for name, shape in ours.items()) == [
        name for name in peer if name.split()[0] not in TRANSFORM_ONLY
    ]
    assert sum(name.split()[0] in TRANSFORM_ONLY for name in peer) == 2


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 1), (0.96, 2), (0.975, 2), (10, 20), (30, 60)])
def test_windows_of_a_clip(seconds, count) -> None:
    clip = np.arange(1, round(seconds * SAMPLE_RATE) + 1, dtype=np.float32)
    windows = windows_of(clip)
    assert windows.shape == (count, SAMPLE_RATE)
    assert not windows[0, : SAMPLE_RATE // 2].any()
    assert windows[0, SAMPLE_RATE // 2] == 1
    assert clip[-1] in windows[-1]


def test_nearly_blind_to_level_with_and_without_the_peak(checkpoint) -> None:
    clip = parity_clip("chord", 0.5, SAMPLE_RATE)
    for peak in (False, True):
        judge = loaded(checkpoint, peak=peak)
        loud, quiet = (one.vectors for one in judge.judge([clip, clip / 8]))
        assert quiet == pytest.approx(loud, abs=1e-4 * float(np.abs(loud).max()))


def test_above_half_of_44100_only_the_resampler_is_heard(checkpoint) -> None:
    """A tone at 23 kHz is in a window at 48 kHz and not by way of 44.1 kHz. What a resampler leaves of it, 160 dB down,
    is still within the range of the input: two resamplers are two embeddings."""
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    plain = clip_of("chord", 0.5)
    more = plain + np.float32(0.1) * np.sin(2 * np.pi * 23000 * time).astype(np.float32)
    bands = np.linspace(0, SAMPLE_RATE / 2, 1025) @ slaney_filters().T / slaney_filters().sum(axis=1).clip(1e-30)
    there = {}
    for rate in (48000, 44100):
        narrow = [to_mono(Clip(to_mono(Clip(one[None], 48000), rate)[None], rate), 48000) for one in (plain, more)]
        decibels = [Openl3Decibels("kapre-0.3", None, torch)(windows_of(one)[:1])[0].numpy() for one in narrow]
        # The middle of the sound, where the tone neither begins nor ends.
        there[rate] = np.abs(decibels[0] - decibels[1])[:, 120:170][bands > 22500].max()
    assert there[48000] > 5
    assert there[44100] < there[48000] / 2


def test_judgements_and_refusals(checkpoint) -> None:
    judge = loaded(checkpoint)
    broken = [[], [np.nan] * 6000, [0.0] * 6000, [0.1] * 4799]
    refused = [one.refused for one in judge.judge([np.array(clip, dtype=np.float32) for clip in broken])]
    assert refused == ["empty", "nan", "silent", "too-short"]


def test_identities() -> None:
    infos = [Openl3Judge(random=0).info, Openl3Judge("env", "kapre-0.1", random=0).info, openl3_sam(random=0).info]
    assert [one.name for one in infos] == [
        "openl3-music/kapre-0.3",
        "openl3-env/kapre-0.1",
        "openl3-music/kapre-0.3/44100/peak",
    ]
    assert (infos[2].sample_rate, infos[2].unscored) == (44100, "random weights")
    for name, wrong in {"content": "speech", "front_end": "third", "hears_at": 8000}.items():
        with pytest.raises(InputError, match=f"no {name} "):
            Openl3Judge(**{name: wrong})


def test_checkpoints_that_are_not_this_one(checkpoint, tmp_path) -> None:
    state = torch.load(checkpoint, weights_only=True)
    other = tmp_path / "mel128.pth.tar"
    torch.save({**state, "speclayer.mel_basis": torch.zeros(128, 1025)}, other)
    with pytest.raises(UnavailableError, match=r"not a checkpoint of OpenL3 with 256 mels.*speclayer\.mel_basis"):
        Openl3Judge(path=str(other)).load("cpu", 1)
    half = tmp_path / "half.pth.tar"
    half.write_bytes(checkpoint.read_bytes()[:50_000])
    with pytest.raises(UnavailableError, match="give another `path`"):
        Openl3Judge(path=str(half)).load("cpu", 1)
    code = tmp_path / "code.pth.tar"
    torch.save({"weight": math.sqrt, "run": _Code()}, code)
    with pytest.raises(UnavailableError, match="read safely"):
        Openl3Judge(path=str(code)).load("cpu", 1)


class _Code:
    """What a pickle with code in it looks like."""

    def __reduce__(self):
        return print, ("never printed",)
