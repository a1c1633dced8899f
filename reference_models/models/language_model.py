"""What the language models share: a conditioning prefix, the causal backbone, an end-of-speech head, and stepping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.backbone.cache import Cache
from reference_models.backbone.transformer import NormKind, Transformer, make_norm
from reference_models.errors import ModelError
from reference_models.heads.protocol import Head, Sampling
from reference_models.models.batch import Batch, Losses
from reference_models.models.conditioning import Conditioning, Conditions, left_pad, without_text
from reference_models.models.stopping import stop_loss
from reference_models.models.text_stream import TextStream
from reference_models.noise import Noise


@dataclass
class State:
    """A batch of generations in progress. `z` [rows, dim] belongs to the frame to draw next.

    With guidance the rows are doubled: the second half has the null condition.
    """

    cache: Cache
    noise: Noise
    sampling: Sampling
    batch: int
    z: Tensor
    extra: dict[str, Cache] = field(default_factory=dict)
    words: Tensor | None = None
    forced: list[Tensor] = field(default_factory=list)
    """Columns that are known beforehand, [batch, codebooks]; -1 where the code is to be drawn."""


class LanguageModel(nn.Module):
    """The base of CALM and of the discrete models. A subclass says how frames are embedded and what a head sees.

    Children are named as the parts of the papers' tables: `backbone`, `short_context`, `head`, `conditioning`, ...
    """

    def __init__(
        self,
        backbone: Transformer,
        head: Head,
        norm: NormKind = "layer",
        conditioning: Conditioning | None = None,
        stop: bool = False,
        text_tokens: int = 0,
        stop_weight: float = 0.1,
        text_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.stop_weight, self.text_weight = stop_weight, text_weight
        dim = backbone.dim
        self.dim = dim
        self.backbone = backbone
        self.norm = make_norm(norm, dim)
        self.head: Head = head
        self.conditioning = conditioning
        self.stop = nn.Linear(dim, 1) if stop else None
        self.text_stream = TextStream(dim, text_tokens) if text_tokens else None

    # What a subclass says -------------------------------------------------------------------------------------------

    def embed(self, frames: Tensor) -> Tensor:
        """Frames as the backbone sees them: [..., dimensions or codebooks] to [..., dim]."""
        raise NotImplementedError

    def embed_voice(self, frames: Tensor) -> Tensor:
        """Frames of a voice prompt before their projection, [frames, voice width]."""
        raise NotImplementedError

    def first(self, prompt: Tensor | None) -> Tensor:
        """The inputs before the first frame to draw: the start frame, then those of the prompt, [1 + frames, ...]."""
        raise NotImplementedError

    def _open(self, inputs: Sequence[Tensor], length: int, state: State) -> Tensor | None:
        """What is added to Z at the first frame, by parts beside the backbone."""
        return None

    def _follow(self, frame: Tensor, state: State) -> Tensor | None:
        """What is added to Z at each later frame."""
        return None

    # Generation -----------------------------------------------------------------------------------------------------

    def begin(
        self,
        conditions: Sequence[Conditions],
        prompts: Sequence[Tensor | None],
        length: int,
        sampling: Sampling,
        noise: Noise,
    ) -> State:
        """Read prefixes and prompts; `state.z` is then the condition of the first frame. `length`: frames to draw.

        `prompts` are the frames to continue, each [frames, ...] or None. Raises ModelError on guidance without a
        condition to leave out.
        """
        batch = len(conditions)
        asked = list(conditions)
        if sampling.cfg != 1.0:
            if self.conditioning is None:
                raise ModelError("guidance (cfg other than 1) needs a model with a text condition")
            asked += [without_text(one) for one in conditions]
        inputs = [self.first(prompt) for prompt in prompts] * (len(asked) // batch)
        rows = [self.embed(frames) for frames in inputs]
        if self.conditioning is not None:
            rows = [torch.cat([self._prefix(one), row]) for one, row in zip(asked, rows, strict=True)]
        x, padding = left_pad(rows)
        cache = self.backbone.start(len(rows), x.shape[1] + length, padding)
        z = self.norm(self.backbone.step(x, cache)[:, -1])
        state = State(cache, noise, sampling, batch, z)
        extra = self._open(inputs, length, state)
        if extra is not None:
            state.z = z + extra
        return state

    def draw_words(self, state: State) -> None:
        """The next token of the inner monologue, where there is one; before the frame, which it goes with."""
        if self.text_stream is not None:
            z = state.z[: state.batch]
            state.words = self.text_stream.draw(z, state.noise, state.sampling.text_temperature)

    def draw(self, state: State) -> Tensor:
        """One frame for each sample, from the head; after `draw_words`."""
        z, null = state.z, None
        if state.sampling.cfg != 1.0:
            z, null = state.z[: state.batch], state.z[state.batch :]
        return self.head.sample(z, state.sampling, state.noise, null)

    def advance(self, frame: Tensor, state: State) -> None:
        """Feed the frame just drawn; `state.z` is then the condition of the next one."""
        if state.sampling.cfg != 1.0:
            frame = torch.cat([frame, frame])
        x = self.embed(frame)
        if self.text_stream is not None and state.words is not None:
            words = self.text_stream(state.words)
            x = x + (words if len(words) == len(x) else torch.cat([words, words]))
        z = self.norm(self.backbone.step(x[:, None], state.cache)[:, 0])
        extra = self._follow(frame, state)
        state.z = z if extra is None else z + extra

    def stop_logits(self, state: State) -> Tensor | None:
        """How sure the model is that the next frame lies after the end, [batch] logits; None without such a head."""
        return None if self.stop is None else self.stop(state.z[: state.batch])[:, 0]

    # Training -------------------------------------------------------------------------------------------------------

    def hidden(self, frames: Tensor, batch: Batch) -> Tensor:
        """The backbone's output at every audio position, [batch, positions, dim]; `frames` begin with the start frame.

        Raises ModelError when a model with a condition is given none.
        """
        x = self.embed(frames)
        if self.text_stream is not None and batch.words is not None:
            said = (batch.words >= 0)[..., None] * self.text_stream(batch.words.clamp(min=0))
            x = x + F.pad(said, (0, 0, 1, x.shape[1] - 1 - said.shape[1]))
        if self.conditioning is None:
            return self.norm(self.backbone(x))
        if batch.conditions is None:
            raise ModelError("this model reads a condition for each row: give `conditions`, null ones if need be")
        prefix, padding = left_pad([self._prefix(one) for one in batch.conditions])
        return self.norm(self.backbone(torch.cat([prefix, x], dim=1), padding)[:, prefix.shape[1] :])

    def _losses(self, drawn: Tensor, z: Tensor, batch: Batch) -> Losses:
        """The head's loss with those of the end-of-speech head and the inner monologue, where there are any."""
        parts, total = {"head": drawn}, drawn
        if self.stop is not None:
            parts["stop"] = stop_loss(self.stop(z)[..., 0], batch.lengths)
            total = total + self.stop_weight * parts["stop"]
        if self.text_stream is not None and batch.words is not None:
            parts["text"] = self.text_stream.loss(z[:, : batch.words.shape[1]], batch.words)
            total = total + self.text_weight * parts["text"]
        return Losses(total, parts)

    def _prefix(self, conditions: Conditions) -> Tensor:
        assert self.conditioning is not None
        voice = None if conditions.voice is None else self.embed_voice(conditions.voice)
        prefix: Tensor = self.conditioning(conditions.text, voice)
        return prefix


def count_parameters(module: nn.Module) -> dict[str, int]:
    """Parameters of each named part; what belongs to no child counts as `other`."""
    parts = {name: sum(one.numel() for one in child.parameters()) for name, child in module.named_children()}
    own = sum(one.numel() for one in module.parameters(recurse=False))
    return {name: count for name, count in {**parts, "other": own}.items() if count}
