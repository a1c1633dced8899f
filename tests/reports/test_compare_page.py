"""A comparison as a page: the same lines as in Markdown, and names that stay text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from calm_eval.metrics.bound import bind
from calm_eval.reports.compare_page import compare_page
from calm_eval.reports.compare_report import compare_report, line_texts
from calm_eval.runs.changes import Change
from calm_eval.runs.compare import Compared, Comparison
from calm_eval.runs.run import Run
from calm_eval.specs.suite import MetricUse
from calm_eval.stats.estimate import Estimate
from calm_eval.stats.paired import PairedDifference

HOSTILE = "<script>alert('no')</script>"


class Page(HTMLParser):
    """The texts of table cells, and the tags that there are."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self._open = set(), [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "td":
            self._open = True
            self.cells.append("")

    def handle_endtag(self, tag):
        self._open = self._open and tag != "td"

    def handle_data(self, data):
        if self._open:
            self.cells[-1] += data


def estimate(value) -> Estimate:
    return Estimate(
        value, None if value is None else value - 0.1, None if value is None else value + 0.1, 4, 4, 4, 1, ""
    )


def comparison() -> Comparison:
    level = bind(MetricUse(name="demo_level"))
    worse = PairedDifference(-0.25, -0.3, -0.2, 0.01, 4)
    lines = [
        Compared("tones", HOSTILE, level, estimate(0.5), estimate(0.25), "item", worse, 0.1, 0.02, "worse"),
        Compared("tones", "hum", level, estimate(0.5), estimate(None), "item"),
    ]
    change = Change("system", HOSTILE, "a", "")
    return Comparison(Run(Path("one")), Run(Path("two")), [change], lines, [("tones: x", "only in one")])


def test_every_line_is_on_the_page_and_nothing_is_markup() -> None:
    told = comparison()
    page = Page(compare_page(told))
    assert not {"script", "img"} & page.tags
    texts = [text for one in told.compared for text in line_texts(one)]
    # What moved comes first, then what changed, then every line, then what was left out.
    assert page.cells == [*texts[:10], "system", HOSTILE, "a", "–", *texts, "tones: x", "only in one"]
    assert texts[:10] == [
        "tones", HOSTILE, "Level (RMS) ↑", "0.50 [0.40, 0.60]", "0.25 [0.15, 0.35]", "-0.250 [-0.300, -0.200]", "0.1",
        "4", "0.02", "worse",
    ]  # fmt: skip


def test_markdown_says_the_same() -> None:
    page = compare_report(comparison())
    assert "| tones | &lt;script&gt;alert('no')&lt;/script&gt; | Level (RMS) ↑ | 0.50 [0.40, 0.60] |" in page
    assert "| **worse** |" in page
    assert "| tones | hum | Level (RMS) ↑ | 0.50 [0.40, 0.60] | – (4/4) | – | – | – | – | cannot be tested |" in page
