"""LaTeX by hand, and text that must stay text; test_latex_compiles.py has it typeset."""

from __future__ import annotations

import pytest

from calm_eval.reports.tables.as_latex import escape, latex
from calm_eval.reports.tables.model import Column, Entry, Row, Table

FAD = Column("f", "FAD", "d²", higher_is_better=False)
N = Column("n", "n", "items × seeds")


def table(**changes) -> Table:
    rows = [
        Row("ref_1", "control", {"f": Entry(0.5)}),
        Row("calm 50%", "system", {"f": Entry(1.234, 1.1, 1.41, mark="best"), "n": Entry(words="8 × 2")}),
        Row("rq", "system", {"f": Entry(-2.5, -3.0, -2.0, counted=(7, 8), notes=("not scored: crash ×1",),
                                        mark="second"), "n": Entry(words="8 × 2")}),
        Row("MusicGen", "published", {"f": Entry(words="3.40†")}, notes=("From a paper.", "not scored: crash ×1")),
    ]  # fmt: skip
    about = {"title": "T", "label": "t", "columns": [FAD, N], "rows": rows, "caption": "A & B.", **changes}
    return Table(**about)


def body(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[lines.index(r"\toprule") : lines.index(r"\bottomrule") + 1]


def test_rows_by_hand() -> None:
    assert body(latex(table())) == [
        r"\toprule",
        r" & FAD (d\textsuperscript{2}) $\downarrow$ & n (items $\times$ seeds) \\",
        r"\midrule",
        r"calm 50\% & \textbf{\num{1.23}} {\scriptsize [\num{1.10}, \num{1.41}]} & 8 $\times$ 2 \\",
        r"rq & \underline{\num{-2.50}} {\scriptsize [\num{-3.00}, \num{-2.00}]} {\scriptsize (7/8)}"
        r"\textsuperscript{a} & 8 $\times$ 2 \\",
        r"\midrule",
        r"\textit{ref\_1} & \num{0.5} & -- \\",
        r"\midrule",
        r"\textit{MusicGen}\textsuperscript{b,a} & 3.40\textdagger{} & -- \\",
        r"\bottomrule",
    ]


def test_what_stands_with_the_table() -> None:
    text = latex(table(command="calm-eval run x_y", fingerprints={"FAD": "12ab"}, notes=["Whole."]))
    assert r"\caption{A \& B.}" in text
    assert r"\label{tab:t}" in text
    below = text.split(r"\end{tabular}}")[1]
    assert below.index(r"\textsuperscript{a}\,not scored: crash $\times$1\par") < below.index(
        r"\textsuperscript{b}\,From a paper.\par"
    )
    assert r"Whole.\par" in below
    assert r"Fingerprints: FAD \texttt{12ab}.\par" in below
    assert r"Made by \texttt{calm-eval run x\_y}.\par" in below


def test_without_intervals_and_with_fixed_decimals() -> None:
    column = Column("f", "FAD", places=1)
    assert body(latex(table(columns=[column], intervals=False)))[3:5] == [
        r"calm 50\% & \textbf{\num{1.2}} \\",
        r"rq & \underline{\num{-2.5}} {\scriptsize (7/8)}\textsuperscript{a} \\",
    ]


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("a & b % c $x^2$ #1 _", r"a \& b \% c \$x\textasciicircum{}2\$ \#1 \_"),
        ("a\nb\\\\", r"a b\textbackslash{}\textbackslash{}"),
        ("~<|>\"'", r"\textasciitilde{}\textless{}\textbar{}\textgreater{}\char34{}'"),
        ("``''", "`{}`'{}'"),
        ("left\u202eright\x07", "leftright"),
        ("Ä é ß", "Ä é ß"),
        ("Δ ∞ ≤", r"$\Delta$ $\infty$ $\leq$"),
        ("\u0645", "\\ifdefined\\Umathchar \u0645\\else[U+0645]\\fi{}"),
    ],
)
def test_text_stays_text(text: str, literal: str) -> None:
    assert escape(text) == literal


def test_many_footnotes_have_their_own_signs() -> None:
    rows = [Row(f"r{place}", "system", {"f": Entry(1.0, notes=(f"note {place}",))}) for place in range(28)]
    lines = body(latex(table(rows=rows)))
    assert lines[3].startswith(r"r0 & \num{1}\textsuperscript{a}")
    assert lines[28].startswith(r"r25 & \num{1}\textsuperscript{z}")
    assert lines[30].startswith(r"r27 & \num{1}\textsuperscript{ab}")
