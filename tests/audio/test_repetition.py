"""Loops and copies that were put there, and sounds without any."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.audio.mono import SignalError
from calm_eval.audio.repetition import Copy, Loop, log_mel_copy, loop, waveform_copy

RATE = 16000


def noise(seed: int, seconds: float) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def voice(seed: int, seconds: float = 4.0, pitch: float = 120.0, rate: int = RATE) -> np.ndarray:
    """Syllables of random length, pitch and loudness with short pauses."""
    generator = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * rate:
        moments = np.arange(round(generator.uniform(0.1, 0.3) * rate)) / rate
        base = pitch * generator.uniform(0.9, 1.1)
        weights = generator.uniform(0.5, 1, 11) / np.arange(1, 12)
        parts.append(0.1 * weights @ np.sin(2 * np.pi * base * np.outer(np.arange(1, 12), moments)))
        parts.append(np.zeros(round(generator.uniform(0.02, 0.1) * rate)))
    return np.concatenate(parts)[: round(seconds * rate)]


class TestLoops:
    @pytest.mark.parametrize("rate", [16000, 24000, 48000])
    @pytest.mark.parametrize("seconds", [0.8, 1.2, 2.5])
    def test_a_loop_is_found_with_its_length(self, rate: int, seconds: float) -> None:
        found = loop(np.tile(voice(0, seconds, rate=rate), int(10 / seconds)), rate)
        assert found.strength > 0.95
        assert found.seconds == pytest.approx(seconds, abs=0.02)

    def test_the_length_is_one_round_even_where_four_fit_the_frames_better(self) -> None:
        # 45.75 hops: only four rounds are a whole number of frames.
        found = loop(np.tile(voice(0, 0.732), 12), RATE)
        assert found.strength > 0.99
        assert found.seconds == pytest.approx(0.732, abs=0.01)

    def test_other_words_are_no_loop(self) -> None:
        assert loop(voice(0, 8.0), RATE).strength < 0.5
        assert loop(noise(0, 8.0), RATE).strength < 0.2

    @pytest.mark.parametrize("gain", [-1.0, 1e-6, 10.0])
    def test_gain_and_polarity_do_not_count(self, gain: float) -> None:
        sound = np.tile(voice(0, 1.1), 4) + noise(1, 4.4)
        assert loop(gain * sound, RATE).strength == pytest.approx(loop(sound, RATE).strength, abs=1e-6)
        assert loop(gain * sound, RATE).seconds == loop(sound, RATE).seconds

    def test_a_steady_sound_has_no_loop_and_no_length(self) -> None:
        assert loop(np.zeros(4 * RATE), RATE) == Loop(0.0, None)
        assert loop(np.full(4 * RATE, 1e-3), RATE).strength < 0.5

    def test_agrees_with_the_definition(self) -> None:
        import librosa

        sound = voice(3, 5.0) + 0.1 * noise(0, 5.0)
        power = librosa.feature.melspectrogram(y=sound, sr=RATE, n_fft=1024, hop_length=256, n_mels=80)
        mel = librosa.power_to_db(power, amin=1e-30, top_db=80).T
        mel = mel - mel.mean(axis=0)
        strengths = {}
        for lag in range(32, len(mel) // 2 + 1):
            early, late = mel[:-lag], mel[lag:]
            strengths[lag] = float((early * late).sum() / np.linalg.norm(early) / np.linalg.norm(late))
        found = loop(sound, RATE)
        assert found.strength == pytest.approx(max(strengths.values()), abs=1e-5)
        assert found.seconds is not None
        assert strengths[round(found.seconds * RATE / 256)] >= found.strength - 0.06

    def test_less_than_two_seconds_is_too_short(self) -> None:
        with pytest.raises(SignalError) as caught:
            loop(noise(0, 1.99), RATE)
        assert caught.value.name == "too-short"
        assert loop(noise(0, 2.0), RATE).strength < 1


class TestWaveformCopies:
    @pytest.mark.parametrize("gain", [1.0, -0.3])
    def test_a_second_of_the_prompt_is_found_at_any_gain_with_its_place(self, gain: float) -> None:
        prompt, audio = noise(0, 3), noise(1, 4)
        assert waveform_copy(audio, prompt, RATE).correlation < 0.1
        audio[RATE : 2 * RATE] = gain * prompt[7321 : 7321 + RATE]
        found = waveform_copy(audio, prompt, RATE)
        assert found.correlation == pytest.approx(1, abs=1e-9)
        assert (found.at_seconds, found.prompt_seconds) == (1.0, 7321 / RATE)
        assert found.lag_seconds == pytest.approx(1.0 - 7321 / RATE)

    @pytest.mark.parametrize("level", [0.5, 1.0, 2.0])
    def test_noise_on_a_copy_costs_what_the_cosine_says(self, level: float) -> None:
        prompt = noise(0, 1)
        truth = 1 / np.sqrt(1 + level**2)
        assert waveform_copy(prompt + level * noise(1, 1), prompt, RATE).correlation == pytest.approx(truth, abs=0.02)

    def test_agrees_with_the_definition(self) -> None:
        prompt, audio = noise(2, 1.01) + 0.05, voice(0, 1.0) - 0.01
        sums = [abs(np.corrcoef(audio, prompt[k : k + RATE])[0, 1]) for k in range(prompt.size - RATE + 1)]
        found = waveform_copy(audio, prompt, RATE)
        assert found.correlation == pytest.approx(max(sums), rel=1e-9)
        assert found.prompt_seconds == np.argmax(sums) / RATE

    @pytest.mark.parametrize("offset", [0.3, -0.3])
    def test_an_offset_is_no_copy(self, offset: float) -> None:
        prompt, audio = noise(0, 2) + offset, noise(1, 2) + 0.3
        assert waveform_copy(audio, prompt, RATE).correlation < 0.1
        assert waveform_copy(np.full(2 * RATE, 0.3), prompt, RATE) == Copy(0.0, None, None)
        assert waveform_copy(audio, np.full(2 * RATE, 0.3), RATE) == Copy(0.0, None, None)

    def test_silence_is_no_copy(self) -> None:
        silent = np.zeros(2 * RATE)
        for audio, prompt in ((silent, silent), (silent, noise(0, 2)), (noise(0, 2), silent)):
            assert waveform_copy(audio, prompt, RATE) == Copy(0.0, None, None)
        assert waveform_copy(silent, silent, RATE).lag_seconds is None
        # The same sound, too quiet to be one.
        assert waveform_copy(1e-3 * noise(0, 2), 1e-3 * noise(0, 2), RATE).correlation == 0


class TestLogMelCopies:
    def test_a_copy_is_found_with_its_phase_gone(self) -> None:
        prompt = voice(0, 3.0)
        spectrum = np.fft.rfft(prompt)
        # All frequencies turned by 90 degrees: the same spectrogram, another waveform.
        turned = np.fft.irfft(spectrum * 1j, prompt.size)
        assert waveform_copy(turned, prompt, RATE).correlation < 0.9
        found = log_mel_copy(turned, prompt, RATE)
        assert found.correlation > 0.97
        assert found.lag_seconds == pytest.approx(0, abs=0.001)
        assert log_mel_copy(voice(5, 3.0), prompt, RATE).correlation < 0.8

    def test_its_place_is_found(self) -> None:
        prompt, audio = voice(0, 3.0), voice(1, 4.0, pitch=200)
        # Whole steps of 32 ms, so that the frames of both lie alike.
        audio[512 * 50 : 512 * 50 + RATE] = prompt[512 * 20 : 512 * 20 + RATE]
        found = log_mel_copy(audio, prompt, RATE)
        assert found.correlation > 0.9
        assert found.at_seconds == pytest.approx(50 * 0.032, abs=0.1)
        assert found.lag_seconds == pytest.approx(30 * 0.032, abs=1e-9)

    def test_silence_is_no_copy(self) -> None:
        silent = np.zeros(2 * RATE)
        assert log_mel_copy(silent, silent, RATE) == Copy(0.0, None, None)
        assert log_mel_copy(noise(0, 2), silent, RATE) == Copy(0.0, None, None)
        assert log_mel_copy(silent, voice(0, 2.0), RATE).correlation < 0.5
        # 120 dB down it lies under the floor of the prompt.
        assert log_mel_copy(1e-6 * voice(0, 2.0), voice(0, 2.0), RATE).correlation < 0.5


@pytest.mark.parametrize("copy", [waveform_copy, log_mel_copy])
def test_less_than_a_second_is_too_short_and_bad_sound_is_named(copy) -> None:
    whole, spoilt = noise(0, 2), noise(0, 2)
    spoilt[5] = np.nan
    for audio, prompt, name in (
        (whole, whole[: RATE - 1], "too-short"),
        ([0.1], whole, "too-short"),
        ([], whole, "empty"),
        (spoilt, whole, "nan"),
        (whole, spoilt, "nan"),
    ):
        with pytest.raises(SignalError) as caught:
            copy(audio, prompt, RATE)
        assert caught.value.name == name


@pytest.mark.parametrize("sound", [[], [np.nan] * 40000])
def test_no_loop_in_bad_sound(sound) -> None:
    with pytest.raises(SignalError):
        loop(sound, RATE)
