"""Systems that misbehave: each failure has a name, and the other systems go on."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from calm_eval import evaluate

HEAD = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, Failure, SystemInfo

def good(request, value=0.25, n=8000):
    yield Chunk(request.item, request.seed, array("f", [value, -value] * (n // 2)), 16000)
    yield Done(request.item, request.seed)

class Base:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1)
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return None
    def generate(self, requests, sampling):
        for request in requests:
            yield from self.one(request)

def create():
    return System()

class System(Base):
"""

BODIES = {
    "segfault": """
    def one(self, request):
        if request.item == "item-1":
            import ctypes
            ctypes.string_at(0)
        yield from good(request)
""",
    "hang": """
    def one(self, request):
        if request.item == "item-1":
            import time
            time.sleep(600)
        yield from good(request)
""",
    "deaf_hang": """
    def one(self, request):
        if request.item == "item-1":
            while True: pass
        yield from good(request)
""",
    "flood": """
    def one(self, request):
        import os, sys
        for _ in range(400):
            os.write(1, b"noise " * 2000)
            sys.stderr.write("more noise " * 1000)
        print("and a line")
        yield from good(request)
""",
    "raises": """
    def one(self, request):
        if request.item == "item-1":
            raise RuntimeError("planted <b>fault</b>")
        yield from good(request)
""",
    "reads_stdin": """
    def one(self, request):
        import sys
        assert sys.stdin.read() == ""
        yield from good(request)
""",
    "stray": """
    def one(self, request):
        if request.item == "item-1":
            yield Chunk("item-99", request.seed, array("f", [0.0]), 16000)
        yield from good(request)
""",
    "nan": """
    def one(self, request):
        yield from good(request, float("nan") if request.item == "item-1" else 0.25)
""",
    "empty": """
    def one(self, request):
        if request.item == "item-1":
            yield Done(request.item, request.seed)
        else:
            yield from good(request)
""",
    "unfinished": """
    def one(self, request):
        if request.item == "item-1":
            return
        yield from good(request)
""",
    "gives_up": """
    def one(self, request):
        if request.item == "item-1":
            yield Failure(request.item, request.seed, "too-hard", "no idea")
        else:
            yield from good(request)
""",
    "exits": """
    def one(self, request):
        if request.item == "item-1":
            import os
            os._exit(7)
        yield from good(request)
""",
}

BREAKS_AFTER = """
    def one(self, request):
        yield from good(request)
        if request.item == "item-1":
            import os
            os._exit(7)
"""

EXPECTED = {
    "segfault": "crash",
    "hang": "timeout",
    "deaf_hang": "timeout",
    "raises": "exception",
    "stray": "bad-answer",
    "nan": "nan",
    "empty": "empty",
    "unfinished": "unfinished",
    "gives_up": "too-hard",
    "exits": "crash",
}


@pytest.fixture
def systems(write_system):
    files = {name: write_system(name, HEAD + body, item_timeout=2.0) for name, body in BODIES.items()}
    conflict = "raise ImportError('numpy 1 is needed, numpy 2 is here')\n"
    files["breaks_after"] = write_system("breaks_after", HEAD + BREAKS_AFTER)
    files["conflict"] = write_system("conflict", conflict)
    files["dies_at_import"] = write_system("dies_at_import", "import ctypes\nctypes.string_at(0)\n")
    files["cannot_load"] = write_system(
        "cannot_load", HEAD + "    def load(self, device, dtype, threads): raise OSError('weights are gone')\n"
    )
    return files


def test_every_misbehaviour_is_a_named_failure_and_the_others_go_on(tmp_path, tone_suite, systems):
    run = evaluate(str(tone_suite(3)), [*map(str, systems.values()), "demo-sine"], out=tmp_path / "run")
    samples = run.samples()
    failures = {name: part.set_index("item")["failure"].dropna().to_dict() for name, part in samples.groupby("variant")}
    for name, failure in EXPECTED.items():
        assert failures[name] == {"item-1": failure}, name
    assert failures["flood"] == failures["reads_stdin"] == failures["demo-sine"] == failures["breaks_after"] == {}
    broke = samples[samples["flags"].map(lambda flags: "broke-after" in flags)]
    assert broke[["variant", "item"]].to_numpy().tolist() == [["breaks_after", "item-1"]]
    start_failures = {"conflict": "import-error", "dies_at_import": "crash", "cannot_load": "load-error"}
    for name, failure in start_failures.items():
        assert set(failures[name].values()) == {f"start:{failure}"}
        assert len(failures[name]) == 3
    assert set(run.unavailable) == set(start_failures)
    assert "numpy 1 is needed" in run.unavailable["conflict"]
    texts = dict(zip(samples["variant"], samples["failure_text"], strict=True)) | {
        row["variant"]: row["failure_text"] for _, row in samples[samples["item"] == "item-1"].iterrows()
    }
    assert "SIGSEGV" in texts["segfault"]
    assert "planted" in texts["raises"]
    assert "exit code 7" in texts["exits"]

    summary = run.summary().set_index(["variant", "metric"])
    level = summary.loc[("raises", "demo_level")]
    assert (level["n_scored"], level["n_expected"]) == (2, 3)
    assert level["value"] == pytest.approx(0.25, abs=1e-6)
    assert json.loads(level["failures"]) == {"exception": 1}
    gone = summary.loc[("conflict", "demo_level")]
    assert (gone["n_scored"], gone["n_expected"]) == (0, 3)
    assert pd.isna(gone["value"])
    report = (tmp_path / "run" / "report.md").read_text()
    assert "(2/3)" in report
    assert "<b>" not in report
    # What the flood printed was read to its end and kept only up to a limit.
    assert (tmp_path / "run" / "logs" / "flood.log").stat().st_size <= 2_000_000


def test_in_a_batch_only_the_culprit_fails(tmp_path, tone_suite, systems):
    run = evaluate(str(tone_suite(4)), [str(systems["segfault"])], out=tmp_path / "run", batch_size=4)
    samples = run.samples().set_index("item")
    assert samples["failure"].dropna().to_dict() == {"item-1": "crash"}


def test_failures_stand_until_asked_and_start_failures_are_tried_again(tmp_path, tone_suite, write_system):
    body = HEAD + "    def one(self, request):\n        raise RuntimeError('broken')\n        yield\n"
    broken = write_system("mended", body)
    suite = str(tone_suite(2))
    run = evaluate(suite, [str(broken)], out=tmp_path / "run")
    assert set(run.samples()["failure"]) == {"exception"}
    made = run.samples()["made_at"].tolist()
    again = evaluate(suite, [str(broken)], out=tmp_path / "run")
    assert again.invocations()["generated"].tolist() == [2, 0]
    assert again.samples()["made_at"].tolist() == made
    assert (
        evaluate(suite, [str(broken)], out=tmp_path / "run", retry_failed=True).invocations()["generated"].iloc[-1] == 2
    )

    missing = write_system("absent", "import a_module_that_is_not_there\n")
    run = evaluate(suite, [str(missing)], out=tmp_path / "run2")
    assert set(run.samples()["failure"]) == {"start:import-error"}
    write_system("absent", HEAD + "    def one(self, request):\n        yield from good(request)\n")
    run = evaluate(suite, [str(missing)], out=tmp_path / "run2")
    assert run.samples()["failure"].isna().all()
    assert run.unavailable == {}
