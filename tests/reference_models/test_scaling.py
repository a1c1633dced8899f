"""Scaled presets: they build, they sound, and weights go with the third power of the scale."""

from __future__ import annotations

import pytest
import torch

from reference_models.build import make_codec, make_model
from reference_models.errors import ModelError
from reference_models.heads.protocol import Sampling
from reference_models.presets import load_codec_preset, load_model_preset
from reference_models.scaling import scaled_codec, scaled_model
from reference_models.weight_bytes import weight_bytes

PAPER = ("calm-music", "trigflow-music", "rq-music-32", "rq-music-16", "musicgen-medium", "calm-speech", "rq-speech-8")


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", PAPER)
def test_a_half_has_about_an_eighth_of_the_weights(name):
    preset = load_model_preset(name)
    whole, half = make_model(preset, "meta"), make_model(scaled_model(preset, 0.5), "meta")
    assert size(half.backbone) / size(whole.backbone) == pytest.approx(1 / 8, rel=0.06)
    if preset.kind != "delay":
        # Projections from the backbone and to the codes shrink in one direction only.
        assert 0.11 < size(half.head) / size(whole.head) < 0.20
    assert half.backbone.layers[0].__class__ is whole.backbone.layers[0].__class__


@pytest.mark.parametrize("name", PAPER)
def test_frames_stay_what_they_are(name):
    preset = load_model_preset(name)
    codec = load_codec_preset(preset.codec)
    small = scaled_codec(codec, 0.1)
    assert (small.frame_rate, small.width, small.sample_rate) == (codec.frame_rate, codec.width, codec.sample_rate)
    assert size(make_codec(small, "meta")) < 0.1 * size(make_codec(codec, "meta"))


def test_one_is_the_preset_itself_and_another_scale_is_another_model():
    preset = load_model_preset("calm-music")
    assert scaled_model(preset, 1.0).digest == preset.digest
    assert scaled_model(preset, 0.5).digest != preset.digest


@pytest.mark.parametrize("factor", [0.0, -1.0, 1.5])
def test_scales_out_of_range_are_refused(factor):
    with pytest.raises(ModelError, match="at most 1"):
        scaled_model(load_model_preset("calm-music"), factor)


def test_the_minis_codecs_are_not_scaled():
    with pytest.raises(ModelError, match="only codecs of the form seanet"):
        scaled_codec(load_codec_preset("mini-vae-music"), 0.5)


def test_bytes_read_follow_steps_and_depth():
    def read(name, **sampling):
        preset = load_model_preset(name)
        codec = load_codec_preset(preset.codec)
        with torch.device("meta"):
            return weight_bytes(make_model(preset, "meta"), make_codec(codec, "meta"), Sampling(**sampling))

    one, four = read("calm-music"), read("calm-music", steps=4)
    assert four["head"] == 4 * one["head"]
    assert one["head"] == pytest.approx(4 * 601.1e6, rel=0.001)
    assert one["backbone"] == pytest.approx(4 * (1359.2e6 + 113.3e6), rel=0.001)
    whole, half = read("rq-music-32"), read("rq-music-32", depth=16)
    assert half["head"] == pytest.approx(whole["head"] / 2)
    assert half["backbone"] == whole["backbone"]
