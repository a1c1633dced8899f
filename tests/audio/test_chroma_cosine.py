"""Chroma cosines by tones whose classes are known, by librosa and by audiocraft's recipe in torch."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.audio.chroma_cosine import chroma_argmax_cosine, chroma_cosine, chroma_filters, chromagram
from calm_eval.audio.mono import SignalError

RATE = 32000
BOTH = pytest.mark.parametrize("metric", [chroma_argmax_cosine, chroma_cosine])


def tone(midi: float, seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    hertz = 440 * 2 ** ((midi - 69) / 12)
    return 0.2 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def white(seed: int, frames: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(frames)


@pytest.mark.parametrize(("rate", "n_fft"), [(32000, 16384), (16000, 8192), (44100, 22580), (22050, 2048)])
def test_filters_equal_librosas(rate: int, n_fft: int) -> None:
    import librosa

    theirs = librosa.filters.chroma(sr=rate, n_fft=n_fft, tuning=0, dtype=np.float64)
    np.testing.assert_allclose(chroma_filters(rate, n_fft), theirs, atol=1e-12)


def test_chromagram_equals_librosas() -> None:
    import librosa

    sound = tone(60) + tone(64) + white(0, 3 * RATE)
    theirs = librosa.feature.chroma_stft(
        y=sound, sr=RATE, n_fft=8192, hop_length=2048, tuning=0, norm=None, pad_mode="reflect"
    )
    np.testing.assert_allclose(chromagram(sound, RATE, 8192), theirs.T, rtol=1e-6)


@pytest.mark.parametrize("midi", range(57, 69))
def test_a_tone_is_its_class(midi: int) -> None:
    classes = chromagram(tone(midi, 1.0), RATE, 16384).argmax(axis=1)
    assert set(classes.tolist()) == {midi % 12}


@BOTH
def test_the_same_is_1_at_any_gain_polarity_and_octave(metric) -> None:
    chord = tone(60) + tone(64) + tone(67)
    for gain in (1.0, -1.0, 1e-6, 1e-150):
        assert metric(gain * chord, chord, RATE) == pytest.approx(1, abs=1e-9)
    assert metric(tone(81), tone(69), RATE) > 0.99
    assert metric(tone(69), tone(75), RATE) < 0.01


@BOTH
def test_half_the_frames_right_is_a_half(metric) -> None:
    right = np.concatenate([tone(60, 20), tone(62, 20)])
    wrong = np.concatenate([tone(60, 20), tone(66, 20)])
    assert metric(wrong, right, RATE) == pytest.approx(0.5, abs=0.01)


@BOTH
def test_a_delay_under_the_hop_costs_little_on_a_melody(metric) -> None:
    melody = np.concatenate([tone(60 + step, 1.0) for step in (0, 4, 7, 11, 2, 6)])
    assert metric(melody[1600:], melody[:-1600], RATE) > 0.85
    assert metric(melody[RATE:], melody[:-RATE], RATE) < 0.4


def test_all_twelve_classes_see_what_the_strongest_alone_does_not() -> None:
    # Two notes of three in common, and the odd ones the louder.
    first, second = tone(60) + tone(64) + 2 * tone(67), tone(60) + tone(64) + 2 * tone(69)
    assert chroma_argmax_cosine(first, second, RATE) == 0
    # Powers 1, 1, 4: the cosine of (1, 1, 4, 0) and (1, 1, 0, 4) is 2 / 18.
    assert chroma_cosine(first, second, RATE) == pytest.approx(2 / 18, abs=0.03)


def test_silence_is_a_c_to_audiocraft_and_nothing_to_the_plain_one() -> None:
    silent = np.zeros(3 * RATE)
    assert chroma_argmax_cosine(silent, silent, RATE) == 1
    assert chroma_argmax_cosine(silent, tone(60), RATE) == 1
    assert chroma_argmax_cosine(silent, tone(69), RATE) == 0
    assert chroma_cosine(silent, tone(60), RATE) == 0
    with pytest.raises(SignalError, match="silent"):
        chroma_cosine(tone(60), silent, RATE)


def test_pauses_of_the_reference_are_not_compared() -> None:
    reference = np.concatenate([tone(60), np.zeros(3 * RATE)])
    hummed = np.concatenate([tone(60), tone(66)])
    assert chroma_cosine(hummed, reference, RATE) == pytest.approx(1, abs=0.1)
    assert chroma_cosine(reference, hummed, RATE) == pytest.approx(0.5, abs=0.05)


@BOTH
def test_one_sample_is_scored_and_agrees_with_itself(metric) -> None:
    assert metric([0.5], [0.5], RATE) == pytest.approx(1)


@BOTH
@pytest.mark.parametrize(
    ("generated", "reference", "name"),
    [([], [], "empty"), ([1, np.nan], [1, 2], "nan"), (np.ones(100), np.ones(99), "unequal-lengths")],
)
def test_what_cannot_be_compared_is_named(metric, generated, reference, name: str) -> None:
    with pytest.raises(SignalError) as caught:
        metric(generated, reference, RATE)
    assert caught.value.name == name


@pytest.mark.parametrize("frames", [96000, 95999, 40960, 16384, 9000, 1])
def test_the_argmax_cosine_is_audiocrafts(frames: int) -> None:
    import librosa

    torch = pytest.importorskip("torch")

    def one_hot(sound: np.ndarray):
        missing = max(0, 16384 - sound.size)
        signal = torch.nn.functional.pad(torch.from_numpy(sound).float(), (missing // 2, missing - missing // 2))
        window = torch.hann_window(16384)
        spectrum = torch.stft(signal, 16384, 4096, window=window, center=True, pad_mode="reflect", return_complex=True)
        filters = torch.from_numpy(librosa.filters.chroma(sr=RATE, n_fft=16384, tuning=0, n_chroma=12))
        chroma = torch.nn.functional.normalize(filters @ spectrum.abs() ** 2, p=torch.inf, dim=0, eps=1e-6)
        return torch.nn.functional.one_hot(chroma.argmax(0), 12).float()

    # The fading note of each makes it turn from one class to another at its own time.
    fade = np.linspace(0, 1, frames)
    first = tone(60)[:frames] * fade + tone(64)[:frames] * (1 - fade) + white(0, frames)
    second = tone(60)[:frames] * 4 * fade**2 + tone(64)[:frames] * (1 - fade) + white(1, frames)
    count = int(np.ceil(frames / 4096))
    truth = torch.nn.functional.cosine_similarity(one_hot(first)[:count], one_hot(second)[:count], dim=1, eps=1e-8)
    assert chroma_argmax_cosine(first, second, RATE) == pytest.approx(float(truth.mean()), abs=1e-6)
    assert frames < 40000 or 0 < float(truth.mean()) < 1
