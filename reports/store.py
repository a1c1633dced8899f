"""`python reports/store.py RUN`: put a few sounds of a full run of `suites/mini` into `reports/stored/`.

Of each of three suites the first items of the tables with the first seed, and what their metrics compare them with, as
16-bit FLAC at their own rate. The suites there need neither corpora nor models.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import soundfile

from calm_eval.runs.run import Run, load_run

HERE = Path(__file__).resolve().parent / "stored"
ITEMS = 12
PARTS = {"speech_continuation": ("prompt",), "music_continuation": ("reference",)}
"""By suite, the audio of an item that its metric looks at."""
SYSTEMS = {"tts": "mini-calm-tts", "speech_continuation": "mini-calm-speech", "music_continuation": "mini-calm-music"}


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 2:
        print("usage: python reports/store.py RUN", file=sys.stderr)
        return 2
    run = load_run(sys.argv[1])
    shutil.rmtree(HERE / "items", ignore_errors=True)
    shutil.rmtree(HERE / "sounds", ignore_errors=True)
    (HERE / "items").mkdir(parents=True)
    for suite in SYSTEMS:
        _store(run, suite)
    return 0


def _store(run: Run, suite: str) -> None:
    name = f"mini/{suite}"
    samples = run.samples()
    mine = samples[(samples["suite"] == name) & (samples["variant"] == SYSTEMS[suite]) & (samples["seed"] == 0)]
    paths = dict(zip(mine["item"], mine["path"], strict=True))
    rows = []
    for item in [one for one in run.items(name) if not one.tuning][:ITEMS]:
        _write(Path(str(paths[item.id])), HERE / "sounds" / suite / f"{item.id}.flac")
        row: dict[str, object] = {"id": item.id, "text": item.text, "speaker": item.speaker, "duration": item.duration}
        for part in PARTS.get(suite, ()):
            audio = item.audios[part]
            if audio is None:
                raise SystemExit(f"{item.id} has no {part}")
            row[part] = f"{suite}/{item.id}-{part}.flac"
            _write(audio.path, HERE / "items" / str(row[part]))
        rows.append(json.dumps({key: value for key, value in row.items() if value is not None}))
    (HERE / "items" / f"{suite}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _write(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    wave, rate = soundfile.read(source, dtype="float32")
    soundfile.write(target, wave, rate, subtype="PCM_16")


if __name__ == "__main__":
    sys.exit(main())
