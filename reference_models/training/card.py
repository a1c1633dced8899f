"""The model card: what a checkpoint is, what made it, and what is known to be wrong with it."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path

import torch

from reference_models.checkpoint import file_hash
from reference_models.presets import CodecPreset, Preset
from reference_models.training.loop import Loop


def write_card(loop: Loop, checkpoint: Path, command: str) -> Path:
    """Write `NAME.md` beside a checkpoint."""
    plan, store = loop.plan, loop.plan.store.about
    preset, recipe = plan.preset, plan.recipe
    data = [f"Corpus `{store['corpus']}`, digest `{store['digest']}`, its training clips {_of(recipe.tag)}."]
    data += [str(line) for line in store["terms"]]
    weights = [f"`{name}`, sha256 `{value}`" for name, value in plan.weights.items()]
    if "codec_sha256" in store:
        weights.insert(0, f"`{store['codec']}`, sha256 `{store['codec_sha256']}` (its frames)")
    text = f"""# {preset.name}

{preset.title}. {_kind(preset)} {sum(preset.parameters.values()):,} parameters, stored as float16; averaged weights.

| | |
| :-- | :-- |
| sha256 | `{file_hash(checkpoint)}` |
| preset digest | `{preset.digest}` |
| made | {datetime.now(UTC).date().isoformat()} |
| command | `{command}` |
| steps | {loop.step:,} of {loop.steps:,}, batches of {recipe.batch} |
| time | {loop.seconds / 60:.1f} minutes |
| machine | {_machine(loop.settings.device)} |
| software | Python {platform.python_version()}, torch {torch.__version__}, {loop.settings.dtype} |
| losses | {_losses(loop)} |
| weights it began with | {"; ".join(weights) or "none"} |
| licence | Apache-2.0, like the project |

## Data and its terms

{_list(data)}

## Known faults

{_list(recipe.faults or ["Small and briefly trained: made to show that the harness can tell systems apart."])}
"""
    path = checkpoint.with_suffix(".md")
    path.write_text(text, encoding="utf-8")
    return path


def _kind(preset: Preset) -> str:
    return "A codec." if isinstance(preset, CodecPreset) else "A language model over frames."


def _of(tag: str) -> str:
    return f"with the tag `{tag}`" if tag else "all"


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _machine(device: str) -> str:
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    return f"{_processor()}, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _losses(loop: Loop) -> str:
    rows = loop.journal.rows()
    parts = []
    for key, label in (("loss", "training"), ("valid", "validation")):
        found = [row for row in rows if key in row]
        if found:
            parts.append(f"{label} {found[-1][key]:.4g} at step {found[-1]['step']:,}")
    return ", ".join(parts) or "none logged"
