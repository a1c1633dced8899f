"""Ours against a peer's answers on shared random weights; the answers were written by `peers/NAME_peer.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from shared_weights import drawn


def peer(name: str) -> Mapping[str, np.ndarray]:
    """What `peers/NAME_peer.py` wrote."""
    with np.load(Path(__file__).parent / "goldens" / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def shared_checkpoint(network: Any, file: Path, torch: Any) -> str:
    """A checkpoint with the tensors that the peer drew by the same names."""
    state = {
        name: torch.from_numpy(drawn(name, value.shape)) if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    torch.save(state, file)
    return str(file)


def apart(found: Any, expected: Any) -> float:
    """The largest difference over the largest magnitude expected. Raises AssertionError for other shapes."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())
