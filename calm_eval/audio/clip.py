"""One audio in memory, and its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Clip:
    """Float32 samples in [-1, 1], shape [channels, frames], with their rate in Hz."""

    samples: NDArray[np.float32]
    sample_rate: int

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Samples in each channel."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.frames / self.sample_rate


def pcm_bits(samples: NDArray[np.float32]) -> int:
    """16 when every sample is a 16-bit integer over 32768, so that 16 bits lose nothing; else 24."""
    scaled = samples * np.float32(32768.0)
    return 16 if bool(np.all(scaled == np.rint(scaled)) and np.all(scaled <= 32767)) else 24


def quantise(samples: NDArray[np.float32], bits: int) -> NDArray[np.int32]:
    """Round float samples to signed integers of 16 or 24 bits, shape kept; what exceeds full scale is clipped."""
    scale = 2 ** (bits - 1)
    rounded = np.rint(samples.astype(np.float64) * scale)
    clipped: NDArray[np.float64] = np.clip(rounded, -scale, scale - 1)
    return clipped.astype(np.int32)


def audio_key(integers: NDArray[np.int32], bits: int, sample_rate: int) -> str:
    """Sha256 over the decoded PCM, its rate and channels: the identity of an audio, whatever file holds it.

    `integers` has shape [channels, frames]. Values are brought to a 24-bit scale first, so that the same sound has
    one key at either depth.
    """
    wide = integers << (24 - bits)
    header = f"pcm24 {sample_rate} {integers.shape[0]} {integers.shape[1]}\n".encode()
    return hashlib.sha256(header + wide.astype("<i4").T.tobytes()).hexdigest()


def clip_key(clip: Clip) -> str:
    """The identity of a clip with finite samples."""
    bits = pcm_bits(clip.samples)
    return audio_key(quantise(clip.samples, bits), bits, clip.sample_rate)
