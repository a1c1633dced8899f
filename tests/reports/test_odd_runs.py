"""Runs that are hardly runs: everything that reads a run says what there is and what is not, and breaks on none."""

from __future__ import annotations

import json
import sqlite3

import pytest

import calm_eval
from calm_eval.errors import StoreError
from calm_eval.reports.compare_report import compare_report
from calm_eval.reports.exports.results import results
from calm_eval.reports.page.make import write_page
from calm_eval.reports.page.wish import PageWish
from calm_eval.reports.tables.make import FORMATS, tables_of_run
from calm_eval.runs.compare import compare_runs
from calm_eval.specs.layout import LayoutSpec

FAILING = """
from calm_eval.systems.protocol import Failure, SystemInfo

class System:
    info = SystemInfo(("tts",), "other", 16000, version=1, config={})
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return None
    def generate(self, requests, sampling):
        for one in requests:
            yield Failure(one.item, one.seed, "gave-up", "no more")

create = System
"""


@pytest.fixture(params=["only failures", "one item", "one control", "half finished", "not scored"])
def odd(request, tmp_path, tone_suite, write_system):
    """A run, and a word that its report must have."""
    metrics = {"metrics": ["demo_level", "log_mel_distance", "rtf"], "systems": ["reference"]}
    if request.param == "only failures":
        system = str(write_system("broken", FAILING))
        return calm_eval.evaluate(str(tone_suite(3, **metrics)), [system], out=tmp_path / "run"), "gave-up ×3"
    if request.param == "one item":
        return calm_eval.evaluate(
            str(tone_suite(1, **metrics)), ["demo-sine", "reference"], out=tmp_path / "run"
        ), "1 × 1"
    if request.param == "one control":
        return calm_eval.evaluate(str(tone_suite(3, **metrics)), ["silence"], out=tmp_path / "run"), "silence"
    suite = str(tone_suite(3, **metrics))
    if request.param == "not scored":
        stages = ("generate", "report")
        return calm_eval.evaluate(suite, ["demo-sine"], out=tmp_path / "run", stages=stages), "not-scored ×3"
    run = calm_eval.evaluate(suite, ["demo-sine", "reference"], out=tmp_path / "run")
    with sqlite3.connect(run.folder / "run.sqlite") as connection:
        # As a run that was killed before its last item.
        connection.execute("DELETE FROM item_values WHERE sample IN (SELECT key FROM samples WHERE item = 'item-2')")
        connection.execute("DELETE FROM samples WHERE item = 'item-2'")
    calm_eval.evaluate(suite, ["demo-sine", "reference"], out=tmp_path / "run", stages=("report",))
    return run, "not-generated ×1"


def test_the_report_says_what_there_is(odd) -> None:
    run, word = odd
    assert word in (run.folder / "report.md").read_text()


def test_tables_page_export_and_comparison_of_it(odd, tmp_path) -> None:
    run, _ = odd
    for layout in ("paper", "ablation"):
        tables = tables_of_run(run, LayoutSpec(layout=layout))
        assert [len(table.rows) > 0 for table in tables] == [True]
        for write in FORMATS.values():
            assert write(tables)
    page = write_page(run, tmp_path / "page", PageWish())
    assert page.samples == len(run.samples())
    assert json.dumps(results(run), allow_nan=False)
    told = compare_report(compare_runs(run, run))
    assert "Nothing: systems, items, metrics, judges and environment are alike." in told


def test_a_run_of_another_schema_is_named(tmp_path, tone_suite) -> None:
    run = calm_eval.evaluate(str(tone_suite(1, metrics=["demo_level"], systems=["reference"])), out=tmp_path / "run")
    with sqlite3.connect(run.folder / "run.sqlite") as connection:
        connection.execute("UPDATE meta SET value = '1' WHERE key LIKE '%schema%'")
    with pytest.raises(StoreError, match="version"):
        calm_eval.load_run(run.folder)
