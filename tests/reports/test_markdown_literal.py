"""Text of others comes out of a real Markdown renderer as the letters that went in."""

from __future__ import annotations

import html
import re

import pytest

from calm_eval.reports.markdown import escape, table

markdown_it = pytest.importorskip("markdown_it")

TEXTS = [
    "plain",
    "a|b",
    "`code` ``two`` `",
    "*bold* **b** _i_ __u__ ~~s~~",
    "<b>bold</b> <script>alert(1)</script>",
    "&amp; &lt; &#35; &copy; AT&T",
    "[link](http://example.org) ![image](x.png) [ref]: x",
    "# heading ##",
    "- a list",
    "+ a list",
    "1. a list",
    "12345. a list",
    "123.4",
    "---",
    "===",
    "> quote",
    "~~~",
    "back\\slash \\| \\\\",
    "$x^2$ {curly} !",
    "שלום עולם",
    "مرحبا بالعالم",
    "👩‍🚀 🇮🇸 é",
    "日本語 | 中文",
    "trailing \\",
    "http://example.org/a_b_c",
    "| :-- |",
]


def rendered(markdown: str) -> str:
    return markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


def text_of(page: str, tag: str) -> list[str]:
    return [html.unescape(cell) for cell in re.findall(rf"<{tag}(?: [^>]*)?>(.*?)</{tag}>", page, flags=re.DOTALL)]


@pytest.mark.parametrize("text", TEXTS)
def test_as_a_paragraph_a_heading_and_a_list_entry(text: str) -> None:
    for before, tag in (("", "p"), ("## ", "h2"), ("- ", "li")):
        assert text_of(rendered(before + escape(text)), tag) == [text]


@pytest.mark.parametrize("text", TEXTS)
def test_as_a_cell(text: str) -> None:
    page = rendered(table([escape(text), "b"], [[escape(text), "1"], [f"*{escape(text)}*", "2"]]))
    assert text_of(page, "th") == [text, "b"]
    first, one, _italic, two = text_of(page, "td")
    assert (first, one, two) == (text, "1", "2")


def test_italics_of_a_control_hold() -> None:
    page = rendered(table(["", "b"], [[f"*{escape('a*b_c')}*", "2"]]))
    assert "<em>a*b_c</em>" in page


@pytest.mark.parametrize("broken", ["a\nb", "a\r\n\r\nb", "a\tb", "a\u2028b", "a\x85b", "  a  b ", "a\x0bb"])
def test_line_breaks_become_spaces(broken: str) -> None:
    assert escape(broken) == "a b"


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\x00", "\x1b", "\ud800"])
def test_what_turns_or_hides_text_is_replaced(mark: str) -> None:
    assert escape(f"a{mark}b") == "a\ufffdb"
    escape(f"a{mark}b").encode()


def test_no_formula_where_the_page_is_shown_with_them() -> None:
    assert escape("$x$") == "\\$x\\$"


def test_table_by_hand() -> None:
    assert table(["", "x", "y"], [["a", "1", "2"]]) == "|  | x | y |\n| :-- | --: | --: |\n| a | 1 | 2 |"
