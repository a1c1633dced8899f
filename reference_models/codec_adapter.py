"""A codec as a system of calm-eval: it answers a prompt with the prompt, encoded and decoded."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from calm_eval.systems.protocol import Audio, Chunk, Done, Event, Failure, Request, SystemInfo, Value
from reference_models.catalogue import checkpoint_file
from reference_models.checkpoint import check_checkpoint, file_hash
from reference_models.errors import ModelError
from reference_models.presets import CodecPreset, load_codec_preset


def create(
    codec: str, depth: int | None = None, checkpoint: str | None = None, sha256: str | None = None
) -> CodecSystem:
    """A codec from its preset's name or file; `depth` is the number of codebooks that an RVQ codec uses, None for all.

    Without a checkpoint the bundled one is taken, and where there is none the codec is untrained and not scored.
    Raises ModelError on a preset, a checkpoint or a depth that cannot be used.
    """
    preset = load_codec_preset(codec)
    if depth is not None and preset.kind != "rvq":
        raise ModelError(f"'{preset.name}' has no codebooks: give no depth")
    if depth is not None and not 1 <= depth <= preset.width:
        raise ModelError(f"depth {depth}: '{preset.name}' has 1 to {preset.width} codebooks")
    file = checkpoint_file(preset.name) if checkpoint is None else Path(checkpoint).absolute()
    if checkpoint is None and not file.is_file():
        return CodecSystem(preset, depth, None)
    check_checkpoint(file, preset, sha256)
    return CodecSystem(preset, depth, file)


class CodecSystem:
    """The round trip of one codec: mono, at its own rate, as many samples as the prompt has there."""

    def __init__(self, preset: CodecPreset, depth: int | None, checkpoint: Path | None) -> None:
        self.preset, self.depth, self.checkpoint = preset, depth, checkpoint
        self._codec: Any = None
        self._device = "cpu"

    @functools.cached_property
    def info(self) -> SystemInfo:
        """What it is, from the preset and the checkpoint's hash. Every task's audio goes through it."""
        return SystemInfo(
            tasks=(),
            family="continuous" if self.preset.kind == "vae" else "discrete",
            sample_rate=self.preset.sample_rate,
            frame_rate=self.preset.frame_rate,
            weights={} if self.checkpoint is None else {"codec": file_hash(self.checkpoint)},
            config={"codec": self.preset.digest, "depth": self.depth},
            version=1,
            unscored="untrained" if self.checkpoint is None else "",
        )

    def load(self, device: str, dtype: str, threads: int) -> None:
        """Bring the codec into memory; it computes in float32 whatever the dtype."""
        import torch

        from reference_models.build import make_codec
        from reference_models.checkpoint import load_checkpoint

        torch.set_num_threads(threads)
        codec = make_codec(self.preset)
        if self.checkpoint is not None:
            load_checkpoint(self.checkpoint, codec, self.preset)
        self._codec, self._device = codec.to(device).eval(), device

    def head_evaluations_per_second(self, sampling: Mapping[str, Value]) -> None:
        """A codec has no head."""

    def generate(self, requests: Sequence[Request], sampling: Mapping[str, Value]) -> Iterator[Event]:
        """Each prompt through the codec; what it cannot take becomes the failure `refused`."""
        for request in requests:
            if request.prompt is None:
                yield Failure(request.item, request.seed, "refused", "there is no audio to encode")
                continue
            try:
                made = self._round_trip(request.prompt)
            except ModelError as error:
                yield Failure(request.item, request.seed, "refused", str(error))
                continue
            yield Chunk(request.item, request.seed, made, self.preset.sample_rate)
            yield Done(request.item, request.seed, "length")

    def _round_trip(self, prompt: Audio) -> Any:
        """Float32 [samples]. soxr VHQ and the mean of channels bring a prompt to the codec's rate and to mono."""
        import soxr
        import torch

        samples, rate = prompt.numpy().mean(axis=0), self.preset.sample_rate
        if prompt.sample_rate != rate:
            samples = soxr.resample(samples, prompt.sample_rate, rate, "VHQ")
        sound = torch.from_numpy(samples.copy())[None, None].to(self._device)
        frames = self._codec.encode(sound) if self.depth is None else self._codec.encode(sound, self.depth)
        return self._codec.decode(frames)[0, 0, : len(samples)].cpu().numpy()
