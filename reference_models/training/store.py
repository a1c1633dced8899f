"""What training reads again and again, made once: audio at a codec's rate, or the frames that a codec makes of it.

A store is a folder of `values.npy` (memory-mapped), `clips.jsonl` and, written last, `about.json`. It is all that a
training on another machine needs: the frames of hours of audio are tens of megabytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reference_models.build import make_codec
from reference_models.checkpoint import file_hash, load_checkpoint
from reference_models.errors import ModelError
from reference_models.presets import CodecPreset
from reference_models.training.corpus import Clip, Corpus

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """One clip of a store: its values are `start` to `start + count`."""

    id: str
    split: str
    text: str | None
    speaker: str | None
    start: int
    count: int


class Store:
    """`kind`: "audio" (int16 [samples]), "latents" (float16 [frames, dimensions]) or "codes" (uint8 or int16).

    Raises ModelError when the folder is no finished store.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.about: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            lines = (folder / "clips.jsonl").read_text(encoding="utf-8").splitlines()
            self._values = np.load(folder / "values.npy", mmap_mode="r")
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder}: is no finished store of frames: {error}") from error
        self.folder, self.kind = folder, str(self.about["kind"])
        self.rows = [Row(**json.loads(line)) for line in lines]

    def split(self, name: str) -> list[Row]:
        """The rows of one split. Raises ModelError when there are none."""
        rows = [row for row in self.rows if row.split == name]
        if not rows:
            raise ModelError(f"{self.folder}: holds no clip of the split '{name}'")
        return rows

    def read(self, row: Row, start: int = 0, count: int | None = None) -> Tensor:
        """Values of a clip from `start` on: float32 samples in [-1, 1], float32 latents, or int64 codes."""
        stop = row.count if count is None else min(start + count, row.count)
        values = torch.from_numpy(np.array(self._values[row.start + start : row.start + stop]))
        if self.kind == "codes":
            return values.long()
        return values.float() / 32768 if self.kind == "audio" else values.float()

    def values(self) -> Tensor:
        """The latents of all training clips, float32 [frames, dimensions]."""
        return torch.cat([self.read(row) for row in self.split("train")])


def audio_store(corpus: Corpus, tag: str, rate: int, cache: Path, progress: Progress | None = None) -> Store:
    """The clips of a corpus at `rate` Hz, made where it is not there yet. Raises ModelError."""
    about = {"kind": "audio", "corpus": corpus.name, "digest": corpus.digest, "tag": tag, "rate": rate}

    def values(clip: Clip) -> np.ndarray[Any, Any]:
        samples = corpus.samples(clip, rate).clamp(-1.0, 32767 / 32768)
        whole: np.ndarray[Any, Any] = torch.round(samples * 32768).to(torch.int16).numpy()
        return whole

    return _made(cache, about, corpus, values, progress)


def frame_store(
    corpus: Corpus, tag: str, codec: CodecPreset, checkpoint: Path, cache: Path, progress: Progress | None = None
) -> Store:
    """The latents or codes of a corpus, made where they are not there yet. Raises ModelError."""
    about = {
        "kind": "latents" if codec.kind == "vae" else "codes",
        "corpus": corpus.name,
        "digest": corpus.digest,
        "tag": tag,
        "codec": codec.name,
        "codec_digest": codec.digest,
        "codec_sha256": file_hash(checkpoint),
    }
    model = make_codec(codec).eval()
    load_checkpoint(checkpoint, model, codec)
    small = torch.uint8 if codec.quantizer.get("cardinality", 0) <= 256 else torch.int16

    def values(clip: Clip) -> np.ndarray[Any, Any]:
        with torch.inference_mode():
            frames = model.encode(corpus.samples(clip, codec.sample_rate)[None, None])[0]
        found: np.ndarray[Any, Any] = frames.to(torch.float16 if codec.kind == "vae" else small).numpy()
        return found

    return _made(cache, about, corpus, values, progress)


def _made(
    cache: Path,
    about: dict[str, Any],
    corpus: Corpus,
    values: Callable[[Clip], np.ndarray[Any, Any]],
    progress: Progress | None,
) -> Store:
    parts = [about["corpus"], about.get("codec", f"{about.get('rate')}hz"), about["tag"] or "all"]
    identity = "".join(str(about.get(key, ""))[:8] for key in ("digest", "codec_sha256"))
    folder = cache / "-".join([*parts, identity])
    if (folder / "about.json").is_file():
        return Store(folder)
    clips = corpus.clips(about["tag"])
    pieces, rows, start = [], [], 0
    for number, clip in enumerate(clips, start=1):
        pieces.append(values(clip))
        rows.append(Row(clip.id, clip.split, clip.text, clip.speaker, start, len(pieces[-1])))
        start += len(pieces[-1])
        if progress is not None:
            progress(number, len(clips))
    try:
        building = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        np.save(building / "values.npy", np.concatenate(pieces))
        text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
        (building / "clips.jsonl").write_text(text, encoding="utf-8")
        (building / "about.json").write_text(json.dumps({**about, "terms": corpus.terms}, indent=2), encoding="utf-8")
        building.rename(folder)
    except OSError as error:
        raise ModelError(f"cannot write the frames to {folder}: {error}") from error
    return Store(folder)
