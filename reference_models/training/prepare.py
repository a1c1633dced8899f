"""From a preset's recipe to what the loop needs: the trainee and its feeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from reference_models.build import make_codec, make_model, make_tokenizer
from reference_models.catalogue import checkpoint_file
from reference_models.checkpoint import check_checkpoint, file_hash, load_checkpoint
from reference_models.codecs.objective import Objective, Weights
from reference_models.errors import ModelError
from reference_models.models.calm import CALM
from reference_models.models.distillation import seed_student
from reference_models.models.language_model import LanguageModel
from reference_models.models.starting import begin_with
from reference_models.presets import CodecPreset, ModelPreset, Preset, load_codec_preset, load_model_preset
from reference_models.recipe import Recipe
from reference_models.text import Tokenizer
from reference_models.training.corpus import Corpus
from reference_models.training.feeds import Captioned, Feed, Spoken, Windows
from reference_models.training.store import Progress, Store, audio_store, frame_store
from reference_models.training.trainee import CodecTrainee, ModelTrainee, StudentTrainee, Trainee

SEED = 0
VALIDATION_BATCHES = 4


@dataclass(frozen=True)
class Plan:
    """All that a training is made of. `weights` names the files it started from, by sha256."""

    preset: Preset
    recipe: Recipe
    store: Store
    trainee: Trainee
    train: Feed
    valid: Feed
    weights: dict[str, str]


def recipe_of(preset: Preset) -> Recipe:
    """The recipe of a preset. Raises ModelError where it has none."""
    if preset.recipe is None:
        raise ModelError(f"preset '{preset.name}' has no recipe: it cannot be trained here")
    return preset.recipe


def make_store(
    preset: Preset, corpus: Corpus, cache: Path, codec_checkpoint: Path | None, progress: Progress | None = None
) -> Store:
    """What a preset is trained on: audio for a codec, frames for a language model. Raises ModelError."""
    recipe = recipe_of(preset)
    if isinstance(preset, CodecPreset):
        return audio_store(corpus, recipe.tag, preset.sample_rate, cache, progress)
    assert isinstance(preset, ModelPreset)
    codec = load_codec_preset(preset.codec)
    return frame_store(corpus, recipe.tag, codec, trained(codec, codec_checkpoint), cache, progress)


def plan_training(preset: Preset, store: Store, device: str, teacher: Path | None = None) -> Plan:
    """Modules on `device` and their feeds. `teacher`: its checkpoint; None takes the bundled one. Raises ModelError."""
    recipe = recipe_of(preset)
    if isinstance(preset, CodecPreset):
        _fits(store, "audio", "rate", preset.sample_rate)
        trainee: Trainee = _codec(preset, recipe, device)
        return Plan(preset, recipe, store, trainee, *_windows(store, recipe, preset.sample_rate), {})
    assert isinstance(preset, ModelPreset)
    codec = load_codec_preset(preset.codec)
    _fits(store, "latents" if preset.kind == "calm" else "codes", "codec_digest", codec.digest)
    trainee, weights = _model(preset, recipe, store, device, teacher)
    tokenizer = make_tokenizer(preset)
    if tokenizer is None:
        feeds = _windows(store, recipe, codec.frame_rate, preset.codebooks)
    else:
        feeds = _texts(preset, store, recipe, codec.frame_rate, tokenizer)
    return Plan(preset, recipe, store, trainee, *feeds, weights)


def trained(preset: Preset, given: Path | None) -> Path:
    """The checkpoint of a preset, the bundled one by default. Raises ModelError when there is none."""
    file = given if given is not None else checkpoint_file(preset.name)
    if not file.is_file():
        raise ModelError(f"'{preset.name}' has no checkpoint at {file}: train it first (calm-eval train {preset.name})")
    check_checkpoint(file, preset)
    return file


def _codec(preset: CodecPreset, recipe: Recipe, device: str) -> CodecTrainee:
    objective = Objective(
        Weights(**preset.losses),
        preset.sample_rate,
        spectral_sizes=recipe.spectral_sizes,
        mel_bands=recipe.mel_bands or None,
    )
    if objective.discriminator is not None or objective.distillation is not None:
        raise ModelError(f"preset '{preset.name}': training has no adversarial and no distillation terms for codecs")
    return CodecTrainee(make_codec(preset).to(device), objective.to(device))


def _model(
    preset: ModelPreset, recipe: Recipe, store: Store, device: str, teacher: Path | None
) -> tuple[Trainee, dict[str, str]]:
    model = make_model(preset, seed=SEED)
    if recipe.teacher:
        owner = load_model_preset(recipe.teacher)
        file = trained(owner, teacher)
        master = make_model(owner)
        load_checkpoint(file, master, owner)
        if not isinstance(model, CALM) or not isinstance(master, CALM):
            raise ModelError(f"preset '{preset.name}': latent distillation is for continuous models")
        seed_student(model, master)
        frozen: nn.Module = master.to(device).eval().requires_grad_(False)
        return StudentTrainee(model.to(device), frozen, recipe.guidance), {owner.name: file_hash(file)}
    if isinstance(model, CALM):
        model.fit_statistics(store.values())
    weights = {}
    if recipe.start:
        owner = load_model_preset(recipe.start)
        file, begun = trained(owner, None), make_model(owner)
        load_checkpoint(file, begun, owner)
        begin_with(model, begun)
        weights[owner.name] = file_hash(file)
    placed: LanguageModel = model.to(device)
    return ModelTrainee(placed, preset.training), weights


def _windows(store: Store, recipe: Recipe, rate: float, books: int | None = None) -> tuple[Feed, Feed]:
    length = round(recipe.seconds * rate)
    return (
        Windows(store, "train", recipe.batch, length, SEED, books),
        Windows(store, "valid", recipe.batch, length, SEED, books),
    )


def _texts(preset: ModelPreset, store: Store, recipe: Recipe, rate: float, tokenizer: Tokenizer) -> tuple[Feed, Feed]:
    books = preset.codebooks
    if "tts" in preset.tasks:
        voice = (round(recipe.voice_seconds[0] * rate), round(recipe.voice_seconds[1] * rate))
        return (
            Spoken(store, "train", recipe.batch, SEED, tokenizer, voice, books),
            Spoken(store, "valid", recipe.batch, SEED, tokenizer, voice, books),
        )
    length = round(recipe.seconds * rate)
    return (
        Captioned(store, "train", recipe.batch, length, SEED, tokenizer, books),
        Captioned(store, "valid", recipe.batch, length, SEED, tokenizer, books),
    )


def _fits(store: Store, kind: str, key: str, wanted: Any) -> None:
    if store.kind != kind or store.about.get(key) != wanted:
        raise ModelError(f"{store.folder}: holds {store.kind} ({key} {store.about.get(key)}); wanted {kind}, {wanted}")
