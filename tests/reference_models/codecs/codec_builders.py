"""Small codecs with random weights, of both forms and both bottlenecks."""

from __future__ import annotations

import torch

from reference_models.codecs.bottleneck import GaussianBottleneck
from reference_models.codecs.codec import Codec
from reference_models.codecs.rvq import ResidualQuantizer
from reference_models.codecs.rvq_codec import RVQCodec
from reference_models.codecs.seanet import SEANetDecoder, SEANetEncoder, SEANetShape
from reference_models.codecs.spectral import SpectralDecoder, SpectralEncoder, SpectralShape
from reference_models.codecs.vae import AudioVAE

LATENTS = 8
FORMS = ("seanet", "spectral")
KINDS = ("vae", "rvq")


def ends(form: str) -> tuple[SEANetEncoder | SpectralEncoder, SEANetDecoder | SpectralDecoder]:
    if form == "seanet":
        # A window of 6 positions at 4 positions per frame, so that the cache rolls within a few frames.
        shape = SEANetShape(
            (4, 3, 2),
            filters=8,
            dimension=32,
            stride=4,
            layers=2,
            heads=4,
            feedforward=64,
            layer_scale=1.0,
            window=6,
            residual_layers=2,
        )
        return SEANetEncoder(shape), SEANetDecoder(shape, LATENTS)
    spectral = SpectralShape(fine_width=24, fine_blocks=1, coarse_width=32, coarse_blocks=1, layer_scale=1.0)
    return SpectralEncoder(spectral), SpectralDecoder(spectral, LATENTS)


def codec(form: str, kind: str = "vae", seed: int = 0) -> Codec:
    torch.manual_seed(seed)
    encoder, decoder = ends(form)
    if kind == "vae":
        bottleneck = GaussianBottleneck(encoder.features, LATENTS)
        return AudioVAE(16_000, encoder, decoder, bottleneck).eval()
    return RVQCodec(16_000, encoder, decoder, ResidualQuantizer(LATENTS, codebooks=4, cardinality=16)).eval()


def frames(kind: str, batch: int, count: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    if kind == "vae":
        return torch.randn(batch, count, LATENTS, generator=generator)
    return torch.randint(0, 16, (batch, count, 4), generator=generator)


def noise(*shape: int, seed: int = 2) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
