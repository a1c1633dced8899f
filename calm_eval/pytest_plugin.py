"""The fixture `calm_eval_gate`: a gate as a test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from calm_eval.gate.decide import GateReport


class Gate(Protocol):
    """Holds a run against a baseline; the test fails unless the verdict is PASS."""

    def __call__(
        self,
        candidate: str | Path,
        baseline: str | Path,
        policy: str | Path | None = None,
        *,
        rescore: bool = False,
        inconclusive: bool = False,
        latency: str | Path | None = None,
    ) -> GateReport:
        """`inconclusive` lets an INCONCLUSIVE through, which is then the test's to read.

        `latency` is the folder of a latency measurement, where the policy gates times.
        """
        ...


@pytest.fixture
def calm_eval_gate() -> Gate:
    """Call it with a run folder and a baseline: the test fails with the page of the verdict unless that is PASS."""

    def gate(
        candidate: str | Path,
        baseline: str | Path,
        policy: str | Path | None = None,
        *,
        rescore: bool = False,
        inconclusive: bool = False,
        latency: str | Path | None = None,
    ) -> GateReport:
        # Imported here: every pytest session loads this file.
        from calm_eval.gate.as_markdown import gate_markdown
        from calm_eval.gate.gate_run import Blame, gate_run

        chosen, timed = (None if one is None else Path(one) for one in (policy, latency))
        report = gate_run(Path(candidate), Path(baseline), chosen, Blame(rescore), timed)
        if report.verdict == "FAIL" or (report.verdict == "INCONCLUSIVE" and not inconclusive):
            pytest.fail(gate_markdown(report), pytrace=False)
        return report

    return gate
