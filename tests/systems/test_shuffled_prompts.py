"""Shuffles: laws of the pairing, and a real system that is told another item's prompt or text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from scipy.optimize import linear_sum_assignment

from calm_eval import evaluate
from calm_eval.data.item import AudioRef, Item
from calm_eval.errors import InputError
from calm_eval.specs.system import load_system
from calm_eval.systems.controls import ControlEngine
from calm_eval.systems.shuffle import derange, partners, value

ECHO = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo

class Echo:
    info = SystemInfo(tasks=("tts", "music_continuation"), family="discrete", sample_rate=16000, version=1)

    def load(self, device, dtype, threads):
        pass

    def head_evaluations_per_second(self, sampling):
        return 50.0

    def generate(self, requests, sampling):
        for request in requests:
            level = 0.001 * len(request.text or "")
            yield Chunk(request.item, request.seed, request.prompt.samples + array("f", [level] * 160), 16000)
            yield Done(request.item, request.seed)

def create():
    return Echo()
"""


def item(name: str, speaker: str | None = None, text: str | None = None, prompt: str | None = None, *tags: str) -> Item:
    audio = AudioRef(Path(), prompt or f"prompt of {name}")
    return Item(name, text, speaker, audio, reference=AudioRef(Path(), f"reference of {name}"), tags=tags)


def shared(items: list[Item], found: dict[str, Item], part: str) -> int:
    return sum(value(one, part) is not None and value(one, part) == value(found[one.id], part) for one in items)


@pytest.mark.parametrize("seed", range(20))
def test_everybody_gives_once_and_gets_once_and_as_few_keep_their_voice_as_can_be(seed: int) -> None:
    generator = np.random.default_rng(seed)
    voices = generator.choice(list("xyz"), size=generator.integers(2, 30), p=generator.dirichlet([1, 1, 1]))
    items = [item(f"i{number}", str(voice)) for number, voice in enumerate(voices)]
    for part in ("prompt", "reference"):
        found = partners(items, part)
        assert sorted(found) == sorted(one.id for one in found.values()) == sorted(one.id for one in items)
        assert not any(found[one.id].id == one.id for one in items)
        # The best assignment, by the Hungarian method: its own place costs more than any number of equal voices.
        cost = (voices[:, None] == voices[None]).astype(float) + 1000 * np.eye(len(voices))
        assert shared(items, found, "speaker") == cost[linear_sum_assignment(cost)].sum()


def test_partners_differ_in_instrument_and_piece_at_once() -> None:
    items = [
        item(f"i{piece}{take}", None, None, None, f"piece:{piece}", f"instrument:{(piece + take) % 4}")
        for piece in range(8)
        for take in range(2)
    ]
    for part in ("prompt", "reference"):
        found = partners(items, part)
        assert len(found) == 16
        assert shared(items, found, "piece") == shared(items, found, "instrument") == 0


def test_nobody_gets_the_same_prompt_from_another() -> None:
    items = [item("a", "x", prompt="p"), item("b", "y", prompt="p"), item("c", "x", prompt="q"), item("d", "y")]
    found = partners(items, "prompt")
    assert len(found) == 4
    assert shared(items, found, "prompt") == 0
    # With three of one prompt and one other, two of the three can have no other one.
    items = [item(name, prompt="p") for name in "abc"] + [item("d", prompt="q")]
    assert len(partners(items, "prompt")) == 2
    assert partners(items[:3], "prompt") == {}
    assert partners([], "prompt") == {}
    assert partners([Item("bare"), item("a"), item("b")], "prompt").keys() == {"a", "b"}


def test_a_text_is_never_exchanged_for_the_same_text() -> None:
    items = [item("a", "x", "one"), item("b", "x", "one"), item("c", "x", "two"), item("d", "x", "two")]
    found = derange(items)
    assert {name: other.text for name, other in found.items()} == {"a": "two", "b": "two", "c": "one", "d": "one"}
    assert derange(items[:2]) == {}
    mixed = [item(f"i{n}", "x", "ab"[n in (0, 1, 3, 6, 7)]) for n in range(10)]
    assert len(derange(mixed)) == 10  # five and five: only sorted by text does a rotation separate them
    captions = [item(f"i{n}", None, f"caption {n}", None, f"instrument:{n // 4}") for n in range(12)]
    assert shared(captions, derange(captions), "instrument") == 0


def test_voices_are_kept_apart_in_any_order_of_the_items() -> None:
    items = [item(f"i{n}", "xxyz"[n % 4]) for n in range(12)]
    for order in (items, items[::-1], items[6:] + items[:6]):
        assert shared(items, partners(order, "prompt"), "speaker") == 0


def write(folder: Path, name: str, **spec: object) -> str:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"name": name, **spec}))
    return str(file)


def test_shuffled_prompts_plays_what_follows_another_prompt(tmp_path, tone_suite) -> None:
    run = evaluate(str(tone_suite(4)), ["reference", "shuffled-prompts"], out=tmp_path / "run")
    audio = run.samples().set_index(["variant", "item"])["audio"]
    for number in range(4):
        assert audio["shuffled-prompts", f"item-{number}"] == audio["reference", f"item-{(number + 1) % 4}"]
    alone = [item("a")]
    [outcome] = ControlEngine("shuffled_prompts", {}, alone).generate(alone, 0, "tts", {})
    assert outcome.failure == "no-other-prompt"


@pytest.fixture
def suite(tmp_path, tone_suite) -> Path:
    """Four items whose prompts are constants, so that an echo tells whose prompt it heard."""
    file = tone_suite(4)
    for number in range(4):
        soundfile.write(file.parent / f"audio/prompt-{number}.wav", np.full(1600, 0.1 * (number + 1)), 16000)
    return file


def told(run, variant: str) -> dict[str, tuple[float, int]]:
    """By item: the level of the prompt that the echo heard (in tenths), and the letters of the text that it read."""
    found = {}
    for row in run.samples().itertuples():
        if row.variant == variant:
            samples, _ = soundfile.read(run.folder / "audio" / row.audio[:2] / f"{row.audio}.flac")
            found[row.item] = round(10 * samples[0], 3), round(1000 * samples[-1])
    return found


def test_a_system_is_told_the_part_of_another_and_keeps_the_rest(tmp_path, suite, write_system) -> None:
    echo = write_system("echo", ECHO)
    controls = [
        write(echo.parent, f"echo-{part}", control="shuffled", options={"system": "echo.yaml", "part": part})
        for part in ("prompt", "text")
    ]
    run = evaluate(str(suite), [str(echo), *controls], out=tmp_path / "run")
    letters = [len("a tone " + "la " * (number + 1)) for number in range(4)]
    names = [f"item-{number}" for number in range(4)]
    assert told(run, "echo") == {name: (n + 1, letters[n]) for n, name in enumerate(names)}
    assert told(run, "echo-prompt") == {name: ((n + 1) % 4 + 1, letters[n]) for n, name in enumerate(names)}
    assert told(run, "echo-text") == {name: (n + 1, letters[(n + 1) % 4]) for n, name in enumerate(names)}
    cells = run.summary().set_index(["variant", "metric"])
    assert json.loads(cells.loc[("echo-prompt", "rtf"), "failures"]) == {"not-timed": 4}
    assert cells.loc[("echo", "rtf"), "n_scored"] == 4
    report = (tmp_path / "run" / "report.md").read_text()
    assert "| *echo-prompt* |" in report
    assert "| echo |" in report


def test_a_sample_belongs_to_the_prompt_that_was_told(tmp_path, suite, write_system) -> None:
    echo = write_system("echo", ECHO)
    control = write(echo.parent, "s", control="shuffled", options={"system": "echo.yaml", "part": "prompt"})

    def keys() -> dict[str, str]:
        run = evaluate(str(suite), [control], out=tmp_path / "run")
        assert run.samples()["failure"].isna().all()
        return dict(run.samples().set_index("item")["key"])

    before = keys()
    soundfile.write(suite.parent / "audio/prompt-2.wav", np.full(1600, 0.7), 16000)
    after = keys()
    # Item 2's own request is another one now, and item 1 is told item 2's prompt.
    assert {name for name in before if before[name] != after[name]} == {"item-1", "item-2"}


def test_a_lonely_item_fails_by_name(tmp_path, suite, write_system) -> None:
    echo = write_system("echo", ECHO)
    control = write(echo.parent, "s", control="shuffled", options={"system": "echo.yaml", "part": "prompt"})
    run = evaluate(str(suite), [control], limit=1, out=tmp_path / "run")
    assert run.samples()["failure"].tolist() == ["no-other-prompt"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"system": "echo"}, "needs the option 'part'"),
        ({"part": "text"}, "needs the option 'system'"),
        ({"system": "mini-calm-tts", "part": "voice"}, "'part' is 'prompt' or 'text', not 'voice'"),
        ({"system": "mini-calm-ttz", "part": "text"}, r"s\.yaml: options.system: no system .*'mini-calm-tts'"),
        ({"system": "mini-vae-speech", "part": "text"}, "is a codec and makes no audio by itself"),
        ({"system": "reference", "part": "text"}, "'reference' is told no prompt and no text"),
        ({"system": "s.yaml", "part": "text"}, r"'s.yaml' is told no prompt and no text"),
        ({"system": "mini-calm-tts", "part": "text", "preset": "x"}, "option 'preset' is not known here"),
    ],
)
def test_a_shuffle_of_nothing_is_refused(tmp_path, options, said) -> None:
    with pytest.raises(InputError, match=said):
        load_system(write(tmp_path, "s", control="shuffled", options=options))


def test_a_suite_without_the_part_or_the_task_is_refused_before_compute(tmp_path, suite, write_system) -> None:
    echo = write_system("echo", ECHO)
    control = write(echo.parent, "s", control="shuffled", options={"system": "echo.yaml", "part": "prompt"})
    rows = [json.loads(line) for line in (suite.parent / "items.jsonl").read_text().splitlines()]
    (suite.parent / "items.jsonl").write_text("".join(json.dumps({**row, "prompt": None}) + "\n" for row in rows))
    with pytest.raises(InputError, match="control 's' shuffles each item's prompt, and no item of this suite has one"):
        evaluate(str(suite), [control], out=tmp_path / "run")
    suite.write_text(suite.read_text().replace("task: tts", "task: text_to_music"))
    control = write(echo.parent, "s", control="shuffled", options={"system": "echo.yaml", "part": "text"})
    with pytest.raises(InputError, match="'s' does not do 'text_to_music'; it does: tts, music_continuation"):
        evaluate(str(suite), [control], out=tmp_path / "other")
