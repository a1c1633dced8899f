"""The log-mel of VGGish in NumPy, and the two ways in which its users cut a clip.

    mel     = magnitude mel [frames, 64]: 16 kHz, periodic Hann of 25 ms in an FFT of 512, one each 10 ms, no padding
    log-mel = ln(mel + 0.01)

Source: AudioSet's release of VGGish (tensorflow/models research/audioset/vggish: mel_features.py, vggish_params.py).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SAMPLE_RATE = 16000
WINDOW = 400
HOP = 160
N_FFT = 512
N_MELS = 64
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
OFFSET = 0.01
FRAMES = 96
"""Log-mel frames of one example: 0.96 s, which take `EXAMPLE_SAMPLES` of audio."""
EXAMPLE_SAMPLES = WINDOW + (FRAMES - 1) * HOP

GOOGLE_WINDOW, GOOGLE_HOP = 16000, 8000
GOOGLE_LEAST_PEAK = 0.1
GOOGLE_LEAST_STEP = GOOGLE_LEAST_PEAK / 32768
"""The same of a file of 16-bit samples, which Google's code reads as integers: it never binds."""


def hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hertz to mels as VGGish has it: 1127 ln(1 + f / 700). Any shape."""
    mel: NDArray[np.float64] = 1127.0 * np.log1p(hz / 700.0)
    return mel


def mel_filters() -> NDArray[np.float64]:
    """Weights >= 0 for magnitudes of the bins from 0 Hz to 8 kHz, shape [257, 64]: triangles that are straight over
    mels, their corners equally far apart between 125 and 7500 Hz; nothing of 0 Hz."""
    lowest, highest = hz_to_mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    edges = np.linspace(lowest, highest, N_MELS + 2)
    bins = hz_to_mel(np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1))[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights


class VggishLogMel:
    """Samples at 16 kHz to log-mel frames."""

    def __init__(self) -> None:
        self._window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)
        self._filters = mel_filters()

    def __call__(self, audio: NDArray[np.floating]) -> NDArray[np.float64]:
        """Samples [..., n] to [..., frames, 64], frames = 1 + (n - 400) // 160; none for n < 400."""
        samples = np.asarray(audio, dtype=np.float64)
        if samples.shape[-1] < WINDOW:
            return np.empty((*samples.shape[:-1], 0, N_MELS))
        frames = sliding_window_view(samples, WINDOW, axis=-1)[..., ::HOP, :]
        magnitude = np.abs(np.fft.rfft(frames * self._window, N_FFT, axis=-1))
        log_mel: NDArray[np.float64] = np.log(magnitude @ self._filters + OFFSET)
        return log_mel


def google_examples(
    audio: NDArray[np.floating], log_mel: VggishLogMel, least_peak: float = GOOGLE_LEAST_PEAK
) -> NDArray[np.float64]:
    """Samples [n] to examples [count, 96, 64]: the start of each second, one each half second; none under a second.

    The level is raised first: samples over max(`least_peak`, largest sample), the largest and not the largest
    magnitude. From google-research/frechet_audio_distance (audioset_model.py, create_embeddings_main.py; files are read
    in create_embeddings_beam.py), which audiocraft calls.
    """
    samples = np.asarray(audio, dtype=np.float64)
    if samples.size < GOOGLE_WINDOW:
        return np.empty((0, FRAMES, N_MELS))
    samples = samples / max(least_peak, float(samples.max()))
    windows = sliding_window_view(samples, GOOGLE_WINDOW)[::GOOGLE_HOP]
    return log_mel(windows[:, :EXAMPLE_SAMPLES])


def torch_examples(audio: NDArray[np.floating], log_mel: VggishLogMel) -> NDArray[np.float64]:
    """Samples [n] to examples [count, 96, 64] one after the other; what is left after the last is dropped.

    Under 15,600 samples there is none, though an example is called 0.96 s (15,360 samples). From torchvggish
    (harritaylor, vggish_input.py), which frechet-audio-distance, fadtk and audioldm_eval call.
    """
    frames = log_mel(audio)
    count = len(frames) // FRAMES
    return frames[: count * FRAMES].reshape(count, FRAMES, N_MELS)
