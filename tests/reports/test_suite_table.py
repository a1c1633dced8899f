"""The tables of a suite on a small plan made by hand."""

from __future__ import annotations

import dataclasses

from calm_eval.reports.failure_table import failure_table
from calm_eval.reports.source import Source
from calm_eval.reports.suite_table import column_title, suite_table
from calm_eval.runs.row_order import ordered_rows


def test_table_by_hand(plan, variant, cell, pairs) -> None:
    silence, piper = variant("silence", control=True), variant("piper")
    pipes = dataclasses.replace(variant("a|b x=1"), head_evaluations=12.5)
    cells = [
        cell(silence, "wer", 1.0, 1.0, 1.0),
        cell(silence, "rtf", None, scored=0, failures={"not-timed": 40}),
        cell(piper, "wer", 0.049, 0.028, 0.086),
        cell(piper, "rtf", 0.0612, 0.0591, 0.0633),
        cell(pipes, "wer", 0.13, 0.1, 0.17, scored=38, failures={"crash": 2}),
        cell(pipes, "rtf", None, scored=0, failures={"crash": 2, "not-timed": 38}),
    ]
    assert suite_table(Source(plan(silence, piper, pipes), cells, pairs()), ["rtf", "wer", "absent"]) == "\n".join(
        [
            "|  | RTF (s/s) ↓ | WER (%) ↓ | Head evaluations (per s of audio) | n (items × seeds) |",
            "| :-- | --: | --: | --: | --: |",
            "| piper | 0.0612 [0.0591, 0.0633] | **4.9** [2.8, 8.6] | – | 40 × 1 |",
            "| a\\|b x=1 | – (0/40) | *13.0* [10.0, 17.0] (38/40) | 12.5 | 40 × 1 |",
            "| *silence* | – | 100 [100, 100] | – | 40 × 1 |",
            "",
            "Bold: the best system; in italics: the best of the others. A column without bold: no system could be told "
            "from the best.",
        ]
    )


def test_two_seeds_and_no_head_at_all(plan, variant, cell, pairs) -> None:
    delay = dataclasses.replace(variant("delay"), head_evaluations=0.0)
    one = cell(delay, "wer", 0.1, scored=96)
    seeds = dataclasses.replace(one, estimate=dataclasses.replace(one.estimate, n_expected=96, n_items=48, seeds=2))
    assert suite_table(Source(plan(delay), [seeds], pairs()), ["wer"]).splitlines()[-1] == "| delay | 10 | 0 | 48 × 2 |"


def test_the_default_first_then_one_parameter_at_a_time_by_size(plan, variant) -> None:
    def row(name: str, steps: int, temperature: float, mode: str = "plain"):
        return dataclasses.replace(
            variant(name), sampling={"steps": steps, "temperature": temperature, "mode": mode}, system=name.split()[0]
        )

    names = [
        "calm steps=4 temperature=1", "calm temperature=1", "calm mode=odd", "calm steps=16", "calm temperature=0.6",
        "calm", "calm steps=4", "other",
    ]  # fmt: skip
    wanted = [
        "calm", "calm steps=4", "calm steps=16", "calm temperature=0.6", "calm temperature=1", "calm mode=odd",
        "calm steps=4 temperature=1", "other", "noise",
    ]  # fmt: skip
    said = [dict(word.split("=") for word in name.split()[1:]) for name in names]
    rows = [
        row(name, int(one.get("steps", 1)), float(one.get("temperature", 0.8)), one.get("mode", "plain"))
        for name, one in zip(names, said, strict=True)
    ]
    assert ordered_rows([variant("noise", control=True), *rows]) == wanted


def test_direction_and_titles_of_plug_ins(variant, cell) -> None:
    one = cell(variant("a"), "dnsmos_ovrl", 3.1, 3.0, 3.2)
    assert column_title(one) == "DNSMOS (MOS) ↑"
    spec = dataclasses.replace(one.metric.spec, title="A|B", unit="<i>", higher_is_better=False)
    other = dataclasses.replace(one, metric=dataclasses.replace(one.metric, spec=spec))
    assert column_title(other) == "A\\|B (&lt;i&gt;) ↓"


def test_nothing_failed_no_table(plan, variant, cell) -> None:
    row = variant("piper")
    cells = [cell(row, "wer", 0.1), cell(row, "rtf", None, scored=0, failures={"not-timed": 40})]
    assert failure_table(plan(row), cells) is None


def test_failures_by_hand(plan, variant, cell) -> None:
    control, bad = variant("noise", control=True), variant("bad")
    cells = [
        cell(control, "wer", 0.3, flags={"clipped": 3}),
        cell(control, "rtf", None, scored=0, failures={"not-timed": 40}),
        cell(bad, "wer", 0.2, scored=37, failures={"crash": 2, "judge:a|b": 1}, flags={"silent": 4}),
        cell(bad, "rtf", 0.2, scored=38, failures={"crash": 2}, flags={"silent": 5}),
    ]
    assert failure_table(plan(control, bad), cells) == "\n".join(
        [
            "| row | what | effect |",
            "| :-- | :-- | :-- |",
            "| bad | crash ×2 | not scored by WER, RTF |",
            "| bad | judge:a\\|b ×1 | not scored by WER |",
            "| bad | silent ×5 | scored, and noticed |",
            "| noise | clipped ×3 | scored, and noticed |",
        ]
    )


def test_an_unscored_row_says_why_and_counts_no_sample(plan, variant, cell, pairs) -> None:
    blank = dataclasses.replace(variant("blank"), unscored="un|trained")
    cells = [
        cell(blank, "wer", None, scored=0, failures={"unscored": 40}),
        cell(blank, "cer", None, scored=0, failures={"unscored": 40}),
        cell(blank, "rtf", 0.5, 0.4, 0.6, scored=38, failures={"crash": 2}, flags={"runaway": 3}),
    ]
    assert suite_table(Source(plan(blank), cells, pairs()), ["wer", "rtf"]).splitlines()[-1] == (
        "| blank | un\\|trained: quality not scored | 0.50 [0.40, 0.60] (38/40) | – | 40 × 1 |"
    )
    assert failure_table(plan(blank), cells) == "\n".join(
        [
            "| row | what | effect |",
            "| :-- | :-- | :-- |",
            "| blank | un\\|trained: quality not scored | not scored by WER, CER |",
            "| blank | crash ×2 | not scored by RTF |",
            "| blank | runaway ×3 | timed, and noticed |",
        ]
    )
