from __future__ import annotations

import subprocess
import sys

import pytest


def test_every_verb_explains_itself(cli):
    for words in (
        [],
        ["run"],
        ["generate"],
        ["score"],
        ["report"],
        ["table"],
        ["figure"],
        ["compare"],
        ["page"],
        ["export"],
        ["list"],
        ["validate"],
        ["assets"],
    ):
        done = cli(*words, "--help")
        assert done.returncode == 0
        assert "usage: calm-eval" in done.stdout


def test_what_can_be_listed_is_said(cli):
    assert "{suites,systems,codecs,metrics,judges}" in cli("list", "--help").stdout
    assert cli("list", "models").returncode == 2


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from calm_eval.cli import _parser; _parser().format_help(); "
        "heavy = {'numpy', 'torch', 'pandas', 'matplotlib', 'pydantic', 'yaml', 'soundfile'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "mini/tss"], "Did you mean 'mini/tts'?"),
        (["run", "mini/tts", "--systems", "pipper"], "Did you mean 'piper'?"),
        (["run", "mini/tts", "--systems", "mini-calm-tss"], "Did you mean 'mini-calm-tts'?"),
        (["run", "mini/tts", "--systems", "mini-vae-speech"], "'mini-vae-speech' is a codec"),
        (["run", "mini/tts", "--limit", "0"], "--limit 0: must be above 0"),
        (["run", "mini/tts", "--threads", "-1"], "--threads -1: must be above 0"),
        (["run", "mini/tts", "--sweep", "temperature"], "expected NAME=VALUE,VALUE"),
        (["run", "mini/tts", "--sweep", "a=1", "a=2"], "given twice"),
        (["run", "mini/tts", "--reuse", "nowhere"], "--reuse nowhere: no run there"),
        (["report", "nowhere"], "no run here"),
        (["validate", "nowhere.yaml"], "no such file"),
        (["assets", "fetch", "no-such-asset"], "no-such-asset"),
        (["run"], "the following arguments are required: SUITE"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_wrong_words_get_exit_2_and_what_to_do(cli, words, said):
    done = cli(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_lists(cli):
    said = {what: cli("list", what).stdout for what in ("suites", "systems", "codecs", "metrics", "judges")}
    assert "mini/tts" in said["suites"]
    assert "piper" in said["systems"]
    assert "demo-sine" in said["systems"]
    assert "mini-calm-tts" in said["systems"]
    assert "mini-vae-speech" in said["codecs"]
    assert "demo_level" in said["metrics"]
    assert "whisper-tiny.en" in said["judges"]


def test_dry_run_counts_and_writes_nothing(cli, tone_suite, tmp_path):
    suite = tone_suite(3)
    done = cli("run", suite, "--seeds", 2, "--sweep", "frequency=300,600", "--dry-run", "--out", "run")
    assert done.returncode == 0, done.stderr
    # The sine at two frequencies, and the reference: three rows, three items, two seeds.
    assert "3 of 3 items, 2 seeds, 3 rows, 18 samples, of which 18 are to be made" in done.stdout
    assert not (tmp_path / "run").exists()


def test_a_run_prints_its_table_and_unavailable_systems_exit_4(cli, tone_suite, write_system):
    broken = write_system("broken", "import a_module_that_is_not_there\n")
    done = cli("run", tone_suite(2), "--systems", "demo-sine", broken, "--out", "run")
    assert done.returncode == 4
    assert "| demo-sine |" in done.stdout
    assert "a_module_that_is_not_there" in done.stderr
    assert "(0/2)" in done.stdout


def test_validate_speaks_of_line_and_remedy(cli, tmp_path, tone_suite):
    suite = tone_suite(1)
    assert "is valid" in cli("validate", suite).stdout
    suite.write_text(suite.read_text().replace("task: tts", "task: shout"))
    done = cli("validate", suite)
    line = next(number for number, text in enumerate(suite.read_text().splitlines(), 1) if "shout" in text)
    assert done.returncode == 2
    assert f"tones.yaml:{line}: task:" in done.stderr
    suite.write_text(suite.read_text().replace("task: shout", "task: tts").replace("demo_level", "demo_levl"))
    assert "did you mean 'demo_level'" in cli("validate", suite).stderr
