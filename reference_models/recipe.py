"""How a preset is trained: corpus, batches, optimiser. Part of a preset file, and no part of its identity."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reference_models.part import Count, Part, Share

Positive = Annotated[float, Field(gt=0)]


class Recipe(Part):
    """One training. Steps, not minutes, decide the schedule, so that every machine trains alike."""

    corpus: str
    """Name of a corpus, as `calm-eval data list` shows it."""
    tag: str = ""
    """Clips of the corpus that carry this tag; all where it is empty."""
    steps: Count
    batch: Count
    seconds: Positive = 8.0
    """Length of a window. Speech with text is taken sentence by sentence."""
    voice_seconds: list[Positive] = Field(default=[1.0, 3.0], min_length=2, max_length=2)
    """Shortest and longest voice prompt."""
    rate: Positive = 5e-4
    warmup: Count = 100
    final: Share = 0.02
    """The share of the rate that is left at the end."""
    betas: list[Share] = Field(default=[0.9, 0.95], min_length=2, max_length=2)
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    clip: Positive = 1.0
    average: Share = 0.999
    """Decay of the mean of the weights."""
    teacher: str = ""
    """A preset whose guided Z this one learns (latent distillation)."""
    guidance: Annotated[float, Field(ge=0)] = 1.5
    """The teacher's guidance weight."""
    start: str = ""
    """A preset with an equal backbone whose trained backbone and text embedding this one begins with."""
    spectral_sizes: list[Count] = Field(default=[128, 256, 512, 1024, 2048])
    mel_bands: list[Count] = Field(default_factory=list)
    """Mel bands of each spectral size; plain magnitudes where it is empty."""
    faults: list[str] = Field(default_factory=list)
    """What is known to be wrong with the trained weights, for the model card."""
