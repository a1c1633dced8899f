"""Train a preset: a folder with the state, the log, the picture of the losses, and when it is done the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from reference_models.build import make_codec, make_model
from reference_models.checkpoint import save_checkpoint
from reference_models.errors import ModelError
from reference_models.presets import CodecPreset, ModelPreset, load_preset
from reference_models.training.card import write_card
from reference_models.training.corpus import Corpus
from reference_models.training.journal import plot_losses
from reference_models.training.loop import Loop, Report, Settings
from reference_models.training.prepare import Plan, make_store, plan_training
from reference_models.training.state import FILE
from reference_models.training.store import Progress, Store


@dataclass(frozen=True)
class Source:
    """Where training data comes from: a corpus folder, with a cache for what is made of it, or a store of frames."""

    corpus: Path | None = None
    cache: Path | None = None
    frames: Path | None = None
    codec_checkpoint: Path | None = None


@dataclass(frozen=True)
class Result:
    """What a call left behind. `checkpoint` holds the averaged weights so far."""

    folder: Path
    checkpoint: Path
    card: Path
    steps: int
    of: int
    seconds: float

    @property
    def finished(self) -> bool:
        """Whether the last step is done."""
        return self.steps >= self.of


def open_store(name: str, source: Source, progress: Progress | None = None) -> Store:
    """The frames or audio that a preset is trained on, made where need be. Raises ModelError."""
    if source.frames is not None:
        return Store(source.frames)
    if source.corpus is None or source.cache is None:
        raise ModelError("training needs a corpus folder and a cache, or a folder of frames")
    return make_store(load_preset(name), Corpus(source.corpus), source.cache, source.codec_checkpoint, progress)


def train(
    name: str,
    store: Store,
    folder: Path,
    settings: Settings,
    *,
    resume: bool = False,
    teacher: Path | None = None,
    command: str = "",
    report: Report | None = None,
) -> Result:
    """Train the preset `name` (or a preset file) on `store` in `folder`.

    `resume` goes on from the folder's state, on the very path of an unbroken training. Raises ModelError when the
    folder holds a training and `resume` is not set, or the other way round, and as the loop does.
    """
    preset = load_preset(name)
    there = (folder / FILE).is_file()
    if there and not resume:
        raise ModelError(f"{folder} holds a training already: --resume goes on with it, --out names another folder")
    if resume and not there:
        raise ModelError(f"{folder} holds no training to resume")
    folder.mkdir(parents=True, exist_ok=True)
    loop = Loop(plan_training(preset, store, settings.device, teacher), settings, folder, resume)
    loop.run(report)
    checkpoint = folder / f"{preset.name}.safetensors"
    _export(loop, loop.plan, checkpoint)
    plot_losses(folder, preset.title)
    card = write_card(loop, checkpoint, command)
    return Result(folder, checkpoint, card, loop.step, loop.steps, loop.seconds)


def _export(loop: Loop, plan: Plan, checkpoint: Path) -> None:
    preset = plan.preset
    if isinstance(preset, CodecPreset):
        module: nn.Module = make_codec(preset)
    else:
        assert isinstance(preset, ModelPreset)
        module = make_model(preset)
    module.load_state_dict(loop.average.state(loop.module))
    notes = {"steps": str(loop.step), "corpus_digest": str(plan.store.about["digest"])}
    save_checkpoint(checkpoint, module, preset, notes)
