"""Train every mini anew and put its checkpoint and card where presets find them.

`python -m reference_models.train_all [NAME ...] [--out DIR] [--jobs N] [--device D]`. Each is one call of
`calm-eval train` in a process of its own; codecs come before the models over them, a teacher before its student.
Finished ones are kept, broken ones resumed. At the end the tables of docs/reference_models.md are written anew.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from reference_models.catalogue import checkpoint_file
from reference_models.checkpoint import check_checkpoint
from reference_models.errors import ModelError
from reference_models.presets import ModelPreset, Preset, load_preset, names
from reference_models.training.state import FILE


def trainable() -> dict[str, Preset]:
    """Every bundled preset with a recipe, each after those that it needs."""
    presets = {name: load_preset(name) for name in names()}
    left = {name: preset for name, preset in presets.items() if preset.recipe is not None}
    ordered: dict[str, Preset] = {}
    while left:
        ready = [name for name, preset in left.items() if not needs(preset) & left.keys()]
        if not ready:
            raise ModelError(f"presets that need one another: {', '.join(left)}")
        ordered |= {name: left.pop(name) for name in ready}
    return ordered


def needs(preset: Preset) -> set[str]:
    """The presets whose checkpoints a training reads: the codec, a student's teacher, what a model begins with."""
    codec = {preset.codec} if isinstance(preset, ModelPreset) else set()
    recipe = preset.recipe
    others = set() if recipe is None else {name for name in (recipe.teacher, recipe.start) if name}
    return codec | others


def train_all(chosen: Sequence[str], out: Path, jobs: int, device: str, threads: int) -> None:
    """Train `chosen` with `jobs` processes at a time. Raises ModelError when one fails; its log says why."""
    waiting = {name: preset for name, preset in trainable().items() if name in chosen and not _finished(preset, out)}
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        while waiting or running:
            for name in [name for name, process in running.items() if process.poll() is not None]:
                code = running.pop(name).returncode
                if code:
                    raise ModelError(f"{name}: training ended with code {code}; see {out / f'{name}.log'}")
                install(name, out / name)
                print(f"{name}: done")
            busy = waiting.keys() | running.keys()
            for name in [name for name, preset in waiting.items() if not needs(preset) & busy]:
                if len(running) < jobs:
                    del waiting[name]
                    running[name] = _start(name, out, device, threads)
            time.sleep(0.5)
    finally:
        for process in running.values():
            process.terminate()


def install(name: str, folder: Path) -> None:
    """Copy checkpoint and card to the bundled ones; from then on the preset counts as trained."""
    target = checkpoint_file(name)
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(folder / f"{name}.md", target.with_suffix(".md"))
    shutil.copyfile(folder / f"{name}.safetensors", target)


def _finished(preset: Preset, out: Path) -> bool:
    """Whether all steps of the recipe are in a checkpoint of this preset."""
    made = out / preset.name / f"{preset.name}.safetensors"
    if not made.is_file() or preset.recipe is None:
        return False
    return check_checkpoint(made, preset).get("steps") == str(preset.recipe.steps)


def _start(name: str, out: Path, device: str, threads: int) -> subprocess.Popen[bytes]:
    folder = out / name
    resume = ["--resume"] if (folder / FILE).is_file() else []
    words = ["train", name, "--out", str(folder), "--device", device, "--threads", str(threads), *resume]
    out.mkdir(parents=True, exist_ok=True)
    with (out / f"{name}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "calm_eval.cli", *words], stdout=log, stderr=log)


def main() -> int:
    """Returns 0 when all are trained, 1 when one failed."""
    parser = argparse.ArgumentParser(description="Train the minis anew.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="presets (default: all with a recipe)")
    parser.add_argument("--out", type=Path, default=Path("trainings"), help="folder of the trainings")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    known = trainable()
    if unknown := set(chosen.names) - known.keys():
        parser.error(f"no recipe for {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    try:
        train_all(chosen.names or list(known), chosen.out, chosen.jobs, chosen.device, chosen.threads)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    page = Path(__file__).resolve().parents[1] / "docs" / "presets_table.py"
    if page.is_file():
        subprocess.run([sys.executable, str(page)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
