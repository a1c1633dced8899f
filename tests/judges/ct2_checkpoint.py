"""Turns a CTranslate2 Whisper model of float16 weights into a checkpoint in OpenAI's format, for a peer test."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

TINY_EN = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 384,
    "n_audio_head": 6,
    "n_audio_layer": 4,
    "n_vocab": 51864,
    "n_text_ctx": 448,
    "n_text_state": 384,
    "n_text_head": 6,
    "n_text_layer": 4,
}
_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def _number(stream: BinaryIO, code: str) -> int:
    value: int = struct.unpack(f"<{code}", stream.read(struct.calcsize(code)))[0]
    return value


def _text(stream: BinaryIO) -> str:
    return stream.read(_number(stream, "H")).rstrip(b"\0").decode()


def read_tensors(file: Path) -> dict[str, np.ndarray]:
    """The named tensors of a model.bin of format 6."""
    tensors = {}
    with file.open("rb") as stream:
        assert _number(stream, "I") == 6
        assert _text(stream) == "WhisperSpec"
        _number(stream, "I")
        for _ in range(_number(stream, "I")):
            name = _text(stream)
            shape = [_number(stream, "I") for _ in range(_number(stream, "B"))]
            kind = _TYPES[_number(stream, "B")]
            tensors[name] = np.frombuffer(stream.read(_number(stream, "I")), kind).reshape(shape)
    return tensors


def to_openai(model: Path, checkpoint: Path) -> None:
    """Write the weights of tiny.en in `model` (model.bin) to `checkpoint` (.pt)."""
    tensors = read_tensors(model)
    state: dict[str, np.ndarray] = {}

    def norm(target: str, source: str) -> None:
        state[f"{target}.weight"] = tensors[f"{source}/layer_norm/gamma"]
        state[f"{target}.bias"] = tensors[f"{source}/layer_norm/beta"]

    def linear(targets: list[str], source: str) -> None:
        # CTranslate2 stacks projections that share an input; the key's bias, absent in Whisper, is zero there.
        for kind in ("weight", "bias"):
            for target, part in zip(targets, np.split(tensors[f"{source}/{kind}"], len(targets)), strict=True):
                if kind == "bias" and target.endswith("key"):
                    assert not part.any()
                else:
                    state[f"{target}.{kind}"] = part

    for side, layers in (("encoder", TINY_EN["n_audio_layer"]), ("decoder", TINY_EN["n_text_layer"])):
        state[f"{side}.positional_embedding"] = tensors[f"{side}/position_encodings/encodings"]
        for index in range(layers):
            block, layer = f"{side}.blocks.{index}", f"{side}/layer_{index}"
            norm(f"{block}.attn_ln", f"{layer}/self_attention")
            linear([f"{block}.attn.{name}" for name in ("query", "key", "value")], f"{layer}/self_attention/linear_0")
            linear([f"{block}.attn.out"], f"{layer}/self_attention/linear_1")
            norm(f"{block}.mlp_ln", f"{layer}/ffn")
            linear([f"{block}.mlp.0"], f"{layer}/ffn/linear_0")
            linear([f"{block}.mlp.2"], f"{layer}/ffn/linear_1")
            if side == "decoder":
                norm(f"{block}.cross_attn_ln", f"{layer}/attention")
                linear([f"{block}.cross_attn.query"], f"{layer}/attention/linear_0")
                linear([f"{block}.cross_attn.{name}" for name in ("key", "value")], f"{layer}/attention/linear_1")
                linear([f"{block}.cross_attn.out"], f"{layer}/attention/linear_2")
    for name in ("conv1", "conv2"):
        state[f"encoder.{name}.weight"] = tensors[f"encoder/{name}/weight"]
        state[f"encoder.{name}.bias"] = tensors[f"encoder/{name}/bias"]
    norm("encoder.ln_post", "encoder")
    norm("decoder.ln", "decoder")
    state["decoder.token_embedding.weight"] = tensors["decoder/embeddings/weight"]
    saved = {name: torch.from_numpy(value.astype(np.float32)) for name, value in state.items()}
    torch.save({"dims": TINY_EN, "model_state_dict": saved}, checkpoint)


_TO_TRANSFORMERS = (
    (".blocks.", ".layers."), (".mlp.0.", ".fc1."), (".mlp.2.", ".fc2."), (".mlp_ln.", ".final_layer_norm."),
    (".cross_attn_ln.", ".encoder_attn_layer_norm."), (".attn_ln.", ".self_attn_layer_norm."),
    (".cross_attn.", ".encoder_attn."), (".attn.", ".self_attn."), (".query.", ".q_proj."), (".key.", ".k_proj."),
    (".value.", ".v_proj."), (".out.", ".out_proj."), ("encoder.ln_post.", "encoder.layer_norm."),
    ("decoder.ln.", "decoder.layer_norm."), ("token_embedding.", "embed_tokens."),
    ("positional_embedding", "embed_positions.weight"),
)  # fmt: skip


def to_transformers(source: Path, checkpoint: Path, folder: Path) -> None:
    """Write tiny.en of `to_openai`'s `checkpoint` to `folder` for transformers; `source` holds its tokenizer.json."""
    import transformers
    from whisper.tokenizer import get_tokenizer

    state = {}
    for name, value in torch.load(checkpoint, weights_only=True)["model_state_dict"].items():
        for old, new in _TO_TRANSFORMERS:
            name = name.replace(old, new)
        state[f"model.{name}"] = value
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    marks = get_tokenizer(multilingual=False)
    layers = {"encoder_layers": 4, "decoder_layers": 4, "encoder_attention_heads": 6, "decoder_attention_heads": 6}
    sizes = {"vocab_size": 51864, "d_model": 384, "encoder_ffn_dim": 1536, "decoder_ffn_dim": 1536}
    ends = {"decoder_start_token_id": marks.sot, "eos_token_id": marks.eot, "bos_token_id": marks.eot}
    config = transformers.WhisperConfig(**sizes, **layers, **ends, pad_token_id=marks.eot)
    model = transformers.WhisperForConditionalGeneration(config)
    model.load_state_dict(state)
    silenced = [*marks.non_speech_tokens, marks.transcribe, marks.translate, marks.sot, marks.sot_prev, marks.sot_lm]
    for name, value in {
        "is_multilingual": False,
        "no_timestamps_token_id": marks.no_timestamps,
        "prev_sot_token_id": marks.sot_prev,
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "suppress_tokens": sorted({*silenced, marks.no_speech}),
        "begin_suppress_tokens": [*marks.encode(" "), marks.eot],
        "return_timestamps": False,
        "_from_model_config": False,
    }.items():
        setattr(model.generation_config, name, value)
    model.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
