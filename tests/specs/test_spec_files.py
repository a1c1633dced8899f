from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from calm_eval.errors import InputError
from calm_eval.specs.check import check_file
from calm_eval.specs.locate import bundled_folder, bundled_names, expand_suites
from calm_eval.specs.suite import load_suite
from calm_eval.specs.system import load_system

SUITE = """\
name: mine
version: 1
task: tts
title: Mine
items:
  manifest: items.jsonl
metrics:
  - wer
"""


def suite_file(tmp_path: Path, text: str) -> str:
    (tmp_path / "items.jsonl").write_text('{"id": "a"}\n')
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Mine", "titel: Mine", r"mine.yaml:4: unknown key 'titel'; did you mean 'title'\? allowed: name, "),
        ("version: 1", "version: one", r"mine.yaml:2: version: .*integer.*got 'one'"),
        ("version: 1", "version: 0", r"mine.yaml:2: version: .*greater than or equal to 1"),
        ("task: tts", "task: sing", r"mine.yaml:3: task: .*'speech_continuation', 'tts'.*got 'sing'"),
        ("name: mine\n", "", r"mine.yaml:1: key 'name' is missing"),
        ("name: mine", "name: ../mine", r"mine.yaml:1: name: .*pattern"),
        ("items.jsonl", "nothing.jsonl", r"mine.yaml:6: items.manifest: no file"),
        ("items.jsonl", "../../etc/passwd", r"leaves the suite's folder"),
        ("  - wer", "  - {name: wer, judg: {name: x}}", r"mine.yaml:8: unknown key 'judg'; did you mean 'judge'\?"),
        ("metrics:\n  - wer", "metrics: []", r"mine.yaml:7: metrics: .*at least 1"),
        (
            "  manifest: items.jsonl",
            "  manifest: items.jsonl\n  build: readings",
            "exactly one of 'build', 'manifest', 'folder', 'corpus' and 'dataset'",
        ),
        ("  - wer", "  - wer\ntable: [cer]", r"mine.yaml:9: table: 'cer' is no metric of this suite; allowed: wer"),
        ("  - wer", "  - wer\n  - wer", r"mine.yaml:9: metric 'wer' stands twice"),
    ],
)
def test_a_wrong_suite_names_file_line_and_what_is_allowed(tmp_path, old, new, said):
    assert old in SUITE
    with pytest.raises(InputError, match=said):
        load_suite(suite_file(tmp_path, SUITE.replace(old, new)))


def test_all_mistakes_are_told_at_once(tmp_path):
    text = SUITE.replace("version: 1", "version: one").replace("task: tts", "task: sing")
    with pytest.raises(InputError) as caught:
        load_suite(suite_file(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"name": "s"}, "exactly one of 'python', 'command', 'folder', 'control'"),
        ({"name": "s", "python": "a:b", "folder": "."}, "exactly one of"),
        ({"name": "s", "python": "no colon"}, "s.yaml:2: python: .*pattern"),
        ({"name": "s", "control": "echo"}, "'reference', 'noise', 'silence', 'shuffled_texts'"),
        ({"name": "s", "folder": "nowhere"}, "s.yaml:2: folder: 'nowhere' does not exist"),
        ({"name": "s", "command": ["say", "{text}"]}, "must write its audio to '{output}'"),
        ({"name": "s", "python": "a:b", "sampling": {"t": {"default": 1}}}, "'sampling' belongs to 'command'"),
        ({"name": "s", "control": "noise", "options": {"snr_db": [5]}}, "options.snr_db"),
        ({"name": "s", "control": "noise", "options": {"snr": 5}}, "option 'snr' is not known here; allowed: snr_db"),
        ({"name": "s", "folder": ".", "options": {"x": 5}}, "option 'x' is not known here; allowed: none"),
        ({"name": "s", "python": "a:b", "family": "discrete"}, "'family' is declared by the system itself"),
    ],
)
def test_a_wrong_system_is_refused(tmp_path, spec, said):
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    with pytest.raises(InputError, match=said):
        load_system(str(path))


def test_bundled_files_are_all_valid():
    for name in bundled_names("suite"):
        assert load_suite(name).spec.name == name
    for name in bundled_names("system"):
        assert load_system(name).spec.name == name


def test_names_and_folders_are_found():
    assert any(name.endswith("mini/tts.yaml") for name in expand_suites([str(bundled_folder() / "mini")]))
    assert expand_suites(["mini/tts"]) == ["mini/tts"]
    assert load_suite("suites/mini/tts.yaml").spec.name == "mini/tts"
    with pytest.raises(InputError, match=r"Did you mean 'mini/tts'\?"):
        load_suite("mini/tss")


def test_validate_looks_up_the_names_in_a_suite(tmp_path):
    for text, said in (
        (SUITE + "systems: [pipper]\n", "Did you mean 'piper'"),
        (SUITE.replace("- wer", "- {name: wer, judge: {name: whisperer}}"), "unknown judges 'whisperer'"),
    ):
        with pytest.raises(InputError, match=said):
            check_file(Path(suite_file(tmp_path, text)))
