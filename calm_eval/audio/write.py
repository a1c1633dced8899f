"""Writing audio so that nothing is lost and nothing half written is ever seen under its final name."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from calm_eval.audio.clip import Clip, audio_key, pcm_bits, quantise


def encode_flac(clip: Clip) -> tuple[str, bytes]:
    """The key and the FLAC bytes of a clip with finite samples; 16 bits where they are exact, else 24."""
    bits = pcm_bits(clip.samples)
    integers = quantise(clip.samples, bits)
    buffer = io.BytesIO()
    # libsndfile takes left-aligned 32-bit integers and keeps the upper bits.
    aligned = np.ascontiguousarray((integers << (32 - bits)).T)
    soundfile.write(buffer, aligned, clip.sample_rate, format="FLAC", subtype=f"PCM_{bits}")
    return audio_key(integers, bits, clip.sample_rate), buffer.getvalue()


def write_atomically(path: Path, data: bytes) -> None:
    """Write bytes to a temporary name beside the target, fsync and rename. Raises OSError; leaves nothing partial."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        # Gone already when all went well.
        Path(temporary).unlink(missing_ok=True)
