"""Preset files: every size and choice of a model in YAML, validated. Imports no torch."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from reference_models.errors import ModelError
from reference_models.heads.table import HEADS
from reference_models.part import Count, Part, Share
from reference_models.recipe import Recipe

Kind = Literal["calm", "rq", "delay", "vae", "rvq"]
Task = Literal["speech_continuation", "tts", "music_continuation", "text_to_music"]


class TransformerSizes(Part):
    """Sizes of a transformer; its width is the model's `dim`."""

    layers: Count
    heads: Count
    feedforward: Count
    window: Count | None = None
    norm: Literal["layer", "rms"] = "layer"
    activation: Literal["gelu", "swiglu"] = "gelu"


class TextPart(Part):
    """How text becomes a prefix. `tokens` is needed for all but `characters`, `alphabet` for that one."""

    tokenizer: Literal["characters", "hashed_words", "sentencepiece"]
    alphabet: str = ""
    tokens: int = 0
    longest: Count = 400
    """The most tokens of one text."""
    voice_prompt: bool = False

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.alphabet) if self.tokenizer == "characters" else self.tokens

    @model_validator(mode="after")
    def _sized(self) -> TextPart:
        if self.size < 1:
            raise ValueError("give 'alphabet' for characters, 'tokens' for the other tokenizers")
        return self


class StopPart(Part):
    """The end-of-speech head, and how long a speech may get: seconds a token, and seconds more."""

    threshold: float = -4.0
    frames_after: Annotated[int, Field(ge=0)] = 2
    not_before: Annotated[int, Field(ge=0)] = 4
    weight: float = 0.1
    seconds_per_token: float = 0.125
    seconds_more: float = 2.0


class TrainingPart(Part):
    """Choices that the model itself makes in training; those of the paper's ablation among them."""

    noise_augmentation: bool = True
    noise_rule: Literal["variance_preserving", "linear"] = "variance_preserving"
    head_batch: Count = 8
    text_dropout: Share = 0.2
    voice_dropout: Share = 0.2
    depth_dropout: Share = 0.0
    masking: Share = 0.0
    first_codebook: Annotated[float, Field(gt=0)] = 1.0


class Preset(Part):
    """What every preset says. `parameters` is held by a test to what `build` makes; `published` to `sources`."""

    name: str
    title: str
    kind: Kind
    sources: list[str] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    parameters: dict[str, int]
    published: dict[str, float] = Field(default_factory=dict)
    recipe: Recipe | None = None
    """How `calm-eval train` trains it; the papers' sizes have none."""

    @property
    def digest(self) -> str:
        """Identity of the name and of all that shapes weights and computation; a checkpoint belongs to it.

        Notes, default samplings and what matters in training alone are not part of it.
        """
        other = {
            "title",
            "sources",
            "assumptions",
            "parameters",
            "published",
            "sampling",
            "training",
            "losses",
            "recipe",
        }
        text = json.dumps(self.model_dump(mode="json", exclude=other), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class CodecPreset(Preset):
    """An audio VAE (`vae`) or an RVQ codec (`rvq`). `form` and the losses are keywords of the codec's classes."""

    kind: Literal["vae", "rvq"]
    sample_rate: Count
    frame_size: Count
    """Samples a frame."""
    dimensions: Count
    form: dict[str, Any]
    quantizer: dict[str, Any] = Field(default_factory=dict)
    bottleneck: dict[str, Any] = Field(default_factory=dict)
    losses: dict[str, Any] = Field(default_factory=dict)

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.frame_size

    @property
    def width(self) -> int:
        """Numbers a frame: latent dimensions, or codebooks."""
        return int(self.quantizer["codebooks"]) if self.kind == "rvq" else self.dimensions


class ModelPreset(Preset):
    """A language model: `calm` over a VAE's latents, `rq` or `delay` over an RVQ codec's codes."""

    kind: Literal["calm", "rq", "delay"]
    tasks: list[Task]
    codec: str
    dim: Count
    backbone: TransformerSizes
    short_context: TransformerSizes | None = None
    head: dict[str, Any]
    codebooks: Count | None = None
    """Codebooks modelled, the codec's first ones; all of them where it is left out."""
    delays: list[int] = Field(default_factory=list)
    text: TextPart | None = None
    stop: StopPart | None = None
    text_stream_tokens: Annotated[int, Field(ge=0)] = 0
    context_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Audio positions that a sequence may have: prompt and continuation, or voice prompt and speech."""
    training: TrainingPart = TrainingPart()
    sampling: dict[str, float | int] = Field(default_factory=dict)
    """Defaults that differ from 1.0 for temperature and cfg, 1 step, all codes and codebooks."""

    @property
    def family(self) -> Literal["continuous", "discrete"]:
        """Which kind of frame it draws."""
        return "continuous" if self.kind == "calm" else "discrete"

    @model_validator(mode="after")
    def _fits(self) -> ModelPreset:
        kind = self.head.get("kind")
        if kind not in HEADS:
            raise ValueError(f"head.kind must be one of {', '.join(HEADS)}, not {kind!r}")
        if HEADS[kind].family != self.family:
            raise ValueError(f"a {self.family} model cannot have the head {kind!r}")
        if "tts" in self.tasks and (self.text is None or self.stop is None):
            raise ValueError("a model for tts needs 'text' and 'stop'")
        if "text_to_music" in self.tasks and self.text is None:
            raise ValueError("a model for text_to_music needs 'text'")
        if self.kind != "calm" and not self.delays:
            raise ValueError("a discrete model needs 'delays', one for each codebook")
        return self


def folder() -> Path:
    """Where the bundled presets are."""
    return Path(__file__).resolve().parent / "presets"


def names() -> dict[str, Path]:
    """Every bundled preset's name and file."""
    return {path.stem: path for path in sorted(folder().glob("*.yaml"))}


def load_preset(name_or_path: str) -> CodecPreset | ModelPreset:
    """A preset by bundled name or by file. Raises ModelError naming what is wrong and where."""
    path = Path(name_or_path)
    if not name_or_path.endswith((".yaml", ".yml")):
        known = names()
        if name_or_path not in known:
            near = difflib.get_close_matches(name_or_path, known, n=1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise ModelError(f"no preset '{name_or_path}'; {hint}bundled: {', '.join(known)}")
        path = known[name_or_path]
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: cannot be read as a preset: {error}") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path}: a preset is a mapping of keys to values")
    schema = CodecPreset if data.get("kind") in ("vae", "rvq") else ModelPreset
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'preset'}: {one['msg']}" for one in error.errors())
        raise ModelError(f"{path}: {wrong}") from error


def load_model_preset(name_or_path: str) -> ModelPreset:
    """A language model's preset. Raises ModelError when it is a codec's."""
    preset = load_preset(name_or_path)
    if not isinstance(preset, ModelPreset):
        raise ModelError(f"'{name_or_path}' is a codec, not a language model")
    return preset


def load_codec_preset(name_or_path: str) -> CodecPreset:
    """A codec's preset. Raises ModelError when it is a language model's."""
    preset = load_preset(name_or_path)
    if not isinstance(preset, CodecPreset):
        raise ModelError(f"'{name_or_path}' is a language model, not a codec")
    return preset
