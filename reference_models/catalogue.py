"""What each bundled preset is, for lists: sizes, rates, whether a checkpoint comes with it. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_models.heads.table import HEADS
from reference_models.presets import CodecPreset, ModelPreset, load_codec_preset, load_preset, names


@dataclass(frozen=True)
class PresetCard:
    """One preset in a list. `parameters` are those of the preset itself; a language model's codec has its own card.

    `family` is `continuous` or `discrete`. `width`: latent dimensions or codebooks of a frame.
    `head_evaluations_per_second` is at the default sampling, 0 for a codec. `checkpoint` is None when the preset, or a
    language model's codec, is untrained.
    """

    name: str
    title: str
    kind: str
    family: str
    tasks: tuple[str, ...]
    parameters: int
    parts: Mapping[str, int]
    sample_rate: int
    frame_rate: float
    width: int
    head_evaluations_per_second: float
    checkpoint: str | None
    notes: tuple[str, ...]


def catalogue() -> dict[str, PresetCard]:
    """Every bundled preset by name."""
    return {name: card(name) for name in names()}


def card(name: str) -> PresetCard:
    """The card of one preset. Raises ModelError when there is none of that name."""
    preset = load_preset(name)
    codec = preset if isinstance(preset, CodecPreset) else load_codec_preset(preset.codec)
    model = preset if isinstance(preset, ModelPreset) else None
    needed = [checkpoint_file(preset.name), *([checkpoint_file(codec.name)] if model else [])]
    return PresetCard(
        name=preset.name,
        title=preset.title,
        kind=preset.kind,
        family=model.family if model else "continuous" if preset.kind == "vae" else "discrete",
        tasks=tuple(model.tasks) if model else (),
        parameters=sum(preset.parameters.values()),
        parts=preset.parameters,
        sample_rate=codec.sample_rate,
        frame_rate=codec.frame_rate,
        width=model.codebooks or codec.width if model else codec.width,
        head_evaluations_per_second=head_evaluations(model, codec) if model else 0.0,
        checkpoint=str(needed[0]) if all(file.is_file() for file in needed) else None,
        notes=tuple(preset.assumptions),
    )


def head_evaluations(model: ModelPreset, codec: CodecPreset, steps: int | None = None, depth: int = 0) -> float:
    """Runs of the head's network for one second of audio; `steps` and `depth` default to the preset's sampling."""
    cost = HEADS[model.head["kind"]].evaluations
    if cost == "steps":
        return codec.frame_rate * (steps if steps is not None else int(model.sampling.get("steps", 1)))
    if cost == "depth":
        books = model.codebooks or codec.width
        return codec.frame_rate * (depth or int(model.sampling.get("depth", 0)) or books)
    return 0.0


def checkpoint_file(name: str) -> Path:
    """Where the bundled checkpoint of a preset would be."""
    return Path(__file__).resolve().parent / "checkpoints" / f"{name}.safetensors"
