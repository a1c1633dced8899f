"""Statistics of continuations: distances between sounds, copies, loops and silence. Pure functions.

Audio is float32 [samples] at 16 kHz in [-1, 1] throughout.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from calm_eval.audio.mel import MelSpectrogram

RATE = 16000
HOP = 256
BANDS = 80
FRAMES_A_SECOND = RATE / HOP
FLOOR = 1e-10
RANGE_DB = 80.0
QUIET_DB = 50.0

Audio = NDArray[np.float32]
Array = NDArray[np.float64]


def log_mel(audio: Audio) -> Array:
    """80 mel bands of 1024-sample frames every 256 samples, in dB (power floor 1e-10), shape [frames, 80]."""
    power = MelSpectrogram(RATE, 1024, HOP, BANDS)(audio)
    decibels: Array = 10 * np.log10(np.maximum(power, FLOOR)).T
    return decibels


def log_mel_distance(audio: Audio, reference: Audio) -> float:
    """Mean absolute difference in dB of two aligned sounds of equal length.

    Both are floored 80 dB under the reference's largest value, so that differences nobody hears do not count.
    Raises ValueError for unequal lengths.
    """
    if audio.shape != reference.shape:
        raise ValueError(f"sounds of {audio.shape} and {reference.shape} samples are not aligned")
    target = log_mel(reference)
    floor = target.max() - RANGE_DB
    return float(np.abs(np.maximum(log_mel(audio), floor) - np.maximum(target, floor)).mean())


def timbre(audio: Audio) -> Array:
    """Mean and standard deviation of each log-mel band, shape [160], in dB, the mean less its mean over bands.

    Only frames within 50 dB of the loudest count, so pauses do not; the level cancels.
    """
    mel = log_mel(audio)
    level = 10 * np.log10((10 ** (mel / 10)).sum(axis=1))
    heard = mel[level >= level.max() - QUIET_DB]
    # A floor below the loudest value keeps the level from deciding how deep the gaps are.
    heard = np.maximum(heard, heard.max() - RANGE_DB)
    mean = heard.mean(axis=0)
    return np.concatenate([mean - mean.mean(), heard.std(axis=0)])


def timbre_distance(first: Array, second: Array) -> float:
    """Root mean square difference of two `timbre` vectors, in dB."""
    return float(np.sqrt(np.mean((first - second) ** 2)))


def pitch_classes(audio: Audio) -> Array:
    """How much each of the twelve pitch classes sounds (A4 = 440 Hz, entry 0 is C), shape [12], of norm 1.

    Magnitudes of 4096-sample frames from 65 Hz to 2 kHz, each bin to its nearest semitone. All zeros for silence.
    """
    size, hop = 4096, 1024
    padded = np.pad(audio.astype(np.float64), (0, max(0, size - audio.size)))
    frames = sliding_window_view(padded, size)[::hop] * np.hanning(size)
    magnitude = np.abs(np.fft.rfft(frames, axis=1)).sum(axis=0)
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    used = (hertz >= 65) & (hertz <= 2000)
    semitone = np.rint(69 + 12 * np.log2(hertz[used] / 440)).astype(int)
    # Squares favour the peaks of partials over the skirts of the window.
    sums: Array = np.sqrt(np.bincount(semitone % 12, weights=magnitude[used] ** 2, minlength=12), dtype=np.float64)
    norm = float(np.linalg.norm(sums))
    return sums / norm if norm > 0 else sums


def cosine_distance(first: Array, second: Array) -> float:
    """1 - cosine similarity; 1 where one of the two is all zeros."""
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return 1.0 if norm == 0 else max(0.0, 1.0 - float(first @ second) / norm)


def waveform_copy(audio: Audio, prompt: Audio) -> float:
    """Largest normalised cross-correlation, 0 to 1, of any 1 s of `audio` (every 0.1 s) with any 1 s of `prompt`.

    Stretches of either that are under -60 dBFS count as 0: silence is no copy. Raises ValueError under 1 s.
    """
    if min(audio.size, prompt.size) < RATE:
        raise ValueError("give at least one second of both")
    long = prompt.astype(np.float64)
    size = 1 << (long.size + RATE - 1).bit_length()
    spectrum = np.fft.rfft(long, size)
    sums = np.concatenate([[0.0], np.cumsum(long**2)])
    energy = sums[RATE:] - sums[:-RATE]
    least = RATE * 10 ** (-60 / 10)
    best = 0.0
    for start in range(0, audio.size - RATE + 1, RATE // 10):
        part = audio[start : start + RATE].astype(np.float64)
        own = float(part @ part)
        if own < least:
            continue
        products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(part, size)), size)[: long.size - RATE + 1]
        loud = energy >= least
        if loud.any():
            best = max(best, float((np.abs(products[loud]) / np.sqrt(energy[loud] * own)).max()))
    return best


def mel_copy(audio: Audio, prompt: Audio) -> float:
    """Largest correlation, -1 to 1, of any 1 s log-mel patch of `audio` with any of `prompt`.

    Each band first loses its mean over the prompt: what the two have in common all the time is voice, no copy.
    Unlike `waveform_copy` this finds copies whose phase a codec has changed.
    """
    earlier, later = log_mel(prompt), log_mel(audio)
    floor = earlier.max() - RANGE_DB
    earlier, later = np.maximum(earlier, floor), np.maximum(later, floor)
    middle = earlier.mean(axis=0)
    first, second = _patches(earlier - middle), _patches(later - middle)
    return float((second @ first.T).max())


def loop_correlation(audio: Audio) -> float:
    """Largest correlation, -1 to 1, of the log-mel frames with themselves, 0.5 s up to half the length later.

    Each band first loses its mean, so a steady sound is no loop. 0 for sounds without any change.
    """
    mel = log_mel(audio)
    mel = np.maximum(mel, mel.max() - RANGE_DB)
    mel = mel - mel.mean(axis=0)
    count = len(mel)
    best = 0.0 if count < 2 * FRAMES_A_SECOND else -1.0
    for lag in range(math.ceil(FRAMES_A_SECOND / 2), count // 2 + 1):
        early, late = mel[:-lag], mel[lag:]
        norm = float(np.linalg.norm(early) * np.linalg.norm(late))
        best = max(best, float((early * late).sum()) / norm if norm > 1e-6 else 0.0)
    return best


def silent_share(audio: Audio) -> float:
    """Share of 20 ms frames whose RMS is under -60 dBFS."""
    size = RATE // 50
    frames = audio[: audio.size // size * size].reshape(-1, size).astype(np.float64)
    return float(((frames**2).mean(axis=1) < 10 ** (-60 / 10)).mean())


def copy_threshold(truth: Array, planted: Array, margin: float = 0.02, most: float = 0.95) -> float:
    """What counts as a copy or a loop: the 99th percentile of true continuations and a margin, in the score's unit.

    Where true continuations repeat so much that this would miss planted copies, the planted ones' 5th percentile, and
    never more than `most`: scores of music lie at 1 wherever a bar comes again.
    """
    return min(float(np.quantile(truth, 0.99)) + margin, float(np.quantile(planted, 0.05)), most)


def _patches(mel: Array) -> Any:
    """All 1 s patches (every second frame), each of norm 1, shape [patches, 62 * 80]; patches of nothing stay 0."""
    size = int(FRAMES_A_SECOND)
    if len(mel) < size:
        raise ValueError("give at least one second of both")
    windows = sliding_window_view(mel, size, axis=0)[::2].reshape(-1, BANDS * size).astype(np.float32)
    norms = np.linalg.norm(windows, axis=1, keepdims=True)
    return windows / np.where(norms > 1e-3, norms, np.inf)
