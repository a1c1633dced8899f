from __future__ import annotations

import pytest
import torch
from codec_builders import KINDS, codec, ends, frames

from reference_models.codecs.bottleneck import GaussianBottleneck
from reference_models.codecs.rvq import ResidualQuantizer
from reference_models.codecs.rvq_codec import RVQCodec
from reference_models.codecs.seanet import SEANetShape
from reference_models.codecs.spectral import SpectralShape
from reference_models.codecs.vae import AudioVAE
from reference_models.errors import ModelError


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (torch.zeros(1, 2, 640), "batch, 1, samples"),
        (torch.zeros(1, 640), "batch, 1, samples"),
        (torch.zeros(1, 1, 0), "no samples"),
        (torch.zeros(1, 1, 640, dtype=torch.int64), "floating point"),
        (torch.full((1, 1, 640), torch.nan), "not finite"),
        (torch.full((1, 1, 640), torch.inf), "not finite"),
    ],
)
def test_bad_audio_is_refused(kind: str, audio: torch.Tensor, says: str) -> None:
    model = codec("spectral", kind)
    with pytest.raises(ModelError, match=says):
        model.encode(audio)
    with pytest.raises(ModelError, match=says):
        model(audio)


@pytest.mark.parametrize(
    ("latents", "says"),
    [
        (torch.zeros(1, 3, 7), "frames, 8"),
        (torch.zeros(3, 8), "frames, 8"),
        (torch.zeros(1, 0, 8), "frames, 8"),
        (torch.full((1, 3, 8), torch.nan), "finite"),
        (torch.zeros(1, 3, 8, dtype=torch.int64), "floating point"),
    ],
)
def test_bad_latents_are_refused(latents: torch.Tensor, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        codec("spectral").decode(latents)


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (torch.full((1, 3, 4), 16), "0 to 15"),
        (torch.full((1, 3, 4), -1), "0 to 15"),
        (torch.zeros(1, 3, 5, dtype=torch.int64), "1 to 4"),
        (torch.zeros(1, 0, 4, dtype=torch.int64), "1 to 4"),
        (torch.zeros(1, 3, 4), "int64"),
    ],
)
def test_bad_codes_are_refused(codes: torch.Tensor, says: str) -> None:
    model = codec("spectral", "rvq")
    with pytest.raises(ModelError, match=says):
        model.decode(codes)
    with pytest.raises(ModelError, match=says):
        model.step(codes, model.start(1))


@pytest.mark.parametrize("depth", [0, 5, -1])
def test_a_depth_that_is_not_there_is_refused(depth: int) -> None:
    with pytest.raises(ModelError, match="1 to 4"):
        codec("spectral", "rvq").encode(torch.zeros(1, 1, 640), depth)


def test_depth_is_chosen_at_inference() -> None:
    model = codec("spectral", "rvq")
    audio = torch.randn(2, 1, 3200, generator=torch.Generator().manual_seed(0))
    full = model.encode(audio)
    assert full.dtype == torch.int64
    for depth in (1, 2, 3):
        torch.testing.assert_close(model.encode(audio, depth), full[..., :depth])
        assert model.decode(full[..., :depth]).shape == (2, 1, 3200)


def test_parts_that_do_not_fit_are_refused() -> None:
    encoder, decoder = ends("spectral")
    other, _ = ends("seanet")
    with pytest.raises(ModelError, match="5 latents"):
        AudioVAE(16_000, encoder, decoder, GaussianBottleneck(encoder.features, 5))
    with pytest.raises(ModelError, match="5 dimensions"):
        RVQCodec(16_000, encoder, decoder, ResidualQuantizer(5, 2, 4))
    with pytest.raises(ModelError, match="frames of"):
        AudioVAE(16_000, other, decoder, GaussianBottleneck(other.features, 8))
    with pytest.raises(ModelError, match="sample rate"):
        AudioVAE(0, encoder, decoder, GaussianBottleneck(encoder.features, 8))


def test_shapes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="positive factors"):
        SEANetShape(())
    with pytest.raises(ModelError, match="heads"):
        SEANetShape((4,), dimension=30)
    with pytest.raises(ModelError, match="fold 0"):
        SpectralShape(8, 1, 8, 1, fold=0)


def test_encoding_keeps_no_gradient_and_moves_no_codebook() -> None:
    model = codec("spectral", "rvq").train()
    before = model.quantizer.books[0].vectors.clone()
    model.encode(torch.randn(1, 1, 6400))
    assert torch.equal(model.quantizer.books[0].vectors, before)
    assert not codec("spectral").encode(torch.randn(1, 1, 640)).requires_grad
    assert not codec("spectral").decode(frames("vae", 1, 2)).requires_grad
