"""A mini whose head has noise on its weights: a broken checkpoint, or a training that went a little elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

CHECKPOINTS = Path(__file__).resolve().parent.parent / "reference_models" / "checkpoints"


def noisy_head(system: str, share: float, seed: int, folder: Path) -> str:
    """A system file of the same name in `folder`. The noise has `share` times the deviation of each weight matrix."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(CHECKPOINTS / f"{system}.safetensors", framework="numpy") as opened:
        weights = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        about = opened.metadata()
    drawn = np.random.default_rng(seed)
    for key, value in weights.items():
        if key.startswith("head.") and value.ndim > 1:
            noise = drawn.standard_normal(value.shape) * share * float(value.astype(np.float64).std())
            weights[key] = (value + noise).astype(value.dtype)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, file = folder / f"{system}.safetensors", folder / f"{system}.yaml"
    save_file(weights, checkpoint, metadata=about)
    told = {
        "name": system,
        "python": "reference_models.adapter:create",
        "options": {"preset": system, "checkpoint": str(checkpoint), "resample_prompts": True},
    }
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    return str(file)
