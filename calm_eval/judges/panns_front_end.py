"""The log-mel of PANNs in PyTorch: what torchlibrosa computes with convolutions, here with an FFT.

    power   = |STFT|^2, periodic Hann as long as the FFT, frames centred, edges mirrored
    log-mel = 10 log10(max(mel power, 1e-10)), Slaney's mels as by librosa

Source: qiuqiangkong/audioset_tagging_cnn (pytorch/models.py) and qiuqiangkong/torchlibrosa (stft.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calm_eval.audio.mel import mel_filters

N_MELS = 64
FLOOR = 1e-10
LOWEST_HZ = 50.0


@dataclass(frozen=True)
class PannsRate:
    """Sizes in samples of one of the three published front ends; mels go from 50 Hz to `highest_hz`."""

    sample_rate: int
    window: int
    hop: int
    highest_hz: float


RATES = {
    8000: PannsRate(8000, 256, 80, 4000.0),
    16000: PannsRate(16000, 512, 160, 8000.0),
    32000: PannsRate(32000, 1024, 320, 14000.0),
}


class PannsLogMel:
    """Batches of samples [n, samples] to log-mel [n, frames, 64], frames = 1 + samples // hop.

    A clip needs more than half a window: mirroring reaches that far.
    """

    def __init__(self, rate: PannsRate, torch: Any, device: str) -> None:
        self.rate, self._torch = rate, torch
        self._window = torch.hann_window(rate.window, device=device)
        filters = mel_filters(rate.sample_rate, rate.window, N_MELS, LOWEST_HZ, rate.highest_hz)
        self._filters = torch.from_numpy(filters.T).to(device, torch.float32)

    def __call__(self, samples: Any) -> Any:
        """A float32 tensor [n, samples] to another, [n, frames, 64]."""
        torch, rate = self._torch, self.rate
        spectrum = torch.stft(
            samples, rate.window, rate.hop, window=self._window, center=True, pad_mode="reflect", return_complex=True
        )
        power = spectrum.real.square() + spectrum.imag.square()
        mel = power.transpose(1, 2) @ self._filters
        return 10.0 * torch.log10(mel.clamp(min=FLOOR))
