"""From a codec's preset to its modules. A new form is one file, and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reference_models.codecs.bottleneck import GaussianBottleneck
from reference_models.codecs.codec import Codec, Decoder, Encoder
from reference_models.codecs.rvq import ResidualQuantizer
from reference_models.codecs.rvq_codec import RVQCodec
from reference_models.codecs.seanet import SEANetDecoder, SEANetEncoder, SEANetShape
from reference_models.codecs.spectral import SpectralDecoder, SpectralEncoder, SpectralShape
from reference_models.codecs.vae import AudioVAE
from reference_models.errors import ModelError
from reference_models.presets import CodecPreset


def build_codec(preset: CodecPreset) -> Codec:
    """The codec of a preset, with random weights. Raises ModelError on an unknown form or a keyword that it lacks."""
    kind = preset.form.get("kind")
    if not isinstance(kind, str) or kind not in FORMS:
        raise ModelError(f"preset '{preset.name}': form.kind must be one of {', '.join(FORMS)}, not {kind!r}")
    try:
        encoder, decoder = FORMS[kind]({key: value for key, value in preset.form.items() if key != "kind"}, preset)
        codec = _with_bottleneck(preset, encoder, decoder)
    except TypeError as error:
        raise ModelError(f"preset '{preset.name}': {error}") from error
    if codec.frame_size != preset.frame_size:
        raise ModelError(
            f"preset '{preset.name}': the form makes frames of {codec.frame_size} samples, not {preset.frame_size}"
        )
    return codec


def _with_bottleneck(preset: CodecPreset, encoder: Encoder, decoder: Decoder) -> Codec:
    if preset.kind == "vae":
        bottleneck = GaussianBottleneck(encoder.features, preset.dimensions, **preset.bottleneck)
        return AudioVAE(preset.sample_rate, encoder, decoder, bottleneck)
    return RVQCodec(preset.sample_rate, encoder, decoder, ResidualQuantizer(preset.dimensions, **preset.quantizer))


def _seanet(sizes: Mapping[str, Any], preset: CodecPreset) -> tuple[Encoder, Decoder]:
    shape = SEANetShape(**sizes)
    return SEANetEncoder(shape), SEANetDecoder(shape, preset.dimensions)


def _spectral(sizes: Mapping[str, Any], preset: CodecPreset) -> tuple[Encoder, Decoder]:
    both = {key: value for key, value in sizes.items() if key not in ("encoder", "decoder")}
    encoder = SpectralShape(**both, **sizes.get("encoder", {}))
    decoder = SpectralShape(**both, **sizes.get("decoder", {}))
    return SpectralEncoder(encoder), SpectralDecoder(decoder, preset.dimensions)


Form = Callable[[Mapping[str, Any], CodecPreset], tuple[Encoder, Decoder]]

FORMS: Mapping[str, Form] = {"seanet": _seanet, "spectral": _spectral}
