"""What `reports/publish.py` takes from a report, and that it changes no page without a place for it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "reports" / "publish.py"
REPORT = "# Run\n\n## One\n\ntext\n\n| a | b |\n| :-- | --: |\n| x | 1 |\n\n| c |\n\n## Two\n\n| d |\n| e |\n"


@pytest.fixture
def publish(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("publish", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "README", tmp_path / "README.md")
    return module


def test_a_section_ends_at_the_next_and_its_first_table_is_taken(publish):
    assert publish.first_table(publish.section(REPORT, "One")) == ["| a | b |", "| :-- | --: |", "| x | 1 |"]
    assert publish.first_table(publish.section(REPORT, "Two")) == ["| d |", "| e |"]


def test_a_table_takes_the_place_of_the_old_one_and_a_missing_place_is_an_error(publish):
    publish.README.write_text("before\n<!-- table: begin -->\nold\n<!-- table: end -->\nafter\n")
    publish._into_readme("table", ["| new |"])
    assert publish.README.read_text() == "before\n<!-- table: begin -->\n| new |\n<!-- table: end -->\nafter\n"
    with pytest.raises(SystemExit, match="0 places marked 'other'"):
        publish._into_readme("other", ["| new |"])


def test_rows_at_their_defaults(publish):
    lines = ["| | a |", "| :-- | --: |", "| calm | 1 |", "| calm steps=4 | 2 |", "| *noise* | 3 |"]
    assert publish.defaults(lines) == [*lines[:3], lines[4]]


def test_a_run_is_known_by_its_suites(publish, tmp_path):
    (tmp_path / "summary.csv").write_text("suite,value\nmini/tts,1\nmini/music_continuation,2\n")
    assert publish._kind(tmp_path) == "mini"
    (tmp_path / "summary.csv").write_text("suite,value\nmore/readings,1\n")
    assert publish._kind(tmp_path) == "more/readings"
