"""What is done to a clip's level before a judge hears it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from calm_eval.judges.level import at_peak, centred, through_int16


def test_the_largest_magnitude_is_at_minus_one_decibel() -> None:
    clip = np.array([0.02, -0.05, 0.01], dtype=np.float32)
    assert at_peak(clip) == pytest.approx(clip / 0.05 * 0.8912509, rel=1e-6)
    assert at_peak(8 * clip) == pytest.approx(at_peak(clip), rel=1e-6)
    assert np.abs(at_peak(clip, 0.0)).max() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="silence has no peak"):
        at_peak(np.zeros(3, dtype=np.float32))


def test_sixteen_bits_are_those_of_a_file() -> None:
    """Of a file written with libsndfile, which scales by 32,767: no more than a step and its scale apart."""
    clip = np.random.default_rng(0).uniform(-1.2, 1.2, 4000).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, clip, 16000, format="WAV", subtype="PCM_16")
    file.seek(0)
    back, _ = soundfile.read(file, dtype="float32")
    found = through_int16(clip)
    assert np.abs(found - back).max() <= 1.01 / 32768
    assert found.max() == 32767 / 32768
    assert found.min() == -1.0
    assert (through_int16(found) == found).all()


def test_less_its_mean() -> None:
    assert centred(np.array([1.0, 2.0, 6.0], dtype=np.float32)) == pytest.approx([-2.0, -1.0, 3.0])
