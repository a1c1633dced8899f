"""Training corpora: manifest folders that a recipe makes anew on every machine, with a digest over every file.

A folder holds `train.jsonl`, `valid.jsonl`, `test.jsonl` and perhaps `reference_set.jsonl` (manifests of items whose
reference is the clip), `audio/`, `SHA256SUMS` (as `sha256sum -c` reads it) and, written last, `corpus.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import cache_folder
from calm_eval.data.building import build_folder
from calm_eval.errors import InputError
from calm_eval.registry import import_target

CORPORA: Mapping[str, str] = {
    "mini-speech": "calm_eval.data.speech_corpus:SpeechCorpus",
    "mini-music": "calm_eval.data.music_corpus:MusicCorpus",
}
"""Corpora that can be built: name to `module:class`."""

Split = Literal["train", "valid", "test", "reference_set"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CorpusClip:
    """One clip: mono float32 `samples` [frames] in [-1, 1] at `rate` Hz. `text` is a transcript or a caption."""

    split: Split
    id: str
    samples: NDArray[np.float32]
    rate: int
    text: str | None = None
    speaker: str | None = None
    tags: tuple[str, ...] = ()


class Recipe(Protocol):
    """A corpus to build. `identity` is a sha256 over everything that decides it; no audio is needed to know it."""

    @property
    def identity(self) -> str:
        """Sha256 (hex)."""
        ...

    @property
    def terms(self) -> Sequence[str]:
        """Where the data comes from and under what terms, a line each."""
        ...

    @property
    def count(self) -> int:
        """How many clips there will be."""
        ...

    def clips(self, split: Split | None = None) -> Iterator[CorpusClip]:
        """All clips, or those of one split, always in the same order and the same either way.

        Raises UnavailableError when a package is missing.
        """
        ...


def recipe(name: str) -> Recipe:
    """The recipe of a corpus. Raises InputError when there is none of that name."""
    if name not in CORPORA:
        raise InputError(f"no corpus '{name}'; there are: {', '.join(CORPORA)}")
    made: Recipe = import_target(CORPORA[name])()
    return made


def corpus_folder(name: str) -> Path:
    """Where `build_corpus` puts a corpus when it is told no other place."""
    return cache_folder() / "corpora" / f"{name}-{recipe(name).identity[:16]}"


def build_corpus(name: str, folder: Path | None = None, progress: Progress | None = None) -> Path:
    """The folder of a corpus, built where it is not there yet. `progress` gets the clips done and their number.

    Raises InputError for an unknown name or a folder that holds something else, UnavailableError when a package is
    missing, StoreError when the folder cannot be written.
    """
    return write_corpus(name, recipe(name), folder if folder is not None else corpus_folder(name), progress)


def build_split(name: str, split: Split, progress: Progress | None = None) -> Path:
    """A folder that holds one split of a corpus: the whole corpus where it is built, else that split alone is built.

    Training clips are many, and whoever only measures needs none of them. Raises as `build_corpus`.
    """
    whole = corpus_folder(name)
    if (whole / "corpus.json").is_file():
        return whole
    return write_corpus(name, recipe(name), whole.with_name(f"{whole.name}-{split}"), progress, split)


def write_corpus(
    name: str, source: Recipe, folder: Path, progress: Progress | None = None, split: Split | None = None
) -> Path:
    """As `build_corpus`, from any recipe; `split`: that one alone. A build that breaks leaves no folder behind."""
    if (folder / "corpus.json").is_file():
        found = json.loads((folder / "corpus.json").read_text(encoding="utf-8")).get("identity")
        if found != source.identity:
            raise InputError(f"{folder} holds another corpus (identity {found}, wanted {source.identity})")
        return folder
    if folder.exists():
        raise InputError(f"{folder} exists and is no finished corpus: remove it or name another folder")
    return build_folder(folder, "corpus.json", lambda building: _write(building, name, source, progress, split))


def describe_corpora() -> str:
    """A line for each corpus: name, clips, folder, and whether it is built."""
    lines = []
    for name in CORPORA:
        folder = corpus_folder(name)
        state = "built" if (folder / "corpus.json").is_file() else "not built"
        lines.append(f"{name}: {recipe(name).count:,} clips, {state}, {folder}")
    return "\n".join(lines)


def _write(folder: Path, name: str, source: Recipe, progress: Progress | None, split: Split | None) -> None:
    rows: dict[str, list[dict[str, object]]] = {}
    seconds: dict[str, float] = {}
    sums: dict[str, str] = {}
    count = source.count  # once: a recipe may have to plan every clip to know it
    chosen = source.clips() if split is None else source.clips(split)
    for number, clip in enumerate(chosen, start=1):
        path = f"audio/{clip.split}/{clip.id}.flac"
        sums[path] = _save(folder / path, clip)
        length = len(clip.samples) / clip.rate
        rows.setdefault(clip.split, []).append(
            {
                "id": clip.id,
                "text": clip.text,
                "speaker": clip.speaker,
                "reference": path,
                "duration": round(length, 6),
                "tags": list(clip.tags),
                "synthetic": True,
            }
        )
        seconds[clip.split] = seconds.get(clip.split, 0.0) + length
        if progress is not None:
            progress(number, count)
    if not rows:
        raise InputError(f"corpus '{name}' has no {'clip' if split is None else f'split {split!r}'}")
    for part, lines in rows.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines)
        (folder / f"{part}.jsonl").write_text(text, encoding="utf-8", newline="\n")
        sums[f"{part}.jsonl"] = hashlib.sha256(text.encode()).hexdigest()
    listed = "".join(f"{sums[path]}  {path}\n" for path in sorted(sums))
    (folder / "SHA256SUMS").write_text(listed, encoding="utf-8", newline="\n")
    about = {
        "name": name,
        "identity": source.identity,
        "digest": hashlib.sha256(listed.encode()).hexdigest(),
        "splits": {part: {"clips": len(rows[part]), "seconds": round(seconds[part], 3)} for part in rows},
        "terms": list(source.terms),
    }
    (folder / "corpus.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _save(path: Path, clip: CorpusClip) -> str:
    """Write 16-bit FLAC; return the file's sha256."""
    import soundfile

    scaled = np.rint(clip.samples.astype(np.float64) * 32768)
    if not np.isfinite(scaled).all() or scaled.size == 0 or scaled.max() > 32767 or scaled.min() < -32768:
        raise InputError(f"clip '{clip.id}' is empty, not finite, or louder than full scale")
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, scaled.astype(np.int16), clip.rate, format="FLAC", subtype="PCM_16")
    return hashlib.sha256(path.read_bytes()).hexdigest()
