"""torchaudio for a test, or a skip that says why it is not there."""

from __future__ import annotations

from typing import Any

import pytest


def torchaudio_or_skip() -> Any:
    """The package with its models and pipelines. A broken setup raises OSError or RuntimeError and is skipped too."""
    try:
        import torchaudio.models
        import torchaudio.pipelines
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"no torchaudio: {type(error).__name__}: {error}")
    return torchaudio
