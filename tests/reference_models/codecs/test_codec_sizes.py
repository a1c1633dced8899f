from __future__ import annotations

import pytest
import torch
from torch import nn

from reference_models.codecs.bottleneck import GaussianBottleneck
from reference_models.codecs.rvq import ResidualQuantizer
from reference_models.codecs.rvq_codec import RVQCodec
from reference_models.codecs.seanet import SEANetDecoder, SEANetEncoder, SEANetShape
from reference_models.codecs.spectral import SpectralDecoder, SpectralEncoder, SpectralShape
from reference_models.codecs.vae import AudioVAE

POCKET = SEANetShape((6, 5, 4), stride=16, layers=2, window=250)


def parameters(*modules: nn.Module) -> int:
    return sum(weight.numel() for module in modules for weight in module.parameters())


def test_pocket_tts_codec_has_the_size_of_the_published_one() -> None:
    with torch.device("meta"):
        encoder, decoder = SEANetEncoder(POCKET), SEANetDecoder(POCKET, 32)
        bottleneck = GaussianBottleneck(512, 32, "free")
    # The technical report says 18M and 10M, rounded to a million.
    assert parameters(encoder, bottleneck) == pytest.approx(18e6, rel=0.03)
    assert round(parameters(decoder) / 1e6) == 10
    # Counts of the public package 4.0.1: encoder 2,927,136, each transformer 6,297,600, downsample to 512 channels
    # 8,388,608 (english_2026-01); decoder 3,974,945, upsample 16,384, projection 16,384.
    assert parameters(encoder) == 2_927_136 + 6_297_600 + 8_388_608
    assert parameters(decoder) == 3_974_945 + 6_297_600 + 16_384 + 16_384
    assert encoder.frame_size == decoder.frame_size == 1920


@pytest.mark.parametrize(
    ("shape", "frame_size", "latents"),
    [
        (SEANetShape((8, 8, 5, 4), last_kernel=7, layers=4, window=750), 1280, 128),
        (SEANetShape((6, 5, 4, 4, 4), layers=8, window=125), 1920, 32),
    ],
)
def test_music_and_speech_codecs_build_on_the_meta_device(shape: SEANetShape, frame_size: int, latents: int) -> None:
    with torch.device("meta"):
        encoder, decoder = SEANetEncoder(shape), SEANetDecoder(shape, latents)
        vae = AudioVAE(32_000, encoder, decoder, GaussianBottleneck(encoder.features, latents))
    assert vae.frame_size == frame_size
    assert all(weight.is_meta for weight in vae.parameters())


def test_mini_codecs_fit_an_8_megabyte_checkpoint_in_half_precision() -> None:
    with torch.device("meta"):
        fine = SpectralShape(fine_width=160, fine_blocks=2, coarse_width=256, coarse_blocks=2)
        out = SpectralShape(fine_width=192, fine_blocks=3, coarse_width=256, coarse_blocks=3)
        encoder, decoder = SpectralEncoder(fine), SpectralDecoder(out, 32)
        vae = AudioVAE(16_000, encoder, decoder, GaussianBottleneck(256, 32))
        rvq = RVQCodec(16_000, encoder, decoder, ResidualQuantizer(32, 8, 1024))
    assert 3.3e6 < parameters(vae) < 3.9e6
    assert parameters(encoder) < parameters(decoder)
    assert vae.frame_rate == 25.0
    for model in (vae, rvq):
        assert 2 * sum(value.numel() for value in model.state_dict().values()) < 8e6
