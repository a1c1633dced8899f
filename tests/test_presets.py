"""Presets of the reference models: systems and codecs without a file, known without a model in memory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from calm_eval import evaluate
from calm_eval.errors import InputError
from calm_eval.listing import counted, listing
from calm_eval.specs import presets
from calm_eval.specs.system import load_system
from reference_models.errors import ModelError

ROOT = Path(__file__).resolve().parents[1]


def rows(table):
    """The cells of a listing: columns begin where those of the header do."""
    header, *lines = table.splitlines()
    starts = [found.start() for found in re.finditer(r"(?:(?<=  )|^)\S", header)]
    ends = [*starts[1:], None]
    return [{header[a:b].strip(): line[a:b].strip() for a, b in zip(starts, ends, strict=True)} for line in lines]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (2_061_000_000, "2.1 B"),
        (601_100_000, "601 M"),
        (99_960_000, "100 M"),
        (99_940_000, "99.9 M"),
        (9_764_000, "9.8 M"),
        (999_600_000, "1.0 B"),
        (999_400_000, "999 M"),
        (999_600, "1.0 M"),
        (12_345, "12.3 k"),
        (999, "999"),
        (0, "0"),
    ],
)
def test_numbers_of_parameters_are_for_people(count, text):
    assert counted(count) == text


@pytest.fixture
def cards(monkeypatch):
    """Presets of a catalogue that is not ours."""
    from reference_models.catalogue import PresetCard

    plain = PresetCard(
        name="tiny-calm", title="Tiny", kind="calm", family="continuous", tasks=("tts",), parameters=3_812_345,
        parts={"backbone": 3_812_345}, sample_rate=16000, frame_rate=12.5, width=32, head_evaluations_per_second=12.5,
        checkpoint=None, notes=(),
    )  # fmt: skip
    found = {
        "tiny-calm": plain,
        "tiny-rq": replace(
            plain, name="tiny-rq", kind="rq", family="discrete", head_evaluations_per_second=100.0, checkpoint="w"
        ),
        "tiny-vae": replace(plain, name="tiny-vae", kind="vae", tasks=()),
        "tiny-rvq": replace(plain, name="tiny-rvq", kind="rvq", tasks=(), width=8, checkpoint="w"),
    }
    # Bundled controls are about real models, so these stay; no real codec does.
    models = {name: card for name, card in presets.preset_cards().items() if card.tasks}
    monkeypatch.setattr(presets, "preset_cards", lambda: {**models, **found})
    return found


def test_a_listing_says_what_is_known(cards):
    systems = {row["name"]: row for row in rows(listing("systems"))}
    assert systems["tiny-calm"] == {
        "name": "tiny-calm", "kind": "calm", "family": "continuous", "parameters": "3.8 M", "frame rate (Hz)": "12.5",
        "head evaluations/s": "12.5", "trained": "untrained", "variants": "1", "title": "Tiny",
    }  # fmt: skip
    assert (systems["tiny-rq"]["trained"], systems["tiny-rq"]["head evaluations/s"]) == ("yes", "100")
    assert set(systems["piper"].values()) == {"piper", "python", "-", "3", "Piper, en_US joe, medium (VITS)"}
    assert systems["silence"]["family"] == "control"
    assert "demo-sine" in systems
    assert "tiny-vae" not in systems
    vae, rvq = rows(listing("codecs"))
    assert vae == {
        "name": "tiny-vae", "kind": "vae", "parameters": "3.8 M", "sample rate (Hz)": "16000",
        "frame rate (Hz)": "12.5", "frame": "32 dimensions", "trained": "untrained", "title": "Tiny",
    }  # fmt: skip
    assert (rvq["name"], rvq["frame"], rvq["trained"]) == ("tiny-rvq", "8 codebooks", "yes")


def test_a_name_is_a_system(cards):
    spec = load_system("tiny-calm").spec
    assert (spec.name, spec.title, spec.python) == ("tiny-calm", "Tiny", "reference_models.adapter:create")
    assert spec.options == {"preset": "tiny-calm", "resample_prompts": True}
    with pytest.raises(InputError, match=r"Did you mean 'tiny-calm'\?.* Presets: .*tiny-calm, tiny-rq$"):
        load_system("tiny-clam")
    with pytest.raises(InputError, match="'tiny-vae' is a codec and makes no audio by itself"):
        load_system("tiny-vae")


def test_a_name_that_a_package_registers_too_is_an_error(cards, monkeypatch):
    monkeypatch.setitem(cards, "demo-sine", cards["tiny-calm"])
    with pytest.raises(InputError, match="'demo-sine' is a preset of reference_models and is registered by"):
        load_system("demo-sine")


def test_a_wrong_preset_file_is_an_error_with_exit_2(monkeypatch):
    def wrong():
        raise ModelError("x.yaml: dim: Field required")

    monkeypatch.setattr("reference_models.catalogue.catalogue", wrong)
    presets.preset_cards.cache_clear()
    try:
        with pytest.raises(InputError, match=r"x\.yaml: dim: Field required"):
            listing("codecs")
    finally:
        presets.preset_cards.cache_clear()


SYSTEM = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo

class Where:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1, unscored="untrained")

    def load(self, device, dtype, threads):
        print("served from", __file__)

    def generate(self, requests, sampling):
        for request in requests:
            yield Chunk(request.item, request.seed, array("f", [0.5, -0.5] * 4000), 16000)
            yield Done(request.item, request.seed)

def create(preset=""):
    return Where()
"""


def package(folder, module):
    """A package called reference_models with one module that serves."""
    (folder / "reference_models").mkdir(parents=True)
    (folder / "reference_models" / "__init__.py").write_text("")
    (folder / "reference_models" / f"{module}.py").write_text(SYSTEM)
    return str((folder / "reference_models" / f"{module}.py").resolve())


def test_a_child_takes_the_models_that_lie_beside_its_harness(tmp_path, tone_suite):
    """A source checkout that is not the installed one, and an interpreter that has no package at all."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "calm_eval", checkout / "calm_eval", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "reports", checkout / "reports")
    ours = package(checkout, "adapter")
    venv.EnvBuilder(with_pip=False, symlinks=True).create(tmp_path / "bare")
    bare = {"interpreter": str(tmp_path / "bare" / "bin" / "python")}
    for name, more in (("same", {}), ("bare", bare)):
        spec = {"name": name, "python": "reference_models.adapter:create", "options": {"preset": "x"}, **more}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(spec))
    suite, out = tone_suite(1, metrics=["rtf"]), tmp_path / "run"
    words = ["run", suite, "--systems", tmp_path / "same.yaml", tmp_path / "bare.yaml", "--out", out]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    argv = [sys.executable, "-m", "calm_eval.cli", *map(str, words)]
    done = subprocess.run(argv, cwd=checkout, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("same", "bare"):
        assert f"served from {ours}" in (out / "logs" / f"{name}.log").read_text()


def test_a_package_of_the_same_name_that_is_not_ours_is_left_alone(tmp_path, tone_suite):
    theirs = package(tmp_path / "theirs", "some_other_module")
    file = tmp_path / "theirs" / "other.yaml"
    file.write_text(yaml.safe_dump({"name": "other", "python": "reference_models.some_other_module:create"}))
    run = evaluate(str(tone_suite(1, metrics=["rtf"])), [str(file)], out=tmp_path / "run")
    assert run.unavailable == {}
    assert f"served from {theirs}" in (tmp_path / "run" / "logs" / "other.log").read_text()


def test_every_preset_is_listed_without_torch():
    code = (
        "import sys; from calm_eval.listing import listing; "
        "print(listing('systems')); print(listing('codecs')); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    named = {line.split()[0]: line for line in done.stdout.splitlines()}
    for name, card in presets.preset_cards().items():
        assert counted(card.parameters) in named[name]
        assert card.title in named[name]
        assert card.tasks == () or load_system(name).spec.options["preset"] == name


def test_an_untrained_preset_runs_through_a_suite_and_is_only_timed(tmp_path, tone_suite, renamed):
    name = "mine"
    spec = {"name": name, "python": "reference_models.adapter:create", "options": {"preset": renamed("mini-calm-tts")}}
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(spec))
    suite = tone_suite(1, metrics=["demo_level", "rtf"])
    run = evaluate(str(suite), [str(tmp_path / f"{name}.yaml"), "demo-sine"], out=tmp_path / "run", threads=1)
    assert run.unavailable == {}
    table = run.summary().set_index(["variant", "metric"])
    assert table.loc[(name, "demo_level"), "failures"] == '{"unscored": 1}'
    assert table.loc[(name, "rtf"), "n_scored"] == 1
    assert f"| {name} | untrained: quality not scored |" in (tmp_path / "run" / "report.md").read_text()
    assert run.invocations()["judged"].tolist() == [1]
