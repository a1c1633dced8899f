"""The one training loop: AdamW, warm-up and cosine, clipping, a mean of the weights, exact resume, a time budget."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from reference_models.errors import ModelError
from reference_models.training.average import WeightAverage
from reference_models.training.feeds import Given
from reference_models.training.journal import Journal
from reference_models.training.order import seeded
from reference_models.training.prepare import SEED, VALIDATION_BATCHES, Plan
from reference_models.training.schedule import learning_rate
from reference_models.training.state import load_state, save_state

LOG_EVERY, VALIDATE_EVERY = 20, 250
"""Steps between lines of the log, and between validations."""

Report = Callable[[int, int, float], None]
"""Told of every step: steps done, steps in all, loss."""


@dataclass(frozen=True)
class Settings:
    """How, not what, is computed. `minutes` stops cleanly when they are spent; None goes on to the last step."""

    device: str = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    minutes: float | None = None
    steps: int | None = None
    """Another number of steps than the recipe's: another schedule, and so another training."""
    save_every: float = 120.0
    """Seconds between saved states."""


class Loop:
    """One training in one folder. With `resume`, raises ModelError when the state there is of another training."""

    def __init__(self, plan: Plan, settings: Settings, folder: Path, resume: bool) -> None:
        self.plan, self.settings, self.folder = plan, settings, folder
        self.steps = settings.steps or plan.recipe.steps
        self.module = plan.trainee.module
        self.step, self.seconds = 0, 0.0
        wanting = [weight for weight in self.module.parameters() if weight.requires_grad]
        self._optimiser = torch.optim.AdamW(
            _groups(wanting, plan.recipe.weight_decay), betas=(plan.recipe.betas[0], plan.recipe.betas[1])
        )
        self._wanting = wanting
        self.average = WeightAverage(self.module, plan.recipe.average)
        self.journal = Journal(folder)
        if resume:
            self._restore()

    def run(self, report: Report | None = None) -> None:
        """Train until the last step or the end of the budget, and save. Raises ModelError on a loss that is no number.

        A stop by Ctrl-C saves the state first.
        """
        started = saved = time.monotonic()
        before = self.seconds
        self.module.train()
        try:
            while self.step < self.steps:
                loss = self._one()
                now = time.monotonic()
                self.seconds = before + now - started
                if report is not None:
                    report(self.step, self.steps, loss)
                spent = self.settings.minutes is not None and now - started >= 60 * self.settings.minutes
                if self.step % VALIDATE_EVERY == 0 or self.step == self.steps or spent:
                    self.journal.valid(self.step, self.validate())
                if now - saved >= self.settings.save_every:
                    self.save()
                    saved = now
                if spent:
                    break
        except KeyboardInterrupt:
            self.save()
            raise
        self.save()

    def validate(self) -> float:
        """Mean loss of the averaged weights on the same few batches of held-out clips, with the same draws."""
        training = {name: value.clone() for name, value in self.module.state_dict().items()}
        self.module.load_state_dict(self.average.state(self.module))
        self.module.eval()
        total = 0.0
        with torch.no_grad():
            for place in range(VALIDATION_BATCHES):
                given = self.plan.valid.at(place).on(self.settings.device)
                total += float(self.plan.trainee.loss(given, seeded(SEED, "valid", place)).total)
        self.module.load_state_dict(training)
        self.module.train()
        return total / VALIDATION_BATCHES

    def save(self) -> None:
        """Write the state. Raises ModelError when it cannot be written; the last good one stays."""
        self.journal.flush()
        save_state(
            self.folder,
            {
                "about": self._about(),
                "step": self.step,
                "seconds": self.seconds,
                "module": self.module.state_dict(),
                "average": self.average.weights,
                "updates": self.average.updates,
                "optimiser": self._optimiser.state_dict(),
            },
        )

    def _one(self) -> float:
        recipe, step = self.plan.recipe, self.step
        rate = learning_rate(step, self.steps, recipe.rate, recipe.warmup, recipe.final)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        given = self.plan.train.at(step).on(self.settings.device)
        with self._precision():
            losses = self.plan.trainee.loss(given, seeded(SEED, "loss", step))
        self._optimiser.zero_grad(set_to_none=True)
        losses.total.backward()
        norm = float(nn.utils.clip_grad_norm_(self._wanting, recipe.clip))
        loss = float(losses.total.detach())
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise ModelError(_wreck(step, loss, norm, losses.parts, given))
        self._optimiser.step()
        self.average.update(self.module)
        self.step += 1
        self.journal.step(self.step, loss, losses.parts, norm, rate, LOG_EVERY)
        return loss

    def _precision(self) -> AbstractContextManager[Any]:
        if self.settings.dtype == "float32":
            return nullcontext()
        kind = torch.device(self.settings.device).type
        context: AbstractContextManager[Any] = torch.autocast(kind, torch.bfloat16)
        return context

    def _about(self) -> dict[str, Any]:
        """What a training must share to be the same one; the corpus is known by its digest."""
        about = self.plan.store.about
        return {
            "preset": self.plan.preset.digest,
            "recipe": self.plan.recipe.model_dump_json(exclude={"faults"}),
            "model": self.plan.preset.model_dump_json(include={"training", "losses"}),
            "steps": self.steps,
            "corpus digest": about["digest"],
            "codec": about.get("codec_sha256", ""),
            "teacher": self.plan.weights,
        }

    def _restore(self) -> None:
        state = load_state(self.folder, self._about())
        self.step, self.seconds = state["step"], state["seconds"]
        self.module.load_state_dict(state["module"])
        self.average.weights = {name: value.to(self.settings.device) for name, value in state["average"].items()}
        self.average.updates = state["updates"]
        self._optimiser.load_state_dict(state["optimiser"])
        self.journal.cut(self.step)


def _groups(weights: list[nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Only matrices decay; norms, biases and single vectors do not."""
    matrices = [weight for weight in weights if weight.dim() >= 2]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": [weight for weight in weights if weight.dim() < 2], "weight_decay": 0.0},
    ]


def _wreck(step: int, loss: float, norm: float, parts: Any, given: Given) -> str:
    terms = ", ".join(f"{name} {float(value.detach()):.4g}" for name, value in parts.items())
    return (
        f"step {step}: the loss is {loss} with a gradient of norm {norm} ({terms}); the batch was "
        f"{', '.join(given.ids)}. Nothing of this step was kept: --resume goes on from the last saved state"
    )
