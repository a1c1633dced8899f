"""The loss by a metric of the whole set: both rows' embeddings, the reference set, and the label swap over items."""

from __future__ import annotations

from calm_eval.errors import InputError
from calm_eval.gate.coverage import Side
from calm_eval.gate.embedded import Embedded, RunEmbedded, clips_of
from calm_eval.gate.looks import Look
from calm_eval.keys import seed_from
from calm_eval.metrics.bound import make_metric
from calm_eval.specs.policy import GateSpec
from calm_eval.stats.label_swap import set_loss
from calm_eval.stats.loss import Loss

Sources = tuple[Embedded, RunEmbedded]
"""Where the embeddings of the baseline lie, and those of the candidate."""


def loss_of_set(gate: GateSpec, before: Side, after: Side, sources: Sources, look: Look) -> Loss | None:
    """The loss on the items that both rows have; None where a row has no value.

    The reference set is the candidate's, which is the baseline's by its digest. Where the baseline keeps no embeddings
    a gate that only reports has no loss, and one that decides raises InputError.
    """
    judge = after.metric.judge_fingerprint
    assert judge is not None
    kept, made = sources
    first, second = clips_of(before.row, kept, judge, look.seeds), clips_of(after.row, made, judge, look.seeds)
    both = sorted(first.keys() & second.keys())
    if not both and not gate.primary:
        return None
    if not both:
        raise InputError(
            f"{gate.title}: the baseline keeps no embeddings by {after.metric.preset}; accept it with --embeddings, or "
            "gate with --rescore where it keeps audio"
        )
    metric = make_metric(after.metric.use)
    choice = metric.choice(  # type: ignore[union-attr]
        {name: first[name] for name in both},
        {name: second[name] for name in both},
        made.references(gate.suite, judge),
    )
    return set_loss(
        choice,
        both,
        higher_is_better=after.metric.spec.higher_is_better,
        alpha=look.alpha,
        seed=seed_from("gate", after.metric.fingerprint, gate.suite, gate.row),
    )
