"""`python docs/minis_pictures.py [NAME ...]`: log-mel pictures of two samples of each mini with a checkpoint.

They go to docs/img/minis/NAME.png. With `--untrained` random weights sound too; with `--to DIR` they go elsewhere.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from minis_continuations import KINDS, PROMPT_SECONDS  # noqa: E402
from minis_continuations import chosen as pieces_of  # noqa: E402
from minis_generation import Asked, Workshop  # noqa: E402
from minis_material import ESPEAK, PIPER, HeldOut, clips, in_turns, sentences  # noqa: E402
from minis_outcome import RESULTS  # noqa: E402
from minis_statistics import HOP, RATE, Audio, log_mel  # noqa: E402
from minis_text2music import SECONDS  # noqa: E402
from minis_tts import speak  # noqa: E402

from calm_eval.audio.write import write_atomically  # noqa: E402
from calm_eval.reports.style import look  # noqa: E402
from reference_models.catalogue import card  # noqa: E402
from reference_models.presets import load_model_preset, names  # noqa: E402

LEVELS = 24
"""Shades; few, so that the files stay small."""
SPAN_DB = 70.0
WIDTH, DPI = 10.0, 140
LONGEST = 110
"""Letters of a title's line."""


@dataclass(frozen=True)
class Panel:
    """One spectrogram: its title, the sound, and where the generated part starts (s), if the sound has two parts."""

    title: str
    audio: Audio
    boundary: float | None = None


def panels(workshop: Workshop, name: str) -> list[Panel]:
    """Two samples of a preset; four panels for a codec, two for a model."""
    tasks = card(name).tasks
    if not tasks:
        return _codec(workshop, name)
    setting = _setting(name)
    if "tts" in tasks:
        said = _two_voices()
        made = speak(workshop, name, said, "test", setting)
        return [Panel(f"{clip.voice}: “{clip.text}”", one.audio) for clip, one in zip(said, made, strict=True)]
    if "text_to_music" in tasks:
        # Not all captions: the first two instruments tell what there is to tell.
        asked = in_turns(clips("mini-music", "test"), lambda clip: clip.tag("instrument"), 8)[:2]
        requests = [Asked(clip.id, "text_to_music", clip.text, None, SECONDS) for clip in asked]
        sounds = workshop.generate(name, requests, setting)
        return [Panel(f"“{clip.text}”", one.audio) for clip, one in zip(asked, sounds, strict=True)]
    kind = KINDS[tasks[0]]
    pieces = pieces_of(kind)[:2]
    asking = [Asked(one.clip.id, kind.task, None, one.prompt, kind.seconds) for one in pieces]
    sounds = workshop.generate(name, asking, setting)
    return [
        Panel(
            f"{piece.clip.id}: prompt | generated", np.concatenate([piece.prompt, made.audio]), boundary=PROMPT_SECONDS
        )
        for piece, made in zip(pieces, sounds, strict=True)
    ]


def draw(title: str, shown: list[Panel]) -> bytes:
    """The picture as PNG bytes of at most 256 colours."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from PIL import Image

    with look():
        figure = Figure(figsize=(WIDTH, 0.5 + 1.75 * len(shown)), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=10, fontweight="bold")
        longest = max(panel.audio.size for panel in shown) / RATE
        shades, scale = colormaps["cividis"].resampled(LEVELS), Normalize(-SPAN_DB, 0)
        for axes, panel in zip(np.atleast_1d(figure.subplots(len(shown), 1)), shown, strict=True):
            mel = log_mel(panel.audio)
            seconds = len(mel) * HOP / RATE
            axes.imshow(
                (mel - mel.max()).T,
                origin="lower",
                aspect="auto",
                cmap=shades,
                norm=scale,
                extent=(0, seconds, 0, mel.shape[1]),
                interpolation="nearest",
            )
            axes.set_title(panel.title if len(panel.title) <= LONGEST else panel.title[:LONGEST] + " …", fontsize=9)
            axes.set_ylabel("mel band")
            axes.set_xlim(0, longest)
            axes.grid(visible=False)
            if panel.boundary is not None:
                axes.axvline(panel.boundary, color="white", linewidth=2.5)
                axes.axvline(panel.boundary, color="#D55E00", linewidth=1.5, linestyle="--")
        axes.set_xlabel("seconds")
        bar = figure.colorbar(ScalarMappable(scale, shades), ax=figure.axes, shrink=0.6, pad=0.01)
        bar.set_label("dB under each panel's loudest")
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=DPI, format="png", metadata={"Software": None})
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def _codec(workshop: Workshop, name: str) -> list[Panel]:
    speech = name.endswith("speech")
    pieces = [] if speech else in_turns(clips("mini-music", "test"), lambda clip: clip.tag("piece"), 1000)
    shown = _two_voices() if speech else pieces[:2]
    made = []
    for clip in shown:
        sound = clip.audio()[: 5 * RATE]
        what = f"{clip.voice}: “{clip.text}”" if speech else clip.text
        made += [Panel(f"input: {what}", sound), Panel("round trip", workshop.round_trip(name, sound))]
    return made


def _two_voices() -> list[HeldOut]:
    """The first sentence of Piper and the first of espeak-ng, so that every picture shows the same ones."""
    return [sentences("test", engine, 1000)[0] for engine in (PIPER, ESPEAK)]


def _setting(name: str) -> dict[str, float | int]:
    """The setting that `benchmarks/minis.py` found best, else the preset's own."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")).get(name, {}) if RESULTS.is_file() else {}
    for figure in ("wer_best", "wer_one_step"):
        if figure in found:
            tuned: dict[str, float | int] = found[figure]["setting"]
            return tuned
    return dict(load_model_preset(name).sampling)


def _title(name: str, setting: Mapping[str, float | int] | None) -> str:
    how = "" if not setting else ": " + ", ".join(f"{key} {value:g}" for key, value in setting.items())
    return f"{name}{how}"


def main() -> int:
    """Returns 0, or 1 when a named preset has no checkpoint."""
    parser = argparse.ArgumentParser(description="Draw two samples of each mini.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "img" / "minis")
    parser.add_argument("--work", type=Path, help="a folder that keeps the audio, as benchmarks/minis.py has it")
    parser.add_argument("--untrained", action="store_true", help="let random weights sound")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    failed = 0
    with tempfile.TemporaryDirectory() as spare:
        workshop = Workshop(chosen.work or Path(spare), chosen.untrained)
        for name in chosen.names or [one for one in names() if one.startswith("mini-") and workshop.lacks(one) is None]:
            if (why := workshop.lacks(name)) is not None:
                print(f"{name}: {why}", file=sys.stderr)
                failed = 1
                continue
            setting = _setting(name) if card(name).tasks else None
            picture = draw(_title(name, setting), panels(workshop, name))
            write_atomically(chosen.to / f"{name}.png", picture)
            print(f"{name}.png: {len(picture) / 1000:.0f} kB")
    return failed


if __name__ == "__main__":
    sys.exit(main())
