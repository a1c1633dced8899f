"""One suite as the page's script reads it: rows, metrics, table cells, items, samples with values and words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from calm_eval.audio.clip import Clip
from calm_eval.audio.read import AudioError, read_sound
from calm_eval.data.item import AudioRef, Item
from calm_eval.keys import SHORT
from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.page.sounds import Sounds
from calm_eval.reports.page.wish import PageWish, heard_samples
from calm_eval.reports.page.words import aligned
from calm_eval.reports.source import Source
from calm_eval.reports.tables.entries import entry_of, plain_text
from calm_eval.reports.tables.marks import marks
from calm_eval.runs.database import Database
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.row_order import rows_like_any
from calm_eval.runs.rows import Variant
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.values import planned_values


def suite_data(source: Source, database: Database, sounds: Sounds, wish: PageWish) -> dict[str, Any]:
    """JSON values; writes the sounds that it names. Raises InputError for rows that are not there."""
    plan = source.plan
    rows = rows_like_any(plan.variants, wish.rows, plan.suite.name)
    samples = heard_samples(plan, rows, wish)
    items = [plan.items[name] for name in dict.fromkeys(one.item for one in samples)]
    suite = plan.suite
    continues = suite.task.endswith("_continuation")
    parts = {item.id: _item(item, sounds) for item in items}
    return {
        "name": suite.name,
        "title": suite.title,
        "notes": list(suite.notes),
        "seeds": plan.seeds,
        "items_in_tables": len(plan.items),
        "pick": suite.pick,
        "table": suite.table,
        "rows": [_row(row) for row in rows],
        "metrics": [_metric(bound) for bound in source.metrics],
        "cells": _cells(source, {row.name for row in rows}),
        "items": list(parts.values()),
        "samples": _samples(plan, database, sounds, samples, continues=continues),
    }


def _row(row: Variant) -> dict[str, Any]:
    return {
        "name": row.name,
        "system": row.system,
        "control": row.control,
        "heads": row.head_evaluations,
        "fingerprint": row.fingerprint[:SHORT],
    }


def _metric(bound: BoundMetric) -> dict[str, Any]:
    spec = bound.spec
    return {
        "key": bound.fingerprint[:SHORT],
        "name": spec.name,
        "title": bound.title,
        "unit": spec.unit,
        "higher": spec.higher_is_better,
        "scale": spec.scale,
        "kind": spec.kind,
        "timing": spec.timing,
        "judge": bound.preset,
        "definition": spec.definition,
    }


def _cells(source: Source, rows: set[str]) -> list[list[Any]]:
    """Row, metric, value to sort by, text, mark."""
    found = []
    for bound in source.metrics:
        mine = [cell for cell in source.cells if cell.metric.fingerprint == bound.fingerprint]
        marked = marks(mine, source.pairs.p)
        for cell in mine:
            if cell.variant.name in rows:
                entry, name = entry_of(cell), cell.variant.name
                found.append([name, bound.fingerprint[:SHORT], entry.value, plain_text(entry), marked.get(name, "")])
    return found


def _item(item: Item, sounds: Sounds) -> dict[str, Any]:
    return {
        "id": item.id,
        "text": item.text,
        "speaker": item.speaker,
        "prompt": _heard(item.prompt, sounds),
        "reference": _heard(item.reference, sounds),
    }


def _heard(audio: AudioRef | None, sounds: Sounds) -> dict[str, Any] | None:
    """The sound of a prompt or reference, or the name of the file where it cannot be read any more."""
    if audio is None:
        return None
    clip = _read(audio)
    return {"gone": audio.path.name} if clip is None else sounds.add(clip).json()


def _read(audio: AudioRef | None) -> Clip | None:
    """The audio of an item; None where there is none or it cannot be read: the item's own entry says so."""
    try:
        return None if audio is None else read_sound(audio.path)
    except AudioError:
        return None


def _samples(
    plan: StoredPlan, database: Database, sounds: Sounds, samples: Sequence[StoredSample], *, continues: bool
) -> list[dict[str, Any]]:
    store = SampleStore(database)
    values = _values(plan, database, samples)
    transcripts = _transcripts(plan, database)
    heard = dict.fromkeys(one.item for one in samples)
    prompts = {name: _read(plan.items[name].prompt) if continues else None for name in heard}
    found = []
    for one in samples:
        row = store.get(one.key)
        told: dict[str, Any] = {"row": one.variant, "item": one.item, "seed": one.seed, "made": row is not None}
        if row is not None:
            told |= {"failure": row["failure"], "why": row["failure_text"], "flags": json.loads(row["flags"])}
        if row is not None and row["audio"] is not None:
            told["sound"] = sounds.add(read_sound(store.audio_path(row["audio"])), prompts[one.item]).json()
            said = transcripts.get(row["audio"])
            text = plan.items[one.item].text
            if said is not None:
                told["said"] = said
                told["words"] = aligned(text, said) if text is not None else None
        told |= values.get((one.variant, one.item, one.seed), {"values": {}, "refused": {}})
        found.append(told)
    return found


def _values(
    plan: StoredPlan, database: Database, samples: Sequence[StoredSample]
) -> dict[tuple[str, str, int], dict[str, dict[str, Any]]]:
    """By sample, the value of each metric in display units, or why there is none."""
    wanted = {(one.variant, one.item, one.seed) for one in samples}
    found: dict[tuple[str, str, int], dict[str, dict[str, Any]]] = {}
    for bound in plan.metrics:
        if bound.spec.kind == "set":
            continue
        for sample, row in planned_values(database, plan, bound):
            place = (sample.variant, sample.item, sample.seed)
            if row is None or place not in wanted:
                continue
            told = found.setdefault(place, {"values": {}, "refused": {}})
            if row["numerator"] is None:
                told["refused"][bound.fingerprint[:SHORT]] = row["refused"]
            elif row["denominator"]:
                told["values"][bound.fingerprint[:SHORT]] = row["numerator"] / row["denominator"] * bound.spec.scale
    return found


def _transcripts(plan: StoredPlan, database: Database) -> Mapping[str, str]:
    """By audio, what the first judge that transcribes for this suite wrote."""
    for bound in plan.metrics:
        if bound.info is not None and bound.info.output == "transcript" and bound.judge_fingerprint is not None:
            rows = database.connection.execute(
                "SELECT audio, text FROM judgements WHERE judge = ? AND text IS NOT NULL", [bound.judge_fingerprint]
            )
            return {row["audio"]: row["text"] for row in rows}
    return {}
