"""The tables of a suite on a small plan made by hand."""

from __future__ import annotations

import dataclasses

from calm_eval.reports.suite_table import column_title, failure_table, suite_table


def test_table_by_hand(plan, variant, cell) -> None:
    silence, piper, pipes = variant("silence", control=True), variant("piper"), variant("a|b x=1")
    cells = [
        cell(silence, "wer", 1.0, 1.0, 1.0),
        cell(silence, "rtf", None, scored=0, failures={"not-timed": 40}),
        cell(piper, "wer", 0.049, 0.028, 0.086),
        cell(piper, "rtf", 0.0612, 0.0591, 0.0633),
        cell(pipes, "wer", 0.13, 0.1, 0.17, scored=38, failures={"crash": 2}),
        cell(pipes, "rtf", None, scored=0, failures={"crash": 2, "not-timed": 38}),
    ]
    assert suite_table(plan(silence, piper, pipes), cells, ["rtf", "wer", "absent"]) == "\n".join(
        [
            "|  | RTF (s/s) ↓ | WER (%) ↓ |",
            "| :-- | --: | --: |",
            "| piper | 0.0612 [0.0591, 0.0633] | 4.9 [2.8, 8.6] |",
            "| a\\|b x=1 | – (0/40) | 13.0 [10.0, 17.0] (38/40) |",
            "| *silence* | – | 100 [100, 100] |",
        ]
    )


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


def test_an_unscored_row_says_why_and_counts_no_sample(plan, variant, cell) -> None:
    blank = dataclasses.replace(variant("blank"), unscored="un|trained")
    cells = [
        cell(blank, "wer", None, scored=0, failures={"unscored": 40}),
        cell(blank, "cer", None, scored=0, failures={"unscored": 40}),
        cell(blank, "rtf", 0.5, 0.4, 0.6, scored=38, failures={"crash": 2}, flags={"runaway": 3}),
    ]
    assert suite_table(plan(blank), cells, ["wer", "rtf"]).splitlines()[-1] == (
        "| blank | un\\|trained: quality not scored | 0.50 [0.40, 0.60] (38/40) |"
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
