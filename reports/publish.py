"""`python reports/publish.py RUN`: put a run into the repository, by the suites that it holds.

A run of `suites/mini` becomes `reports/mini/` and a table of README.md; one of `more/ablation` becomes
`reports/ablation/`; one of `more/readings` the page of readings in `docs/`; a folder of `calm-eval latency` becomes
`reports/latency/NAME/`, named as the folder is.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
README = ROOT / "README.md"
SHOWN = "Music continuation, mini"
"""The section of the mini report whose first table stands in README.md."""
MARKS = "(<!-- {0}: begin -->\n).*?(<!-- {0}: end -->)"


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    run = Path(sys.argv[1]) if len(sys.argv) == 2 else None
    if run is None or not (run / "report.md").is_file():
        print("usage: python reports/publish.py RUN", file=sys.stderr)
        return 2
    publisher = _latency if (run / "latency.json").is_file() else PUBLISHERS.get(_kind(run))
    if publisher is None:
        print(f"{run}: holds none of {', '.join(PUBLISHERS)}", file=sys.stderr)
        return 2
    publisher(run)
    return 0


def _kind(run: Path) -> str:
    """The suite of a run, or `mini` for those of the folder."""
    with (run / "summary.csv").open(encoding="utf-8", newline="") as file:
        suites = {row["suite"] for row in csv.DictReader(file)}
    return "mini" if suites and all(name.startswith("mini/") for name in suites) else ",".join(sorted(suites))


def _mini(run: Path) -> None:
    _folder(run, HERE / "mini")
    lines = first_table(section((run / "report.md").read_text(encoding="utf-8"), SHOWN))
    _into_readme("mini table", defaults(lines))


def _ablation(run: Path) -> None:
    _folder(run, HERE / "ablation")


def _readings(run: Path) -> None:
    docs = ROOT / "docs"
    for figure in sorted((run / "figures").glob("more-readings-wer-rtf.*")):
        shutil.copyfile(figure, docs / "img" / figure.name)
    text = (run / "report.md").read_text(encoding="utf-8").replace("](figures/", "](img/")
    (docs / "readings.md").write_text(text, encoding="utf-8")
    shutil.copyfile(run / "summary.csv", docs / "readings.csv")


def _latency(run: Path) -> None:
    folder = HERE / "latency" / run.resolve().name
    _folder(run, folder)
    shutil.copyfile(run / "latency.csv", folder / "latency.csv")
    # Every span of every generation; without a time stamp the same measurement gives the same bytes.
    (folder / "latency.json.gz").write_bytes(gzip.compress((run / "latency.json").read_bytes(), mtime=0))


PUBLISHERS: dict[str, Callable[[Path], None]] = {
    "mini": _mini,
    "more/ablation": _ablation,
    "more/readings": _readings,
}


def _folder(run: Path, folder: Path) -> None:
    """Report, summary and figures of a run; the README.md beside them stays as it is written."""
    shutil.rmtree(folder / "figures", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    if (run / "figures").is_dir():
        shutil.copytree(run / "figures", folder / "figures")
    for name in ("report.md", "summary.csv"):
        if (run / name).is_file():
            shutil.copyfile(run / name, folder / name)


def section(text: str, title: str) -> str:
    """From the heading with this title to the next of its level."""
    begin = text.index(f"\n## {title}\n")
    end = text.find("\n## ", begin + 1)
    return text[begin : end if end >= 0 else len(text)]


def defaults(lines: Sequence[str]) -> list[str]:
    """Of a table of rows those without a moved parameter: each system at its defaults, and the controls."""
    return [*lines[:2], *(line for line in lines[2:] if "=" not in line.split("|")[1])]


def first_table(text: str) -> list[str]:
    """The lines of the first pipe table."""
    lines = itertools.dropwhile(lambda line: not line.startswith("|"), text.splitlines())
    return list(itertools.takewhile(lambda line: line.startswith("|"), lines))


def _into_readme(name: str, lines: Sequence[str]) -> None:
    table = "\n".join(lines) + "\n"
    marked = re.compile(MARKS.format(name), re.DOTALL)
    readme, count = marked.subn(lambda found: found[1] + table + found[2], README.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"{README.name} has {count} places marked '{name}', expected one")
    README.write_text(readme, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
