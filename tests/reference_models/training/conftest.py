"""Small stores and presets to train on in seconds."""

import pytest
import yaml
from toy_stores import latents, write_store


@pytest.fixture
def latent_store(tmp_path):
    return write_store(tmp_path / "latents", "latents", latents)


PRESET = {
    "name": "toy-calm",
    "title": "Toy",
    "kind": "calm",
    "tasks": ["speech_continuation"],
    "codec": "mini-vae-speech",
    "dim": 16,
    "backbone": {"layers": 1, "heads": 2, "feedforward": 16},
    "head": {"kind": "rectified_flow", "blocks": 1, "width": 16},
    "training": {"head_batch": 2},
    "recipe": {"corpus": "toy", "steps": 8, "batch": 4, "seconds": 0.4, "warmup": 2, "rate": 0.01},
    "parameters": {},
}


@pytest.fixture
def preset_file(tmp_path):
    """Writes a toy preset with changes, and returns its path."""

    def write(**changes):
        recipe = {**PRESET["recipe"], **changes.pop("recipe", {})}
        path = tmp_path / f"{changes.get('name', PRESET['name'])}.yaml"
        path.write_text(yaml.safe_dump({**PRESET, **changes, "recipe": recipe}))
        return str(path)

    return write
