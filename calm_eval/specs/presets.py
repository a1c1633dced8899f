"""Presets of the reference models: each name is a system or a codec, known without loading a model.

The one place where the harness meets `reference_models`; the catalogue imports no torch.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from calm_eval.errors import InputError

if TYPE_CHECKING:
    from reference_models.catalogue import PresetCard

ADAPTER = "reference_models.adapter:create"
"""The factory that serves any preset: its option `preset` is the name."""


def adapter_options(name: str) -> dict[str, bool | int | float | str]:
    """What a preset is opened with by its name alone: prompts of any rate are resampled, and its identity says so."""
    return {"preset": name, "resample_prompts": True}


@functools.cache
def preset_cards() -> Mapping[str, PresetCard]:
    """Every preset by name, codecs included. Raises InputError where a preset's file is wrong."""
    from reference_models.catalogue import catalogue
    from reference_models.errors import ModelError

    try:
        return catalogue()
    except ModelError as error:
        raise InputError(str(error)) from error


def system_presets() -> dict[str, PresetCard]:
    """The presets that make audio of a request: their names are names of systems."""
    return {name: card for name, card in preset_cards().items() if card.tasks}


def codec_presets() -> dict[str, PresetCard]:
    """The presets of codecs alone: they have no task."""
    return {name: card for name, card in preset_cards().items() if not card.tasks}


def system_preset(name: str) -> PresetCard | None:
    """The card behind a system's name; None where there is no such preset. Raises InputError on a codec's name."""
    card = preset_cards().get(name)
    if card is not None and not card.tasks:
        raise InputError(
            f"'{name}' is a codec and makes no audio by itself (`calm-eval list codecs`); "
            f"systems: {', '.join(system_presets())}"
        )
    return card
