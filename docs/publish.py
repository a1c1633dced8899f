"""`python docs/publish.py RUN`: put a run of more/readings into these pages and its table into README.md."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
TABLE = re.compile(r"(<!-- table: begin -->\n).*?(<!-- table: end -->)", re.DOTALL)


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "report.md").is_file():
        print("usage: python docs/publish.py RUN", file=sys.stderr)
        return 2
    run = Path(sys.argv[1])
    (DOCS / "img").mkdir(exist_ok=True)
    for figure in sorted((run / "figures").glob("more-readings-wer-rtf.*")):
        shutil.copyfile(figure, DOCS / "img" / figure.name)
    text = (run / "report.md").read_text(encoding="utf-8").replace("](figures/", "](img/")
    (DOCS / "readings.md").write_text(text, encoding="utf-8")
    shutil.copyfile(run / "summary.csv", DOCS / "readings.csv")
    table = "\n".join(first_table(text)) + "\n"
    readme = README.read_text(encoding="utf-8")
    README.write_text(TABLE.sub(lambda found: found[1] + table + found[2], readme), encoding="utf-8")
    return 0


def first_table(text: str) -> list[str]:
    """The lines of the first pipe table."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next(number for number in range(begin, len(lines)) if not lines[number].startswith("|"))
    return lines[begin:end]


if __name__ == "__main__":
    sys.exit(main())
