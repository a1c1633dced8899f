"""Audio for the page: MP3 beside or instead of the FLAC, a waveform in 200 numbers, a mel spectrogram as a picture."""

from __future__ import annotations

import base64
import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.clip import Clip, clip_key
from calm_eval.audio.mel import MelSpectrogram, power_to_db
from calm_eval.audio.resample import to_mono
from calm_eval.audio.write import encode_flac

Encoding = Literal["mp3", "flac"]

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_PEAKS = 200
_MELS, _WIDTH = 64, 320
_RANGE_DB = 70.0
_PICTURE_RATE = 16000


@dataclass(frozen=True)
class Sound:
    """One audio of the page. `wave` holds the peak of each 200th as base64 bytes, `boundary` is in seconds.

    `boundary` is where a continuation begins, 0 where there is none.
    """

    src: str
    picture: str
    wave: str
    seconds: float
    boundary: float = 0.0

    def json(self) -> dict[str, object]:
        """As the page's script reads it."""
        return {
            "src": self.src,
            "picture": self.picture,
            "wave": self.wave,
            "seconds": round(self.seconds, 3),
            "boundary": round(self.boundary, 3),
        }


class Sounds:
    """Writes each audio once, under its content's name, below `audio/` and `pictures/` of the page's folder."""

    def __init__(self, folder: Path, encoding: Encoding = "mp3") -> None:
        self.folder = folder
        self.encoding = encoding
        self._made: dict[str, Sound] = {}

    def add(self, clip: Clip, prompt: Clip | None = None) -> Sound:
        """The sound of a clip, behind its prompt where there is one. All channels are heard as one."""
        rate = clip.sample_rate
        samples = to_mono(clip, rate)
        before = to_mono(prompt, rate) if prompt is not None else samples[:0]
        boundary = len(before) / rate
        samples = np.concatenate([before, samples])
        whole = Clip(samples[None], rate)
        key = f"{clip_key(whole)[:24]}-{round(boundary * 1000)}"
        if key not in self._made:
            self._made[key] = self._write(key, whole, boundary)
        return self._made[key]

    def _write(self, key: str, clip: Clip, boundary: float) -> Sound:
        src, picture = f"audio/{key[:2]}/{key}.{self.encoding}", f"pictures/{key[:2]}/{key}.png"
        samples = clip.samples[0]
        if not (self.folder / src).is_file():
            data = encode_flac(clip)[1] if self.encoding == "flac" else encode_mp3(clip)
            self._put(src, data)
        if not (self.folder / picture).is_file():
            self._put(picture, spectrogram(clip))
        return Sound(src, picture, peaks(samples), len(samples) / clip.sample_rate, boundary)

    @property
    def count(self) -> int:
        """How many different sounds there are."""
        return len(self._made)

    def forget_others(self) -> None:
        """Remove sounds and pictures of an earlier page that are in this one no more."""
        kept = {self.folder / name for one in self._made.values() for name in (one.src, one.picture)}
        for path in [*(self.folder / "audio").rglob("*.*"), *(self.folder / "pictures").rglob("*.*")]:
            if path not in kept:
                path.unlink()

    def _put(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not synced: a page that a crash cuts short is made again.
        path.write_bytes(data)


def encode_mp3(clip: Clip) -> bytes:
    """One channel as MP3, at the next rate that MP3 has; what is louder than full scale is clipped, as players do."""
    import soundfile

    rate = next((one for one in _MP3_RATES if one >= clip.sample_rate), _MP3_RATES[-1])
    heard = np.clip(to_mono(clip, rate), -1.0, 1.0)
    buffer = io.BytesIO()
    soundfile.write(buffer, heard, rate, format="MP3", subtype="MPEG_LAYER_III")
    return buffer.getvalue()


def peaks(samples: NDArray[np.float32]) -> str:
    """The largest magnitude in each of 200 equal parts of samples [frames], 0 to 255, as base64."""
    edges = np.linspace(0, len(samples), _PEAKS + 1).astype(int)
    heights = [float(np.abs(samples[low:high]).max(initial=0.0)) for low, high in itertools.pairwise(edges)]
    return base64.b64encode(np.clip(np.array(heights) * 255, 0, 255).astype(np.uint8).tobytes()).decode()


def spectrogram(clip: Clip) -> bytes:
    """A mel spectrogram as grey PNG, 320 x 64: 0 to 8 kHz, the loudest 70 dB, loud is dark."""
    from PIL import Image

    heard = to_mono(clip, _PICTURE_RATE).astype(np.float64)
    hop = max(64, len(heard) // _WIDTH)
    power = MelSpectrogram(_PICTURE_RATE, n_fft=512, hop=hop, n_mels=_MELS)(heard)
    # The first and last frame see the edge of the clip: a click that nobody hears.
    power = power[:, 1:-1] if power.shape[1] > 4 else power
    level = power_to_db(power)
    shade = np.clip((level - (level.max() - _RANGE_DB)) / _RANGE_DB, 0.0, 1.0) if power.any() else np.zeros_like(level)
    picture = Image.fromarray((255 * (1 - shade[::-1])).astype(np.uint8), "L").resize((_WIDTH, _MELS))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
