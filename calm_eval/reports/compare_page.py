"""A comparison of two runs as one HTML file that opens from disk, without a script."""

from __future__ import annotations

from calm_eval import __version__
from calm_eval.reports.compare_report import (
    HEADER,
    NO_CHANGES,
    NOTHING_MOVED,
    about,
    change_texts,
    line_texts,
    moved,
    names_of,
    summary,
)
from calm_eval.reports.page.make import WEB
from calm_eval.runs.compare import Comparison


def compare_page(comparison: Comparison) -> str:
    """The HTML text; whatever a name holds is text in it."""
    import jinja2

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(WEB), autoescape=True, keep_trailing_newline=True)
    before, after = names_of(comparison)
    return environment.get_template("compare.html.j2").render(
        title=f"{before} and {after}",
        version=__version__,
        style=(WEB / "page.css").read_text(encoding="utf-8"),
        about=about(comparison),
        summary=summary(comparison.compared),
        header=HEADER,
        changes=change_texts(comparison.changes),
        moved=[line_texts(one) for one in moved(comparison.compared)],
        compared=[line_texts(one) for one in comparison.compared],
        left_out=comparison.left_out,
        no_changes=NO_CHANGES,
        nothing_moved=NOTHING_MOVED,
    )
