"""Loops within a sound, and copies of a prompt in what follows it. Pure functions of samples [frames].

Sound that comes again is no fault by itself: speech hardly ever does, music has a strength near 1 wherever a bar is
played again. Read these numbers against true continuations of the same prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from calm_eval.audio.mel import MelSpectrogram
from calm_eval.audio.mono import Samples, SignalError, mono

WINDOW_SECONDS = 0.064
HOP_SECONDS = 0.016
BANDS = 80
RANGE_DB = 80.0
SHORTEST_LOOP_SECONDS = 0.5
SHORTEST_CLIP_SECONDS = 2.0
LOOP_TIE = 0.06
PATCH_SECONDS = 1.0
PATCH_STEP_SECONDS = 0.1
SILENCE_DBFS = -60.0

# Below this share of the energy, what is left of a sum is its rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Loop:
    """`strength`, -1 to 1, of the strongest repetition; `seconds` of one round, None where nothing changes at all."""

    strength: float
    seconds: float | None


@dataclass(frozen=True)
class Copy:
    """`correlation` of the likest second, and where it starts in both, in seconds; None where all is silence.

    `lag_seconds` leads from the place in the prompt to the place in the continuation, each counted from its own start.
    """

    correlation: float
    at_seconds: float | None
    prompt_seconds: float | None

    @property
    def lag_seconds(self) -> float | None:
        """How much later in the continuation than in the prompt."""
        if self.at_seconds is None or self.prompt_seconds is None:
            return None
        return self.at_seconds - self.prompt_seconds


def loop(audio: ArrayLike, sample_rate: int) -> Loop:
    """The strongest likeness of the log-mel frames with themselves, 0.5 s up to half the length later.

    80 bands, floored 80 dB under the loudest; each band first loses its mean, so that a steady sound is no loop (its
    strength is 0). A period shows at all its multiples: `seconds` is the shortest peak within 0.06 of the strongest,
    more than a length of half a hop too much costs speech. Does not depend on gain or polarity.

    Raises SignalError: `empty`, `nan`, `too-short` (under 2 s).
    """
    samples = mono(audio)
    if samples.size < SHORTEST_CLIP_SECONDS * sample_rate:
        raise SignalError("too-short", f"a loop is looked for in {SHORTEST_CLIP_SECONDS:g} s or more")
    mel = _log_mel(samples, sample_rate)
    mel = mel - mel.mean(axis=0)
    count = len(mel)
    energy = np.concatenate([[0.0], np.cumsum((mel**2).sum(axis=1))])
    if energy[-1] <= _ROUNDING * mel.size * RANGE_DB**2:
        return Loop(0.0, None)
    spectrum = np.fft.rfft(mel, 2 * count, axis=0)
    products = np.fft.irfft((spectrum.real**2 + spectrum.imag**2).sum(axis=1), 2 * count)
    frame_seconds = round(HOP_SECONDS * sample_rate) / sample_rate
    lags = np.arange(int(np.ceil(SHORTEST_LOOP_SECONDS / frame_seconds)), count // 2 + 1)
    norms = np.sqrt(energy[count - lags] * (energy[count] - energy[lags]))
    heard = norms > _ROUNDING * energy[-1]
    strengths = np.clip(np.divide(products[lags], norms, out=np.zeros(lags.size), where=heard), -1.0, 1.0)
    best = float(strengths.max())
    wall = np.concatenate([[-np.inf], strengths, [-np.inf]])
    peaks = (strengths >= wall[:-2]) & (strengths >= wall[2:]) & (strengths >= best - LOOP_TIE)
    return Loop(best, float(lags[peaks.argmax()] * frame_seconds))


def waveform_copy(generated: ArrayLike, prompt: ArrayLike, sample_rate: int) -> Copy:
    """The largest normalised cross-correlation, 0 to 1, of a second of a continuation with a second of its prompt.

    Seconds of the continuation start every 0.1 s, those of the prompt at every sample; gain and polarity do not count.
    Each second first loses its mean: two sounds with an offset are no copies. Seconds under -60 dBFS then count as 0:
    silence is no copy. A codec that changes phases hides a copy from this; see `log_mel_copy`.

    Raises SignalError: `empty`, `nan`, `too-short` (either under 1 s).
    """
    later, earlier, size = _seconds(generated, prompt, sample_rate)
    # A large mean would leave nothing but rounding in the difference below.
    earlier = earlier - earlier.mean()
    length = 1 << (earlier.size + size - 1).bit_length()
    spectrum = np.fft.rfft(earlier, length)
    squares, sums = (np.concatenate([[0.0], np.cumsum(each)]) for each in (earlier**2, earlier))
    energy = squares[size:] - squares[:-size] - (sums[size:] - sums[:-size]) ** 2 / size
    least = size * 10.0 ** (SILENCE_DBFS / 10.0)
    loud = energy >= least
    found = Copy(0.0, None, None)
    for start in range(0, later.size - size + 1, max(1, round(PATCH_STEP_SECONDS * sample_rate))):
        part = later[start : start + size] - later[start : start + size].mean()
        own = float(part @ part)
        if own < least or not loud.any():
            continue
        products = np.abs(np.fft.irfft(spectrum * np.conj(np.fft.rfft(part, length)), length)[: energy.size])
        likeness = np.divide(products, np.sqrt(energy * own), out=np.zeros(energy.size), where=loud)
        place = int(likeness.argmax())
        if likeness[place] > found.correlation:
            found = Copy(min(1.0, float(likeness[place])), start / sample_rate, place / sample_rate)
    return found


def log_mel_copy(generated: ArrayLike, prompt: ArrayLike, sample_rate: int) -> Copy:
    """The largest correlation, -1 to 1, of a 1-s log-mel patch of a continuation with one of its prompt.

    Patches start every 32 ms in both. Each band first loses its mean over the prompt: what the two have in common all
    the time is voice or timbre, no copy. Finds copies whose phase a codec has changed. Both lie over one floor, 80 dB
    under the loudest of the prompt, so a copy at another level correlates less.

    Raises SignalError: `empty`, `nan`, `too-short` (either under 1 s).
    """
    later, earlier, _ = _seconds(generated, prompt, sample_rate)
    first, second = _log_mel(earlier, sample_rate), _log_mel(later, sample_rate, loudest_of=earlier)
    middle = first.mean(axis=0)
    step = 2 * round(HOP_SECONDS * sample_rate) / sample_rate
    wanted, heard = (_patches(each - middle) for each in (first, second))
    if not wanted.any() or not heard.any():
        return Copy(0.0, None, None)
    likeness = heard @ wanted.T
    at, place = np.unravel_index(int(likeness.argmax()), likeness.shape)
    return Copy(float(np.clip(likeness[at, place], -1.0, 1.0)), float(at * step), float(place * step))


def _seconds(generated: ArrayLike, prompt: ArrayLike, sample_rate: int) -> tuple[Samples, Samples, int]:
    later, earlier, size = mono(generated), mono(prompt), round(PATCH_SECONDS * sample_rate)
    if min(later.size, earlier.size) < size:
        raise SignalError("too-short", f"a copy is looked for in {PATCH_SECONDS:g} s or more of both")
    return later, earlier, size


def _log_mel(samples: Samples, sample_rate: int, loudest_of: Samples | None = None) -> NDArray[np.float64]:
    """Decibels over a floor 80 dB under the loudest of `loudest_of`, or of the samples themselves, [frames, bands]."""
    mel = MelSpectrogram(sample_rate, round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate), BANDS)
    power = mel(samples).T
    loudest = float((power if loudest_of is None else mel(loudest_of)).max())
    floor = loudest * 10.0 ** (-RANGE_DB / 10.0)
    return 10.0 * np.log10(np.maximum(power, floor) / floor) if floor > 0.0 else np.zeros_like(power)


def _patches(mel: NDArray[np.float64]) -> NDArray[np.float32]:
    """All patches of 1 s, every second frame, [patches, frames * bands], of norm 1; patches of nothing are zeros."""
    size = int(PATCH_SECONDS / HOP_SECONDS)
    patches = sliding_window_view(mel, size, axis=0)[::2].reshape(-1, mel.shape[1] * size).astype(np.float32)
    norms = np.linalg.norm(patches, axis=1, keepdims=True)
    # Under a thousandth of a decibel nothing changes.
    scaled: NDArray[np.float32] = np.divide(patches, norms, out=np.zeros_like(patches), where=norms > 1e-3)
    return scaled
