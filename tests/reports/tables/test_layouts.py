"""Layouts over a plan made by hand: which rows and columns, under which names, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from calm_eval.errors import InputError
from calm_eval.reports.source import Source
from calm_eval.reports.tables.ablation import ablation
from calm_eval.reports.tables.matrix import latency, paper
from calm_eval.reports.tables.sweep import sweep
from calm_eval.specs.layout import LayoutSpec, load_layout
from calm_eval.stats.paired import PairedDifference


@pytest.fixture
def source(plan, variant, cell, pairs):
    """CALM with steps and temperature swept, an RQ model, and the reference; WER, FAD and RTF."""

    def row(name: str, *, control: bool = False, **sampling: float):
        made = dataclasses.replace(variant(name, control=control), sampling=sampling)
        return dataclasses.replace(made, head_evaluations=None if control else 12.5)

    rows = [
        row("calm", steps=1, temperature=0.8),
        row("calm steps=4", steps=4, temperature=0.8),
        row("calm temperature=1", steps=1, temperature=1.0),
        row("rq", temperature=0.9),
        row("reference", control=True),
    ]
    cells = []
    for place, one in enumerate(rows):
        value = 0.1 * (place + 1)
        cells += [
            cell(one, "wer", value, value - 0.01, value + 0.01),
            cell(one, "fad", value, value - 0.01, value + 0.01),
            cell(one, "rtf", None if one.control else value, scored=0 if one.control else 40),
        ]
    return Source(plan(*rows), cells, pairs(), "calm-eval run t")


def shown(table, column: str) -> dict[str, float | None]:
    key = next(one.key for one in table.columns if one.title == column)
    return {row.name: row.entries[key].value for row in table.rows}


def test_paper_has_all_rows_and_what_they_cost(source) -> None:
    (table,) = paper(source, LayoutSpec(layout="paper"))
    assert [row.name for row in table.rows] == ["calm", "calm steps=4", "calm temperature=1", "rq", "reference"]
    assert [column.title for column in table.columns] == ["WER", "FAD", "RTF", "Head evaluations", "n"]
    assert shown(table, "WER")["rq"] == pytest.approx(40.0)  # in per cent, as the metric is shown
    assert table.rows[0].entries["wer"].mark == "best"
    assert table.rows[4].entries["heads"].words == "–"
    assert table.rows[4].kind == "control"
    assert (table.label, table.command) == ("t-paper", "calm-eval run t")


def test_rows_columns_names_and_digits_of_a_layout(source) -> None:
    layout = LayoutSpec.model_validate(
        {
            "layout": "paper",
            "rows": [{"row": "rq", "name": "RQ-Transformer"}, "calm*", "rq"],
            "columns": [{"column": "fad", "name": "Distance", "decimals": 3}, "n"],
            "decimals": 1,
            "title": "Mine",
            "label": "mine",
            "marks": False,
            "intervals": False,
        }
    )
    (table,) = paper(source, layout)
    assert [row.name for row in table.rows] == ["RQ-Transformer", "calm", "calm steps=4", "calm temperature=1"]
    assert [(column.title, column.places) for column in table.columns] == [("Distance", 3), ("n", None)]
    assert {entry.mark for row in table.rows for entry in row.entries.values()} == {""}
    assert (table.title, table.label, table.intervals) == ("Mine", "mine", False)
    assert "Brackets" not in table.caption


def test_latency_is_the_timing_of_what_generates(source) -> None:
    (table,) = latency(source, LayoutSpec(layout="latency"))
    assert [column.title for column in table.columns] == ["RTF", "Head evaluations", "n"]
    assert "reference" not in [row.name for row in table.rows]


def test_a_sweep_is_a_grid_for_each_system(source) -> None:
    (table,) = sweep(source, LayoutSpec(layout="sweep", metric="fad"))
    assert (table.stub, [column.title for column in table.columns]) == ("steps", ["temperature 0.8", "temperature 1"])
    grid = [[row.entry(column).value for column in table.columns] for row in table.rows]
    assert grid == [[pytest.approx(0.1), pytest.approx(0.3)], [pytest.approx(0.2), None]]
    assert table.rows[0].entries["temperature=0.8"].mark == "best"
    assert "lower is better) of calm." in table.caption


def test_a_sweep_without_a_metric_to_pick_by_shows_nothing(source) -> None:
    assert sweep(source, LayoutSpec(layout="sweep")) == []


def test_an_ablation_shows_differences_from_its_baseline(source, pairs) -> None:
    told = {
        ("wer", "calm", "rq"): PairedDifference(-0.3, -0.4, -0.2, 0.01, 40),
        ("wer", "calm steps=4", "rq"): PairedDifference(-0.2, -0.5, 0.1, 0.3, 40),
        ("rtf", "calm", "rq"): None,
        ("rtf", "calm steps=4", "rq"): None,
    }
    one = dataclasses.replace(source, pairs=pairs(told))
    layout = LayoutSpec(layout="ablation", rows=["rq", "calm", "calm steps=4", "reference"], baseline="rq")
    (table,) = ablation(one, layout)
    titles = [column.title for column in table.columns]
    assert titles == ["WER", "Δ", "FAD", "RTF", "Head evaluations", "n"]
    delta = [row.entries.get("wer/difference") for row in table.rows]
    assert delta[0] is None
    assert delta[3] is None  # a control is no part of an ablation
    assert (delta[1].value, delta[1].low, delta[1].sign) == (pytest.approx(-30), pytest.approx(-40), "*")
    assert (delta[2].value, delta[2].sign) == (pytest.approx(-20), "")
    assert "Δ: less rq" in table.caption


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ({"rows": ["nobody*"]}, "no row 'nobody*' in t; rows: calm, calm steps=4"),
        ({"columns": ["clap"]}, "no column 'clap' in t; columns: wer, fad, rtf, heads, n"),
        ({"layout": "sweep", "metric": "kl"}, "no metric 'kl' in t; metrics: wer, fad, rtf"),
        ({"layout": "ablation", "baseline": "calm steps=9"}, "baseline 'calm steps=9' is no row"),
    ],
)
def test_what_is_not_there_is_named(source, layout, said) -> None:
    spec = LayoutSpec.model_validate({"layout": "paper", **layout})
    with pytest.raises(InputError, match=said.replace("*", r"\*")):
        {"paper": paper, "sweep": sweep, "ablation": ablation}[spec.layout](source, spec)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layout: papers\n", "Input should be 'paper', 'sweep', 'ablation' or 'latency'"),
        ("layout: paper\ncolumn: [wer]\n", "unknown key 'column'; did you mean 'columns'?"),
        ("layout: paper\ndecimals: 9\n", "less than or equal to 6"),
        ("title: x\n", "key 'layout' is missing"),
        ("layout: sweep\ncolumns: [wer]\n", "'columns' says nothing in the layout sweep; it is read by: paper"),
        ("layout: paper\nbaseline: rq\n", "'baseline' says nothing in the layout paper; it is read by: ablation"),
        ("layout: paper\nlabel: a b\n", "should match pattern"),
    ],
)
def test_a_wrong_file_is_refused_by_line(tmp_path, text, said) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_layout(str(path))
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_layout_that_is_nowhere() -> None:
    with pytest.raises(InputError, match="layout 'papper': neither one of paper, sweep, ablation, latency nor a file"):
        load_layout("papper")


def test_controls_alone_are_no_table_of_latency(plan, variant, cell, pairs) -> None:
    silence = variant("silence", control=True)
    alone = Source(plan(silence), [cell(silence, "rtf", None, scored=0)], pairs())
    with pytest.raises(InputError, match="t has no rows but controls"):
        latency(alone, LayoutSpec(layout="latency"))
