"""Chroma cosine: do two aligned pieces of music sound the same pitch classes at the same time?

Two numbers that must not be mixed: `chroma_argmax_cosine` is audiocraft's metric, which keeps only the strongest class
of each frame, so that it is the share of frames in which both have the same; `chroma_cosine` compares all twelve.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from calm_eval.audio.mono import Samples, SignalError, mono_pair

CLASSES = 12
ARGMAX_WINDOW = 2**14
WINDOW_SECONDS = 0.512
HOPS_A_WINDOW = 4
QUIET_DB = 60.0

_A0_HZ = 27.5
_CENTRE_OCTAVE = 5.0
_OCTAVES_WIDE = 2.0
_CLASSES_FROM_C_TO_A = 9


def chroma_filters(sample_rate: int, n_fft: int) -> NDArray[np.float64]:
    """Weights >= 0 that turn a power spectrum into pitch classes from C to B (A4 = 440 Hz), shape [12, n_fft//2 + 1].

    A Gaussian bump around each class (Ellis 2007), as wide as half the distance of two bins in semitones but at least
    half a semitone, columns of norm 1, times a Gaussian of two octaves around 880 Hz. `librosa.filters.chroma` with
    its defaults and `tuning=0`, which audiocraft uses.
    """
    hertz = np.arange(1, n_fft) * sample_rate / n_fft
    octaves = np.log2(hertz / _A0_HZ)
    # Bin 0 has no pitch: one and a half octaves under bin 1 it is spread over all classes.
    octaves = np.concatenate([[octaves[0] - 1.5], octaves])[: n_fft // 2 + 2]
    semitones = CLASSES * octaves
    widths = np.maximum(np.diff(semitones), 1.0)
    semitones, octaves = semitones[: widths.size], octaves[: widths.size]
    away = semitones[None, :] - np.arange(CLASSES)[:, None]
    away = np.mod(away + CLASSES / 2, CLASSES) - CLASSES / 2
    bumps = np.exp(-2.0 * (away / widths) ** 2)
    bumps /= np.linalg.norm(bumps, axis=0)
    bumps *= np.exp(-0.5 * ((octaves - _CENTRE_OCTAVE) / _OCTAVES_WIDE) ** 2)
    return np.roll(bumps, _CLASSES_FROM_C_TO_A, axis=0)


def chromagram(audio: Samples, sample_rate: int, n_fft: int) -> NDArray[np.float64]:
    """Power of the twelve classes, [frames] to [1 + samples // hop, 12], hop `n_fft // 4`, not normalised.

    Periodic Hann window, frames centred, edges mirrored; a sound shorter than a window is first padded with zeros on
    both sides to one window.
    """
    missing = max(0, n_fft - audio.size)
    padded = np.pad(audio, (missing // 2, missing - missing // 2))
    padded = np.pad(padded, n_fft // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
    frames = sliding_window_view(padded, n_fft)[:: n_fft // HOPS_A_WINDOW]
    filters = chroma_filters(sample_rate, n_fft).T
    # One frame at a time: long windows of a long piece would take hundreds of megabytes.
    return np.stack([np.abs(np.fft.rfft(frame * window)) ** 2 @ filters for frame in frames])


def chroma_argmax_cosine(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """Audiocraft's chroma cosine: mean over frames of the cosine of one-hot strongest classes, in [0, 1].

    audiocraft/metrics/chroma_cosinesim.py with the settings of config/solver/musicgen/default.yaml: windows of 2^14
    samples (0.512 s at MusicGen's 32 kHz, where published numbers were made), hop a quarter; the first ceil(samples /
    hop) frames count. As there, a frame of digital silence counts as class C, so silence agrees with silence and with
    C. Audiocraft pools the frames of all clips, which weighs long clips more; this is one clip.

    Raises SignalError: `empty`, `nan`, `unequal-lengths`.
    """
    first, second = mono_pair(generated, reference)
    counted = -(-first.size // (ARGMAX_WINDOW // HOPS_A_WINDOW))
    classes = [chromagram(each, sample_rate, ARGMAX_WINDOW)[:counted].argmax(axis=1) for each in (first, second)]
    return float(np.mean(classes[0] == classes[1]))


def chroma_cosine(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """Mean over frames of the cosine of the power in all twelve classes, in [0, 1]; level-invariant.

    Windows of 0.512 s, hop a quarter, at any rate. Frames in which the reference lies 60 dB or more under its loudest
    frame are not compared; where only the generated sound is digital silence, the cosine is 0.

    Raises SignalError: `empty`, `nan`, `unequal-lengths`, `silent` (no frame of the reference has sound).
    """
    first, second = mono_pair(generated, reference)
    n_fft = HOPS_A_WINDOW * round(WINDOW_SECONDS * sample_rate / HOPS_A_WINDOW)
    heard, wanted = (chromagram(_levelled(each), sample_rate, n_fft) for each in (first, second))
    energy = wanted.sum(axis=1)
    sounding = energy > energy.max() * 10.0 ** (-QUIET_DB / 10.0)
    if not sounding.any():
        raise SignalError("silent", "the reference has no sound to compare with")
    heard, wanted = heard[sounding], wanted[sounding]
    norms = np.linalg.norm(heard, axis=1) * np.linalg.norm(wanted, axis=1)
    products = (heard * wanted).sum(axis=1)
    cosines = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
    return float(np.clip(cosines, 0.0, 1.0).mean())


def _levelled(audio: Samples) -> Samples:
    """Peak 1, so that no power of a quiet sound vanishes; zeros stay."""
    peak = np.abs(audio).max()
    return audio / peak if peak > 0 else audio
