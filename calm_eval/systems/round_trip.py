"""The control that shows what a codec alone costs: the item's reference, encoded and decoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from calm_eval.data.item import Item
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.specs.presets import codec_presets
from calm_eval.systems.child import ChildEngine
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.outcome import Outcome
from calm_eval.systems.protocol import SystemInfo, Value
from calm_eval.systems.shuffled import untimed

CODEC_ADAPTER = "reference_models.codec_adapter:create"
"""The factory of a system that answers with its prompt through a codec."""


class RoundTripEngine:
    """References through a codec of the reference models, which runs in a child process.

    Options: `codec` (a bundled name or a preset file), `depth` (codebooks of an RVQ codec; all where it is left out),
    `checkpoint` and `sha256` for weights of one's own. Raises InputError on an unknown codec or a depth that it does
    not have.
    """

    def __init__(
        self,
        options: Mapping[str, Value],
        place: Place,
        conditions: Conditions,
        item_timeout: float | None = None,
        start_timeout: float = 300.0,
    ) -> None:
        check_codec(str(options["codec"]), options.get("depth"))
        self._codec = ChildEngine(
            CODEC_ADAPTER, options, place, conditions, item_timeout=item_timeout, start_timeout=start_timeout
        )

    @property
    def info(self) -> SystemInfo:
        """What the codec declares: its rates and weights. It does every task."""
        return self._codec.info

    @property
    def identity(self) -> Mapping[str, Any]:
        """The codec, its weights and its depth."""
        return {"control": "round_trip", "version": 1, "codec": dict(self._codec.identity)}

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """The control, and the reference that goes through it."""
        return digest({"control": fingerprint, "reference": item.part("reference")})

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """A control evaluates no head."""
        return [None] * len(samplings)

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """Each item's reference after the round trip: mono, at the codec's rate, as long as it was."""
        sent = []
        for item in items:
            if item.reference is None:
                yield Outcome(item.id, seed, failure="no-reference", text="this item has no reference audio")
            else:
                sent.append(Item(item.id, prompt=item.reference))
        for outcome in self._codec.generate(sent, seed, task, sampling):
            failure = outcome.failure
            if failure is not None and failure.startswith("prompt-"):
                failure = "reference-" + failure.removeprefix("prompt-")
            yield untimed(dataclasses.replace(outcome, failure=failure))

    def close(self) -> None:
        """End the codec's process."""
        self._codec.close()


def check_codec(codec: str, depth: Value | None) -> None:
    """Raise InputError for a bundled codec that there is not, or a depth outside its codebooks.

    A preset file is left to the process that reads it.
    """
    card = codec_presets().get(codec)
    if card is None:
        if codec.endswith((".yaml", ".yml")):
            return
        raise InputError(f"control round_trip: no codec '{codec}'; bundled: {', '.join(codec_presets())}")
    if depth is None:
        return
    if card.kind != "rvq":
        raise InputError(f"control round_trip: '{codec}' has no codebooks; leave 'depth' out")
    if isinstance(depth, bool) or not isinstance(depth, int) or not 1 <= depth <= card.width:
        raise InputError(f"control round_trip: depth {depth!r}: '{codec}' has 1 to {card.width} codebooks")
