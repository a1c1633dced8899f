"""`calm-eval train`: the corpus where it is needed, then the reference models' own training with a progress bar."""

from __future__ import annotations

import importlib.util
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from calm_eval.errors import InputError, UnavailableError
from calm_eval.progress import ProgressBar

if TYPE_CHECKING:
    from reference_models.training.train import Result


@dataclass(frozen=True)
class Wish:
    """What the command line asked for."""

    preset: str
    out: Path | None = None
    corpus: Path | None = None
    frames: Path | None = None
    codec_checkpoint: Path | None = None
    teacher_checkpoint: Path | None = None
    device: str = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    minutes: float | None = None
    steps: int | None = None
    threads: int | None = None
    resume: bool = False
    prepare_only: bool = False


def train_preset(wish: Wish) -> str:
    """Train, and say what was written. Raises InputError, UnavailableError, StoreError."""
    from calm_eval.assets import cache_folder
    from reference_models.errors import ModelError
    from reference_models.presets import load_preset

    for package in ("torch", "safetensors"):
        if importlib.util.find_spec(package) is None:
            raise UnavailableError(f"training needs the package {package}: pip install 'calm-eval[models]'")
    _check(wish)
    import torch

    from reference_models.training.loop import Settings
    from reference_models.training.prepare import recipe_of
    from reference_models.training.train import Source, open_store, train

    if wish.threads is not None:
        torch.set_num_threads(wish.threads)
    try:
        preset = load_preset(wish.preset)
        corpus = None if wish.frames is not None else _corpus(wish, recipe_of(preset).corpus)
        frames = cache_folder() / "frames"
        source = Source(corpus, frames, wish.frames, wish.codec_checkpoint)
        with ProgressBar("reading the corpus", "clip") as told:
            store = open_store(wish.preset, source, told)
        if wish.prepare_only:
            return f"Training data of {preset.name}: {store.folder}"
        folder = wish.out if wish.out is not None else Path("trainings") / preset.name
        settings = Settings(wish.device, wish.dtype, wish.minutes, wish.steps)
        with ProgressBar(preset.name, "step") as told:
            result = train(
                wish.preset,
                store,
                folder,
                settings,
                resume=wish.resume,
                teacher=wish.teacher_checkpoint,
                command=_command(wish),
                report=told,
            )
    except ModelError as error:
        raise InputError(str(error)) from error
    return _summary(wish, result)


def _corpus(wish: Wish, name: str) -> Path:
    from calm_eval.data.corpus import build_corpus

    if wish.corpus is not None:
        return wish.corpus
    with ProgressBar(f"building the corpus {name}", "clip") as told:
        return build_corpus(name, progress=told)


def _check(wish: Wish) -> None:
    for name, value in (("minutes", wish.minutes), ("steps", wish.steps), ("threads", wish.threads)):
        if value is not None and value <= 0:
            raise InputError(f"--{name} {value}: must be above 0")
    if wish.frames is not None and wish.corpus is not None:
        raise InputError("--frames and --corpus: give one of them")
    if wish.device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise UnavailableError(f"--device {wish.device}: torch finds no CUDA device here")


def _command(wish: Wish) -> str:
    """The call that makes this checkpoint again, without what says only where things lie."""
    words = ["calm-eval", "train", wish.preset]
    for name in ("device", "dtype", "steps"):
        value = getattr(wish, name)
        if value != getattr(Wish(wish.preset), name):
            words += [f"--{name}", str(value)]
    return shlex.join(words)


def _summary(wish: Wish, result: Result) -> str:
    state = "done" if result.finished else f"stopped at the end of its {wish.minutes:g} minutes; --resume goes on"
    return (
        f"{result.steps} of {result.of} steps in {result.seconds / 60:.1f} minutes: {state}\n"
        f"Written: {result.checkpoint}, {result.card}, {result.folder / 'log.jsonl'}, {result.folder / 'loss.png'}"
    )
