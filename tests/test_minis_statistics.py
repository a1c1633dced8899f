"""The statistics that the trained minis are judged by, held to closed forms and to sounds whose answer is known."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
RATE = 16000


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stats = _load("minis_statistics")


def tone(hertz: float, seconds: float, level: float = 0.1) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def voice(seed: int, pitch: float, tilt: float, seconds: float = 4.0) -> np.ndarray:
    """Syllables of random length at one pitch with one spectral tilt."""
    generator = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * RATE:
        length = generator.uniform(0.1, 0.3)
        base = pitch * generator.uniform(0.9, 1.1)
        partials = [tone(base * k, length, 0.1 * generator.uniform(0.5, 1) * k**-tilt) for k in range(1, 12)]
        parts.append(np.sum(partials, axis=0).astype(np.float32))
        parts.append(np.zeros(round(generator.uniform(0.02, 0.1) * RATE), np.float32))
    made: np.ndarray = np.concatenate(parts)[: round(seconds * RATE)]
    return made


def noise(seed: int, seconds: float) -> np.ndarray:
    made: np.ndarray = (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)
    return made


class TestDistances:
    def test_a_gain_is_its_decibels(self) -> None:
        sound = noise(0, 2)
        assert stats.log_mel_distance(sound * np.float32(0.5), sound) == pytest.approx(20 * np.log10(2), abs=0.01)

    def test_what_lies_80_db_down_does_not_count(self) -> None:
        sound = tone(1000, 1, 0.5)
        other = sound + noise(1, 1) * np.float32(1e-6)
        assert stats.log_mel_distance(other, sound) < 0.01

    def test_unequal_lengths_are_refused(self) -> None:
        with pytest.raises(ValueError, match="not aligned"):
            stats.log_mel_distance(noise(0, 1), noise(0, 2))

    def test_the_level_cancels_in_a_timbre(self) -> None:
        sound = voice(0, 120, 1)
        assert stats.timbre_distance(stats.timbre(sound), stats.timbre(sound * np.float32(0.25))) < 0.01

    def test_pauses_do_not_change_a_timbre(self) -> None:
        sound = noise(0, 2)
        paused = np.concatenate([sound, np.zeros(2 * RATE, np.float32)])
        assert stats.timbre_distance(stats.timbre(sound), stats.timbre(paused)) < 0.5

    def test_another_voice_is_farther_than_other_words_of_the_same(self) -> None:
        first, again, other = (stats.timbre(voice(*each)) for each in ((0, 110, 1.0), (1, 110, 1.0), (2, 220, 2.5)))
        assert stats.timbre_distance(first, other) > 2 * stats.timbre_distance(first, again)


class TestPitchClasses:
    @pytest.mark.parametrize(("hertz", "place"), [(440.0, 9), (880.0, 9), (261.626, 0), (392.0, 7), (1108.73, 1)])
    def test_a_tone_is_its_class(self, hertz: float, place: int) -> None:
        chroma = stats.pitch_classes(tone(hertz, 1))
        assert int(chroma.argmax()) == place
        assert chroma[place] > 0.99

    def test_transposing_by_a_fifth_turns_the_classes_by_seven(self) -> None:
        chord = tone(261.626, 1) + tone(329.628, 1) + tone(392.0, 1)
        fifth = 2 ** (7 / 12)
        higher = tone(261.626 * fifth, 1) + tone(329.628 * fifth, 1) + tone(392.0 * fifth, 1)
        turned = np.roll(stats.pitch_classes(chord), 7)
        assert stats.cosine_distance(turned, stats.pitch_classes(higher)) < 0.01

    def test_a_tritone_away_nothing_is_shared_and_silence_is_far_from_all(self) -> None:
        chroma, silent = stats.pitch_classes(tone(440, 1)), stats.pitch_classes(np.zeros(RATE, np.float32))
        assert stats.cosine_distance(chroma, stats.pitch_classes(tone(622.25, 1))) > 0.9
        assert stats.cosine_distance(chroma, chroma) == pytest.approx(0, abs=1e-9)
        assert stats.cosine_distance(chroma, silent) == 1.0


class TestCopies:
    @pytest.mark.parametrize("gain", [1.0, -0.3])
    def test_a_second_of_the_prompt_is_found_at_any_gain_and_place(self, gain: float) -> None:
        prompt, audio = noise(0, 3), noise(1, 4)
        assert stats.waveform_copy(audio, prompt) < 0.1
        audio[RATE : 2 * RATE] = np.float32(gain) * prompt[7321 : 7321 + RATE]
        assert stats.waveform_copy(audio, prompt) == pytest.approx(1, abs=1e-6)

    def test_noise_on_a_copy_costs_what_the_cosine_says(self) -> None:
        prompt = noise(0, 1)
        spoilt = prompt + noise(1, 1)
        assert stats.waveform_copy(spoilt, prompt) == pytest.approx(1 / np.sqrt(2), abs=0.02)

    def test_agrees_with_the_definition(self) -> None:
        prompt, audio = noise(2, 1.01), voice(0, 130, 1, 1.0)
        sums = [
            abs(float(audio @ prompt[k : k + RATE])) / np.linalg.norm(audio) / np.linalg.norm(prompt[k : k + RATE])
            for k in range(prompt.size - RATE + 1)
        ]
        assert stats.waveform_copy(audio, prompt) == pytest.approx(max(sums), rel=1e-4)

    def test_silence_is_no_copy_and_less_than_a_second_is_refused(self) -> None:
        silent = np.zeros(2 * RATE, np.float32)
        assert stats.waveform_copy(silent, silent) == 0
        with pytest.raises(ValueError, match="one second"):
            stats.waveform_copy(silent, silent[:100])
        with pytest.raises(ValueError, match="one second"):
            stats.mel_copy(silent, silent[:100])

    def test_log_mel_patches_find_a_copy_with_its_phase_gone(self) -> None:
        prompt = voice(0, 120, 1, 3.0)
        spectrum = np.fft.rfft(prompt)
        # All frequencies turned by 90 degrees: the same spectrogram, another waveform.
        turned = np.fft.irfft(spectrum * 1j, prompt.size).astype(np.float32)
        assert stats.waveform_copy(turned, prompt) < 0.9
        assert stats.mel_copy(turned, prompt) > 0.97
        assert stats.mel_copy(voice(5, 120, 1, 3.0), prompt) < 0.8


class TestLoops:
    def test_a_loop_is_found_and_speech_and_steady_sounds_are_none(self) -> None:
        looped = np.tile(voice(0, 120, 1, 1.2), 4)
        assert stats.loop_correlation(looped) > 0.9
        assert stats.loop_correlation(voice(0, 120, 1, 4.8)) < 0.5
        assert stats.loop_correlation(np.zeros(4 * RATE, np.float32)) == 0

    def test_the_share_of_silence(self) -> None:
        sound = np.concatenate([tone(440, 1), np.zeros(3 * RATE, np.float32)])
        assert stats.silent_share(sound) == pytest.approx(0.75)
        # A sine of amplitude a has the RMS a / sqrt(2): at -57 dBFS it lies just over and just under -60.
        assert stats.silent_share(tone(400, 1, 10 ** (-56.9 / 20))) == 0
        assert stats.silent_share(tone(400, 1, 10 ** (-57.1 / 20))) == 1

    def test_the_threshold_lies_over_the_truth_or_under_what_is_planted(self) -> None:
        truth = np.linspace(0, 0.5, 101)
        assert stats.copy_threshold(truth, np.ones(10)) == pytest.approx(0.495 + 0.02)
        assert stats.copy_threshold(truth, np.full(10, 0.3)) == pytest.approx(0.3)
        assert stats.copy_threshold(np.ones(10), np.ones(10)) == 0.95
