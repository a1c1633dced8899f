"""The pages say what is true: their snippets run, their links lead somewhere, and no name is left out."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from calm_eval.cli import _parser
from calm_eval.errors import InputError
from calm_eval.metrics import METRICS
from calm_eval.metrics.bound import make_metric
from calm_eval.specs.check import check_file
from calm_eval.specs.suite import MetricUse

ROOT = Path(__file__).resolve().parents[2]
THIRD_PARTY = ROOT / "tests" / "third_party"
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md"]

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\A# file: ([\w./-]+)\n")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NEEDS_WEIGHTS = ("mini/", "mini ", "suites/", " assets fetch", " assets verify", " piper", " espeak", " train mini")

# fmt: off
FAILURES = (
    # systems/child.py, in_process.py, command.py, collect.py
    "crash", "timeout", "exception", "bad-answer", "unfinished", "empty", "nan",
    # audio/read.py, through systems/folder.py and command.py
    "missing", "unreadable", "truncated",
    # systems/child.py on the item's prompt
    "prompt-missing", "prompt-unreadable", "prompt-truncated", "prompt-empty", "prompt-nan",
    # systems/controls.py
    "no-other-text", "no-other-prompt", "no-reference", "reference-missing", "reference-unreadable",
    "reference-truncated", "reference-empty", "reference-nan",
    # systems/piper.py, systems/espeak.py
    "no-phonemes", "empty-text",
    # runs/samples.py START_FAILURE with systems/child.py, in_process.py, command.py, worker.py
    "start:import-error", "start:load-error", "start:start-timeout", "start:crash", "start:start-error",
    "start:bad-answer", "start:exception",
    # audio/checks.py and runs/samples.py: flags
    "silent", "clipped", "too-short", "runaway", "broke-after",
)
# fmt: on

# fmt: off
REFUSALS = (
    # metrics/*.py
    "no-text", "no-reference-words", "no-prompt", "not-timed", "no-spans", "judge:no-vector", "judge:no-direction",
    # judges/*.py, with the metric's prefix
    "judge:silent", "judge:no-voice", "judge:too-short", "judge:empty", "judge:nan",
    "no-words", "one seed", "no-reference", "no-round-trip", "n < 5d", "too few clips", "fewer than two clips",
    # runs/aggregate.py
    "no-value", "not-generated", "not-scored",
    # runs/values.py
    "unscored",
)
# fmt: on


@dataclass(frozen=True)
class Block:
    """One fenced snippet: its language, its text, the file it is to be written to, and its line in the page."""

    language: str
    text: str
    file: str | None
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        body = found[2]
        named = NAMED.match(body)
        file = named[1] if named else None
        if named and found[1] == "jsonl":
            body = body[named.end() :]  # JSON Lines know no comments
        yield Block(found[1], body, file, text.count("\n", 0, found.start()) + 2)


def needs_weights(text: str) -> bool:
    return any(word in text + " " for word in NEEDS_WEIGHTS)


def in_folder(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    # PYTHONPATH stands for an installation: the demo package, and what the page itself has written so far.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(THIRD_PARTY)])}
    return subprocess.run(
        [sys.executable, *argv], cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False
    )


def write(folder: Path, block: Block) -> None:
    assert block.file is not None
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    if block.language == "python":
        compile(block.text, block.file, "exec")
    elif block.language == "jsonl":
        assert all(isinstance(json.loads(line), dict) for line in block.text.splitlines())
    elif block.language == "toml":
        register(folder, tomllib.loads(block.text)["project"])


def register(folder: Path, project: dict[str, object]) -> None:
    """What `pip install` of a pyproject.toml does to entry points."""
    info = folder / f"{str(project['name']).replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    groups = project["entry-points"]
    assert isinstance(groups, dict)
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in one.items()) for group, one in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder with the suite of tones that docs/extending.md makes; the present folder while a test runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for block in blocks(DOCS / "extending.md"):
        if block.file in ("make_tones.py", "tones.yaml"):
            write(tmp_path, block)
    made = in_folder(tmp_path, "make_tones.py")
    assert made.returncode == 0, made.stderr
    return tmp_path


def run_console(folder: Path, block: Block, where: str) -> None:
    for line in block.text.splitlines():
        if not line.startswith("$ calm-eval"):
            continue
        words = shlex.split(line.removeprefix("$ "), comments=True)[1:]
        if words[-1:] != ["--help"]:
            _parser().parse_args(words)
        if not needs_weights(line):
            done = in_folder(folder, "-m", "calm_eval.cli", *words)
            assert done.returncode == 0, f"{where}: {line}\n{done.stdout}\n{done.stderr}"


# What is timed belongs to no quick test.
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page.name == "latency.md" else ()) for page in PAGES],
    ids=lambda page: page.name,
)
def test_the_snippets_of_a_page_run(page: Path, folder: Path) -> None:
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.file is not None:
            write(folder, block)
        if block.language == "yaml":
            yaml.safe_load(block.text)
            if block.file is not None:
                importlib.invalidate_caches()
                assert "is valid" in check_file(Path(block.file)), where
        elif block.language == "console":
            run_console(folder, block, where)
        elif block.language == "python" and block.file is None:
            compile(block.text, where, "exec")
            if not needs_weights(block.text):
                done = in_folder(folder, "-c", block.text)
                assert done.returncode == 0, f"{where}\n{done.stdout}\n{done.stderr}"


def test_the_pages_have_snippets_to_run() -> None:
    count = {
        page.name: sum(block.language in ("python", "yaml", "console") for block in blocks(page)) for page in PAGES
    }
    assert count["extending.md"] >= 8
    assert count["systems.md"] >= 8


def test_what_the_pages_build_gives_the_numbers_they_promise(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole third-party story in this process: a suite, a system, a judge and a metric that are not ours."""
    from calm_eval import evaluate

    for page in (DOCS / "extending.md", DOCS / "systems.md"):
        for block in blocks(page):
            if block.file is not None:
                write(folder, block)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(THIRD_PARTY)]))
    importlib.invalidate_caches()
    run = evaluate("peaks.yaml", ["hum", "demo-sine", "beeps.yaml", "silence"], out=folder / "run", seeds=2)
    assert run.unavailable == {}
    table = run.summary().set_index(["variant", "metric"])
    level = table["value"].unstack()["peak_level"]
    assert level["hum"] == pytest.approx(-6.02, abs=0.1)
    assert level["demo-sine"] == pytest.approx(-6.02, abs=0.1)
    assert level["beeps temperature=0.2 steps=4"] == pytest.approx(-10.46, abs=0.1)
    assert table.loc[("beeps", "peak_level"), "n_scored"] == 6
    silence = table.loc[("silence", "peak_level")]
    assert (silence["n_scored"], silence["n_expected"]) == (0, 6)
    assert json.loads(silence["failures"]) == {"judge:silent": 6}
    samples = run.samples().set_index(["variant", "item", "seed"])
    assert samples["streamed"].loc[("beeps", "item-2", 0)] == 1
    # Beeps draw their noise from (item, seed): another seed is another sound.
    assert samples["audio"].loc[("beeps", "item-0", 0)] != samples["audio"].loc[("beeps", "item-0", 1)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{page.name}: {target}"
        if anchor and goal.suffix == ".md":
            assert anchor in anchors(goal), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def code_words(*pages: str) -> set[str]:
    text = "".join((DOCS / page).read_text(encoding="utf-8") for page in pages)
    return set(re.findall(r"`([^`\n]+)`", FENCE.sub("", text)))


def test_every_metric_is_described() -> None:
    ours = {name for name, target in METRICS.targets().items() if target.startswith("calm_eval.")}
    assert ours <= code_words("metrics.md")
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    for name in ours:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        try:
            spec = make_metric(MetricUse(name=name)).spec
        except InputError:
            # It needs options, and has as many titles.
            continue
        assert cells[1] == spec.title
        assert cells[2].startswith(spec.unit)
        assert cells[3] == ("higher" if spec.higher_is_better else "lower")
        assert cells[4] == spec.kind
        assert cells[5] == (f"`{spec.judge}`" if spec.judge else "none")


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_is_described(name: str) -> None:
    assert name in code_words("systems.md")


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_is_described(name: str) -> None:
    assert name in code_words("metrics.md")


def test_the_pages_hold_no_path_of_a_machine() -> None:
    for page in [*PAGES, ROOT / "NOTICE", ROOT / "CHANGELOG.md"]:
        found = re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\S*", page.read_text(encoding="utf-8"))
        assert not found, f"{page.name}: {found}"


def test_changelog_lines_are_short() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("### Added")[1].splitlines()
    for line in lines:
        assert len(line.split()) <= 26, line


def test_the_table_in_the_readme_is_that_of_the_committed_report() -> None:
    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("|")]

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    report = (ROOT / "reports" / "mini" / "report.md").read_text(encoding="utf-8")
    section = report.split("\n## Music continuation, mini\n")[1].split("More metrics:")[0]
    shown = lines(readme.split("<!-- mini table: begin -->")[1].split("<!-- mini table: end -->")[0])
    # A moved parameter stands in a row's name as `steps=1`.
    assert shown == [line for line in lines(section) if "=" not in line.split("|")[1]]
    assert len(shown) > 12
