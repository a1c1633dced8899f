"""What judges that are packages in an interpreter of their own share: how they are loaded, asked and closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from calm_eval.assets import fetch
from calm_eval.errors import UnavailableError
from calm_eval.judges.environments import Environment, find_environment
from calm_eval.judges.package_process import PackageProcess
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.refusals import refusal
from calm_eval.judges.torch_weights import TorchWeights


class PackageJudge(ABC):
    """One clip at a time in a child that may not reach the network. `python` names its interpreter in place of the
    environment that `calm-eval environments make` makes."""

    def __init__(self, environment: str, script: str, weights: TorchWeights, least: int, python: str | None) -> None:
        self.environment: Environment = find_environment(environment)
        self.requires = Requires((), weights.assets, environment="" if python is not None else environment)
        self._script, self._weights, self._least, self._python = script, weights, least, python
        self._process: PackageProcess | None = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when the weights' identity cannot be known here."""
        return self.described(self._weights.identity())

    @abstractmethod
    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""

    @abstractmethod
    def _options(self) -> Mapping[str, Any]:
        """What the child is opened with, besides its weights."""

    def load(self, device: str, threads: int) -> None:
        """Start the package; it runs on the processor, whatever `device` is. Raises UnavailableError."""
        chosen = self._weights
        checkpoint = None if chosen.random is not None else chosen.path or str(fetch(chosen.asset) / chosen.file)
        options = {**self._options(), "checkpoint": checkpoint, "random": chosen.random}
        try:
            self._process = PackageProcess(self.environment, self._script, options, threads, self._python)
        except UnavailableError as error:
            if checkpoint is None:
                raise
            raise UnavailableError(f"{error}; its checkpoint was {checkpoint}") from error

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One judgement for each audio, each by itself. Raises UnavailableError when not loaded or gone."""
        process = self._running()
        return [self._judged(audio, process) for audio in batch]

    def close(self) -> None:
        """End the package's process."""
        if self._process is not None:
            self._process.close()
        self._process = None

    def _running(self) -> PackageProcess:
        if self._process is None:
            raise UnavailableError(f"{self._weights.judge} is not loaded: call load(device, threads) first")
        return self._process

    def _judged(self, audio: Mono, process: PackageProcess) -> Judgement:
        refused = refusal(audio, self._least)
        return Judgement(refused=refused) if refused is not None else Judgement(vectors=process.hear(audio))
