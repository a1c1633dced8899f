"""The built wheel, installed in an empty folder, lists and plans the mini suite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from calm_eval.specs.presets import preset_cards

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    keep = (
        "calm_eval",
        "reference_models",
        "suites",
        "reports",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "NOTICE",
        "CHANGELOG.md",
    )
    source.mkdir()
    for name in keep:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    argv = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"the wheel does not build: {done.stderr[-2000:]}")
    return next(folder.glob("calm_eval-*.whl"))


def test_it_holds_what_it_needs_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "calm_eval/py.typed",
        "calm_eval/assets/assets.toml",
        "calm_eval/bundled_suites/mini/tts.yaml",
        "calm_eval/bundled_suites/more/readings_sentences.jsonl",
        "calm_eval/bundled_suites/systems/piper.yaml",
        "calm_eval/bundled_suites/paper/librispeech_pc.yaml",
        "calm_eval/bundled_published/calm_table_02_speech_continuation.csv",
    ):
        assert needed in names
    source = wheel.parent / "source"
    models = [path for path in (source / "reference_models").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.relative_to(source).as_posix() for path in models} <= set(names)
    assert not [name for name in names if name.startswith("tests/")]


def test_it_works_from_an_empty_folder(wheel, tmp_path):
    venv.EnvBuilder(with_pip=False, system_site_packages=False, symlinks=True).create(tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True
    ).stdout.strip()
    zipfile.ZipFile(wheel).extractall(site)
    # The dependencies come from this environment; calm_eval itself must come from the wheel.
    here = subprocess.run(
        [sys.executable, "-c", "import numpy, pathlib; print(pathlib.Path(numpy.__file__).parent.parent)"],
        capture_output=True,
        text=True,
    ).stdout.strip()
    (Path(site) / "dependencies.pth").write_text(here + "\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def call(*words):
        argv = [python, "-m", "calm_eval.cli", *words]
        return subprocess.run(argv, cwd=empty, env=environment, capture_output=True, text=True, check=False)

    where = subprocess.run(
        [python, "-c", "import calm_eval; print(calm_eval.__file__)"],
        cwd=empty, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert where.stdout.strip().startswith(site)
    assert "mini/tts" in call("list", "suites").stdout
    systems, codecs = call("list", "systems"), call("list", "codecs")
    assert systems.returncode == codecs.returncode == 0, systems.stderr + codecs.stderr
    for name, card in preset_cards().items():
        assert f"\n{name} " in (systems if card.tasks else codecs).stdout
    done = call("run", "more/readings", "--systems", "espeak-en-us", "reference", "--limit", "2")
    assert done.returncode == 0, done.stderr
    assert "| espeak-en-us |" in done.stdout
    assert (empty / "runs" / "more-readings" / "summary.csv").is_file()
