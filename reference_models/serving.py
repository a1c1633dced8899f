"""A preset made to sound: audio and text in, audio out, frame by frame. Knows nothing of the harness."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from reference_models.build import make_codec, make_model, make_tokenizer
from reference_models.checkpoint import load_checkpoint
from reference_models.clock import NoClock, SpanClock, Timed
from reference_models.errors import ModelError
from reference_models.heads.protocol import Sampling
from reference_models.models.conditioning import Conditions
from reference_models.models.generation import Frame, StopRule, generate
from reference_models.noise import Noise
from reference_models.presets import CodecPreset, ModelPreset


@dataclass(frozen=True)
class Wanted:
    """One sample to make. `prompt`: float32 [1, samples] at the codec's rate; `seconds` is None where speech ends."""

    item: str
    seed: int
    task: str
    text: str | None = None
    prompt: Tensor | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Prepared:
    """A sample that is ready to be made: token numbers, and how many frames it may have."""

    wanted: Wanted
    tokens: Tensor | None
    frames: int


@dataclass(frozen=True)
class Sound:
    """The next samples of one row, float32 [samples]."""

    row: int
    samples: Tensor


@dataclass(frozen=True)
class End:
    """A row is complete."""

    row: int
    why: Literal["eos", "length", "limit"]


@dataclass
class Row:
    """One sample in the making: its codec state, and how many samples are to be dropped and to come."""

    state: Any
    drop: int
    left: int
    over: bool = False


@dataclass
class Server:
    """A language model with its codec and tokenizer in memory; no checkpoint means random weights."""

    preset: ModelPreset
    codec_preset: CodecPreset
    checkpoint: Path | None = None
    codec_checkpoint: Path | None = None
    tokenizer_file: Path | None = None
    device: str = "cpu"
    dtype: str = "float32"
    clock: Callable[[], SpanClock] = field(default=SpanClock)

    def __post_init__(self) -> None:
        kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
        if self.dtype not in kinds:
            raise ModelError(f"dtype '{self.dtype}' is not one of {', '.join(kinds)}")
        self.tokenizer = make_tokenizer(self.preset, self.tokenizer_file)
        model, codec = make_model(self.preset), make_codec(self.codec_preset)
        if self.checkpoint is not None:
            load_checkpoint(self.checkpoint, model, self.preset)
        if self.codec_checkpoint is not None:
            load_checkpoint(self.codec_checkpoint, codec, self.codec_preset)
        self.model = model.to(self.device, kinds[self.dtype]).eval()
        self.codec = codec.to(self.device).eval()

    def prepare(self, wanted: Wanted) -> Prepared:
        """Check a sample against the preset, before any compute. Raises ModelError."""
        tokens = self._tokens(wanted)
        context = round(self.preset.context_seconds * self.codec.frame_rate)
        prompted = 0
        if wanted.prompt is not None:
            prompted = math.ceil(wanted.prompt.shape[-1] / self.codec.frame_size)
            if prompted >= context:
                raise ModelError(f"the prompt has {prompted} frames; the context holds {context} with what is to come")
        if wanted.task == "tts":
            rule = self.preset.stop
            assert rule is not None
            assert tokens is not None
            seconds = len(tokens) * rule.seconds_per_token + rule.seconds_more
            frames = min(math.ceil(seconds * self.codec.frame_rate), context - prompted)
        else:
            if wanted.seconds is None or wanted.seconds <= 0:
                raise ModelError(f"{wanted.task} needs a duration above 0 seconds, not {wanted.seconds}")
            frames = math.ceil(wanted.seconds * self.codec.frame_rate)
            if prompted + frames > context:
                raise ModelError(
                    f"{prompted} frames of prompt and {frames} of continuation do not fit the context of {context}"
                )
        if wanted.task.endswith("continuation") and not prompted:
            raise ModelError("a continuation needs a prompt of at least one sample")
        return Prepared(wanted, tokens, frames)

    def _tokens(self, wanted: Wanted) -> Tensor | None:
        text = self.preset.text
        if wanted.task not in ("tts", "text_to_music") or self.tokenizer is None or text is None:
            return None
        tokens = self.tokenizer.encode(wanted.text or "")
        if len(tokens) > text.longest:
            raise ModelError(f"the text has {len(tokens)} tokens; this preset reads at most {text.longest}")
        return torch.tensor(tokens, device=self.device)

    def run(
        self,
        prepared: Sequence[Prepared],
        sampling: Sampling,
        eos_threshold: float | None = None,
        trace: bool = True,
    ) -> Iterator[Sound | End | Timed]:
        """Make a batch of samples; the sounds of one row come in order. Raises ModelError before any compute.

        `trace` False times no spans.
        """
        # As a decorator it is lifted while the caller has control, which a `with` block in a generator would not do.
        clock = self.clock() if trace else NoClock()
        yield from torch.inference_mode()(self._run)(prepared, sampling, eos_threshold, clock)

    def _run(
        self, prepared: Sequence[Prepared], sampling: Sampling, eos_threshold: float | None, clock: SpanClock
    ) -> Iterator[Sound | End | Timed]:
        step = clock.moment()
        with clock("prefill", 0):
            read = [self._read(one) for one in prepared]
            rows = [self._open(one, frames) for one, frames in zip(prepared, read, strict=True)]
        conditions = [self._conditions(one, frames) for one, frames in zip(prepared, read, strict=True)]
        noise = Noise([(one.wanted.item, one.wanted.seed) for one in prepared], self.device)
        prompts = [frames if _continues(one) else None for one, frames in zip(prepared, read, strict=True)]
        stop = self._stop_rule(prepared, eos_threshold)
        limits = [one.frames for one in prepared]
        for frame in generate(self.model, conditions, prompts, limits, sampling, noise, stop, clock):
            with clock("codec", frame.index):
                made = list(self._decode(frame, rows, sampling, prepared))
            clock.since("step", frame.index, step)
            yield from made
            step = clock.moment()
        yield from clock.take()

    def _decode(
        self, frame: Frame, rows: Sequence[Row], sampling: Sampling, prepared: Sequence[Prepared]
    ) -> Iterator[Sound | End]:
        for number, row in enumerate(rows):
            if row.over:
                continue
            parts = []
            if frame.live[number]:
                shown = frame.frames[number : number + 1, None]
                shown = shown[..., : sampling.depth or None] if self.preset.kind != "calm" else shown.float()
                parts.append(self.codec.step(shown, row.state))
            why = frame.ended[number]
            if why is not None:
                parts.append(self.codec.flush(row.state))
                row.over = True
            for part in parts:
                samples = part[0, 0, min(row.drop, part.shape[-1]) :][: row.left]
                row.drop -= min(row.drop, part.shape[-1])
                row.left -= samples.shape[0]
                if samples.shape[0]:
                    yield Sound(number, samples.float().cpu())
            if why is not None:
                limited = why == "length" and prepared[number].wanted.task == "tts"
                yield End(number, "limit" if limited else why)

    def _read(self, prepared: Prepared) -> Tensor | None:
        """A prompt's frames. Its start is cut to whole frames, so that the last frame ends where the prompt ends."""
        prompt = prepared.wanted.prompt
        if prompt is None:
            return None
        size = self.codec.frame_size
        cut = prompt.shape[-1] % size if prompt.shape[-1] >= size else 0
        frames = self.codec.encode(prompt[None, :, cut:].to(self.device))[0]
        if self.preset.kind != "calm":
            return frames[:, : self.model.codebooks]
        return frames.to(next(self.model.parameters()).dtype)

    def _conditions(self, prepared: Prepared, frames: Tensor | None) -> Conditions:
        text = self.preset.text
        spoken = text is not None and text.voice_prompt and prepared.wanted.task == "tts"
        return Conditions(prepared.tokens, frames if spoken else None)

    def _open(self, prepared: Prepared, frames: Tensor | None) -> Row:
        """The codec has heard the prompt of a continuation; what it says of it is dropped."""
        state = self.codec.start(1)
        drop, seconds = 0, prepared.wanted.seconds
        if _continues(prepared) and frames is not None:
            heard = frames[None].float() if self.preset.kind == "calm" else frames[None]
            said = self.codec.step(heard, state)
            drop = frames.shape[0] * self.codec.frame_size - said.shape[-1]
        whole = prepared.frames * self.codec.frame_size
        return Row(state, drop, whole if seconds is None else min(whole, round(seconds * self.codec.sample_rate)))

    def _stop_rule(self, prepared: Sequence[Prepared], threshold: float | None) -> StopRule | None:
        rule = self.preset.stop
        if rule is None or any(one.wanted.task != "tts" for one in prepared):
            return None
        return StopRule(rule.threshold if threshold is None else threshold, rule.frames_after, rule.not_before)


def sampling_from(values: Mapping[str, Any]) -> Sampling:
    """The head's sampling from named values; other names are left out. Raises ModelError on values out of range."""
    known = {name: values[name] for name in Sampling.__dataclass_fields__ if name in values}
    sampling = Sampling(**known)
    if sampling.steps < 1 or sampling.temperature < 0 or sampling.top_k < 0 or sampling.depth < 0:
        raise ModelError(f"steps must be at least 1, temperature, top_k and depth at least 0: {known}")
    return sampling


def _continues(prepared: Prepared) -> bool:
    return prepared.wanted.task.endswith("continuation")
