"""`python docs/publish.py RUN`: copy a run's report and figures into these pages (docs/mini-tts.md, docs/img/)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "report.md").is_file():
        print("usage: python docs/publish.py RUN", file=sys.stderr)
        return 2
    run = Path(sys.argv[1])
    (DOCS / "img").mkdir(exist_ok=True)
    for figure in sorted((run / "figures").glob("mini-tts-*")):
        shutil.copyfile(figure, DOCS / "img" / figure.name)
    text = (run / "report.md").read_text(encoding="utf-8").replace("](figures/", "](img/")
    (DOCS / "mini-tts.md").write_text(text, encoding="utf-8")
    shutil.copyfile(run / "summary.csv", DOCS / "mini-tts.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
