"""What LAION-CLAP hears (Wu et al. 2023): the level and steps of samples, windows of 10 s, and the log-mel of each.

    log-mel = 10 log10(max(power mel, 1e-10))       window 1024, hop 480, 64 mels from 50 Hz to 14 kHz, edges mirrored

The mels are Slaney's, each of one area; for the model of fusion HTK's, each of height one, as its training had them.
Source: LAION-AI/CLAP (training/data.py, clap_module/htsat.py), the package laion-clap 1.1.7.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.mel import mel_filters
from calm_eval.judges.protocol import Mono

SAMPLE_RATE = 48000
N_FFT, HOP, N_MELS = 1024, 480, 64
LOWEST_HZ, HIGHEST_HZ = 50.0, 14000.0
FLOOR = 1e-10
WINDOW = 10 * SAMPLE_RATE
WINDOW_FRAMES = 1 + WINDOW // HOP
LEAST_TAIL = SAMPLE_RATE
"""Samples that what is left after the last whole window must have to be a window too."""
STEPS = 32767

Framing = Literal["mean", "fadtk", "randcrop", "first", "fusion"]


def in_steps(audio: Mono) -> Mono:
    """Samples of 16 bits, cut towards zero, as the package makes of floats; those over full scale are clipped."""
    whole = np.trunc(np.clip(audio, -1.0, 1.0).astype(np.float32) * np.float32(STEPS))
    return np.asarray(whole / STEPS, dtype=np.float32)


def repeated(audio: Mono, size: int = WINDOW) -> Mono:
    """As many whole repetitions as fit into `size` samples, then zeros (`repeatpad`)."""
    tiled = np.tile(audio, max(1, size // audio.size))
    return np.pad(tiled, (0, size - tiled.size))


def windows_of(audio: Mono, framing: Framing, seed: int, size: int = WINDOW, rate: int = SAMPLE_RATE) -> list[Mono]:
    """The windows of `size` samples that a clip is heard in.

    `mean`: one after the other, a tail of a second or more filled up with its repetitions. `fadtk`: one each second up
    to the end, filled up with zeros (microsoft/fadtk, model_loader.py). `randcrop`: one where NumPy's older generator
    puts it after this seed, as the package does after `np.random.seed(seed)`. `first`: the start, with nothing filled
    up (haoheliu/audioldm_eval, clap_score). A clip within one window is repeated, but for `fadtk` and `first`.
    """
    if framing == "first":
        return [audio[:size]]
    if framing == "fadtk":
        cut = [audio[start : start + size] for start in range(0, audio.size, rate)]
        return [np.pad(piece, (0, size - piece.size)) for piece in cut]
    if audio.size <= size:
        return [repeated(audio, size)]
    if framing == "randcrop":
        start = int(np.random.RandomState(seed).randint(0, audio.size - size + 1))
        return [audio[start : start + size]]
    cut = [audio[start : start + size] for start in range(0, audio.size, size)]
    return [repeated(piece, size) for piece in cut if piece.size >= rate]


def seed_of(audio: Mono) -> int:
    """The seed that stands in for the global one of the package: of the samples, so that a clip has one answer."""
    return zlib.crc32(np.ascontiguousarray(audio, dtype="<f4").tobytes())


def thirds(frames: int, seed: int | None) -> list[int]:
    """Where the three pieces of fusion begin, for a clip of so many frames, more than a window has.

    One in each third of the places there are: the middle one, or with a seed those that the package draws after
    `np.random.seed(seed)`. A third without a place has the first.
    """
    parts = [
        part if len(part) else np.zeros(1, dtype=int)
        for part in np.array_split(np.arange(frames - WINDOW_FRAMES + 1), 3)
    ]
    if seed is None:
        return [int(part[len(part) // 2]) for part in parts]
    generator = np.random.RandomState(seed)
    return [int(generator.choice(part)) for part in parts]


@dataclass(frozen=True)
class LogMelSettings:
    """Of one CLAP: the rate that the filters are made for, hop in samples, bands in Hz; HTK's mels or Slaney's."""

    sample_rate: int = SAMPLE_RATE
    hop: int = HOP
    highest_hz: float = HIGHEST_HZ
    htk: bool = False

    def filters(self) -> NDArray[np.float64]:
        """Weights [64, 513] of a power spectrum."""
        if not self.htk:
            return mel_filters(self.sample_rate, N_FFT, N_MELS, LOWEST_HZ, self.highest_hz)
        bins = np.fft.rfftfreq(N_FFT, 1 / self.sample_rate)
        lowest, highest = (2595.0 * float(np.log10(1.0 + hertz / 700.0)) for hertz in (LOWEST_HZ, self.highest_hz))
        edges = 700.0 * (10.0 ** (np.linspace(lowest, highest, N_MELS + 2) / 2595.0) - 1.0)[:, None]
        rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
        weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
        return weights


class ClapLogMel:
    """Samples [n, samples] to log-mel [n, frames, 64], frames = 1 + samples // hop.

    `filters` [513, 64] are those of a checkpoint, in place of the computed ones.
    """

    def __init__(self, settings: LogMelSettings, torch: Any, device: str, filters: Any = None) -> None:
        self._torch, self._hop = torch, settings.hop
        self._window = torch.hann_window(N_FFT, device=device)
        made = torch.from_numpy(settings.filters().T) if filters is None else filters
        self._filters = made.to(device, torch.float32)

    def __call__(self, samples: Any) -> Any:
        """A float32 tensor to another."""
        torch = self._torch
        spectrum = torch.stft(samples, N_FFT, self._hop, window=self._window, pad_mode="reflect", return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return 10.0 * torch.log10((power.transpose(1, 2) @ self._filters).clamp(min=FLOOR))


def fused_log_mel(log_mel: Any, seed: int | None, torch: Any) -> Any:
    """Log-mel [frames, 64] of a clip longer than a window to the input of fusion [4, 1001, 64].

    The whole clip shrunk in time (straight lines between frames, nothing averaged first, as in training), then the
    three pieces of `thirds`.
    """
    size = (WINDOW_FRAMES, N_MELS)
    shrunk = torch.nn.functional.interpolate(log_mel[None, None], size, mode="bilinear", align_corners=False)[0, 0]
    pieces = [log_mel[start : start + WINDOW_FRAMES] for start in thirds(len(log_mel), seed)]
    return torch.stack([shrunk, *pieces])
