"""The fixture in a pytest session of its own."""

from __future__ import annotations

import subprocess
import sys

TESTS = """
def test_alike(calm_eval_gate):
    assert calm_eval_gate("after", "baseline").verdict == "PASS"

def test_quiet(calm_eval_gate):
    calm_eval_gate("quiet", "baseline")

def test_noisy(calm_eval_gate):
    calm_eval_gate("noisy", "baseline")

def test_noisy_on_purpose(calm_eval_gate):
    assert calm_eval_gate("noisy", "baseline", inconclusive=True).verdict == "INCONCLUSIVE"
"""


def test_a_gate_is_a_test(make, baseline, tmp_path) -> None:
    make("after")
    make("quiet", level=0.05, version=2)
    make("noisy", wobble=0.6, version=3)
    (tmp_path / "test_it.py").write_text(TESTS)
    words = ["-q", "-rf", "-p", "calm_eval.pytest_plugin", "-p", "no:cacheprovider", "test_it.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert "2 failed, 2 passed" in done.stdout, done.stdout
    assert "## FAIL: tones" in done.stdout
    assert "## INCONCLUSIVE: tones" in done.stdout
