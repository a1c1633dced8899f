"""Stores of frames and sound for training tests."""

import dataclasses
import json

import numpy as np

from reference_models.presets import load_codec_preset
from reference_models.training.store import Row, Store

LATENTS = 32


def write_store(folder, kind, values_of, texts=("one two", "three"), digest="d" * 64, codec="mini-vae-speech"):
    """A finished store of 12 training and 4 validation clips; `values_of(index)` gives a clip's values."""
    folder.mkdir(parents=True)
    pieces, rows, start = [], [], 0
    for index in range(16):
        values = values_of(index)
        split = "train" if index < 12 else "valid"
        rows.append(Row(f"clip{index}", split, texts[index % len(texts)], f"voice{index % 2}", start, len(values)))
        pieces.append(values)
        start += len(values)
    np.save(folder / "values.npy", np.concatenate(pieces))
    (folder / "clips.jsonl").write_text("".join(json.dumps(dataclasses.asdict(row)) + "\n" for row in rows))
    about = {"kind": kind, "corpus": "toy", "digest": digest, "terms": ["made by a test"]}
    if kind == "audio":
        about["rate"] = 16000
    else:
        about |= {"codec": codec, "codec_digest": load_codec_preset(codec).digest, "codec_sha256": "c" * 64}
    (folder / "about.json").write_text(json.dumps(about))
    return Store(folder)


def latents(index, frames=20):
    rng = np.random.default_rng(index)
    return rng.standard_normal((frames + index % 3, LATENTS)).astype(np.float16)
