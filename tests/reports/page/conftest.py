"""A run with everything a page must bear: hostile texts, a failure, prompts, two systems, two seeds."""

from __future__ import annotations

import json

import pytest
import yaml

import calm_eval

HOSTILE = (
    "<script>document.title='hit'</script>",
    "quotes \" ' ` and & and </script>",
    "\u0645\u0631\u062d\u0628\u0627 \U0001f3b5 \u202eabc",
    "${1+1} {{ 2+2 }} \\input{x} \u2028 line",
    "plain words that are said",
    "<img src=x onerror=\"document.title='hit'\">",
)

SYSTEM = """
import math
from array import array
from calm_eval.systems.protocol import Chunk, Done, Failure, SystemInfo

class System:
    info = SystemInfo(("speech_continuation",), "continuous", 16000, version=1, config={"name": NAME})
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return 12.5
    def generate(self, requests, sampling):
        for one in requests:
            if NAME == "two" and one.item == "item-3":
                yield Failure(one.item, one.seed, "<b>bad</b>", "it <i>broke</i>")
                continue
            wave = array("f", [LEVEL * math.sin(n / 9) for n in range(8000)])
            yield Chunk(one.item, one.seed, wave, 16000)
            yield Done(one.item, one.seed)

create = System
"""


@pytest.fixture
def hostile_run(tmp_path, tone_suite, write_system):
    """Six items with hostile texts, systems `one` and `two` (which fails on item-3), the reference, two seeds."""
    suite = tone_suite(
        6,
        task="speech_continuation",
        title="Tones <script>",
        metrics=["demo_level", "log_mel_distance", "rtf"],
        pick="demo_level",
        systems=["reference"],
    )
    manifest = suite.parent / "items.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    rows = [{**row, "text": text, "duration": 0.5} for row, text in zip(rows, HOSTILE, strict=True)]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    systems = []
    for name, level in (("one", 0.2), ("two", 0.4)):
        file = write_system(name, SYSTEM.replace("NAME", repr(name)).replace("LEVEL", str(level)))
        systems.append(str(file))
        assert yaml.safe_load(file.read_text())["name"] == name
    return calm_eval.evaluate(str(suite), [*systems, "reference"], out=tmp_path / "run", seeds=2)
