from __future__ import annotations

import sys

import pytest
import yaml

from calm_eval import evaluate
from calm_eval.errors import InputError

TOOL = """
import sys, os, struct, wave
text, output, seed, level = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
if "crash" in text: os.kill(os.getpid(), 11)
if "fail" in text: sys.exit("no voice for this")
if "hang" in text: import time; time.sleep(60)
if "nothing" in text: sys.exit(0)
if "flood" in text:
    for _ in range(300): os.write(1, b"x" * 10000)
with wave.open(output, "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(16000)
    value = int(level * 32768)
    file.writeframes(struct.pack("<2h", value, -value) * 4000)
"""


@pytest.fixture
def command(tmp_path):
    (tmp_path / "tool.py").write_text(TOOL)

    def make(**changes):
        spec = {
            "name": "tool",
            "command": [sys.executable, str(tmp_path / "tool.py"), "{text}", "{output}", "{seed}", "{level}"],
            "tasks": ["tts"],
            "sample_rate": 16000,
            "sampling": {"level": {"default": 0.25, "low": 0.0, "high": 0.9}},
            "item_timeout": 2.0,
            **changes,
        }
        path = tmp_path / "tool.yaml"
        path.write_text(yaml.safe_dump(spec))
        return str(path)

    return make


def suite_with(tone_suite, texts):
    import json

    suite = tone_suite(1)
    rows = [{"id": f"t{number}", "text": text} for number, text in enumerate(texts)]
    (suite.parent / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(suite)


def test_a_command_makes_audio_and_its_troubles_have_names(tmp_path, tone_suite, command):
    texts = ["fine; touch /tmp/$(id) `id` {text} \"quoted\" 'too'", "crash", "fail", "hang", "nothing", "flood"]
    run = evaluate(suite_with(tone_suite, texts), [command()], out=tmp_path / "run")
    samples = run.samples().set_index("item")
    assert samples["failure"].dropna().to_dict() == {
        "t1": "crash",
        "t2": "exception",
        "t3": "timeout",
        "t4": "missing",
    }
    assert "SIGSEGV" in samples.loc["t1", "failure_text"]
    assert "no voice for this" in samples.loc["t2", "failure_text"]
    assert (tmp_path / "run" / "logs" / "tool.log").stat().st_size <= 2_000_000
    assert samples.loc["t0", "generate_seconds"] > 0.005


def test_its_parameters_are_swept_and_checked(tmp_path, tone_suite, command):
    suite = suite_with(tone_suite, ["hello"])
    run = evaluate(suite, [command()], out=tmp_path / "run", sweep={"level": [0.25, 0.5]})
    levels = run.summary().set_index(["variant", "metric"])["value"]
    assert levels["tool", "demo_level"] == pytest.approx(0.25, abs=1e-4)
    assert levels["tool level=0.5", "demo_level"] == pytest.approx(0.5, abs=1e-4)
    for sweep, said in (
        ({"level": [2.0]}, "outside 0 to 0.9"),
        ({"temperature": [1.0]}, "no system of this run takes"),
    ):
        with pytest.raises(InputError, match=said):
            evaluate(suite, [command()], out=tmp_path / "other", sweep=sweep)


def test_a_template_with_an_unknown_place_is_refused(tmp_path, tone_suite, command):
    with pytest.raises(InputError, match=r"cannot fill '\{volume\}'"):
        evaluate(
            suite_with(tone_suite, ["x"]), [command(command=["say", "{volume}", "{output}"])], out=tmp_path / "run"
        )


def test_a_program_that_is_not_there_makes_the_system_unavailable(tmp_path, tone_suite, command):
    run = evaluate(suite_with(tone_suite, ["x"]), [command(command=["no-such-tool", "{output}"])], out=tmp_path / "run")
    assert "no-such-tool" in run.unavailable["tool"]
    assert set(run.samples()["failure"]) == {"start:start-error"}


def test_relative_paths_and_files_beside_the_system_file(tmp_path, tone_suite, command, cli):
    system = command(command=[sys.executable, "tool.py", "{text}", "{output}", "{seed}", "{level}"])
    suite = suite_with(tone_suite, ["hello"])
    done = cli("run", suite, "--systems", system, "--out", "relative-run")
    assert done.returncode == 0
    assert "(0/1)" not in done.stdout
    again = cli("generate", "relative-run", "--dry-run")
    assert "of which 0 are to be made" in again.stdout
    refused = cli("generate", "relative-run", "--limit", 1)
    assert (refused.returncode, "--limit" in refused.stderr) == (2, True)
