"""Two folders of audio and no suite: writes the suite and the system file that say the same, for the usual stages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval.audio.write import write_atomically
from calm_eval.data.audio_folder import SUFFIXES, audio_files
from calm_eval.data.texts import read_texts
from calm_eval.errors import InputError, StoreError
from calm_eval.judges import JUDGES
from calm_eval.metrics.bound import make_metric
from calm_eval.runs.order import Order
from calm_eval.specs.suite import JudgeUse, MetricUse
from calm_eval.systems.engine import Conditions

DEFAULT = ("fad", "fad_floor", "fad_infinity", "kad", "kl", "text_audio_agreement")
"""What is measured when no metric is named, as far as the input allows: pairs need equal ids, agreement needs texts."""


@dataclass(frozen=True)
class Folders:
    """Generated audio, the audio to compare it with, texts by id if there are any, and metrics as `NAME[:JUDGE]`."""

    generated: Path
    reference: Path
    texts: Path | None = None
    metrics: tuple[str, ...] = ()


def folder_order(folders: Folders, out: Path, conditions: Conditions, command: str) -> Order:
    """Write `inputs/suite.yaml` and `inputs/system.yaml` into `out`; the order that scores them.

    Raises InputError for folders without audio, ids that do not match where a metric compares pairs, texts without
    audio, unknown metrics; StoreError when `out` cannot be written.
    """
    generated, reference = audio_files(folders.generated), audio_files(folders.reference)
    texts = read_texts(folders.texts) if folders.texts is not None else {}
    unknown = sorted(texts.keys() - generated.keys())
    if unknown:
        raise InputError(
            f"{folders.texts}: '{unknown[0]}' is no clip of {folders.generated} ({len(unknown)} such rows)"
        )
    uses, left_out = _metrics(folders, generated.keys() == reference.keys(), generated.keys() <= texts.keys())
    paired = any(make_metric(use).spec.kind == "pair" or "reference" in make_metric(use).spec.needs for use in uses)
    if paired:
        _require_equal_ids(folders, set(generated), set(reference))
    notes = [
        *left_out,
        _material("Generated", folders.generated, generated),
        _material("Reference", folders.reference, reference),
        "Every judge hears one channel (the mean of all) at its own sample rate.",
    ]
    inputs = out / "inputs"
    rows = [{"id": name, **({"text": texts[name]} if name in texts else {})} for name in generated]
    items: dict[str, Any] = {"manifest": "items.jsonl"}
    if paired:
        items = {"folder": str(folders.reference.resolve()), "texts": "items.jsonl"}
    suite = {
        "name": "folders",
        "version": 1,
        "task": "text_to_audio",
        "title": f"{folders.generated.resolve().name} against {folders.reference.resolve().name}",
        "items": items,
        "reference_set": {"folder": str(folders.reference.resolve())},
        "metrics": [use.model_dump(exclude_none=True) for use in uses],
        "systems": ["system.yaml"],
        "notes": notes,
    }
    system = {"name": _harmless(folders.generated.resolve().name), "folder": str(folders.generated.resolve())}
    try:
        inputs.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_atomically(inputs / "items.jsonl", lines.encode())
        # JSON is YAML, and needs no quoting rules for paths.
        write_atomically(inputs / "suite.yaml", json.dumps(suite, indent=1, ensure_ascii=False).encode())
        write_atomically(inputs / "system.yaml", json.dumps(system, indent=1, ensure_ascii=False).encode())
    except OSError as error:
        raise StoreError(f"{out}: cannot be written ({error.strerror}); choose another folder with --out") from error
    return Order(suites=(str(inputs / "suite.yaml"),), conditions=conditions, command=command)


def _metrics(folders: Folders, same_ids: bool, have_texts: bool) -> tuple[list[MetricUse], list[str]]:
    """The metrics to measure, and why some of the default are left out."""
    if folders.metrics:
        return [_use(name) for name in folders.metrics], []
    uses, told = [], []
    for name in DEFAULT:
        spec = make_metric(MetricUse(name=name)).spec
        if spec.kind == "pair" and not same_ids:
            told.append(f"{spec.title} is left out: it compares pairs, and the folders do not hold the same ids.")
        elif "text" in spec.needs and not have_texts:
            told.append(f"{spec.title} is left out: it needs a text for every clip (--manifest).")
        else:
            uses.append(MetricUse(name=name))
    return uses, told


def _use(name: str) -> MetricUse:
    metric, _, judge = name.partition(":")
    use = MetricUse(name=metric, judge=JudgeUse(name=judge) if judge else None)
    make_metric(use)
    if judge:
        JUDGES.target(judge)
    return use


def _require_equal_ids(folders: Folders, generated: set[str], reference: set[str]) -> None:
    alone = [(folders.generated, generated - reference), (folders.reference, reference - generated)]
    told = [f"{len(names)} only in {where}: {_listed(names)}" for where, names in alone if names]
    if told:
        raise InputError(
            f"a metric compares pairs, and the folders do not hold the same ids ({'; '.join(told)}): add or remove "
            "files, or leave such metrics out with --metrics"
        )


def _listed(names: set[str], most: int = 5) -> str:
    shown = ", ".join(sorted(names)[:most])
    return shown if len(names) <= most else f"{shown}, ..."


def _material(title: str, folder: Path, files: dict[str, Path]) -> str:
    """What lies in a folder, from the headers of its files."""
    import soundfile

    forms: Counter[str] = Counter()
    for path in files.values():
        try:
            about = soundfile.info(path)
        except soundfile.SoundFileError:
            forms["not readable as audio"] += 1
        else:
            forms[f"{about.samplerate} Hz, {about.channels} channel{'s' if about.channels > 1 else ''}"] += 1
    parts = ", ".join(
        f"{count} at {form}" if "Hz" in form else f"{count} {form}" for form, count in forms.most_common()
    )
    others = sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix.lower() not in SUFFIXES)
    ignored = f" Not audio and left out: {_listed(set(others))}." if others else ""
    return f"{title}: {len(files)} clips ({parts}).{ignored}"


def _harmless(name: str) -> str:
    """A folder's name as the name of a system."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_.+-") else "-" for letter in name)
    return kept.lstrip("_.+-")[:100] or "generated"


def default_out(folders: Sequence[Path]) -> Path:
    """`runs/GENERATED-against-REFERENCE`: the same folders give the same run, so that the same command resumes."""
    generated, reference = (_harmless(one.resolve().name) for one in folders)
    return Path("runs") / f"{generated}-against-{reference}"
