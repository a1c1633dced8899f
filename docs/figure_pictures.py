"""`python docs/figure_pictures.py RUN GRID`: every figure by name, into docs/img, and the page that says how.

RUN holds the mini suites (`calm-eval run suites/mini --full`). GRID is a run of one suite over a grid:
`calm-eval run mini/music_continuation --systems mini-calm-music --sweep steps=1,2,4 temperature=0.6,0.8,1.0`.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from calm_eval.reports.figures.make import figure_of_run
from calm_eval.reports.figures.wish import FigureWish
from calm_eval.runs.run import load_run

IMG = Path(__file__).resolve().parent / "img"
MUSIC, SPEECH = "mini/music_continuation", "mini/tts"
GRID_COMMAND = (
    "calm-eval run mini/music_continuation --systems mini-calm-music --sweep steps=1,2,4 temperature=0.6,0.8,1.0 "
    "--out runs/grid"
)
FIGURES = (
    ("RUN", "differences", MUSIC, FigureWish(metric="kl", rows=("mini-calm-music", "mini-rq-music"))),
    ("RUN", "distribution", SPEECH, FigureWish(metric="wer")),
    ("RUN", "set-size", MUSIC, FigureWish(metric="fad")),
    ("GRID", "heat-map", MUSIC, FigureWish(metric="kl")),
    ("GRID", "quality-diversity", MUSIC, FigureWish(metric="kl", second="chroma_cosine")),
)


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 3:
        print("usage: python docs/figure_pictures.py RUN GRID", file=sys.stderr)
        return 2
    folders = {"RUN": Path(sys.argv[1]), "GRID": Path(sys.argv[2])}
    lines = [
        "# Pictures",
        "Figures by name, with the command and the caption that it prints. `runs/mini` is `calm-eval run suites/mini "
        f"--full`, `runs/grid` is `{GRID_COMMAND}`.",
        "Redrawn by `python docs/figure_pictures.py runs/mini runs/grid`; the views of the page (`page-*.png`) by "
        "`python docs/page_pictures.py PAGE`.",
    ]
    for run, kind, suite, wish in FIGURES:
        stem = IMG / f"figure-{kind}"
        caption = figure_of_run(load_run(folders[run]), kind, wish, stem, suite)
        words = ["calm-eval", "figure", f"runs/{'mini' if run == 'RUN' else 'grid'}", kind, "--suite", suite]
        words += ["--metric", wish.metric] if wish.metric else []
        words += ["--second", wish.second] if wish.second else []
        words += ["--rows", *wish.rows] if wish.rows else []
        text = "\n".join(line for line in caption.splitlines() if not line.startswith("Made by: "))
        lines += [f"## {kind}", f"`{shlex.join(words)}`", f"![{kind}]({stem.name}.png)", text]
    (IMG / "README.md").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
