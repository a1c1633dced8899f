"""Two real runs held against each other: alike, moved, changed, and not comparable."""

from __future__ import annotations

import re

import pytest
import yaml

import calm_eval
from calm_eval.cli import main
from calm_eval.errors import InputError
from calm_eval.reports.compare_report import compare_report
from calm_eval.runs.compare import compare_runs

SYSTEM = """
import math
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo

class System:
    info = SystemInfo(("tts",), "continuous", 16000, version=VERSION, config={})
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return None
    def generate(self, requests, sampling):
        for one in requests:
            level = LEVEL * (1 + len(one.text) / 100 + one.seed % 7 / 100)
            yield Chunk(one.item, one.seed, array("f", [level * math.sin(n / 7) for n in range(4000)]), 16000)
            yield Done(one.item, one.seed)

create = System
"""


@pytest.fixture
def make(tmp_path, tone_suite, write_system):
    """A run of eight items by a system of a level, in a folder of its own."""
    suite = tone_suite(8, metrics=["demo_level", "log_mel_distance", "rtf"], systems=["reference"])

    def run(name, level=0.1, version=1, **wishes):
        code = SYSTEM.replace("VERSION", str(version)).replace("LEVEL", str(level))
        file = write_system(f"m{version}", code)
        file.write_text(yaml.safe_dump({"name": "hum", "python": f"m{version}_module:create"}))
        return calm_eval.evaluate(str(suite), [str(file), "reference"], out=tmp_path / name, **wishes)

    return run


def by_place(comparison):
    return {(one.row, one.metric.spec.name): one for one in comparison.compared}


def test_the_same_run_twice_has_the_same_values(make) -> None:
    comparison = compare_runs(make("one"), make("two"))
    found = by_place(comparison)
    assert {name for _, name in found} == {"demo_level", "log_mel_distance", "rtf"}
    quality = [one for (_, name), one in found.items() if name != "rtf"]
    assert {one.verdict for one in quality} == {"same"}
    assert all(one.difference.difference == 0 and one.detectable == 0 for one in quality)
    assert [one for one in comparison.changes if one.what != "environment"] == []
    assert comparison.left_out == []


def test_a_louder_system_has_moved_by_what_it_is_louder(make) -> None:
    """Twice the level on each of eight items: of 2^8 assignments only this one and its mirror lie so far out."""
    comparison = compare_runs(make("one", 0.1, 1), make("two", 0.2, 2))
    one = by_place(comparison)["hum", "demo_level"]
    assert one.after.value == pytest.approx(2 * one.before.value, rel=1e-3)
    assert one.difference.difference == pytest.approx(one.before.value, rel=1e-3)
    assert one.difference.p == pytest.approx(2 / 2**8)
    assert one.verdict in ("better", "worse")
    assert by_place(comparison)["reference", "demo_level"].verdict == "same"
    (changed,) = [one for one in comparison.changes if one.what == "system"]
    assert changed.name == "hum"
    assert changed.before != changed.after


def test_fewer_items_are_compared_on_what_both_have(make) -> None:
    comparison = compare_runs(make("one"), make("two", limit=5))
    assert by_place(comparison)["hum", "demo_level"].difference.n_items == 5
    assert [(one.what, one.before[:7], one.after[:7]) for one in comparison.changes if one.what == "items"] == [
        ("items", "8 items", "5 items")
    ]


def test_another_metric_is_not_compared(make, tmp_path) -> None:
    before = make("one")
    path = tmp_path / "suite" / "tones.yaml"
    suite = yaml.safe_load(path.read_text())
    suite["metrics"] = ["demo_level", "rtf", "silence_share"]
    path.write_text(yaml.safe_dump({**suite, "version": 2}))
    comparison = compare_runs(before, make("two"))
    assert dict(comparison.left_out) == {
        "tones: log_mel_distance by signal-pair": "not in the second run",
        "tones: silence_share by signal": "not in the first run",
    }
    assert ("suite version", "1", "2") in [(one.what, one.before, one.after) for one in comparison.changes]


def test_the_page_and_the_command(make, tmp_path, capsys) -> None:
    before, after = make("one", 0.1, 1), make("two", 0.2, 2)
    page = compare_report(compare_runs(before, after))
    assert re.search(r"\| tones \| hum \| [^|]* \| 0\.0852 \[[^|]* \| 0\.170\d* \[", page)
    assert main(["compare", str(before.folder), str(after.folder), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith("# one and two\n")
    assert (tmp_path / "out" / "compare.md").read_text() == page


def test_runs_without_a_common_suite_are_refused(make, tmp_path, tone_suite) -> None:
    before = make("one")
    path = tmp_path / "suite" / "tones.yaml"
    path.write_text(path.read_text().replace("name: tones", "name: other"))
    with pytest.raises(InputError, match="have no suite in common: tones and other"):
        compare_runs(before, make("two"))
    assert main(["compare", str(before.folder), str(tmp_path)]) == 2
