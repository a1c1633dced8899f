"""Which tensors a PyTorch judge runs on: those of an asset, of a file of the user's, or random ones that score nothing.

Checkpoints are read as data only; one that holds code is refused by PyTorch and named here.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calm_eval.assets import fetch
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.unreadable import cause
from calm_eval.keys import digest

RANDOM = "random weights"
"""Why a judge without trained weights scores nothing."""

_WRAPPERS = ("model", "state_dict", "model_state", "model_state_dict")
"""Names under which checkpoints keep their tensors."""


@dataclass(frozen=True)
class TorchWeights:
    """The choice. `asset` and `file` name the catalogue's; `path` is a file of the user's, `random` a seed.

    Raises InputError for a file and a seed together.
    """

    judge: str
    asset: str
    file: str
    path: str | None = None
    random: int | None = None

    def __post_init__(self) -> None:
        if self.path is not None and self.random is not None:
            raise InputError(f"judge '{self.judge}': `path` names weights and `random` wants none; give one of them")

    @property
    def assets(self) -> tuple[str, ...]:
        """What has to be fetched."""
        return (self.asset,) if self.path is None and self.random is None else ()

    @property
    def unscored(self) -> str:
        """Why nothing is scored with these; empty for trained ones."""
        return RANDOM if self.random is not None else ""

    def identity(self) -> Mapping[str, str]:
        """File name to sha256, or the seed's. Raises UnavailableError when a file cannot be read."""
        if self.random is not None:
            return {RANDOM: digest({"judge": self.judge, "seed": self.random})}
        return chosen_weights(self.judge, self.asset, self.path)

    def state(self, torch: Any, build: Callable[[], Any]) -> Mapping[str, Any]:
        """The tensors by name; `build` makes the network whose random ones are asked for.

        Raises UnavailableError naming the asset or file, and what to do.
        """
        if self.random is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.random)
                drawn: Mapping[str, Any] = build().state_dict()
            return drawn
        file = self._found()
        try:
            return read_state(file, torch)
        except (OSError, RuntimeError, ValueError, TypeError, EOFError, pickle.UnpicklingError, InputError) as error:
            raise UnavailableError(
                f"{self.judge}: {file} is not a checkpoint that can be read safely ({cause(error)}); {self._told(file)}"
            ) from error

    def refused(self, error: InputError) -> str:
        """In words: the network cannot be made of these tensors, which file they are of, and what to do."""
        if self.random is not None:
            return f"{self.judge}: {error}"
        file = self._found()
        return f"{self.judge}: {file} is {error}; {self._told(file)}"

    def _found(self) -> Path:
        return Path(self.path) if self.path is not None else fetch(self.asset) / self.file

    def _told(self, file: Path) -> str:
        if self.path is not None:
            return "give another `path`"
        return f"remove {file} and run `calm-eval assets fetch {self.asset}`"


def read_state(file: Path, torch: Any) -> Mapping[str, Any]:
    """The tensors of a checkpoint by name, out of the wrappers that some tools put around them.

    Raises InputError where there are none or safetensors cannot read them, and what PyTorch raises.
    """
    if file.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            loaded: Any = load_file(file)
        except SafetensorError as error:
            raise InputError(str(error)) from error
    else:
        with torch.serialization.safe_globals(_numpy_numbers()):
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    for name in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(name), Mapping):
            loaded = loaded[name]
    tensors = (
        {name: value for name, value in loaded.items() if isinstance(value, torch.Tensor)}
        if isinstance(loaded, Mapping)
        else {}
    )
    if not tensors:
        raise InputError("it holds no tensors by name")
    return tensors


def _numpy_numbers() -> list[Any]:
    """What single numbers of NumPy are made of, which some checkpoints keep beside their tensors; no code runs."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = [type(np.dtype(kind)) for kind in ("float64", "float32", "int64")]
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds]
