"""The suites of the papers' protocols: valid, complete in words, with metrics and judges that exist."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from calm_eval.cli import main
from calm_eval.data.datasets import LOADERS
from calm_eval.data.datasets.expected import ids_digest
from calm_eval.data.datasets.shape import Shape
from calm_eval.data.datasets.table import read_table
from calm_eval.errors import UnavailableError
from calm_eval.metrics.bound import judge_use, make_judge, make_metric
from calm_eval.runs.plan import Wishes, plan_suite
from calm_eval.runs.watch import Stopwatch
from calm_eval.specs.check import check_file
from calm_eval.specs.locate import LATENCY_PREFIX, bundled_folder
from calm_eval.specs.suite import load_suite
from calm_eval.systems.engine import Conditions

SUITES = (
    "audiocaps",
    "calm_speech_continuation",
    "librispeech_pc",
    "music_continuation",
    "musiccaps",
    "pocket_tts",
    "seed_tts_en",
    "song_describer",
)
CONTINUATIONS = ("calm_speech_continuation", "music_continuation")


def test_every_protocol_has_a_suite_and_no_suite_is_unknown():
    files = [path.stem for path in (bundled_folder() / "paper").glob("*.yaml")]
    assert sorted(name for name in files if not name.startswith(LATENCY_PREFIX)) == sorted(SUITES)


@pytest.fixture(params=SUITES)
def suite(request, tmp_path, monkeypatch):
    monkeypatch.setenv("CALM_EVAL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))
    return load_suite(f"paper/{request.param}")


def test_it_is_valid_and_its_names_exist(suite):
    assert check_file(suite.path).endswith(f"suite '{suite.spec.name}' version 1 is valid")
    for use in suite.spec.metric_uses():
        spec = make_metric(use).spec
        if use.judge is not None or spec.judge is not None:
            make_judge(judge_use(use, spec))
        if "reference_set" in spec.needs:
            assert suite.spec.reference_set is not None, use.name
        if spec.needs and "text" in spec.needs:
            assert suite.spec.name.rpartition("/")[2] not in CONTINUATIONS, use.name


def test_the_loader_takes_its_options(suite):
    import inspect

    use = suite.spec.items.dataset
    shape, options = Shape.split(dict(use.options))
    inspect.signature(LOADERS.load(use.loader)).bind(Path(), **options)
    assert (shape.prompt_seconds is not None) == suite.spec.task.endswith("continuation")


def test_what_a_loader_reads_is_what_a_user_is_told_to_put_there(suite):
    told = [part.put for part in suite.spec.data.parts]
    named = [str(value) for key, value in suite.spec.items.dataset.options.items() if key in PLACES]
    assert named
    for path in named:
        assert any(path == put or path.startswith(f"{put}/") for put in told), path
    for put in told:
        assert any(path == put or path.startswith(f"{put}/") for path in named), put


PLACES = ("folder", "pairs", "audio", "prompts", "meta", "table", "manifest")


def test_no_address_of_a_server_stands_in_it(suite):
    text = suite.path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|www\.|\b[a-z0-9-]+\.(com|org|co|io|net|cc)\b", text)


def test_with_nothing_the_plan_says_all_that_is_missing(suite, tmp_path):
    with pytest.raises(UnavailableError) as caught:
        plan_suite(suite, Wishes(), Conditions(), tmp_path / "scratch", Stopwatch())
    told = str(caught.value)
    for part in suite.spec.data.parts:
        for words in (part.name, part.where, part.licence, str(tmp_path / "data" / part.put)):
            assert words in told
    data = suite.spec.data
    assert (f"{data.items:,} items" if data.items else "number of items not known") in told
    assert (data.ids_digest or "the sorted ids: not known: recorded on first use") in told
    assert not (tmp_path / "cache").exists()


@pytest.fixture
def prompts():
    root = os.environ.get("CALM_EVAL_TEST_DATA")
    if not root:
        pytest.skip("CALM_EVAL_TEST_DATA is not set")
    return Path(root) / "prompts"


@pytest.mark.parametrize(
    ("name", "file"),
    [("librispeech_pc", "libri_pc.jsonl"), ("pocket_tts", "libri_pc.jsonl"), ("seed_tts_en", "seed_en.jsonl")],
)
def test_expected_ids_of_speech_are_those_of_the_published_lists(prompts, name, file):
    ids = [json.loads(line)["id"] for line in (prompts / file).read_text(encoding="utf-8").splitlines()]
    data = load_suite(f"paper/{name}").spec.data
    assert (data.items, data.ids_digest) == (len(ids), ids_digest(ids))


@pytest.mark.parametrize(("name", "column"), [("song_describer", "caption_id"), ("music_continuation", "track_id")])
def test_expected_ids_of_music_are_those_of_the_published_table(prompts, name, column):
    ids = {row[column] for _, row in read_table(prompts / "song_describer.csv")}
    data = load_suite(f"paper/{name}").spec.data
    assert (data.items, data.ids_digest) == (len(ids), ids_digest(ids))


def test_a_dry_run_with_nothing_ends_with_4_and_explains_itself(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CALM_EVAL_DATA", raising=False)
    assert main(["run", "suites/paper/librispeech_pc.yaml", "--dry-run"]) == 4
    told = capsys.readouterr().err
    for words in ("OpenSLR, resource 12", "SWivid/F5-TTS", "CC BY 4.0", "1,127 items", str(tmp_path / "cache/data")):
        assert words in told


def test_the_doctor_lists_the_data_of_each_suite(tmp_path, monkeypatch):
    from calm_eval.doctor import data_lines

    root = tmp_path / "data"
    (root / "LibriSpeech/test-clean/1").mkdir(parents=True)
    monkeypatch.setenv("CALM_EVAL_DATA", str(root))
    first, *lines = data_lines()
    assert str(root) in first
    told = dict(line.split(": ", 1) for line in lines)
    assert sorted(told) == [f"paper/{name}" for name in sorted(SUITES)]
    assert told["paper/calm_speech_continuation"] == "there"
    assert told["paper/librispeech_pc"].startswith("missing: list of pairs (at librispeech_pc_")
