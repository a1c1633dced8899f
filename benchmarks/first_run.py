"""The bars of the first run: the default mini TTS suite, twice, and the recogniser on real speech."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from bar import Bar
from measured_process import Measured, run_measured

from calm_eval import load_run
from calm_eval.data.load import suite_items
from calm_eval.runs.run import Run
from calm_eval.specs.suite import load_suite

ROOT = Path(__file__).resolve().parent.parent
CLI = [sys.executable, "-m", "calm_eval.cli"]
QUALITY = ["suite", "system", "variant", "metric", "preset", "value", "low", "high", "n_scored", "n_expected", "seeds",
           "fingerprint"]  # fmt: skip
TIMED = ("rtf", "first_audio")


def bars(work: Path | None = None) -> list[Bar]:
    """Measure everything; takes about a quarter of an hour on two cores."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run([*CLI, "assets", "fetch"], check=True, stdout=subprocess.DEVNULL)
        suite_items(load_suite("more/readings"))
        first = run_measured([*CLI, "run", "more/readings", "--out", str(place / "first")], ROOT)
        second = run_measured([*CLI, "run", "more/readings", "--out", str(place / "second")], ROOT)
        run = load_run(place / "first")
        return [
            *_cost(first, second, run),
            _help(),
            *_controls(run),
            _voices(run),
            _repeat(place / "first", place / "second"),
            _by_hand(run),
            *_real_speech(place),
            _tests("ten SIGKILLs at random points, resumed", "tests/runs/test_kill_and_resume.py"),
            _tests("planted segfault, hang, flood, import conflict", "tests/runs/test_bad_systems.py"),
            _tests("bad audio, bad items, hostile words", "tests/runs/test_bad_audio_and_text.py"),
            _tests("full disk, locked run, foreign folder", "tests/runs/test_storage_trouble.py"),
        ]


def _estimates(run: Run, metric: str) -> dict[str, dict[str, Any]]:
    """Rows of the summary for one metric, by variant."""
    rows: list[dict[str, Any]] = json.loads(run.summary().to_json(orient="records"))
    return {row["variant"]: row for row in rows if row["metric"] == metric}


def _values(run: Run, metric: str) -> list[dict[str, Any]]:
    """Per-item values of one metric."""
    rows: list[dict[str, Any]] = json.loads(run.values().to_json(orient="records"))
    return [row for row in rows if row["metric"] == metric]


def _cost(first: Measured, second: Measured, run: Run) -> list[Bar]:
    samples = run.samples()
    rows, items = samples["variant"].nunique(), samples["item"].nunique()
    call: dict[str, Any] = json.loads(run.invocations().to_json(orient="records"))[0]
    outside = 1 - (call["model_seconds"] + call["judge_seconds"]) / first.seconds
    codes = (first.code, second.code)
    tree = max(first.peak_tree, second.peak_tree) / 1e9
    return [
        Bar(
            "default run, assets cached",
            "at most 10 rows, 40 items, 480 s",
            f"{rows} rows, {items} items, {first.seconds:.0f} s and {second.seconds:.0f} s, exit codes {codes}",
            rows <= 10 and items == 40 and max(first.seconds, second.seconds) <= 480 and codes == (0, 0),
        ),
        Bar("wall time outside model and judge calls (outer stopwatch)", "under 5 %", f"{outside:.1%}", outside < 0.05),
        Bar("peak resident memory, whole process tree", "under 2 GB", f"{tree:.2f} GB", tree < 2.0),
    ]


def _help() -> Bar:
    seconds = []
    for _ in range(9):
        began = time.perf_counter()
        subprocess.run([*CLI, "--help"], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds)
    return Bar("calm-eval --help, median of 9", "under 0.5 s", f"{median:.2f} s", median < 0.5)


def _controls(run: Run) -> list[Bar]:
    wer = {variant: row["value"] for variant, row in _estimates(run, "wer").items()}
    reference, noise, silence = wer["reference"], wer["noise-5db"], wer["silence"]
    shuffled = wer["shuffled-texts"]
    return [
        Bar(
            "WER: reference better than 5 dB noise better than silence",
            "strictly",
            f"{reference:.3f} < {noise:.3f} < {silence:.3f}",
            reference < noise < silence,
        ),
        Bar("WER of shuffled texts", "near or above 1", f"{shuffled:.3f}", shuffled > 0.9),
    ]


def _voices(run: Run) -> Bar:
    speakers = {item.id: item.speaker or "" for item in suite_items(load_suite("more/readings"))}
    piper = [row for row in _values(run, "speaker_similarity") if row["variant"] == "piper"]
    inside = [row["value"] for row in piper if speakers[row["item"]] == "piper-joe"]
    outside = [row["value"] for row in piper if speakers[row["item"]] != "piper-joe"]
    same, other = statistics.mean(inside), statistics.mean(outside)
    return Bar(
        "speaker similarity of Piper: same voice above different voice",
        "mean above mean",
        f"{same:.3f} (lowest {min(inside):.3f}) and {other:.3f} (highest {max(outside):.3f})",
        same > other,
    )


def _repeat(first: Path, second: Path) -> Bar:
    def text(folder: Path) -> list[str]:
        table = pd.read_csv(folder / "summary.csv", dtype=str)
        return table[~table["metric"].isin(TIMED)][QUALITY].to_csv(index=False).splitlines()

    one, two = text(first), text(second)
    different = sum(a != b for a, b in zip(one, two, strict=True))
    return Bar(
        "a second run in another folder: quality columns",
        "identical, digit for digit",
        f"{different} of {len(one) - 1} rows differ",
        different == 0,
    )


def _by_hand(run: Run) -> Bar:
    import jiwer

    worst = 0.0
    values = _values(run, "wer")
    for variant, estimate in _estimates(run, "wer").items():
        parts = [json.loads(row["parts"]) for row in values if row["variant"] == variant]
        by_hand = jiwer.wer([one["reference"] for one in parts], [one["hypothesis"] for one in parts])
        worst = max(worst, abs(by_hand - estimate["value"]))
    measured = f"largest difference {worst:.1e}"
    return Bar("corpus WER of every row against jiwer by hand", "equal", measured, worst < 1e-9)


def _real_speech(place: Path) -> list[Bar]:
    name = "50 LibriSpeech test-other clips, Whisper tiny.en, greedy, corpus WER"
    data = os.environ.get("CALM_EVAL_TEST_DATA")
    if data is None:
        return [Bar(name, "0.10 to 0.20", "not measured: CALM_EVAL_TEST_DATA is not set", False)]
    from calm_eval import evaluate

    rows = [json.loads(line) for line in (Path(data) / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    clips = [row for row in rows if row["set"] == "librispeech_test-other"]
    items = [{"id": row["id"], "text": row["text"], "speaker": row["speaker"]} for row in clips]
    (place / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    paths = [{"id": row["id"], "path": row["path"]} for row in clips]
    (place / "paths.jsonl").write_text("".join(json.dumps(path) + "\n" for path in paths), encoding="utf-8")
    (place / "human.yaml").write_text(f"name: human\nfolder: {data}\nmanifest: {place / 'paths.jsonl'}\n")
    (place / "suite.yaml").write_text(
        "name: librispeech-50\nversion: 1\ntask: tts\ntitle: Human readings\nitems: {manifest: items.jsonl}\n"
        "metrics: [wer, wer_mean, cer]\n"
    )
    run = evaluate(str(place / "suite.yaml"), [str(place / "human.yaml")], out=place / "human")
    corpus = _estimates(run, "wer")["human"]
    mean, characters = _estimates(run, "wer_mean")["human"], _estimates(run, "cer")["human"]
    wer: float = corpus["value"]
    measured = (
        f"{wer:.4f} [{corpus['low']:.3f}, {corpus['high']:.3f}], mean of items {mean['value']:.4f}, "
        f"CER {characters['value']:.4f}, {corpus['n_scored']} of {corpus['n_expected']} clips"
    )
    return [Bar(name, "0.10 to 0.20", measured, 0.10 <= wer <= 0.20)]


def _tests(name: str, file: str) -> Bar:
    argv = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", file]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
    return Bar(f"{name} (`{file}`)", "all pass", last, done.returncode == 0)
