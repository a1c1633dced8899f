"""What a caller can get wrong, refused before any compute."""

from __future__ import annotations


class ModelError(ValueError):
    """An input, a preset or a checkpoint that a model cannot take. The message says what to do."""
