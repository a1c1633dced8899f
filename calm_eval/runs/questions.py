"""What the judges of a suite are to be asked about: distinct sounds and texts, by their identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calm_eval.metrics.bound import BoundMetric
from calm_eval.metrics.protocol import Judged
from calm_eval.runs.asking import Question
from calm_eval.runs.database import Database
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.views import OF_SAMPLE, PAIRED, question_keys, text_key


def made_audios(database: Database) -> dict[str, str]:
    """The audio's key of each sample that has one, by the sample's key."""
    rows = database.connection.execute("SELECT key, audio FROM samples WHERE audio IS NOT NULL")
    return {row["key"]: row["audio"] for row in rows}


def parts_of_rows(plan: StoredPlan, users: Sequence[BoundMetric], *, tuning: bool = False) -> dict[str, set[Judged]]:
    """What these metrics have judged of each row. Nothing is heard for a row whose quality is not scored.

    With `tuning`, of the items on which samplings are picked: only what the suite picks by.
    """
    users = [one for one in users if not tuning or one.spec.name == plan.suite.pick]
    return {
        row.name: {part for one in users if row.measured_by(one.spec) for part in one.spec.judged}
        for row in plan.variants
    }


def questions(plan: StoredPlan, made: Mapping[str, str], users: Sequence[BoundMetric]) -> dict[str, Question]:
    """What is to be judged for these metrics of one judge, by the identity of the audio or text.

    `made` is what `made_audios` gives.
    """
    parts = {tuning: parts_of_rows(plan, users, tuning=tuning) for tuning in (False, True)}
    wanted: dict[str, Question] = {}
    for sample in plan.samples:
        audio = made.get(sample.key)
        if audio is not None:
            item = plan.items[sample.item]
            keys = question_keys(item, audio)
            for part in parts[item.tuning][sample.variant] & set(OF_SAMPLE):
                key, beside = keys[part], item.audios.get(PAIRED.get(part, ""))
                if key is not None:
                    wanted[key] = Question(audio=audio, path=beside.path if beside else None)
    of_rows = {tuning: set().union(*rows.values()) for tuning, rows in parts.items()}
    for item in plan.items.values():
        of_items = of_rows[item.tuning]
        for name, ref in item.audios.items():
            if name in of_items and ref is not None:
                wanted.setdefault(ref.identity, Question(path=ref.path))
        if "text" in of_items and item.text is not None:
            wanted.setdefault(text_key(item.text), Question(text=item.text))
    if "reference_set" in of_rows[False]:
        for ref in plan.reference_set.values():
            wanted.setdefault(ref.identity, Question(path=ref.path))
    return wanted
