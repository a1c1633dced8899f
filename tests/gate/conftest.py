"""Runs of a system of a chosen level, and a baseline accepted from one."""

from __future__ import annotations

import pytest
import yaml

import calm_eval
from calm_eval.gate.baseline import accept

SYSTEM = """
import math
import os
from array import array
from calm_eval.systems.protocol import Chunk, Done, Failure, SystemInfo

class System:
    info = SystemInfo(("tts",), "continuous", 16000, version=VERSION, config={})
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return None
    def generate(self, requests, sampling):
        for one in requests:
            number = int(one.item.split("-")[1])
            if number in BROKEN:
                yield Failure(one.item, one.seed, "exception", "no")
                continue
            level = LEVEL * float(os.environ.get("HUM", "1"))
            level *= (1 + number / 100 + WOBBLE * math.sin(10 * number + one.seed % 7))
            yield Chunk(one.item, one.seed, array("f", [level * math.sin(n / 7) for n in range(4000)]), 16000)
            yield Done(one.item, one.seed)

create = System
"""

POLICY = {
    "policy": "tones",
    "gates": [
        {"suite": "tones", "row": "hum", "metric": "demo_level", "margin": 0.01, "unit": "RMS"},
        {"suite": "tones", "row": "hum", "metric": "demo_pair", "margin": 0.1, "unit": "RMS", "primary": False},
    ],
}


@pytest.fixture
def make(tmp_path, tone_suite, write_system):
    """A run of twelve items, two seeds, by a system of a level, in a folder of its own."""
    suite = tone_suite(
        12,
        metrics=["demo_level", "demo_pair", "demo_gap", "rtf"],
        systems=["reference"],
        reference_set={"items": True},
    )

    def run(name, level=0.1, version=1, wobble=0.0, broken=(), seeds=2, system=None, **wishes):
        module = f"m{system or name}"
        code = SYSTEM.replace("VERSION", str(version)).replace("LEVEL", str(level))
        code = code.replace("WOBBLE", str(wobble)).replace("BROKEN", repr(tuple(broken)))
        file = write_system(module, code)
        file.write_text(yaml.safe_dump({"name": "hum", "python": f"{module}_module:create"}))
        return calm_eval.evaluate(str(suite), [str(file), "reference"], out=tmp_path / name, seeds=seeds, **wishes)

    return run


@pytest.fixture
def policy(tmp_path):
    """Writes a policy, the usual one with changes to its first gate; returns its file."""

    def write(**changes):
        told = {**POLICY, "gates": [{**POLICY["gates"][0], **changes}, POLICY["gates"][1]]}
        path = tmp_path / "policy.yaml"
        path.write_text(yaml.safe_dump(told))
        return path

    return write


@pytest.fixture
def baseline(make, policy, tmp_path):
    """The folder of a baseline with its policy and audio."""
    accept(make("before"), tmp_path / "baseline", "the first one", policy=policy(), audio=True)
    return tmp_path / "baseline"
