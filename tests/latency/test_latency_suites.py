"""The bundled latency suites, models that do not fit, and what is refused before anything is computed."""

from __future__ import annotations

import pytest

from calm_eval.cli import main
from calm_eval.errors import InputError
from calm_eval.latency import fits
from calm_eval.latency.fits import check_memory
from calm_eval.latency.order import rows_of_call
from calm_eval.reports.latency.published_ratios import check_published
from calm_eval.specs.latency import latency_suites, load_latency_suite
from calm_eval.specs.locate import expand_suites, find_file
from calm_eval.specs.presets import preset_cards
from calm_eval.specs.system import load_system
from calm_eval.systems.engine import Conditions

SUITES = latency_suites()


def test_speech_and_music_are_there():
    assert sorted(SUITES) == ["paper/latency_music", "paper/latency_speech"]


@pytest.mark.parametrize("name", SUITES)
def test_rows_exist_and_stand_beside_printed_ones(name):
    suite = load_latency_suite(SUITES[name])
    assert suite.name == name
    rows = rows_of_call([name], None, False)
    for row in rows.rows:
        load_system(row.wish.system)
    check_published(rows.published, [row.published for row in rows.rows])
    cards = preset_cards()
    rate = cards[rows.rows[rows.against].wish.system].frame_rate
    for place, row in enumerate(rows.rows):
        # One backbone that runs as often for the same audio: only then the head explains the difference.
        assert row.same_backbone == (place != rows.against and cards[row.wish.system].frame_rate == rate)


def test_a_run_leaves_them_alone_and_says_what_they_are_for():
    assert not [name for name in expand_suites(["suites/paper"]) if "latency_" in name]
    with pytest.raises(InputError, match="calm-eval latency"):
        find_file("suite", "paper/latency_speech")


def test_a_suite_is_named_alone():
    with pytest.raises(InputError, match="name it alone"):
        rows_of_call(["paper/latency_speech", "mini-calm-music"], None, False)


def test_models_that_do_not_fit_are_refused_with_a_scale_that_does(monkeypatch):
    monkeypatch.setattr(fits, "_free_memory", lambda: 12e9)
    systems = ["calm-music", "rq-music-32"]
    with pytest.raises(InputError, match="give --scale") as caught:
        check_memory(systems, 1.0, Conditions())
    scale = float(str(caught.value).split("--scale ")[1].split()[0])
    assert 0.5 < scale < 1
    check_memory(systems, scale, Conditions())
    check_memory(systems, 1.0, Conditions(device="cuda"))
    check_memory(["piper"], 1.0, Conditions())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["mini-calm-music", "--scale", "0"], "above 0 and at most 1"),
        (["mini-calm-music", "--generations", "0"], "must be above 0"),
        (["mini-calm-music", "--prompt", "nowhere.wav"], "no such file"),
        (["mini-calm-music:colour=3"], "takes no parameter 'colour'"),
        (["mini-calm-musik"], "no system"),
        (["reference"], "cannot be timed step by step"),
        (["piper", "--scale", "0.5"], "cannot be scaled"),
        (["mini-calm-music", "mini-calm-tts"], "no task that all of them do"),
        (["paper/latency_speech", "--task", "tts"], "the suite's task is"),
    ],
)
def test_wrong_words_are_named_before_anything_is_computed(words, text, tmp_path, capsys):
    assert main(["latency", *words, "--out", str(tmp_path / "out")]) == 2
    assert text in capsys.readouterr().err
