"""Every layout typeset by pdflatex with the preamble that its comment asks for, hostile names among them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

import calm_eval
from calm_eval.reports.tables.as_latex import PREAMBLE, latex
from calm_eval.reports.tables.make import LAYOUTS, tables_of_run
from calm_eval.reports.tables.model import Column, Entry, Row, Table
from calm_eval.specs.layout import LayoutSpec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("pdflatex") is None or shutil.which("pdftotext") is None,
        reason="needs texlive-latex-base, texlive-latex-recommended, texlive-science and poppler-utils from Debian",
    ),
]

HOSTILE = (
    "\\input{/etc/passwd}",
    "a & b % c $x^2$ #1 _ ~ { }",
    "<script> | \" ' `` ''",
    "é ß ×",
    "\\end{tabular}",
    "[x] \\\\",
    "\u0645\u0631 \U0001f3b5",
)


def typeset(folder, *tables: str) -> str:
    lines = [r"\documentclass{article}", *PREAMBLE, r"\begin{document}", *tables, r"\end{document}"]
    (folder / "t.tex").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    text = subprocess.run(
        ["pdftotext", "-layout", "t.pdf", "-"], cwd=folder, capture_output=True, text=True, check=False
    )
    return text.stdout


def test_hostile_names_are_printed_as_they_are(tmp_path) -> None:
    column = Column("v", "A & B", "%", higher_is_better=True)
    rows = [Row(name, "system", {"v": Entry(1.5, 1.0, 2.0, notes=(name,))}) for name in HOSTILE]
    text = typeset(tmp_path, latex(Table("T", "t", [column], rows, caption="A caption: " + " ".join(HOSTILE))))
    assert "\\input{/etc/passwd}" in text
    assert "a & b % c $x" in text
    assert "2$ #1" in text
    assert "\\end{tabular}" in text
    assert "root:" not in text


def test_every_layout_of_a_run(tmp_path, tone_suite) -> None:
    suite = tone_suite(4, metrics=["log_mel_distance", "demo_level", "rtf"], systems=["demo-sine", "reference"])
    run = calm_eval.evaluate(str(suite), out=tmp_path / "run", sweep={"frequency": [300, 440]})
    tables = [
        latex(table)
        for layout in LAYOUTS
        for table in tables_of_run(run, LayoutSpec(layout=layout, metric="demo_level" if layout == "sweep" else None))
    ]
    assert len(tables) == len(LAYOUTS)
    text = typeset(tmp_path, *tables)
    assert "demo-sine" in text
    assert "Fingerprints:" in text
