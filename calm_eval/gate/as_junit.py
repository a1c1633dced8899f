"""The gate's verdict as JUnit XML, which CI servers show as tests: a failure for FAIL, an error for INCONCLUSIVE."""

from __future__ import annotations

from xml.etree import ElementTree

from calm_eval.gate.as_markdown import loss_text, ratio_text, why_text
from calm_eval.gate.decide import GateReport, Line
from calm_eval.gate.latency_line import LatencyLine


def gate_junit(report: GateReport) -> bytes:
    """One test case a gate. A gate that only reports is a case that passes, with its verdict in the output.

    INCONCLUSIVE is an error and not a skipped test: a server that shows it green would pass it by omission.
    """
    suite = ElementTree.Element(
        "testsuite",
        name=f"calm-eval gate {report.policy.policy}",
        tests=str(len(report.lines) + len(report.latency)),
        failures=str(report.decisive.count("FAIL")),
        errors=str(report.decisive.count("INCONCLUSIVE")),
    )
    for line in report.lines:
        name = f"{line.gate.row}: {line.spec.name}{f' by {line.gate.judge}' if line.gate.judge else ''}"
        told = f"loss {loss_text(line)} {line.spec.unit}, margin {line.gate.margin:g}; {why_text(line)}"
        _case(suite, line, line.gate.suite, name, told, line.cause)
    for time in report.latency:
        told = f"ratio {ratio_text(time)}, margin {time.gate.margin:g}; {time.why}"
        _case(suite, time, "latency", time.gate.title, told, None)
    ElementTree.indent(suite)
    text: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(
    suite: ElementTree.Element, line: Line | LatencyLine, group: str, name: str, told: str, cause: str | None
) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=_printable(group), name=_printable(name))
    told = _printable(f"{line.verdict}: {told}")
    if not line.gate.primary or line.verdict == "PASS":
        ElementTree.SubElement(case, "system-out").text = told
        return
    kind = "failure" if line.verdict == "FAIL" else "error"
    ElementTree.SubElement(case, kind, message=told, type=cause or line.verdict).text = told


def _printable(text: str) -> str:
    """XML 1.0 has no place for most control characters."""
    return "".join(letter if letter in "\t\n" or ord(letter) >= 32 else "�" for letter in text)
