"""What GitHub Actions shows: annotations beside the change, and the step's summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from calm_eval.errors import StoreError
from calm_eval.gate.as_markdown import gate_markdown, why_text
from calm_eval.gate.decide import GateReport

_KINDS = {"FAIL": "error", "INCONCLUSIVE": "warning", "PASS": "notice"}


def annotation_lines(report: GateReport) -> Iterator[str]:
    """Workflow commands, one a gate that decides; a passing candidate has one notice."""
    told = [(line, why_text(line)) for line in report.lines] + [(line, line.why) for line in report.latency]
    decisive = [(line, why) for line, why in told if line.gate.primary]
    if report.verdict == "PASS":
        yield f"::notice title=calm-eval gate::PASS, {len(decisive)} gates"
        return
    for line, why in decisive:
        if line.verdict != "PASS":
            title = _property(f"{line.verdict} {line.gate.title}")
            yield f"::{_KINDS[line.verdict]} title={title}::{_data(why)}"


def write_summary(report: GateReport, environment: Mapping[str, str]) -> bool:
    """Append the page to the step's summary, if there is one. Raises StoreError when it cannot be written."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        return False
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(gate_markdown(report))
    except OSError as error:
        raise StoreError(f"GITHUB_STEP_SUMMARY: {path} cannot be written ({error.strerror})") from error
    return True


def _data(text: str) -> str:
    """Escaped as the runner unescapes the text of a command (actions/toolkit, packages/core/src/command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
