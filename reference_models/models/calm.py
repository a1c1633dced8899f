"""CALM: a causal transformer over continuous latents with a small head ("Continuous Audio Language Models").

    z_long^s  = backbone(noised x^1 .. x^(s-1)),   z_short^s = short_context(clean x^(s-K) .. x^(s-1))
    x^s       = head(noise, Z^s = z_long^s + z_short^s)

Every part that the paper removes in its ablation is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from reference_models.backbone.transformer import NormKind, Transformer, linear, make_norm
from reference_models.heads.protocol import Head, Sampling
from reference_models.models.batch import Batch, Losses
from reference_models.models.conditioning import Conditioning, Conditions, left_pad
from reference_models.models.language_model import LanguageModel, State
from reference_models.noise import Noise

NoiseRule = Literal["variance_preserving", "linear"]


class CALM(LanguageModel):
    """`dimensions` of a latent; latents go in and come out as the codec gives them, and are normalised inside.

    Ablations: `noise_augmentation` False feeds clean latents to the backbone; `short_context` None leaves only the
    backbone; `head_batch` 1 computes the head loss once for each frame. `noise_rule` linear is the rule that the paper
    found worse. `stop_weight` and `text_weight` weigh the losses of the end-of-speech head and the inner monologue.
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(
        self,
        dimensions: int,
        backbone: Transformer,
        head: Head,
        *,
        short_context: Transformer | None = None,
        noise_augmentation: bool = True,
        noise_rule: NoiseRule = "variance_preserving",
        head_batch: int = 8,
        norm: NormKind = "layer",
        conditioning: Conditioning | None = None,
        stop: bool = False,
        text_tokens: int = 0,
        stop_weight: float = 0.1,
        text_weight: float = 1.0,
    ) -> None:
        super().__init__(backbone, head, norm, conditioning, stop, text_tokens, stop_weight, text_weight)
        self.noise_augmentation, self.noise_rule, self.head_batch = noise_augmentation, noise_rule, head_batch
        self.start_frame = nn.Parameter(torch.randn(dimensions))
        self.into_backbone = linear(dimensions, self.dim)
        self.short_context = short_context
        if short_context is not None:
            self.into_short = linear(dimensions, self.dim)
            self.short_norm = make_norm(norm, self.dim)
        self.register_buffer("latent_mean", torch.zeros(dimensions))
        self.register_buffer("latent_std", torch.ones(dimensions))

    def normalise(self, latents: Tensor) -> Tensor:
        """To mean 0 and variance 1 in each dimension, as heads expect."""
        return (latents - self.latent_mean) / self.latent_std

    def denormalise(self, latents: Tensor) -> Tensor:
        """Back to the codec's scale."""
        return latents * self.latent_std + self.latent_mean

    def fit_statistics(self, latents: Tensor) -> None:
        """Take mean and standard deviation from training latents [..., dimensions]."""
        rows = latents.flatten(0, -2)
        self.latent_mean.copy_(rows.mean(dim=0))
        self.latent_std.copy_(rows.std(dim=0))

    def embed(self, frames: Tensor) -> Tensor:
        """Normalised latents to the backbone's width."""
        embedded: Tensor = self.into_backbone(frames)
        return embedded

    def embed_voice(self, frames: Tensor) -> Tensor:
        """A voice prompt's latents, normalised; the conditioning projects them."""
        return self.normalise(frames)

    def first(self, prompt: Tensor | None) -> Tensor:
        """The learned start latent, then the normalised prompt."""
        start = self.start_frame[None]
        return start if prompt is None else torch.cat([start, self.normalise(prompt)])

    def draw(self, state: State) -> Tensor:
        """One latent for each sample, [batch, dimensions], on the codec's scale."""
        return self.denormalise(super().draw(state))

    def advance(self, frame: Tensor, state: State) -> None:
        """Feed the latent just drawn."""
        super().advance(self.normalise(frame), state)

    def loss(self, batch: Batch, generator: torch.Generator | None = None) -> Losses:
        """The training loss of a batch of latents. `generator` (on the CPU) makes every random draw."""
        clean = self.normalise(batch.frames)
        z = self._condition(clean, self._augment(clean, generator) if self.noise_augmentation else clean, batch)
        real = batch.real()
        frames, targets = z[:, :-1][real], clean[real]
        drawn = self.head.loss(frames.repeat(self.head_batch, 1), targets.repeat(self.head_batch, 1), generator).mean()
        return self._losses(drawn, z, batch)

    def teacher_forced(
        self,
        latents: Tensor,
        sampling: Sampling,
        noise: Noise,
        conditions: Sequence[Conditions] | None = None,
        words: Tensor | None = None,
    ) -> Tensor:
        """One draw at every position given the true past: [batch, frames, dimensions], like `latents`.

        The draws of a row depend on its own noise and past alone, whatever the batch.
        """
        lengths = torch.full((latents.shape[0],), latents.shape[1])
        z = self.conditions_of_frames(Batch(latents, lengths, conditions, words))
        drawn = [self.head.sample(z[:, place], sampling, noise) for place in range(latents.shape[1])]
        return self.denormalise(torch.stack(drawn, dim=1))

    def conditions_of_frames(self, batch: Batch) -> Tensor:
        """Z at every position without noise augmentation, [batch, frames + 1, dim]; what a student learns from."""
        clean = self.normalise(batch.frames)
        return self._condition(clean, clean, batch)

    def _condition(self, clean: Tensor, noised: Tensor, batch: Batch) -> Tensor:
        start = self.start_frame.expand(clean.shape[0], 1, -1)
        z = self.hidden(torch.cat([start, noised], dim=1), batch)
        if self.short_context is not None:
            z = z + self.short_norm(self.short_context(self.into_short(torch.cat([start, clean], dim=1))))
        return z

    def _augment(self, clean: Tensor, generator: torch.Generator | None) -> Tensor:
        share = torch.rand(clean.shape[:2], generator=generator)[..., None].to(clean)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        if self.noise_rule == "linear":
            return share * noise + (1 - share) * clean
        return share.sqrt() * noise + (1 - share).sqrt() * clean

    def _open(self, inputs: Sequence[Tensor], length: int, state: State) -> Tensor | None:
        if self.short_context is None:
            return None
        # The window sees nothing older than its own layers reach, so longer prompts need not be read in full.
        reach = 1 + len(self.short_context.layers) * ((self.short_context.window or 1) - 1)
        whole = self.short_context.window is None
        x, padding = left_pad([self.into_short(frames if whole else frames[-reach:]) for frames in inputs])
        cache = self.short_context.start(len(inputs), x.shape[1] + length, padding)
        state.extra["short"] = cache
        shown: Tensor = self.short_norm(self.short_context.step(x, cache)[:, -1])
        return shown

    def _follow(self, frame: Tensor, state: State) -> Tensor | None:
        if self.short_context is None:
            return None
        x = self.into_short(frame)[:, None]
        shown: Tensor = self.short_norm(self.short_context.step(x, state.extra["short"])[:, 0])
        return shown
