from __future__ import annotations

import numpy as np
import pytest
import soundfile
from tones import tone

from calm_eval.audio.checks import check_audio
from calm_eval.audio.clip import Clip
from calm_eval.audio.read import AudioError, read_audio
from calm_eval.audio.resample import to_mono


def test_what_is_no_audio_has_a_name(tmp_path):
    (tmp_path / "text.wav").write_text("this is no audio\n" * 100)
    soundfile.write(tmp_path / "whole.wav", tone(1.0), 16000)
    whole = (tmp_path / "whole.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    soundfile.write(tmp_path / "whole.flac", tone(1.0), 16000)
    flac = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(flac[: len(flac) // 2])
    (tmp_path / "header.wav").write_bytes(whole[:20])
    (tmp_path / "nothing.wav").write_bytes(b"")
    names = {}
    for name in ("text.wav", "cut.wav", "cut.flac", "header.wav", "nothing.wav", "absent.wav"):
        with pytest.raises(AudioError) as caught:
            read_audio(tmp_path / name)
        names[name] = caught.value.name
    assert names["text.wav"] == names["nothing.wav"] == "unreadable"
    assert names["cut.wav"] == "truncated"
    assert names["cut.flac"] in ("truncated", "unreadable")
    assert names["header.wav"] in ("truncated", "unreadable")
    assert names["absent.wav"] == "missing"


def test_a_streamed_wav_header_is_no_truncation(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(0.5), 16000, subtype="PCM_16")
    data = bytearray((tmp_path / "a.wav").read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(data)
    assert read_audio(tmp_path / "a.wav").frames == 8000


@pytest.mark.parametrize(
    ("samples", "failure", "flags"),
    [
        (np.zeros((1, 0)), "empty", ()),
        (np.array([[0.1, np.nan, 0.2] * 1000]), "nan", ()),
        (np.array([[0.1, np.inf] * 1000]), "nan", ()),
        (np.zeros((1, 16000)), None, ("silent",)),
        (np.full((1, 16000), 0.0009), None, ("silent",)),
        (np.full((1, 16000), 0.0011), None, ()),
        (np.full((1, 16000), 1.2), None, ("clipped",)),
        (np.full((1, 1000), 0.5), None, ("too-short",)),
    ],
)
def test_every_defect_is_named(samples, failure, flags):
    check = check_audio(Clip(samples.astype(np.float32), 16000))
    assert (check.failure, check.flags) == (failure, flags)


def test_nan_is_counted_and_peak_ignores_it():
    check = check_audio(Clip(np.array([[0.25, np.nan, -0.75, np.inf]], dtype=np.float32), 16000))
    assert (check.nan_samples, check.peak) == (2, 0.75)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_resampling_keeps_length_level_and_frequency(rate):
    mono = to_mono(Clip(tone(2.0, 1000, rate)[None], rate), 16000)
    assert abs(len(mono) - 32000) <= 1
    middle = mono[4000:-4000].astype(np.float64)
    # A sine of amplitude 0.5 has an RMS of 0.5 / sqrt(2).
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * 16000 / len(middle) == pytest.approx(1000, abs=1)


def test_mono_is_the_mean_of_channels():
    left, right = tone(0.1, 200), tone(0.1, 500)
    assert np.allclose(to_mono(Clip(np.stack([left, right]), 16000), 16000), (left + right) / 2, atol=1e-7)
