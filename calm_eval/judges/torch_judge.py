"""What judges that are PyTorch networks share: how they are loaded, asked and closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.refusals import refusal
from calm_eval.judges.torch_weights import TorchWeights

Network = TypeVar("Network")


class TorchJudge(ABC, Generic[Network]):
    """One clip at a time on one network. Refuses `empty`, `nan`, `silent`, and `too-short` under `least` samples."""

    concurrent = True

    def __init__(self, weights: TorchWeights, least: int) -> None:
        self.requires = Requires(("torch",), weights.assets)
        self._weights, self._least = weights, least
        self._network: Network | None = None

    @property
    def assets(self) -> tuple[str, ...]:
        """The catalogue's weights, whether these are asked for or others."""
        return (self._weights.asset,)

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when the weights' identity cannot be known here."""
        return self.described(self._weights.identity())

    @abstractmethod
    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""

    @abstractmethod
    def _built(self, torch: Any) -> Any:
        """The network's layers by the names of its checkpoints."""

    @abstractmethod
    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> Network:
        """The network with these tensors. Raises InputError for those of another one."""

    @abstractmethod
    def _answer(self, audio: Mono, network: Network) -> Judgement:
        """The judgement on a clip that is not refused."""

    def load(self, device: str, threads: int) -> None:
        """Load the network. Raises UnavailableError with what to install or fetch, or what is wrong with a file."""
        name = self._weights.judge
        try:
            import torch
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"{name} needs torch: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(1)  # each call in its own thread
        state = self._weights.state(torch, lambda: self._built(torch))
        try:
            self._network = self._opened(state, torch, device)
        except InputError as error:
            raise UnavailableError(self._weights.refused(error)) from error
        except RuntimeError as error:
            raise UnavailableError(f"{name}: {error}") from error

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One judgement for each audio, each by itself. Raises UnavailableError when not loaded."""
        if self._network is None:
            raise UnavailableError(f"{self._weights.judge} is not loaded: call load(device, threads) first")
        refused = [refusal(audio, self._least) for audio in batch]
        return [
            self._answer(audio, self._network) if why is None else Judgement(refused=why)
            for audio, why in zip(batch, refused, strict=True)
        ]

    def close(self) -> None:
        """Free the network."""
        self._network = None


def filled(network: Any, state: Mapping[str, Any], what: str, beyond: frozenset[str] = frozenset()) -> Any:
    """The network with these tensors, ready to answer; `beyond` are keys of a checkpoint that it has no use for.

    Raises InputError, naming `what` was expected, where names or shapes are others.
    """
    wanted = network.state_dict()
    kept = {name: value for name, value in state.items() if name not in beyond}
    wrong = sorted(set(wanted) ^ set(kept))
    wrong += [name for name in wanted if name in kept and wanted[name].shape != kept[name].shape]
    if wrong:
        raise InputError(f"not a checkpoint of {what}: missing, unknown or of another shape are {', '.join(wrong[:4])}")
    network.load_state_dict(kept)
    return network.eval()


def on_device(samples: NDArray[np.floating], torch: Any, device: str) -> Any:
    """An array as a float32 tensor."""
    return torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32)).to(device)
