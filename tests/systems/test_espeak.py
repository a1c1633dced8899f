"""espeak-ng: deterministic utterances, voices checked, long data paths."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.systems import espeak
from calm_eval.systems.protocol import Chunk, Done, Failure, Request

pytest.importorskip("espeakng_loader")

TEXT = "The quick ship left the harbor before noon."


def speak(voice: str, text: str = TEXT, rate: int = 175, seed: int = 0) -> NDArray[np.float32]:
    events = list(espeak.create(voice).generate([Request("a", seed, "tts", text)], {"rate": rate}))
    assert [type(event) for event in events] == [Chunk, Done]
    chunk = events[0]
    assert isinstance(chunk, Chunk)
    assert chunk.sample_rate == espeak.SAMPLE_RATE
    samples: NDArray[np.float32] = chunk.samples
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert 0.05 < float(np.abs(samples).max()) < 1.0
    return samples


def test_the_same_text_gives_the_same_samples_whatever_came_before() -> None:
    system = espeak.create("en-us+whisper")  # breath noise: the voice that has most state

    def run(texts: list[str]) -> dict[str, bytes]:
        requests = [Request(text, seed, "tts", text) for seed, text in enumerate(texts)]
        events = system.generate(requests, {"rate": 175})
        return {event.item: event.samples.tobytes() for event in events if isinstance(event, Chunk)}

    texts = ["One boat.", TEXT, "Is it late?"]
    assert run(texts) == run(texts[::-1])


def test_voices_differ_and_rate_is_words_per_minute() -> None:
    plain = speak("en-us")
    assert speak("en-us+f3").tobytes() != plain.tobytes()
    assert speak("en-gb-scotland").tobytes() != plain.tobytes()
    assert 1.6 < len(speak("en-us", rate=100)) / len(speak("en-us", rate=200)) < 2.4


def test_markup_is_text_and_unicode_is_utf8() -> None:
    assert len(speak("en-us", "<b>word</b>")) > len(speak("en-us", "word"))
    assert speak("en-us", "café").tobytes() != speak("en-us", "caf").tobytes()


@pytest.mark.parametrize("text", ["", " \n\t", None])
def test_empty_text_is_a_named_failure(text: str | None) -> None:
    events = list(espeak.create().generate([Request("a", 0, "tts", text)], {"rate": 175}))
    assert isinstance(events[0], Failure)
    assert events[0].name == "empty-text"


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-gb-scotland", "en"])
def test_known_voices_load(voice: str) -> None:
    espeak.create(voice).load("cpu", "float32", 1)


@pytest.mark.parametrize(
    ("voice", "near"), [("en-us+f33", "f3"), ("en-uk", "en-us"), ("en-us+", "''"), ("en-gb", "en-gb")]
)
def test_unknown_voices_are_named_with_near_ones(voice: str, near: str) -> None:
    with pytest.raises(InputError, match=near):
        espeak.create(voice).load("cpu", "float32", 1)


def test_info_holds_the_voice_and_what_makes_it() -> None:
    info = espeak.create("en-us+f3").info
    assert info.config["voice"] == "en-us+f3"
    assert "espeakng-loader" in info.config
    assert info.version == 1
    assert all(len(value) == 64 for value in info.weights.values())


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak.importlib.util, "find_spec", lambda name: None)
    for action in (lambda: espeak.create().info, lambda: espeak.create().load("cpu", "float32", 1)):
        with pytest.raises(UnavailableError, match=r"calm-eval\[espeak\]"):
            action()


def moved(monkeypatch: pytest.MonkeyPatch, folder: Path, *, with_data: bool) -> espeak.EspeakSystem:
    """The library with its data in another folder."""
    library, home = espeak.create()._package
    folder.mkdir(parents=True)
    if with_data:
        shutil.copytree(home / "espeak-ng-data", folder / "espeak-ng-data")
    system = espeak.create()
    monkeypatch.setitem(system.__dict__, "_package", (library, folder))
    return system


def test_a_data_path_longer_than_the_library_s_buffer_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    system = moved(monkeypatch, tmp_path / ("long" * 50) / ("folder" * 30), with_data=True)
    events = list(system.generate([Request("a", 0, "tts", TEXT)], {"rate": 175}))
    assert isinstance(events[0], Chunk)
    assert events[0].samples.tobytes() == speak("en-us").tobytes()


def test_missing_data_is_said_and_no_other_data_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    system = moved(monkeypatch, tmp_path / "empty", with_data=False)
    with pytest.raises(UnavailableError, match="data folder"):
        system.load("cpu", "float32", 1)
