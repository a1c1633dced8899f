"""The discrete codec: the VAE's encoder and decoder around a residual vector quantizer (Mimi, EnCodec)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reference_models.codecs.codec import Codec, Decoder, Encoder, Reconstruction
from reference_models.codecs.rvq import ResidualQuantizer
from reference_models.errors import ModelError


class RVQCodec(Codec):
    """Frames are codes [B, S, K], int64 in [0, cardinality), coarse to fine, K from 1 to `codebooks`."""

    def __init__(self, sample_rate: int, encoder: Encoder, decoder: Decoder, quantizer: ResidualQuantizer) -> None:
        super().__init__(sample_rate, encoder, decoder)
        if quantizer.dimension != decoder.latents:
            raise ModelError(f"a quantizer of {quantizer.dimension} dimensions, a decoder of {decoder.latents}")
        self.project = nn.Linear(encoder.features, quantizer.dimension, bias=False)
        self.quantizer = quantizer
        self.codebooks = quantizer.codebooks
        self.cardinality = quantizer.cardinality

    def forward(self, audio: Tensor, generator: torch.Generator | None = None) -> Reconstruction:
        """Training pass on audio [B, 1, T]; in training mode it also moves the codebooks. ModelError for bad audio."""
        audio = self.padded(audio)
        quantised = self.quantizer(self.project(self.encoder(audio)), generator)
        made = self.decoder.trained(quantised.latents, audio)
        return Reconstruction(made.audio, quantised.latents, made.levels, quantised=quantised)

    def encode(self, audio: Tensor, depth: int | None = None) -> Tensor:
        """Audio [B, 1, T] -> codes [B, ceil(T / frame_size), depth]; None takes all codebooks.

        Raises ModelError for bad audio or a depth outside 1 to `codebooks`.
        """
        with torch.no_grad():
            codes: Tensor = self.quantizer.encode(self.project(self.encoder(self.padded(audio))), depth)
            return codes

    def latents(self, frames: Tensor) -> Tensor:
        """The sum of the codes' vectors. Raises ModelError for another shape or type, no frame, or unknown codes."""
        return self.quantizer.decode(frames)
