"""Published numbers in a table: as printed, in a block of their own, only where metric and unit are the column's."""

from __future__ import annotations

import dataclasses

from calm_eval.reports.published import published_for
from calm_eval.reports.source import Source
from calm_eval.reports.tables.as_latex import latex
from calm_eval.reports.tables.as_markdown import markdown
from calm_eval.reports.tables.chosen import NamedColumn
from calm_eval.reports.tables.entries import column_of
from calm_eval.reports.tables.matrix import paper
from calm_eval.reports.tables.published_rows import published_rows
from calm_eval.specs.layout import ColumnUse, LayoutSpec


def test_rows_of_musiccaps(variant, cell) -> None:
    fad = cell(variant("mine"), "fad_audiocraft", 3.0)
    column = column_of(fad)
    rows = published_rows(
        published_for("paper/musiccaps"), [column], [NamedColumn(ColumnUse(column="fad_audiocraft"), fad.metric)]
    )
    by_name = {row.name: row for row in rows}
    assert by_name["MusicLM"].entries[column.key].words.startswith("4.00")
    assert by_name["MusicLM"].kind == "published"
    assert all(row.notes[0].startswith("From ") for row in rows)
    daggers = sum(row.entries[column.key].words.endswith("†") for row in rows)
    mine = [row for row in published_for("paper/musiccaps") if row.our_metric == "fad_audiocraft"]
    assert daggers == sum(row.evidence == "secondary" for row in mine) > 0
    assert len(rows) == len(mine)


def test_another_unit_stays_out(variant, cell) -> None:
    fad = cell(variant("mine"), "fad_audiocraft", 3.0)
    column = dataclasses.replace(column_of(fad), unit="furlongs")
    use = NamedColumn(ColumnUse(column="fad_audiocraft"), fad.metric)
    assert published_rows(published_for("paper/musiccaps"), [column], [use]) == []


def test_they_are_never_ranked_and_stand_last(plan, variant, cell, pairs) -> None:
    rows = [variant("a"), variant("b")]
    source = Source(
        plan(*rows),
        [cell(row, "fad_audiocraft", 900.0 + place, 899.9 + place, 900.1 + place) for place, row in enumerate(rows)],
        pairs(),
    )
    suite = source.plan.suite.model_copy(update={"name": "paper/musiccaps", "task": "text_to_music"})
    named = dataclasses.replace(source, plan=dataclasses.replace(source.plan, suite=suite))
    (table,) = paper(named, LayoutSpec(layout="paper"))
    assert [row.kind for row in table.rows][:2] == ["system", "system"]
    assert {row.kind for row in table.rows[2:]} == {"published"}
    assert {entry.mark for row in table.rows[2:] for entry in row.entries.values()} == {""}
    assert table.rows[0].entries["fad_audiocraft"].mark == "best"
    assert "never ranked" in table.caption
    assert "*MusicLM*" in markdown(table)
    assert r"\midrule" in latex(table).split("MusicLM")[0].split("b &")[-1]
    (without,) = paper(named, LayoutSpec(layout="paper", published=False))
    assert {row.kind for row in without.rows} == {"system"}
