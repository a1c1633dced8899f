"""The bars of the reference models: step speed beside pocket-tts and beside bare products, minis in real time, toys."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from bar import Bar
from step_speed import VARIABLE, Plan, measure
from torch.nn import functional

from reference_models.build import make_model
from reference_models.catalogue import catalogue
from reference_models.presets import load_codec_preset, load_model_preset
from reference_models.serving import Server, Sound, Wanted, sampling_from

ROOT = Path(__file__).resolve().parent.parent
BACKBONES = {"pocket-tts": 200, "calm-tts": 60}
"""Presets whose backbone is timed beside its bare products, and how many steps of each."""


def bars(work: Path | None = None) -> list[Bar]:
    """Measure everything; takes about ten minutes on two quiet cores."""
    return [
        *(against_pocket_tts(threads) for threads in (1, 2)),
        *(against_bare_products(name, steps, threads) for name, steps in BACKBONES.items() for threads in (1, 2)),
        eager_overhead("mini-calm-tts"),
        *(in_real_time(name) for name, card in catalogue().items() if name.startswith("mini-") and card.tasks),
        tests("toy targets, heads by 2-D energy distance", "tests/reference_models/heads/test_toy_targets.py"),
        tests("distillation, known joints, ablations", "tests/reference_models/models"),
    ]


def against_pocket_tts(threads: int) -> Bar:
    """Backbone and head, batch 1, same dimensions, random weights, alternating blocks."""
    name = f"backbone + head step beside pocket-tts 4.0.1, {threads} thread{'s'[: threads - 1]}"
    if VARIABLE not in os.environ:
        return Bar(name, "no more time", f"not measured: {VARIABLE} names no interpreter", False)
    speed = measure(Plan(threads=threads))
    return Bar(name, "no more time", speed.sentence(), speed.ratio() <= 1.0)


def against_bare_products(name: str, steps: int, threads: int) -> Bar:
    """A backbone step beside `F.linear` with the same matrices, one after the other, `steps` times."""
    step_time, bare_time = backbone_times(name, steps, threads)
    ratio = step_time / bare_time
    text = f"{step_time:.2f} ms and {bare_time:.2f} ms: {ratio:.3f}"
    title = f"backbone step of {name} over its bare products, {threads} thread{'s'[: threads - 1]}"
    return Bar(title, "at most 1.25", text, ratio <= 1.25)


def eager_overhead(name: str) -> Bar:
    """The same of a mini, shown without a bar: its products take less time than the calls around them."""
    step_time, bare_time = backbone_times(name, 300, 1)
    text = f"{step_time:.2f} ms and {bare_time:.2f} ms: {step_time / bare_time:.2f}"
    return Bar(f"backbone step of {name} over its bare products, 1 thread", "none: it is too small", text, None)


def backbone_times(name: str, steps: int, threads: int, read: int = 128) -> tuple[float, float]:
    """Median milliseconds of a backbone step after `read` positions, and of the bare products."""
    torch.set_num_threads(threads)
    preset = load_model_preset(name)
    backbone = make_model(preset).eval().backbone
    matrices = [weight for weight in backbone.parameters() if weight.dim() == 2]
    inputs = {weight.shape[1]: torch.randn(1, 1, weight.shape[1]) for weight in matrices}
    whole: list[int] = []
    bare: list[int] = []
    with torch.inference_mode():
        cache = backbone.start(1, read + steps + 3)
        backbone.step(torch.randn(1, read, preset.dim), cache)
        x = torch.randn(1, 1, preset.dim)
        for _ in range(steps + 3):
            began = time.perf_counter_ns()
            backbone.step(x, cache)
            between = time.perf_counter_ns()
            for weight in matrices:
                functional.linear(inputs[weight.shape[1]], weight)
            whole.append(between - began)
            bare.append(time.perf_counter_ns() - between)
    return statistics.median(whole[3:]) / 1e6, statistics.median(bare[3:]) / 1e6


def in_real_time(name: str) -> Bar:
    """A mini preset with random weights: ten seconds of audio on two threads, the second time."""
    torch.set_num_threads(2)
    preset = load_model_preset(name)
    server = Server(preset, load_codec_preset(preset.codec))
    task = preset.tasks[0]
    prompt = 0.1 * torch.randn(1, 3 * server.codec.sample_rate)
    text = "seven birds sang in the old tree near the river " * 2
    wanted = Wanted("speed", 0, task, text, prompt, None if task == "tts" else 10.0)
    sampling = sampling_from(preset.sampling)
    for _ in range(2):
        began = time.perf_counter()
        events = server.run([server.prepare(wanted)], sampling, eos_threshold=1e9 if task == "tts" else None)
        samples = sum(len(event.samples) for event in events if isinstance(event, Sound))
        spent = time.perf_counter() - began
    seconds = samples / server.codec.sample_rate
    asked = (
        f"steps {sampling.steps}" if preset.kind == "calm" else f"depth {preset.codebooks or server.codec_preset.width}"
    )
    text = f"{spent:.2f} s for {seconds:.1f} s of audio ({asked}): RTF {spent / seconds:.3f}"
    return Bar(f"{name} on two threads", "RTF under 1, 10 s or more", text, spent < seconds and seconds >= 10)


def tests(name: str, path: str) -> Bar:
    """Tests, the slow ones among them, as their own process."""
    words = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", path]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1].strip("= ") if done.stdout.strip() else done.stderr[-200:]
    return Bar(f"{name} (`{path}`)", "all pass", last, done.returncode == 0)
