from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from calm_eval.audio.mel import MelSpectrogram, hz_to_mel, mel_filters, mel_to_hz, power_to_db


@pytest.mark.parametrize(("n_fft", "n_mels"), [(400, 40), (321, 120)])
def test_equals_librosa(n_fft: int, n_mels: int) -> None:
    import librosa

    rng = np.random.default_rng(0)
    audio = rng.standard_normal(16000) * np.linspace(0, 1, 16000) ** 3
    ours = MelSpectrogram(16000, n_fft, 160, n_mels)(audio)
    theirs = librosa.feature.melspectrogram(y=audio, sr=16000, n_fft=n_fft, hop_length=160, n_mels=n_mels)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(power_to_db(ours), librosa.power_to_db(theirs, ref=np.max), atol=1e-4)
    filters = librosa.filters.mel(sr=16000, n_fft=n_fft, n_mels=n_mels, dtype=np.float64)
    np.testing.assert_allclose(mel_filters(16000, n_fft, n_mels), filters, rtol=1e-9, atol=1e-15)


def test_scale_inverts_and_meets_at_one_kilohertz() -> None:
    hertz = np.array([0.0, 440.0, 999.0, 1000.0, 1001.0, 8000.0])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hertz)), hertz, rtol=1e-12, atol=1e-12)
    assert hz_to_mel(1000.0) == pytest.approx(15.0)
    # 27 logarithmic steps lead from 1 kHz to 6.4 kHz.
    assert hz_to_mel(6400.0) == pytest.approx(42.0)


def test_a_sine_lands_in_its_band() -> None:
    audio = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    mel = MelSpectrogram(16000, 400, 160, 40)(audio)
    peaks = mel_to_hz(np.linspace(0, hz_to_mel(8000), 42))[1:-1]
    assert mel.shape == (40, 101)
    assert abs(peaks[mel[:, 50].argmax()] - 1000) < 100


def test_decibels_are_bounded_and_relative_to_the_maximum() -> None:
    power = np.array([1.0, 10.0, 1e-20, 0.0])
    np.testing.assert_allclose(power_to_db(power), [-10.0, 0.0, -80.0, -80.0])
    np.testing.assert_array_equal(power_to_db(np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros((2, 100))])
def test_refuses_what_is_not_a_mono_signal(audio: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shape"):
        MelSpectrogram(16000, 400, 160, 40)(audio)


def test_needs_no_librosa() -> None:
    code = "import sys, calm_eval.audio.mel; sys.exit('librosa' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
