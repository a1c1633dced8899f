"""A whole gate from paths: read both sides, score the baseline again where that is wished, decide."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.gate.baseline import Baseline, read_baseline
from calm_eval.gate.decide import GateReport, hold
from calm_eval.gate.embedded import KeptEmbedded, embedded_in
from calm_eval.gate.latency_line import LatencyLine, latency_lines
from calm_eval.gate.regenerate import settle
from calm_eval.gate.rescore import rescore
from calm_eval.gate.snapshot import snapshot_of
from calm_eval.latency.measured import read_measurement
from calm_eval.runs.run import load_run
from calm_eval.specs.policy import PolicySpec, load_policy


@dataclass(frozen=True)
class Blame:
    """What may be done to tell causes apart: score the baseline's audio `again`, make `items` anew by `system`."""

    again: bool = False
    items: int | None = None
    system: str | None = None


def gate_run(
    candidate: Path,
    baseline: Path,
    policy: Path | None = None,
    blame: Blame | None = None,
    latency: Path | None = None,
) -> GateReport:
    """The verdict on a run folder. Without `policy` that of the baseline holds.

    `latency` is the folder of a latency measurement, where the policy gates times. Raises InputError, StoreError,
    UnavailableError.
    """
    accepted = read_baseline(baseline)
    spec, where = policy_of(accepted, policy)
    times = _times(spec, where, latency)
    wish = blame if blame is not None else Blame()
    with tempfile.TemporaryDirectory() as scratch:
        report = _held(candidate, accepted, spec, where, Path(scratch), again=wish.again)
        if wish.items is not None:
            report = settle(report, load_run(candidate), Path(scratch) / "regenerated", wish.items, wish.system)
    return replace(report, latency=times)


def _times(spec: PolicySpec, where: str, folder: Path | None) -> list[LatencyLine]:
    """What the time gates say. Raises InputError where there is one and no measurement, or the other way round."""
    if not spec.latency and folder is None:
        return []
    if folder is None:
        raise InputError(
            f"{where} gates times: measure both systems in this job (`calm-eval latency NEW --against OLD --out DIR`) "
            "and name the folder with --latency"
        )
    if not spec.latency:
        raise InputError(f"--latency {folder}: {where} has no time gate (`latency:`)")
    return latency_lines(spec.latency, read_measurement(folder / "latency.json"))


def _held(
    candidate: Path, accepted: Baseline, spec: PolicySpec, where: str, scratch: Path, *, again: bool
) -> GateReport:
    run = load_run(candidate)
    # A run of many rows would be estimated whole for the few that are gated.
    rows = {(gate.suite, gate.row) for gate in spec.gates}
    with contextlib.ExitStack() as opened:
        made = opened.enter_context(embedded_in(run))
        if not again:
            return hold(snapshot_of(run, rows), accepted, spec, where, (KeptEmbedded(accepted.folder), made))
        scored = rescore(run, accepted, scratch)
        anew = opened.enter_context(embedded_in(scored))
        return hold(snapshot_of(run, rows), accepted, spec, where, (anew, made), snapshot_of(scored, rows))


def policy_of(baseline: Baseline, path: Path | None) -> tuple[PolicySpec, str]:
    """The policy and its name for errors: of `path`, else the baseline's own. Raises InputError where there is none."""
    found = path if path is not None else baseline.policy_path
    if not found.is_file():
        told = "no such file" if path is not None else "the baseline keeps none; name one with --policy"
        raise InputError(f"policy {found}: {told}")
    return load_policy(found), str(found)
