"""The suites beside mini and paper: recorded music of ACE-Step, and the ablation of the mini CALM."""

from __future__ import annotations

import re

import pytest

from calm_eval.assets import cache_folder
from calm_eval.audio.read import read_sound
from calm_eval.cli import main
from calm_eval.data.load import suite_items
from calm_eval.metrics.bound import make_metric
from calm_eval.reports.published import load_published
from calm_eval.specs.check import check_file
from calm_eval.specs.presets import system_presets
from calm_eval.specs.suite import load_suite
from calm_eval.specs.system import load_system

SUITES = ("ablation", "acestep")
NEEDED = {"ablation": ("corpora/mini-music-*",), "acestep": ("corpora/mini-music-*", "assets/acestep-tracks/*/*.opus")}


def need_cached(name: str) -> None:
    """Skip where the cache lacks what takes a network or minutes to get."""
    for pattern in NEEDED[name]:
        if not any(cache_folder().glob(pattern)):
            pytest.skip(f"the cache holds no {pattern}: run `calm-eval run more/{name} --dry-run` once")


@pytest.mark.parametrize("name", SUITES)
def test_it_is_valid_and_says_what_it_cannot_show(name):
    suite = load_suite(f"more/{name}")
    assert check_file(suite.path).endswith(f"suite 'more/{name}' version 1 is valid")
    assert all(make_metric(use).spec.name in suite.spec.metrics for use in suite.spec.metric_uses())
    assert suite.spec.reference_set.corpus == "mini-music"
    told = " ".join(suite.spec.notes)
    words = {"acestep": "prompts of these tracks are not published", "ablation": "What it cannot show"}
    assert words[name] in told


def test_the_ablation_holds_every_preset_of_its_name_and_its_text_the_figures_of_the_published_table():
    suite = load_suite("more/ablation").spec
    rows = [use.name for use in suite.system_uses()]
    assert {name for name in system_presets() if name.startswith("mini-ablation-")} <= set(rows)
    assert set(rows) - set(system_presets()) == {"reference", "noise-5db"}
    told = set(re.findall(r"\d+\.\d\d\b", suite.notes[-1]))
    assert told == {f"{row.value:.2f}" for row in load_published() if row.table == "CALM Table 6"}


def test_its_metrics_are_those_of_the_mini_suite_of_its_task():
    own, mini = load_suite("more/ablation").spec, load_suite("mini/music_continuation").spec
    assert (own.task, own.metrics, own.reference_set) == (mini.task, mini.metrics, mini.reference_set)


def test_the_recorded_tracks_are_a_folder_that_names_an_asset():
    spec = load_system("acestep").spec
    assert (spec.asset, spec.tasks) == ("acestep-tracks", ["text_to_music"])


@pytest.mark.parametrize("name", SUITES)
def test_a_dry_run_plans_it(name, tmp_path, capsys):
    need_cached(name)
    assert main(["run", f"more/{name}", "--full", "--dry-run", "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().out
    samples = {"acestep": "28 of 28 items, 1 seed, 4 rows, 112 samples", "ablation": "72 of 72 items, 2 seeds, 7 rows"}
    assert f"more/{name} version 1: {samples[name]}" in told
    assert not (tmp_path / "run" / "run.sqlite").exists()


def test_the_real_tracks_become_28_items_with_captions_and_audio():
    need_cached("acestep")
    items = {item.id: item for item in suite_items(load_suite("more/acestep"))}
    assert len(items) == 28
    assert items["nostalgic_electronic_2"].text == "nostalgic electronic music, 84 bpm, Bb minor"
    assert {item.duration for item in items.values()} == {30.0}
    clip = read_sound(items["calm_acoustic_1"].reference.path)
    assert clip.sample_rate == 48000
    assert clip.seconds == pytest.approx(32.3, abs=0.01)
