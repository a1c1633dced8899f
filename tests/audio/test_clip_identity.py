from __future__ import annotations

import numpy as np
import pytest
import soundfile
from tones import tone

from calm_eval.audio.clip import Clip, clip_key, pcm_bits
from calm_eval.audio.read import read_audio
from calm_eval.audio.write import encode_flac, write_atomically


def stored(tmp_path, clip):
    key, data = encode_flac(clip)
    path = tmp_path / f"{key}.flac"
    write_atomically(path, data)
    return key, read_audio(path)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
def test_float_audio_comes_back_within_half_a_24_bit_step(tmp_path, rate, channels):
    samples = np.random.default_rng(0).uniform(-1, 1, (channels, rate // 10)).astype(np.float32)
    key, back = stored(tmp_path, Clip(samples, rate))
    assert (back.sample_rate, back.samples.shape) == (rate, samples.shape)
    assert np.abs(back.samples - np.clip(samples, -1, 1 - 2**-23)).max() <= 2**-24
    assert clip_key(back) == key


def test_sixteen_bit_audio_comes_back_exactly_and_in_16_bits(tmp_path):
    integers = np.random.default_rng(1).integers(-32768, 32768, (1, 5000))
    samples = (integers / 32768).astype(np.float32)
    assert pcm_bits(samples) == 16
    key, back = stored(tmp_path, Clip(samples, 22050))
    assert soundfile.info(tmp_path / f"{key}.flac").subtype == "PCM_16"
    assert np.array_equal(back.samples * 32768, integers)


def test_the_key_is_that_of_the_sound_not_of_the_file(tmp_path):
    samples = (np.round(tone(0.2) * 32768) / 32768).astype(np.float32)
    keys = set()
    for name, subtype in (("a.wav", "PCM_16"), ("b.wav", "PCM_24"), ("c.flac", "PCM_16"), ("d.wav", "FLOAT")):
        soundfile.write(tmp_path / name, samples, 16000, subtype=subtype)
        keys.add(clip_key(read_audio(tmp_path / name)))
    assert len(keys) == 1
    changed = samples.copy()
    changed[100] += 2 / 32768
    others = [Clip(changed[None], 16000), Clip(samples[None], 16001), Clip(np.stack([samples] * 2), 16000)]
    assert not keys & {clip_key(other) for other in others}


def test_a_failed_write_leaves_nothing(tmp_path):
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(OSError, match=r"."):
        write_atomically(target, b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
