"""How many sounds and texts each judge is still to be asked about, before the samples are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.database import Database
from calm_eval.runs.drift import window_questions
from calm_eval.runs.judgements import JUDGE_ERROR, JudgementStore
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.questions import made_audios, parts_of_rows, questions
from calm_eval.runs.rows import Variant
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.views import OF_SAMPLE, PAIRED
from calm_eval.runs.waiting import Waiting
from calm_eval.runs.work import Name, Piece

PLAYS = ("reference", "shuffled_texts", "shuffled_prompts")
"""Controls that play references as they are: together they are no more sounds than there are items."""


def judging(plans: Sequence[StoredPlan], waiting: Waiting, database: Database | None) -> list[Piece]:
    """Distinct sounds and texts that each judge has not judged yet, by the first suite that asks.

    A sample that is not made counts as one sound of its own, but for controls whose sounds are known to be the same.
    """
    pieces: list[Piece] = []
    asked: dict[str, set[str]] = {}
    keys = waiting.keys
    audios = made_audios(database) if database is not None else {}
    for plan in plans:
        judges: dict[str, list[BoundMetric]] = {}
        for bound in plan.metrics:
            if bound.judge_fingerprint is not None:
                judges.setdefault(bound.judge_fingerprint, []).append(bound)
        for judge, users in judges.items():
            if judge not in asked:
                asked[judge] = _judged(database, judge)
            wanted = _sounds(plan, users, keys, audios, database) - asked[judge]
            asked[judge] |= wanted
            pieces += _passes(plan.suite.name, judge, users[0], len(wanted))
    return pieces


def _passes(suite: str, judge: str, user: BoundMetric, count: int) -> list[Piece]:
    load: Name = ("load", suite, judge)
    name: Name = ("judge", suite, judge)
    keys = (f"judge/{judge[:16]}/{suite}", f"judge/{judge[:16]}", f"judge/{user.preset}")
    first = Piece(load, (f"load/{judge[:16]}", f"load/{user.preset}"), 1 if count else 0, 1.0)
    return [first, Piece(name, keys, count, float(count))]


def _judged(database: Database | None, judge: str) -> set[str]:
    """What this judge has judged for good; what it failed on is asked again."""
    if database is None:
        return set()
    query = "SELECT audio FROM judgements WHERE judge = ? AND refused = ?"
    again = {row["audio"] for row in database.connection.execute(query, [judge, JUDGE_ERROR])}
    return JudgementStore(database).known(judge) - again


def _sounds(
    plan: StoredPlan,
    users: Sequence[BoundMetric],
    waiting: Set[str],
    audios: Mapping[str, str],
    database: Database | None,
) -> set[str]:
    """Names of all that one judge is to be asked about; a stand-in for each sample that is not made."""
    made = replace(plan, samples=[one for one in plan.samples if one.key not in waiting])
    wanted = set(questions(made, audios, users))
    if database is not None:
        wanted |= set(window_questions(made, SampleStore(database), users))
    rows = {row.name: row for row in plan.variants}
    parts = {tuning: parts_of_rows(plan, users, tuning=tuning) for tuning in (False, True)}
    for sample in (one for one in plan.samples if one.key in waiting):
        row, item = rows[sample.variant], plan.items[sample.item]
        for part in parts[item.tuning][sample.variant] & set(OF_SAMPLE):
            if part not in PAIRED:
                wanted.add(f"to make:{_sound(row, sample, item.duration)}")
            elif item.audios[PAIRED[part]] is not None:
                wanted.add(f"to make:{part}:{row.name}:{_sound(row, sample, item.duration)}")
        for bound in users:
            if bound.use.drift is not None and row.measured_by(bound.spec) and not item.tuning:
                windows = int(item.duration / bound.use.drift) if item.duration is not None else 1
                wanted |= {f"to make:{sample.key}:{bound.use.drift}:{place}" for place in range(windows)}
    return wanted


def _sound(row: Variant, sample: StoredSample, duration: float | None) -> str:
    """A name that two samples share when their sounds will be the same."""
    kind = row.identity.get("control")
    if kind in PLAYS:
        return f"reference:{sample.item}"
    if kind == "silence":
        return f"silence:{duration if duration is not None else sample.item}"
    return f"{row.name}:{sample.item}" if kind == "round_trip" else sample.key
