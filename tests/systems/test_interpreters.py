"""A system in an interpreter of its own: one that has neither calm-eval nor any package."""

from __future__ import annotations

import subprocess
import sys
import venv

import pytest

from calm_eval import evaluate

CODE = """
import sys
from array import array
from calm_eval.systems.protocol import Chunk, Done, Failure, SystemInfo

class Bare:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1)
    def load(self, device, dtype, threads):
        for name in ("numpy", "yaml", "pydantic"):
            try:
                __import__(name)
            except ImportError:
                continue
            raise RuntimeError(name + " should not be importable here")
    def generate(self, requests, sampling):
        for request in requests:
            if request.prompt.sample_rate != 16000 or len(request.prompt.samples) != 4800:
                yield Failure(request.item, request.seed, "bad-prompt", str(request.prompt))
                continue
            yield Chunk(request.item, request.seed, request.prompt.samples, 16000)
            yield Done(request.item, request.seed)

def create(): return Bare()
"""


def test_a_bare_interpreter_serves_and_copies_the_prompt(tmp_path, tone_suite, write_system):
    venv.EnvBuilder(with_pip=False, symlinks=True).create(tmp_path / "bare")
    system = write_system("bare", CODE, interpreter=str(tmp_path / "bare" / "bin" / "python"))
    run = evaluate(str(tone_suite(2)), [str(system)], out=tmp_path / "run")
    samples = run.samples()
    assert samples["failure"].isna().all(), samples["failure_text"].tolist()
    assert samples["seconds"].tolist() == pytest.approx([0.3, 0.3])


def find(version):
    names = [f"python{version}"]
    for name in names:
        try:
            done = subprocess.run([name, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return done.stdout.strip()
    return None


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_other_python_versions_serve(tmp_path, tone_suite, write_system, version):
    interpreter = find(version)
    if interpreter is None or f"{sys.version_info[0]}.{sys.version_info[1]}" == version:
        pytest.skip(f"no other Python {version} here")
    run = evaluate(str(tone_suite(1)), [str(write_system("bare", CODE, interpreter=interpreter))], out=tmp_path / "run")
    assert run.unavailable == {} or "should not be importable" in str(run.unavailable)
