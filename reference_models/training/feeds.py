"""From a store to the batch of a step: audio segments for codecs, sequences of frames for language models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from reference_models.models.batch import Batch
from reference_models.models.conditioning import Conditions
from reference_models.text import Tokenizer
from reference_models.training.order import Order, seeded
from reference_models.training.store import Row, Store


@dataclass(frozen=True)
class Given:
    """The batch of a step, and the ids of its clips for messages. `audio` [batch, 1, samples], or `frames`."""

    ids: tuple[str, ...]
    audio: Tensor | None = None
    frames: Batch | None = None

    def on(self, device: str) -> Given:
        """The same on a device."""
        if device == "cpu":
            return self
        frames = self.frames
        if frames is not None:
            conditions = frames.conditions
            moved = None if conditions is None else [_moved(one, device) for one in conditions]
            frames = Batch(frames.frames.to(device), frames.lengths.to(device), moved)
        return Given(self.ids, None if self.audio is None else self.audio.to(device), frames)


class Feed(Protocol):
    """Gives each step its batch; the same step always gets the same one."""

    def at(self, step: int) -> Given:
        """The batch of step `step`, from 0."""
        ...


class Windows:
    """Random windows of `length` values from clips: audio segments, or frames to continue. Shorter clips are padded.

    `codebooks` keeps the first ones of each code; None keeps all.
    """

    def __init__(
        self, store: Store, split: str, batch: int, length: int, seed: int, codebooks: int | None = None
    ) -> None:
        self._store, self._rows, self._length, self._seed = store, store.split(split), length, seed
        self._codebooks = codebooks
        # Windows are of one length, so there is nothing to sort by.
        self._order = Order([0] * len(self._rows), batch, seed)

    def at(self, step: int) -> Given:
        """The windows of a step."""
        generator = seeded(self._seed, "window", step)
        rows, windows = [self._rows[index] for index in self._order.at(step)], []
        for row in rows:
            last = max(row.count - self._length, 0)
            start = int(torch.randint(last + 1, (), generator=generator))
            windows.append(self._store.read(row, start, self._length))
        ids = tuple(row.id for row in rows)
        if self._store.kind == "audio":
            padded = [functional.pad(window, (0, self._length - len(window))) for window in windows]
            return Given(ids, audio=torch.stack(padded)[:, None])
        return Given(ids, frames=padded_batch([window[:, : self._codebooks] for window in windows], None))


class Captioned:
    """Windows with the tokens of their clip's caption as the condition."""

    def __init__(
        self,
        store: Store,
        split: str,
        batch: int,
        length: int,
        seed: int,
        tokenizer: Tokenizer,
        codebooks: int | None = None,
    ) -> None:
        self._windows = Windows(store, split, batch, length, seed, codebooks)
        self._tokens = {row.id: tokens_of(row, tokenizer) for row in store.split(split)}

    def at(self, step: int) -> Given:
        """The windows of a step, each with its caption."""
        given = self._windows.at(step)
        assert given.frames is not None
        conditions = [Conditions(text=self._tokens[name]) for name in given.ids]
        return Given(given.ids, frames=Batch(given.frames.frames, given.frames.lengths, conditions))


class Spoken:
    """Whole sentences with their text, and a voice prompt cut from another sentence of the same voice.

    The prompt's length is drawn from `voice`, shortest and longest in frames.
    """

    def __init__(
        self,
        store: Store,
        split: str,
        batch: int,
        seed: int,
        tokenizer: Tokenizer,
        voice: tuple[int, int],
        codebooks: int | None = None,
    ) -> None:
        self._codebooks = codebooks
        self._store, self._rows, self._seed, self._voice = store, store.split(split), seed, voice
        self._order = Order([row.count for row in self._rows], batch, seed)
        self._tokens = [tokens_of(row, tokenizer) for row in self._rows]
        self._of_voice: dict[str | None, list[Row]] = {}
        for row in self._rows:
            self._of_voice.setdefault(row.speaker, []).append(row)

    def at(self, step: int) -> Given:
        """The sentences of a step."""
        generator = seeded(self._seed, "voice", step)
        chosen = self._order.at(step)
        rows = [self._rows[index] for index in chosen]
        conditions = [
            Conditions(self._tokens[index], self._prompt(row, generator))
            for index, row in zip(chosen, rows, strict=True)
        ]
        batch = padded_batch([self._store.read(row)[:, : self._codebooks] for row in rows], conditions)
        return Given(tuple(row.id for row in rows), frames=batch)

    def _prompt(self, row: Row, generator: torch.Generator) -> Tensor:
        others = self._of_voice[row.speaker]
        other = others[int(torch.randint(len(others), (), generator=generator))]
        if other is row and len(others) > 1:
            other = others[(others.index(other) + 1) % len(others)]
        shortest, longest = self._voice
        length = int(torch.randint(shortest, longest + 1, (), generator=generator))
        start = int(torch.randint(max(other.count - length, 0) + 1, (), generator=generator))
        return self._store.read(other, start, length)[:, : self._codebooks]


def padded_batch(rows: Sequence[Tensor], conditions: Sequence[Conditions] | None) -> Batch:
    """Sequences [frames, ...] of different lengths as one batch, zeros on the right."""
    lengths = torch.tensor([len(row) for row in rows])
    longest = int(lengths.max())
    frames = torch.stack([functional.pad(row, (0, 0, 0, longest - len(row))) for row in rows])
    return Batch(frames, lengths, conditions)


def tokens_of(row: Row, tokenizer: Tokenizer) -> Tensor:
    """The tokens of a row's text, int64 [tokens]. Raises ModelError on a row without text."""
    return torch.tensor(tokenizer.encode(row.text or ""))


def _moved(one: Conditions, device: str) -> Conditions:
    text, voice = (None if part is None else part.to(device) for part in (one.text, one.voice))
    return Conditions(text, voice)
