"""The causal audio VAE of CALM: latents are Gaussian in training, the posterior mean at inference."""

from __future__ import annotations

import torch
from torch import Tensor

from reference_models.codecs.bottleneck import GaussianBottleneck
from reference_models.codecs.codec import Codec, Decoder, Encoder, Reconstruction
from reference_models.errors import ModelError


class AudioVAE(Codec):
    """Frames are latents [B, S, dimensions]."""

    def __init__(self, sample_rate: int, encoder: Encoder, decoder: Decoder, bottleneck: GaussianBottleneck) -> None:
        super().__init__(sample_rate, encoder, decoder)
        if bottleneck.latents != decoder.latents:
            raise ModelError(f"a bottleneck of {bottleneck.latents} latents, a decoder of {decoder.latents}")
        self.bottleneck = bottleneck
        self.dimensions = decoder.latents

    def forward(self, audio: Tensor, generator: torch.Generator | None = None) -> Reconstruction:
        """Training pass on audio [B, 1, T]: latents are drawn from the posterior. Raises ModelError for bad audio."""
        audio = self.padded(audio)
        posterior = self.bottleneck(self.encoder(audio))
        latents = posterior.sample(generator)
        made = self.decoder.trained(latents, audio)
        return Reconstruction(made.audio, latents, made.levels, posterior=posterior)

    def encode(self, audio: Tensor) -> Tensor:
        """Audio [B, 1, T] -> posterior means [B, ceil(T / frame_size), dimensions]. Raises ModelError for bad audio."""
        with torch.no_grad():
            return self.bottleneck(self.encoder(self.padded(audio))).mean

    def latents(self, frames: Tensor) -> Tensor:
        """The frames themselves. Raises ModelError for another shape, no frame, or values that are not finite."""
        if frames.dim() != 3 or frames.shape[-1] != self.dimensions or 0 in frames.shape:
            raise ModelError(f"latents of shape {tuple(frames.shape)}: give [batch, frames, {self.dimensions}]")
        if not frames.is_floating_point() or not bool(torch.isfinite(frames).all()):
            raise ModelError("latents must be finite floating point numbers")
        return frames
