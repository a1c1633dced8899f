"""`python docs/figure_pictures.py RUN GRID SIZES`: every figure by name, into docs/img, and the page that says how.

RUN holds the mini suites (`calm-eval run suites/mini --full`). GRID is a run of one suite over a grid:
`calm-eval run mini/music_continuation --systems mini-calm-music --sweep steps=1,2,4 temperature=0.6,0.8,1.0`. SIZES is
`calm-eval run docs/set-size.yaml --full --reuse RUN`.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from calm_eval.reports.figures.make import figure_of_run
from calm_eval.reports.figures.wish import FigureWish
from calm_eval.runs.run import load_run

IMG = Path(__file__).resolve().parent / "img"
MUSIC, SPEECH, CONTINUATION = "mini/music_continuation", "mini/tts", "mini/speech_continuation"
GRID_COMMAND = (
    "calm-eval run mini/music_continuation --systems mini-calm-music --sweep steps=1,2,4 temperature=0.6,0.8,1.0 "
    "--out runs/grid"
)
SIZES_COMMAND = "calm-eval run docs/set-size.yaml --full --reuse runs/mini --out runs/sizes"
NAMES = {"RUN": "mini", "GRID": "grid", "SIZES": "sizes"}
FIGURES = (
    ("RUN", "differences", MUSIC, FigureWish(metric="kl", rows=("mini-calm-music", "mini-rq-music"))),
    ("RUN", "distribution", SPEECH, FigureWish(metric="wer")),
    ("SIZES", "set-size", "set-size", FigureWish(metric="fad_infinity")),
    ("GRID", "heat-map", MUSIC, FigureWish(metric="kl")),
    ("RUN", "quality-diversity", CONTINUATION, FigureWish(metric="speaker_similarity", second="vert")),
)


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 4:
        print("usage: python docs/figure_pictures.py RUN GRID SIZES", file=sys.stderr)
        return 2
    folders = dict(zip(NAMES, map(Path, sys.argv[1:]), strict=True))
    lines = [
        "# Pictures",
        "Figures by name, with the command and the caption that it prints. `runs/mini` is `calm-eval run suites/mini "
        f"--full`, `runs/grid` is `{GRID_COMMAND}`, `runs/sizes` is `{SIZES_COMMAND}`.",
        "Redrawn by `python docs/figure_pictures.py runs/mini runs/grid runs/sizes`; the views of the page "
        "(`page-*.png`) by `python docs/page_pictures.py PAGE`.",
    ]
    for run, kind, suite, wish in FIGURES:
        stem = IMG / f"figure-{kind}"
        caption = figure_of_run(load_run(folders[run]), kind, wish, stem, suite)
        words = ["calm-eval", "figure", f"runs/{NAMES[run]}", kind, "--suite", suite]
        words += ["--metric", wish.metric] if wish.metric else []
        words += ["--second", wish.second] if wish.second else []
        words += ["--rows", *wish.rows] if wish.rows else []
        text = "\n".join(line for line in caption.splitlines() if not line.startswith("Made by: "))
        lines += [f"## {kind}", f"`{shlex.join(words)}`", f"![{kind}]({stem.name}.png)", text]
    (IMG / "README.md").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
