"""The page's folder: data, sounds, pictures, figures, style and scripts; `index.html` opens from disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval import __version__
from calm_eval.errors import InputError
from calm_eval.keys import SHORT, digest
from calm_eval.reports.page.sounds import Sounds
from calm_eval.reports.page.suite_data import suite_data
from calm_eval.reports.page.wish import PageWish
from calm_eval.reports.source import opened
from calm_eval.runs.database import storage_errors
from calm_eval.runs.environment import last_environment
from calm_eval.runs.order import command_of
from calm_eval.runs.run import Run

WEB = Path(__file__).resolve().parent / "web"
SCRIPTS = ("state.js", "player.js", "tables.js", "listen.js", "blind.js", "page.js")
LIBRARY = "htm-preact-3.1.1.js"
MARK = "calm-eval-page"
"""A file that says that a folder is a page, so that making it again may take its place."""


@dataclass(frozen=True)
class Page:
    """Where a page lies and what is in it."""

    folder: Path
    samples: int
    sounds: int
    bytes: int


def write_page(run: Run, folder: Path, wish: PageWish) -> Page:
    """Write the page of a run; an earlier page in the folder is replaced, its sounds that are still heard stay.

    Raises InputError for a suite or row that the run has not, and for a folder that holds something else.
    """
    if folder.exists() and not (folder / MARK).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} holds something that is no page; name another folder with --out")
    sounds, files, samples = Sounds(folder, wish.encoding), [], 0
    with opened(run, wish.suite) as (sources, database), storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(f"{__version__}\n", encoding="utf-8")
        shutil.rmtree(folder / "data", ignore_errors=True)
        shutil.rmtree(folder / "figures", ignore_errors=True)
        for place, source in enumerate(sources):
            data = suite_data(source, database, sounds, wish)
            samples += len(data["samples"])
            files.append(_script(folder, f"data/suite-{place}.js", data))
        about = _about(run, last_environment(database), command_of(database))
        sounds.forget_others()
        about["figures"] = _figures(run, folder)
        _frame(folder, about, files)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Page(folder, samples, sounds.count, size)


def _script(folder: Path, name: str, data: dict[str, Any]) -> str:
    """Data as a script: a page from disk may load scripts, and nothing else."""
    (folder / name).parent.mkdir(exist_ok=True)
    # ASCII alone, so that no encoding and no line separator of Unicode can break it.
    (folder / name).write_text(f"window.calmEval.add({json.dumps(data, allow_nan=False)});\n", encoding="ascii")
    return name


def _about(run: Run, told: Mapping[str, Any], command: str) -> dict[str, Any]:
    environment = (
        f"calm-eval {__version__}, Python {told.get('python')}, {told.get('processor')}, {told.get('cores')} cores, "
        f"device {told.get('device')}. Speed holds for this machine only."
    )
    name = run.folder.resolve().name
    return {"id": digest([name, command])[:SHORT], "title": name, "command": command, "environment": environment}


def _figures(run: Run, folder: Path) -> list[dict[str, str]]:
    """The figures of the run's report, if it was made."""
    found = []
    for path in sorted((run.folder / "figures").glob("*.svg")):
        (folder / "figures").mkdir(exist_ok=True)
        shutil.copyfile(path, folder / "figures" / path.name)
        found.append({"src": f"figures/{path.name}", "title": path.stem.replace("-", " ")})
    return found


def _frame(folder: Path, about: dict[str, Any], files: list[str]) -> None:
    import jinja2

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(WEB), autoescape=True, keep_trailing_newline=True)
    text = environment.get_template("index.html.j2").render(
        title=about["title"], version=__version__, about=about, data=files, scripts=SCRIPTS
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    for name in (*SCRIPTS, "page.css"):
        shutil.copyfile(WEB / name, folder / name)
    shutil.copyfile(WEB / "vendor" / LIBRARY, folder / "htm-preact.js")
    shutil.copyfile(WEB / "vendor" / "LICENSE-preact.txt", folder / "htm-preact.LICENSE.txt")
