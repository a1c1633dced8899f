"""Milestone 8: tables and figures of 100,000 values, a page of 2,000 samples, its first view, and LaTeX."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import yaml
from bar import Bar

from calm_eval.api import evaluate
from calm_eval.reports.figures.make import figure_of_run
from calm_eval.reports.figures.wish import FigureWish
from calm_eval.reports.page.make import write_page
from calm_eval.reports.page.wish import PageWish
from calm_eval.reports.report import write_report
from calm_eval.reports.tables.as_latex import PREAMBLE
from calm_eval.reports.tables.make import FORMATS, LAYOUTS, tables_of_run
from calm_eval.runs.run import Run, load_run
from calm_eval.specs.layout import LayoutSpec
from calm_eval.systems.protocol import Value

ITEM_METRICS = (
    "silence_share", "clipping_share", "bandwidth_hz", "dc_offset", "loop_strength", "peak_dbfs", "rms_dbfs",
    "log_mel_distance", "rtf", "first_audio",
)  # fmt: skip
METRIC = "log_mel_distance"
"""One that has a value for half a second of noise."""
TABLES_LIMIT, PAGE_LIMIT, VIEW_LIMIT = 20.0, 60.0, 2.0

SYSTEM = """
import random
from array import array
from calm_eval.systems.protocol import Chunk, Done, Parameter, SystemInfo

class System:
    info = SystemInfo(("tts",), "continuous", 16000, version=1, config={"name": NAME},
                      sampling={"steps": Parameter(1), "temperature": Parameter(0.8)})
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return 12.5 * sampling["steps"]
    def generate(self, requests, sampling):
        for one in requests:
            chance = random.Random(f"{one.seed} {one.item} {sampling}")
            level, last, wave = 0.05 + 0.2 * chance.random(), 0.0, array("f")
            for _ in range(SAMPLES):
                last = 0.9 * last + level * (chance.random() - 0.5)
                wave.append(last)
            yield Chunk(one.item, one.seed, wave, 16000)
            yield Done(one.item, one.seed)

create = System
"""


def bars(work: Path | None = None) -> list[Bar]:
    """Everything; a few minutes, most of it for making the runs, where `work` holds none."""
    with tempfile.TemporaryDirectory() as spare:
        folder = work or Path(spare)
        many = made_run(folder / "values", items=200, seconds=0.5, seeds=5)
        heard = made_run(folder / "sounds", items=200, seconds=3.0, seeds=1)
        return [tables_and_figures(many), *page(heard, folder / "page"), latex_compiles(many, folder / "latex")]


def made_run(folder: Path, *, items: int, seconds: float, seeds: int) -> Run:
    """Ten rows of one synthetic system, steps by temperature, on so many items; the run that lies there, if any."""
    if (folder / "run" / "report.md").is_file():
        return load_run(folder / "run")
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(8)
    rows = []
    for number in range(items):
        name = f"audio/{number}.wav"
        soundfile.write(folder / name, 0.1 * generator.normal(size=int(16000 * seconds)), 16000)
        rows.append({"id": f"item-{number}", "text": f"text number {number}", "reference": name})
    (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    suite = {
        "name": "many", "version": 1, "task": "tts", "title": "Many", "items": {"manifest": "items.jsonl"},
        "metrics": list(ITEM_METRICS), "pick": METRIC, "systems": ["reference"],
    }  # fmt: skip
    (folder / "many.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    code = SYSTEM.replace("SAMPLES", str(int(16000 * seconds))).replace("NAME", "'synthetic'")
    (folder / "synthetic_module.py").write_text(code, encoding="utf-8")
    system = folder / "synthetic.yaml"
    system.write_text(yaml.safe_dump({"name": "synthetic", "python": "synthetic_module:create"}), encoding="utf-8")
    sweep: dict[str, list[Value]] = {"steps": [1, 2, 4, 8, 16], "temperature": [0.6, 1.0]}
    return evaluate(str(folder / "many.yaml"), [str(system)], out=folder / "run", seeds=seeds, sweep=sweep)


def tables_and_figures(run: Run) -> Bar:
    """The report, every layout in every format, and every figure by name."""
    values = len(run.values())
    began = time.perf_counter()
    write_report(run)
    for layout in LAYOUTS:
        tables = tables_of_run(run, LayoutSpec(layout=layout))
        for write in FORMATS.values():
            write(tables)
    rows = tuple(row.name for row in run.cells()[0][0].variants[:2])
    wishes = {
        "heat-map": FigureWish(metric=METRIC),
        "distribution": FigureWish(metric=METRIC),
        "differences": FigureWish(metric=METRIC, rows=rows),
        "quality-diversity": FigureWish(metric=METRIC, second="rms_dbfs"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind, wish in wishes.items():
            figure_of_run(run, kind, wish, Path(folder) / kind)
    took = time.perf_counter() - began
    return Bar(f"{values} values: all tables and figures", f"{TABLES_LIMIT:g} s", f"{took:.1f} s", took < TABLES_LIMIT)


def page(run: Run, folder: Path) -> list[Bar]:
    """The page of all samples; encoding is what the same page takes longer the first time."""
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    made = write_page(run, folder, PageWish())
    first = time.perf_counter() - began
    began = time.perf_counter()
    write_page(run, folder, PageWish())
    again = time.perf_counter() - began
    told = f"{again:.1f} s, and {first - again:.1f} s of encoding; {made.bytes / 1e6:.0f} MB"
    return [
        Bar(f"page of {made.samples} samples", f"{PAGE_LIMIT:g} s and encoding", told, again < PAGE_LIMIT),
        first_view(folder / "index.html"),
    ]


def first_view(index: Path) -> Bar:
    """From the address to the first table on the screen, in headless Chromium, from disk."""
    name, limit = "first view of that page in headless Chromium", f"{VIEW_LIMIT:g} s"
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return Bar(name, limit, "not measured: playwright is not installed", None)
    if path is None:
        return Bar(name, limit, "not measured: no Chromium", None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = browser.new_page()
        began = time.perf_counter()
        tab.goto(index.resolve().as_uri(), wait_until="commit")
        tab.wait_for_selector("tbody tr")
        took = time.perf_counter() - began
        browser.close()
    return Bar(name, limit, f"{took:.2f} s", took < VIEW_LIMIT)


def latex_compiles(run: Run, folder: Path) -> Bar:
    """Every layout in one document with the minimal preamble."""
    name, limit = "LaTeX of every layout compiles", "no error"
    if shutil.which("pdflatex") is None:
        return Bar(name, limit, "not measured: no pdflatex", None)
    folder.mkdir(parents=True, exist_ok=True)
    tables = [table for layout in LAYOUTS for table in tables_of_run(run, LayoutSpec(layout=layout))]
    body = [r"\documentclass{article}", *PREAMBLE, r"\begin{document}", FORMATS["latex"](tables), r"\end{document}"]
    (folder / "tables.tex").write_text("\n".join(body), encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    return Bar(name, limit, f"{len(tables)} tables, exit {done.returncode}: {last[:60]}", done.returncode == 0)
