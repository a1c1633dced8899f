"""Every judge that runs on weights nobody trained, heard in runs of the bundled mini suites: answers, and no number."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from calm_eval import load_run
from calm_eval.judges import JUDGES
from calm_eval.judges.environments import find_environment
from calm_eval.judges.protocol import Requires
from calm_eval.metrics import METRICS
from calm_eval.runs.run import Run
from calm_eval.specs.locate import bundled_folder

SPEECH, MUSIC = "mini/tts", "mini/text_to_music"
LIMIT, SCORED, SYSTEMS = 3, 2, ("reference", "silence")
"""Of three items of these suites one is for tuning."""
CLIPS = 4
"""Items of the corpus, whose references are the set that sets are compared with."""
SPEAKERS = ("wavlm-base-plus-sv",)
"""Embeddings of a voice that no metric asks for by itself."""
OPTIONS = {"random": 1}
MOST_MEMORY = 6_000_000_000
"""Bytes; 3.7 GB were measured. The weights of all judges together are several times as much."""


@functools.cache
def names() -> list[str]:
    """The judges whose factory takes `random`."""
    targets = JUDGES.targets()
    return [name for name in targets if "random" in inspect.signature(JUDGES.load(name)).parameters]


def requires(name: str) -> Requires:
    found: Requires = JUDGES.load(name)(**OPTIONS).requires
    return found


def lacking(name: str) -> str:
    """What has to be made before this judge can be heard; empty when nothing."""
    wanted = requires(name)
    if wanted.environment and not find_environment(wanted.environment).made:
        return find_environment(wanted.environment).told
    for package in wanted.packages:
        try:
            importlib.import_module(package)
        # A package that does not go with the PyTorch beside it raises OSError or RuntimeError.
        except (ImportError, OSError, RuntimeError) as error:
            return f"no {package} ({type(error).__name__}: {error}); install calm-eval[{wanted.extra}]"
    return ""


@functools.cache
def asking() -> dict[str, str]:
    """Judge to the first metric that asks it by itself."""
    specs = [getattr(METRICS.load(metric), "spec", None) for metric in METRICS.targets()]
    return {spec.judge: spec.name for spec in reversed(specs) if spec is not None and spec.judge is not None}


@functools.cache
def metric_of(name: str) -> str | None:
    """The metric that asks this judge by itself, or one that can be bound to it; None when there is none."""
    if name in asking():
        return asking()[name]
    judge = JUDGES.load(name)(**OPTIONS)
    if judge.info.output == "embedding" and hasattr(judge, "judge_texts"):
        return "clap"
    if name in SPEAKERS:
        return "speaker_similarity"
    return {"transcript": "wer", "tags": "kl", "embedding": "fad"}.get(judge.info.output)


def suite_of(name: str) -> str:
    """Speech for recognisers, voices and scores; music for the embeddings and tags of any sound."""
    output = JUDGES.load(name)(**OPTIONS).info.output
    spec = METRICS.load(metric_of(name)).spec
    voice = any(part.startswith("prompt") for part in spec.judged)
    return SPEECH if voice or output not in ("embedding", "tags") else MUSIC


@dataclass(frozen=True)
class Heard:
    """A finished run of the command line; `peak` is the memory of its largest process, in bytes."""

    run: Run
    peak: int

    def rows(self, name: str) -> pd.DataFrame:
        """Of one judge's metric, by system."""
        summary = self.run.summary()
        preset = JUDGES.load(name)(**OPTIONS).info.name
        return summary[(summary["metric"] == metric_of(name)) & (summary["preset"] == preset)].set_index("variant")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Heard]:
    """The two suites with all metrics, each run once."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("random_judges")
    return {suite: _run(suite, folder) for suite in (SPEECH, MUSIC)}


def _run(suite: str, folder: Path) -> Heard:
    asked = [name for name in names() if not lacking(name) and suite_of(name) == suite]
    uses = [{"name": metric_of(name), "judge": {"name": name, "options": OPTIONS}} for name in asked]
    told: dict[str, Any] = yaml.safe_load((bundled_folder() / f"{suite}.yaml").read_text(encoding="utf-8"))
    for key in ("table", "pick", "sweep", "notes"):
        told.pop(key)
    told["items"]["count"] = CLIPS
    told |= {"metrics": [*uses, "rms_dbfs"], "systems": list(SYSTEMS), "reference_set": {"items": True}}
    file, out = folder / f"{Path(suite).name}.yaml", folder / Path(suite).name
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    argv = [sys.executable, "-m", "calm_eval.cli", "run", str(file), "--limit", str(LIMIT), "--threads", "1"]
    with (folder / f"{out.name}.log").open("wb") as log:
        process = subprocess.Popen([*argv, "--out", str(out)], stdout=log, stderr=subprocess.STDOUT)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            process.kill()  # nothing where it has ended
    assert process.returncode == 0, (folder / f"{out.name}.log").read_text(encoding="utf-8")[-3000:]
    return Heard(load_run(out), usage.ru_maxrss * 1024)


def test_every_such_judge_has_a_metric_that_asks_it() -> None:
    assert {name: metric_of(name) for name in names() if metric_of(name) is None} == {}
    assert {"clap-music", "utmos", "vggish", "wavlm-large-ecapa"} < set(names())


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", names())
def test_it_answers_and_its_cells_hold_no_number(heard: dict[str, Heard], name: str) -> None:
    if lacking(name):
        pytest.skip(f"{name}: {lacking(name)}")
    mine = heard[suite_of(name)]
    assert mine.run.unavailable == {}
    rows = mine.rows(name)
    assert set(rows.index) == set(SYSTEMS)
    assert rows[["value", "low", "high"]].isna().all(axis=None)
    assert set(rows["n_scored"]) == {0}
    assert set(rows["n_expected"]) == {SCORED}
    assert set(rows["failures"]) == {f'{{"unscored": {SCORED}}}'}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("suite", [SPEECH, MUSIC])
def test_the_report_says_why_and_other_metrics_are_scored(heard: dict[str, Heard], suite: str) -> None:
    run = heard[suite].run
    asked = [name for name in names() if not lacking(name) and suite_of(name) == suite]
    assert (run.folder / "report.md").read_text().count("random weights: not scored") == len(asked) * len(SYSTEMS)
    levels = run.summary().query("metric == 'rms_dbfs'").set_index("variant")
    assert levels.loc["reference", "n_scored"] == SCORED


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("suite", [SPEECH, MUSIC])
def test_one_judge_at_a_time_is_in_memory(
    heard: dict[str, Heard], suite: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("peak_bytes", heard[suite].peak)
    assert heard[suite].peak < MOST_MEMORY
