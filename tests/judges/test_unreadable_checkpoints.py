"""What is said of a file that is no checkpoint of a judge: which file, why, what to do; never how to run its code."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from calm_eval.errors import UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.judges.unreadable import cause

torch = pytest.importorskip("torch")
JUDGED = ("vggish", "encodec", "nisqa", "aisfx")
OPTIONS = {"nisqa": {"accept_licence": "CC-BY-NC-SA-4.0"}}


class _Code:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def _truncated(folder: Path) -> Path:
    whole = _other(folder).read_bytes()
    (folder / "truncated.pt").write_bytes(whole[: len(whole) // 2])
    return folder / "truncated.pt"


def _other(folder: Path) -> Path:
    torch.save({"state_dict": {"conv.weight": torch.ones(8, 8)}}, folder / "other.pt")
    return folder / "other.pt"


def _code(folder: Path) -> Path:
    torch.save({"state_dict": _Code(folder / "mark")}, folder / "code.pt")
    return folder / "code.pt"


def _pickle(folder: Path) -> Path:
    (folder / "pickle.pt").write_bytes(pickle.dumps(_Code(folder / "mark")))
    return folder / "pickle.pt"


def _page(folder: Path) -> Path:
    (folder / "page.pt").write_bytes(b"<html>sign in</html>")
    return folder / "page.pt"


def _safetensors(folder: Path) -> Path:
    (folder / "broken.safetensors").write_bytes(b"\xff" * 300)
    return folder / "broken.safetensors"


def _empty(folder: Path) -> Path:
    (folder / "empty.pt").touch()
    return folder / "empty.pt"


def _missing(folder: Path) -> Path:
    return folder / "missing.pt"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("made", [_truncated, _other, _code, _pickle, _page, _safetensors, _empty, _missing])
@pytest.mark.parametrize("name", JUDGED)
def test_file_and_next_step_are_named_and_no_code_runs(name: str, made: Callable[[Path], Path], tmp_path: Path) -> None:
    file = made(tmp_path)
    judge = JUDGES.load(name)(path=str(file), **OPTIONS.get(name, {}))
    with pytest.raises(UnavailableError) as caught:
        _identified_and_loaded(judge)
    message = str(caught.value)
    assert str(file) in message
    assert message.endswith("give another `path`")
    assert "weights_only" not in message
    assert "\n" not in message
    assert not (tmp_path / "mark").exists()


def _identified_and_loaded(judge: object) -> None:
    judge.info  # type: ignore[attr-defined]  # noqa: B018
    judge.load("cpu", 1)  # type: ignore[attr-defined]


def test_a_cause_is_one_sentence() -> None:
    assert cause(RuntimeError("failed reading. This is an error\nof minutes")) == "RuntimeError: failed reading"
    told = cause(pickle.UnpicklingError("Weights only load failed. Unsupported global: GLOBAL posix.system was not"))
    assert told == "it holds objects of posix.system"
    assert cause(EOFError()) == "EOFError: it ends too early"
