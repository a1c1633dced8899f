"""What the trained minis are worth: every bar on corpora, codecs, speech, continuations and text-to-music.

`python benchmarks/minis.py [--only PART] [--systems NAME ...] [--work DIR]` prints the table and merges the figures
into `benchmarks/results/minis.json`. With `--work`, a second call reuses the audio and transcripts of the first.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import minis_codecs
import minis_continuations
import minis_text2music
import minis_tts
import torch
from bar import Bar
from minis_generation import Workshop
from minis_outcome import RESULTS, Outcome, save
from minis_words import Listener

Part = Callable[[Workshop, Listener, Sequence[str]], Outcome]
PARTS: dict[str, Part] = {
    "codecs": minis_codecs.measure,
    "tts": minis_tts.measure,
    "continuations": lambda workshop, _, systems: minis_continuations.measure(workshop, systems),
    "text2music": lambda workshop, _, systems: minis_text2music.measure(workshop, systems),
}
SYSTEMS = (
    *minis_codecs.MOST_ABOVE,
    "mini-vae-music",
    "mini-rvq-music",
    *dict.fromkeys(case.system for case in minis_tts.CASES),
    *minis_continuations.SPEECH,
    *minis_continuations.MUSIC,
    *minis_text2music.SYSTEMS,
)


def bars(work: Path | None = None) -> list[Bar]:
    """Everything, anew where `work` does not hold audio and transcripts of the same checkpoints."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(work or Path(folder), tuple(PARTS), SYSTEMS).bars


def measure(folder: Path, parts: Sequence[str], systems: Sequence[str], untrained: bool = False) -> Outcome:
    """The bars of these parts and systems; figures of trained ones are saved after each part."""
    torch.set_num_threads(1)
    workshop, listener = Workshop(folder, untrained), Listener(folder)
    outcome = Outcome()
    for part in parts:
        found = PARTS[part](workshop, listener, systems)
        if found.figures and not untrained:
            save(found.figures)
        outcome.add(found)
    return outcome


def main() -> int:
    """Returns 0 when no bar fails, 1 when one does."""
    parser = argparse.ArgumentParser(description="Measure the trained minis.")
    parser.add_argument("--only", choices=list(PARTS), help="one part")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), metavar="NAME", help="presets to measure")
    parser.add_argument("--work", type=Path, help="a folder that keeps audio and transcripts for a second call")
    parser.add_argument("--untrained", action="store_true", help="let random weights sound, to try the command")
    chosen = parser.parse_args()
    parts = [chosen.only] if chosen.only else list(PARTS)
    with tempfile.TemporaryDirectory() as spare:
        outcome = measure(chosen.work or Path(spare), parts, chosen.systems, chosen.untrained)
    words = {True: "PASS", False: "FAIL", None: "-"}
    for bar in outcome.bars:
        print(f"{words[bar.passed]:4}  {bar.name} ({bar.limit}): {bar.measured}")
    if outcome.figures and not chosen.untrained:
        print(f"figures in {RESULTS}")
    return 1 if any(bar.passed is False for bar in outcome.bars) else 0


if __name__ == "__main__":
    sys.exit(main())
