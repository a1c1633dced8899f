"""What a codec is: audio to frames and back, whole or frame by frame."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.codecs.bottleneck import Posterior
from reference_models.codecs.decoded import Decoded, Levels
from reference_models.codecs.rvq import Quantised
from reference_models.errors import ModelError


class Encoder(Protocol):
    """Audio [B, 1, S * frame_size] -> features [B, S, features]; frame s sees samples below (s + 1) * frame_size."""

    frame_size: int
    features: int

    def __call__(self, audio: Tensor) -> Tensor:
        """The features of whole frames."""
        ...


class Decoder(Protocol):
    """Latents [B, S, latents] -> audio [B, 1, S * frame_size], the end of which waits `latency` samples in a stream."""

    frame_size: int
    latents: int
    latency: int

    def __call__(self, latents: Tensor) -> Tensor:
        """All audio at once."""
        ...

    def trained(self, latents: Tensor, audio: Tensor) -> Decoded:
        """All audio at once, with what else training may compare with the true `audio`, [B, 1, S * frame_size]."""
        ...

    def start(self, batch: int) -> Any:
        """The state before the first frame."""
        ...

    def step(self, latents: Tensor, state: Any) -> Tensor:
        """The samples [B, 1, *] that the next frames complete."""
        ...

    def flush(self, state: Any) -> Tensor:
        """The last `latency` samples, [B, 1, latency]; none if there was no frame."""
        ...


@dataclass(frozen=True)
class Reconstruction:
    """A training pass: audio [B, 1, S * frame_size], latents [B, S, C] as the decoder got them, and the bottleneck.

    `posterior` is there for a VAE, `quantised` for an RVQ codec, `levels` for a decoder that works on magnitudes.
    """

    audio: Tensor
    latents: Tensor
    levels: Levels | None = None
    posterior: Posterior | None = None
    quantised: Quantised | None = None


@dataclass
class CodecState:
    """One streaming decode of `batch` rows; `ended` after `flush`."""

    batch: int
    decoder: Any
    ended: bool = False


class Codec(nn.Module):
    """Mono audio at `sample_rate` Hz to frames at `frame_rate` Hz and back.

    `frame_size` samples make one frame. In a streaming decode the first frame gives `frame_size - latency` samples,
    each later one `frame_size`, and `flush` the rest; together they equal `decode`. All methods but `forward` are
    for inference and keep no gradients.
    """

    channels = 1

    def __init__(self, sample_rate: int, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        if encoder.frame_size != decoder.frame_size:
            raise ModelError(f"encoder frames of {encoder.frame_size} samples, decoder frames of {decoder.frame_size}")
        if sample_rate <= 0:
            raise ModelError(f"a sample rate of {sample_rate} Hz: give a positive one")
        self.sample_rate = sample_rate
        self.encoder = encoder
        self.decoder = decoder
        self.frame_size = encoder.frame_size
        self.frame_rate = sample_rate / encoder.frame_size
        self.latency = decoder.latency

    @abstractmethod
    def forward(self, audio: Tensor, generator: torch.Generator | None = None) -> Reconstruction:
        """A training pass with gradients; `generator` (CPU) makes its random draws."""

    @abstractmethod
    def latents(self, frames: Tensor) -> Tensor:
        """What the decoder takes, [B, S, latents], for checked frames. Raises ModelError for bad frames."""

    def padded(self, audio: Tensor) -> Tensor:
        """Audio [B, 1, T] in [-1, 1] with zeros on the right up to whole frames.

        Raises ModelError for another shape, no samples, samples that are not floating point or not finite.
        """
        if audio.dim() != 3 or audio.shape[1] != self.channels:
            raise ModelError(f"audio of shape {tuple(audio.shape)}: give [batch, {self.channels}, samples]")
        if audio.shape[0] == 0 or audio.shape[-1] == 0:
            raise ModelError(f"audio of shape {tuple(audio.shape)} has no samples")
        if not audio.is_floating_point():
            raise ModelError(f"audio of type {audio.dtype}: give floating point in [-1, 1]")
        if not bool(torch.isfinite(audio).all()):
            raise ModelError("audio has samples that are not finite")
        return functional.pad(audio, (0, -audio.shape[-1] % self.frame_size))

    def decode(self, frames: Tensor) -> Tensor:
        """Frames [B, S, ...] -> audio [B, 1, S * frame_size]. Raises ModelError for bad frames."""
        with torch.no_grad():
            return self.decoder(self.latents(frames))

    def start(self, batch: int) -> CodecState:
        """A streaming decode of `batch` rows. Raises ModelError if `batch` is not positive."""
        if batch < 1:
            raise ModelError(f"a stream of {batch} rows: give at least one")
        return CodecState(batch, self.decoder.start(batch))

    def step(self, frames: Tensor, state: CodecState) -> Tensor:
        """The audio [B, 1, *] that the next frames [B, n, ...] complete.

        Raises ModelError for bad frames, another batch size, or a stream that has ended.
        """
        with torch.no_grad():
            if state.ended:
                raise ModelError("this stream was flushed: start a new one")
            if frames.shape[0] != state.batch:
                raise ModelError(f"{frames.shape[0]} rows into a stream of {state.batch}")
            return self.decoder.step(self.latents(frames), state.decoder)

    def flush(self, state: CodecState) -> Tensor:
        """Ends the stream: its last `latency` samples [B, 1, latency], none if there was no frame."""
        with torch.no_grad():
            if state.ended:
                raise ModelError("this stream was flushed: start a new one")
            state.ended = True
            return self.decoder.flush(state.decoder)
