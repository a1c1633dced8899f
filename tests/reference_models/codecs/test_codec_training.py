"""A short real training: the whole path learns, and deeper codes reconstruct better."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch

from reference_models.codecs.bottleneck import GaussianBottleneck
from reference_models.codecs.losses.spectral import MultiScaleSpectral
from reference_models.codecs.objective import Objective, Weights
from reference_models.codecs.rvq import ResidualQuantizer
from reference_models.codecs.spectral import SpectralDecoder, SpectralEncoder, SpectralShape
from reference_models.codecs.vae import AudioVAE

STEPS = 120
# Measured with 3 seeds: the loss falls by 1.83 to 1.86, and another sound's latents cost 1.73 to 1.75 times as much.
FALL = 1.6
APART = 1.5


def sounds(batch: int, generator: torch.Generator) -> torch.Tensor:
    """Noise and a sine, each at a level and the sine at a pitch that change every 80 ms, [batch, 1, 6400]."""

    def held(low: float, high: float) -> torch.Tensor:
        """A value for each fifth of the signal, spread evenly on a logarithmic scale."""
        return (low * (high / low) ** torch.rand(batch, 5, generator=generator)).repeat_interleave(1280, dim=1)

    phase = torch.cumsum(6.2832 * held(200.0, 4000.0) / 16_000, dim=1)
    hiss = torch.randn(batch, 6400, generator=generator)
    return (held(0.01, 0.5) * torch.sin(phase) + held(0.0005, 0.1) * hiss)[:, None]


@dataclass
class Trained:
    model: AudioVAE
    loss: MultiScaleSpectral
    untrained: float


@pytest.fixture(scope="module")
def trained() -> Trained:
    torch.manual_seed(0)
    shape = SpectralShape(fine_width=64, fine_blocks=1, coarse_width=96, coarse_blocks=1)
    encoder, decoder = SpectralEncoder(shape), SpectralDecoder(shape, 16)
    model = AudioVAE(16_000, encoder, decoder, GaussianBottleneck(96, 16))
    objective = Objective(Weights(spectral=1.0, kl=1e-4), 16_000, spectral_sizes=(256, 1024), mel_bands=(16, 48))
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.8, 0.99))
    generator = torch.Generator().manual_seed(1)
    unseen = sounds(16, torch.Generator().manual_seed(2))
    assert objective.spectral is not None
    untrained = objective.spectral(unseen, model.decode(model.encode(unseen))).item()
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min((step + 1) / 20, 1.0 - step / STEPS)
        audio = sounds(8, generator)
        loss = objective(audio, model(audio, generator))
        optimiser.zero_grad()
        loss.total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return Trained(model.eval(), objective.spectral, untrained)


def test_unseen_audio_is_reconstructed_from_its_own_latents(trained: Trained) -> None:
    unseen = sounds(16, torch.Generator().manual_seed(2))
    latents = trained.model.encode(unseen)
    own = trained.loss(unseen, trained.model.decode(latents)).item()
    # Another sound's latents: what a decoder reaches that knows the kind of sound, but not this one.
    other = trained.loss(unseen, trained.model.decode(latents.roll(1, dims=0))).item()
    assert own < trained.untrained / FALL
    assert own < other / APART


def test_deeper_codes_of_its_latents_reconstruct_better(trained: Trained) -> None:
    model = trained.model
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(16, codebooks=4, cardinality=32, decay=0.9, dropout=0.5)
    generator = torch.Generator().manual_seed(5)
    for _ in range(15):
        quantizer(model.encode(sounds(32, generator)), generator)
    held_out = sounds(32, torch.Generator().manual_seed(2))
    latents = model.encode(held_out)
    depths = [quantizer.decode(quantizer.encode(latents, depth)) for depth in range(1, 5)]
    errors = [float((latents - given).square().mean()) for given in depths]
    heard = [trained.loss(held_out, model.decode(given)).item() for given in depths]
    for values in (errors, heard):
        assert all(deep < shallow for shallow, deep in pairwise(values))
