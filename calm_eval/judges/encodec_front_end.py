"""How a clip is cut for the encoder of EnCodec, and the level rule of its 48-kHz model.

Source: facebookresearch/encodec (model.py: segments, `_encode_frame`), microsoft/fadtk (model_loader.py).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from calm_eval.judges.protocol import Mono

Framing = Literal["model", "fadtk"]

SEGMENT_SECONDS = 1.0
"""Of the 48-kHz model; the 24-kHz model hears a clip as one."""
STRIDES = {"model": 0.99, "fadtk": 1.0}
"""From one segment to the next, as a share of it."""
FADTK_SECONDS = 180
"""fadtk hears no more of a clip."""
LEAST_LEVEL = 1e-8


def segments_of(audio: Mono, sample_rate: int, framing: Framing) -> list[Mono]:
    """The pieces that are encoded one by one, the last as long as what is left.

    24 kHz: the clip. 48 kHz: pieces of 1 s, one each 0.99 s (`model`) or 1 s (`fadtk`). `fadtk` first cuts a clip
    after 180 s.
    """
    heard = audio[: FADTK_SECONDS * sample_rate] if framing == "fadtk" else audio
    if sample_rate != 48000:
        return [heard]
    size = round(SEGMENT_SECONDS * sample_rate)
    stride = round(STRIDES[framing] * size)
    return [heard[start : start + size] for start in range(0, heard.size, stride)]


def at_unit_level(segment: Mono) -> Mono:
    """A segment over its root mean square, which the 48-kHz model does before it encodes."""
    level = LEAST_LEVEL + float(np.sqrt(np.mean(segment.astype(np.float64) ** 2)))
    return (segment / level).astype(np.float32)
