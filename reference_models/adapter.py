"""Any preset as a system of calm-eval: the one file here that knows the harness."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calm_eval.systems.protocol import Chunk, Done, Event, Failure, Parameter, Request, Span, SystemInfo, Value
from reference_models.catalogue import checkpoint_file, head_evaluations
from reference_models.checkpoint import check_checkpoint, file_hash
from reference_models.errors import ModelError
from reference_models.presets import CodecPreset, ModelPreset, Preset, load_codec_preset, load_model_preset

if TYPE_CHECKING:
    from reference_models.serving import Server, Wanted


def create(
    preset: str,
    checkpoint: str | None = None,
    sha256: str | None = None,
    codec_checkpoint: str | None = None,
    codec_sha256: str | None = None,
    tokenizer: str | None = None,
    resample_prompts: bool = False,
    scale: float = 1.0,
) -> ReferenceSystem:
    """A system from a preset's name or file.

    Without a checkpoint the bundled one is taken, and where there is none the model is untrained: it can be timed, and
    its quality is not scored. `tokenizer` is a SentencePiece file for presets that need one. `resample_prompts`
    brings prompts to the codec's rate and to one channel (soxr VHQ, mean of channels); otherwise others are refused.
    `scale` below 1 shrinks depth and width of model and codec, untrained then: for timing on a small machine.
    Raises ModelError on a preset, checkpoint or scale that cannot be used.
    """
    model = load_model_preset(preset)
    codec = load_codec_preset(model.codec)
    files: tuple[Path | None, Path | None] = None, None
    if scale == 1.0:
        files = _checked(model, _path(checkpoint), sha256), _checked(codec, _path(codec_checkpoint), codec_sha256)
    elif checkpoint is not None or codec_checkpoint is not None:
        raise ModelError("a scaled preset has no checkpoint: leave out 'scale' or the checkpoints")
    else:
        from reference_models.scaling import scaled_codec, scaled_model

        model, codec = scaled_model(model, scale), scaled_codec(codec, scale)
    return ReferenceSystem(model, codec, *files, _path(tokenizer), resample_prompts)


@dataclass
class ReferenceSystem:
    """A preset with its weights, streaming, with spans for prefill, backbone, head and codec.

    Without a checkpoint of its own a part is untrained.
    """

    preset: ModelPreset
    codec_preset: CodecPreset
    checkpoint: Path | None
    codec_checkpoint: Path | None
    tokenizer: Path | None
    resample_prompts: bool
    _server: Server | None = field(default=None, init=False)

    @functools.cached_property
    def info(self) -> SystemInfo:
        """What it is, from the preset and the checkpoints' hashes."""
        files = {"model": self.checkpoint, "codec": self.codec_checkpoint, "tokenizer": self.tokenizer}
        missing = [part for part in ("model", "codec") if files[part] is None]
        return SystemInfo(
            tasks=tuple(self.preset.tasks),
            family=self.preset.family,
            sample_rate=self.codec_preset.sample_rate,
            frame_rate=self.codec_preset.frame_rate,
            streaming=True,
            sampling=self._parameters(),
            weights={part: file_hash(file) for part, file in files.items() if file is not None},
            config={
                "preset": self.preset.digest,
                "codec": self.codec_preset.digest,
                "resample_prompts": self.resample_prompts,
                "untrained": missing,
            },
            version=1,
            unscored="untrained" if missing else "",
        )

    def load(self, device: str, dtype: str, threads: int) -> None:
        """Bring model and codec into memory."""
        import torch

        from reference_models.clock import CudaSpanClock, SpanClock
        from reference_models.serving import Server

        torch.set_num_threads(threads)
        self._server = Server(
            self.preset,
            self.codec_preset,
            self.checkpoint,
            self.codec_checkpoint,
            self.tokenizer,
            device,
            dtype,
            CudaSpanClock if device.startswith("cuda") else SpanClock,
        )

    def head_evaluations_per_second(self, sampling: Mapping[str, Value]) -> float:
        """Steps or depth times the frame rate; 0 for the delay pattern."""
        steps, depth = sampling.get("steps"), sampling.get("depth", 0)
        return head_evaluations(self.preset, self.codec_preset, None if steps is None else int(steps), int(depth))

    def weight_bytes_per_frame(self, sampling: Mapping[str, Value]) -> dict[str, float]:
        """Bytes of weights that one frame reads, by part; the system must be loaded."""
        from reference_models.serving import sampling_from
        from reference_models.weight_bytes import weight_bytes

        assert self._server is not None
        return weight_bytes(self._server.model, self._server.codec, sampling_from(sampling))

    def generate(self, requests: Sequence[Request], sampling: Mapping[str, Value]) -> Iterator[Event]:
        """Make a batch. What a model cannot take becomes the failure `refused`, before any compute."""
        from reference_models.serving import End, Sound, sampling_from

        assert self._server is not None
        settings = sampling_from(sampling)
        prepared, asked = [], []
        for request in requests:
            try:
                prepared.append(self._server.prepare(self._wanted(request)))
                asked.append(request)
            except ModelError as error:
                yield Failure(request.item, request.seed, "refused", str(error))
        if not prepared:
            return
        given = sampling.get("eos_threshold")
        threshold = None if given is None else float(given)
        for event in self._server.run(prepared, settings, threshold, trace=any(one.trace for one in asked)):
            if isinstance(event, Sound):
                one = asked[event.row]
                yield Chunk(one.item, one.seed, event.samples.numpy(), self.codec_preset.sample_rate)
            elif isinstance(event, End):
                yield Done(asked[event.row].item, asked[event.row].seed, event.why)
            else:
                for one in asked:  # a step serves the whole batch; each sample is told its share
                    share = event.nanoseconds // len(asked)
                    yield Span(one.item, one.seed, event.name, event.step, share, event.start)

    def _wanted(self, request: Request) -> Wanted:
        import torch

        from reference_models.serving import Wanted

        prompt = None
        if request.prompt is not None and self._uses_prompt(request.task):
            prompt = torch.from_numpy(self._audio(request.prompt).copy())
        return Wanted(request.item, request.seed, request.task, request.text, prompt, request.duration)

    def _uses_prompt(self, task: str) -> bool:
        text = self.preset.text
        return task.endswith("continuation") or (task == "tts" and text is not None and text.voice_prompt)

    def _audio(self, prompt: Any) -> Any:
        """A prompt as float32 [1, samples] at the codec's rate. Raises ModelError when it is something else."""
        samples, rate = prompt.numpy(), self.codec_preset.sample_rate
        if self.resample_prompts:
            import soxr

            samples = samples.mean(axis=0, keepdims=True)
            return (
                samples if prompt.sample_rate == rate else soxr.resample(samples.T, prompt.sample_rate, rate, "VHQ").T
            )
        if prompt.sample_rate != rate:
            raise ModelError(
                f"the prompt has {prompt.sample_rate} Hz, this model {rate} Hz; set the option 'resample_prompts: true'"
            )
        if samples.shape[0] != 1:
            raise ModelError(
                f"the prompt has {samples.shape[0]} channels, this model one; set the option 'resample_prompts: true'"
            )
        return samples

    def _parameters(self) -> dict[str, Parameter]:
        preset, given = self.preset, self.preset.sampling
        known = {"temperature": Parameter(float(given.get("temperature", 1.0)), 0.0, 4.0)}
        if preset.kind == "calm":
            known["temperature"] = Parameter(
                float(given.get("temperature", 1.0)), 0.0, 4.0, help="variance of the head's noise"
            )
            known["steps"] = Parameter(int(given.get("steps", 1)), 1, 1000, help="head evaluations a frame")
        else:
            books = preset.codebooks or self.codec_preset.width
            known["top_k"] = Parameter(int(given.get("top_k", 0)), 0, 100_000, help="0 keeps all codes")
            known["depth"] = Parameter(int(given.get("depth", books)), 1, books, help="codebooks drawn")
        if preset.text is not None:
            known["cfg"] = Parameter(float(given.get("cfg", 1.0)), 0.0, 20.0, help="guidance weight, 1 is none")
        if preset.stop is not None:
            known["eos_threshold"] = Parameter(preset.stop.threshold, -100.0, 100.0, help="logit that ends speech")
        if preset.text_stream_tokens:
            known["text_temperature"] = Parameter(float(given.get("text_temperature", 0.7)), 0.0, 4.0)
        return known


def _checked(preset: Preset, file: Path | None, sha256: str | None) -> Path | None:
    """The checkpoint to use: the given one, else the bundled one, else None. Raises ModelError when it is not right."""
    if file is None:
        bundled = checkpoint_file(preset.name)
        if not bundled.is_file():
            return None
        file = bundled
    check_checkpoint(file, preset, sha256)
    return file


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name).absolute()
