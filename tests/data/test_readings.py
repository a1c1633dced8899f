"""The corpus builder: what it writes, its identities, its errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from calm_eval.assets import fetch
from calm_eval.data.readings import Readings
from calm_eval.data.voices import PIPER_ASSET, VOICES
from calm_eval.errors import InputError, UnavailableError

SUITE = Path(__file__).parents[2] / "suites" / "more" / "readings_sentences.jsonl"
PIPER, ESPEAK = "piper-joe", "espeak-en-us+f3"


def item(number: int, voice: str = ESPEAK, **changed: Any) -> dict[str, Any]:
    row = {"id": f"../t/{number}", "text": f"Boat {'very ' * number}small.", "tags": ["short"], "voice": voice}
    return {**row, **changed}


def prompt(number: int, voice: str = ESPEAK) -> dict[str, Any]:
    return {"id": f"p-{voice}-{number}", "prompt_for": voice, "text": f"Prompt {'so ' * number}long."}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_espeak_only_corpus_is_written_as_described(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    sentences = write(tmp_path / "s.jsonl", [*(item(n) for n in range(4)), *(prompt(n) for n in range(3))])
    done: list[tuple[int, int]] = []
    Readings(sentences).build(tmp_path / "out", lambda at, total: done.append((at, total)))
    assert done == [(n, 7) for n in range(1, 8)]
    rows = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == [f"../t/{n}" for n in range(4)]
    assert [row["prompt"] for row in rows] == [f"audio/{n:04d}.flac" for n in (5, 6, 7, 5)]
    assert [row["reference"] for row in rows] == [f"audio/{n:04d}.flac" for n in (1, 2, 3, 4)]
    assert rows[0]["speaker"] == ESPEAK
    assert rows[0]["synthetic"] is True
    assert rows[0]["prompt_text"] == "Prompt long."
    assert len({row["reference_identity"] for row in rows}) == 4
    assert rows[0]["prompt_identity"] == rows[3]["prompt_identity"] != rows[1]["prompt_identity"]
    for row in rows:
        info = soundfile.info(tmp_path / "out" / row["reference"])
        assert (info.subtype, info.samplerate, info.channels) == ("PCM_16", 22050, 1)


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for package in ("piper", "onnx", "espeakng_loader"):
        pytest.importorskip(package)
    rows = [item(0, PIPER), item(1, ESPEAK), item(2, PIPER), prompt(0, PIPER), prompt(0, ESPEAK)]
    sentences = write(tmp_path / "s.jsonl", rows)
    try:
        fetch(PIPER_ASSET)
    except UnavailableError as error:
        pytest.skip(str(error))
    for name in ("one", "two"):
        Readings(sentences).build(tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) == 6
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_identity_follows_the_content(tmp_path: Path) -> None:
    rows = [item(0), item(1), prompt(0)]
    name = Readings(write(tmp_path / "a.jsonl", rows)).identity
    assert len(name) == 64
    spaced = tmp_path / "b.jsonl"
    spaced.write_text("\n\n".join(json.dumps(row, indent=None, separators=(", ", ":  ")) for row in rows), "utf-8")
    assert Readings(spaced).identity == name
    for changed in ([item(0, text="Other."), *rows[1:]], rows[1:], [rows[1], rows[0], rows[2]]):
        assert Readings(write(tmp_path / "c.jsonl", changed)).identity != name


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ([item(0), item(0), prompt(0)], 2, "used on line 1"),
        ([item(0, voice="nobody"), prompt(0)], 1, "unknown voice 'nobody'"),
        ([item(0), item(1, text=" "), prompt(0)], 2, "'text'"),
        ([item(0, extra=1), prompt(0)], 1, "extra"),
        ([item(0, tags="short"), prompt(0)], 1, "tags"),
        ([item(0)], 1, "no prompt"),
        ([item(0, id=3), prompt(0)], 1, "'id'"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, rows: list[dict[str, Any]], line: int, words: str) -> None:
    path = write(tmp_path / "s.jsonl", rows)
    with pytest.raises(InputError, match=words) as caught:
        Readings(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_files_that_are_no_json_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Readings(tmp_path / "none.jsonl")
    (tmp_path / "bad.jsonl").write_text("[1]\n{", "utf-8")
    with pytest.raises(InputError, match=r"bad\.jsonl:1: a row must be an object"):
        Readings(tmp_path / "bad.jsonl")


def test_a_sentence_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calm_eval.data import voices
    from calm_eval.systems.protocol import Failure

    class Mute:
        info = VOICES[ESPEAK].load(1).info

        def generate(self, requests: Any, sampling: Any) -> Any:
            yield Failure(requests[0].item, 0, "empty-text", "nothing")

    monkeypatch.setattr(voices.Voice, "load", lambda self, threads: Mute())
    with pytest.raises(InputError, match=r"s\.jsonl:1: espeak-en-us\+f3: empty-text"):
        Readings(write(tmp_path / "s.jsonl", [item(0), prompt(0)])).build(tmp_path / "out")


def test_the_mini_suite_is_balanced_in_every_prefix() -> None:
    rows = [json.loads(line) for line in SUITE.read_text("utf-8").splitlines()]
    items = [row for row in rows if "voice" in row]
    assert len(items) == 64
    assert len(rows) - len(items) == 3 * len(VOICES)
    assert not any(character.isdigit() for row in rows for character in row["text"])
    for end in range(8, 65, 8):
        voices = [row["voice"] for row in items[:end]]
        assert voices.count(PIPER) == end // 2
        for voice in VOICES.keys() - {PIPER}:
            assert voices.count(voice) == end // 8
    assert len(Readings(SUITE).identity) == 64
