"""The multi-scale STFT discriminator with hinge losses and feature matching (EnCodec, Defossez et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.errors import ModelError


@dataclass(frozen=True)
class Judged:
    """What one discriminator says: `logits` (real is high), and the `features` of its layers."""

    logits: Tensor
    features: Sequence[Tensor]


class STFTDiscriminator(nn.Module):
    """Two-dimensional convolutions over the real and imaginary part of one STFT, frequency strided, time dilated."""

    window: Tensor

    def __init__(self, size: int, filters: int, dilations: Sequence[int] = (1, 2, 4)) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size, device="cpu"), persistent=False)
        layers = [_normed(2, filters, (3, 9), padding=(1, 4))]
        for dilation in dilations:
            layers.append(
                _normed(filters, filters, (3, 9), stride=(1, 2), dilation=(dilation, 1), padding=(dilation, 4))
            )
        layers.append(_normed(filters, filters, (3, 3), padding=(1, 1)))
        self.layers = nn.ModuleList(layers)
        self.leave = _normed(filters, 1, (3, 3), padding=(1, 1))

    def forward(self, audio: Tensor) -> Judged:
        """Audio [B, 1, T] -> logits [B, 1, frames, bands] and features, one for each hidden layer."""
        spectra = torch.stft(
            audio[:, 0],
            self.size,
            self.size // 4,
            window=self.window,
            pad_mode="constant",
            normalized=True,
            return_complex=True,
        )
        x = torch.view_as_real(spectra).permute(0, 3, 2, 1)
        features = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
            features.append(x)
        return Judged(self.leave(x), features)


class MultiScaleDiscriminator(nn.Module):
    """One STFT discriminator for each window size (samples)."""

    def __init__(self, sizes: Sequence[int] = (2048, 1024, 512, 256, 128), filters: int = 32) -> None:
        super().__init__()
        if not sizes or min(sizes) < 4 or filters < 1:
            raise ModelError(f"discriminator windows {tuple(sizes)}, filters {filters}: give windows of at least 4")
        self.scales = nn.ModuleList(STFTDiscriminator(size, filters) for size in sizes)

    def forward(self, audio: Tensor) -> list[Judged]:
        """What each scale says of audio [B, 1, T]."""
        return [scale(audio) for scale in self.scales]

    def frozen(self, audio: Tensor) -> list[Judged]:
        """The same with gradients to the audio only, so that a generator's step leaves no gradient here."""
        weights: Mapping[str, Tensor] = {name: weight.detach() for name, weight in self.named_parameters()}
        judged: list[Judged] = torch.func.functional_call(self, dict(weights), (audio,))
        return judged


def hinge_discriminator(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Mean over scales of `mean max(0, 1 - real) + mean max(0, 1 + fake)`; logits."""
    pairs = zip(real, fake, strict=True)
    return torch.stack([functional.relu(1.0 - r).mean() + functional.relu(1.0 + f).mean() for r, f in pairs]).mean()


def hinge_generator(fake: Sequence[Tensor]) -> Tensor:
    """Mean over scales of `mean max(0, 1 - fake)`, the form of EnCodec; logits."""
    return torch.stack([functional.relu(1.0 - f).mean() for f in fake]).mean()


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Mean over layers of `mean |real - fake| / mean |real|`; the real features get no gradient."""
    ratios = [
        (r.detach() - f).abs().mean() / r.detach().abs().mean().clamp(min=1e-5) for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(ratios).mean()


def _normed(inputs: int, outputs: int, kernel: tuple[int, int], **shape: tuple[int, int]) -> nn.Module:
    return nn.utils.parametrizations.weight_norm(nn.Conv2d(inputs, outputs, kernel, **shape))
