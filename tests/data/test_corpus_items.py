"""Items made of a mini corpus: what is cut where, which clips are chosen, and what is refused before any compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from calm_eval import evaluate
from calm_eval.data.corpus import CORPORA, CorpusClip, Split, build_corpus, build_split, corpus_folder
from calm_eval.data.corpus_items import CorpusRow, choose, corpus_items
from calm_eval.data.cut import cut
from calm_eval.data.item import AudioRef, Item
from calm_eval.data.load import suite_items
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.specs.suite import ItemsSpec, load_suite

RATE = 1000


def wave(index: int) -> np.ndarray:
    """16-bit samples that tell their clip and their place: 4 s long, the shortest one 1 s."""
    return (np.arange(RATE * (1 if index == 9 else 4)) * 3 + 100 * index).astype(np.int16)


class Tiny:
    """Eight long clips by two voices and two pieces, a short one, and one that has neither text nor voice."""

    identity = "c" * 64
    terms = ("made by a test",)
    count = 11

    def clips(self, split: Split | None = None) -> Iterator[CorpusClip]:
        yield from (clip for clip in self._all() if split in (None, clip.split))

    def _all(self) -> Iterator[CorpusClip]:
        for index in range(8):
            voice = "low" if index < 5 else "high"
            tags = ("long", f"piece:{index // 4}", "n:1")
            yield self._clip(index, f'text, "{index}"\nwith é', voice, tags)
        yield self._clip(8, None, None, ("bare",))
        yield self._clip(9, "short", "low", ("short",))
        yield CorpusClip("train", "t0", np.zeros(RATE, np.float32), RATE, "x", "low", ("long",))

    def _clip(self, index: int, text: str | None, voice: str | None, tags: tuple[str, ...]) -> CorpusClip:
        return CorpusClip("test", f"c{index}", (wave(index) / 32768).astype(np.float32), RATE, text, voice, tags)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which the corpus `tiny` can be built."""
    monkeypatch.setitem(CORPORA, "tiny", f"{__name__}:Tiny")  # type: ignore[misc]
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def items(task: str, **keys: Any) -> list[Item]:
    return corpus_items(ItemsSpec(corpus="tiny", **{"tag": "long", "count": 8, **keys}), task, "suite.yaml")  # type: ignore[arg-type]


def heard(audio: AudioRef | None) -> np.ndarray:
    assert audio is not None
    samples, rate = soundfile.read(audio.path, dtype="int16")
    assert rate == RATE
    return samples


def test_a_continuation_is_cut_in_two(tiny: Path) -> None:
    made = items("speech_continuation", prompt_seconds=1.5, seconds=2.25)
    assert [item.id for item in made] == [f"c{index}" for index in range(8)]
    for index, item in enumerate(made):
        assert np.array_equal(heard(item.prompt), wave(index)[:1500])
        assert np.array_equal(heard(item.reference), wave(index)[1500:3750])
        assert (item.text, item.duration, item.speaker) == (None, 2.25, "low" if index < 5 else "high")


def test_a_voice_prompt_is_the_next_sentence_of_the_voice(tiny: Path) -> None:
    made = items("tts", prompt_seconds=2.0)
    for index, item in enumerate(made):
        assert item.text == f'text, "{index}"\nwith é'
        assert item.duration is None
        assert np.array_equal(heard(item.reference), wave(index))
        after = {4: 0, 7: 5}.get(index, index + 1)
        assert np.array_equal(heard(item.prompt), wave(after)[:2000])
    longer = items("tts", prompt_seconds=100)
    assert [item.prompt for item in longer[:4]] == [item.reference for item in made[1:5]]
    assert all(item.prompt is None for item in items("tts"))


@pytest.mark.parametrize("task", ["text_to_music", "text_to_audio"])
def test_a_caption_has_the_start_of_the_clip(tiny: Path, task: str) -> None:
    for index, item in enumerate(items(task, seconds=3)):
        assert np.array_equal(heard(item.reference), wave(index)[:3000])
        assert (item.text, item.prompt, item.duration) == (f'text, "{index}"\nwith é', None, 3.0)


def test_audio_is_known_by_recipe_and_cut_alone(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = items("speech_continuation", prompt_seconds=1.5, seconds=2.0)
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "elsewhere"))
    there = items("speech_continuation", prompt_seconds=1.5, seconds=2.0)
    assert [item.digest("speech_continuation") for item in here] == [
        item.digest("speech_continuation") for item in there
    ]
    assert here[0].prompt != there[0].prompt
    source = digest({"corpus": "c" * 64, "split": "test", "clip": "c0"})
    assert here[0].prompt is not None
    assert here[0].prompt.identity == digest({"cut": 1, "source": source, "start": 0.0, "end": 1.5})
    other = items("speech_continuation", prompt_seconds=1.5, seconds=2.1)
    everything = [one.identity for item in (*here, *other) for one in (item.prompt, item.reference) if one]
    assert Counter(Counter(everything).values()) == {2: 8, 1: 16}  # the prompts are shared, no reference is
    monkeypatch.setattr(Tiny, "identity", "d" * 64)
    newer = items("speech_continuation", prompt_seconds=1.5, seconds=2.0)
    assert not {item.prompt.identity for item in newer if item.prompt} & set(everything)


def test_what_was_cut_once_is_not_cut_again(tiny: Path) -> None:
    first = items("speech_continuation", prompt_seconds=1.0, seconds=2.0)
    for path in build_split("tiny", "test").rglob("*.flac"):
        path.write_bytes(b"no longer audio")
    assert items("speech_continuation", prompt_seconds=1.0, seconds=2.0) == first
    with pytest.raises(InputError, match=r"c0\.flac: unreadable: .*remove the corpus"):
        items("speech_continuation", prompt_seconds=1.0, seconds=2.5)
    assert not list(tiny.rglob(".writing-*"))


def rows(**groups: int) -> list[CorpusRow]:
    nowhere = AudioRef(Path(), "")
    return [
        CorpusRow(f"{name}{number}", None, name, nowhere, 1.0, (f"kind:{name.upper()}",))
        for name, count in groups.items()
        for number in range(count)
    ]


def told(chosen: list[tuple[CorpusRow, bool]]) -> str:
    return " ".join(row.id + "*" * tuning for row, tuning in chosen)


def test_groups_take_turns_and_give_equal_shares_while_they_can() -> None:
    # Seven of five, two and one: shares of 4, 2 and 1. The four of five places 0 to 4 at even distances are 0, 1, 3, 4.
    assert told(choose(rows(a=5, b=2, c=1), "speaker", 7, "")) == "a0* b0 c0 a1 b1 a3 a4*"
    assert told(choose(rows(a=5, b=2, c=1), "kind", 7, "")) == "a0* b0 c0 a1 b1 a3 a4*"
    assert told(choose(rows(a=5, b=2), None, 4, "")) == "a0* a2 a4 b1*"
    # Of five groups, three at even distances: the first, the middle one and the last.
    assert told(choose(rows(a=2, b=2, c=2, d=2, e=2), "speaker", 3, "")) == "a0* c0 e0"


@pytest.mark.parametrize("groups", [1, 2, 3, 5, 6, 8, 101])
def test_a_third_is_for_tuning_in_every_group_and_in_every_turn(groups: int) -> None:
    everything = rows(**{f"g{number:03d}": 12 for number in range(groups)})
    chosen = choose(everything, "speaker", 12 * groups, "")
    assert sorted(row.id for row, _ in chosen) == sorted(row.id for row in everything)
    tuning = Counter(row.speaker for row, for_tuning in chosen if for_tuning)
    assert set(tuning.values()) == {4}
    assert len(tuning) == groups
    for turn in range(12):
        part = chosen[turn * groups : (turn + 1) * groups]
        assert abs(sum(for_tuning for _, for_tuning in part) - groups / 3) < 1


def test_the_tuning_items_are_tagged(tiny: Path) -> None:
    made = items("text_to_music", seconds=1.0, turns="piece")
    assert [item.tuning for item in made] == [True, False, False, False, False, True, True, False]
    assert made[0].tags == ("long", "piece:0", "n:1", "tuning")


def test_only_clips_by_the_wanted_speaker_are_taken(tiny: Path) -> None:
    made = items("tts", speaker="high", count=3, turns=None)
    assert [item.speaker for item in made] == ["high"] * 3
    assert made[0].prompt is None or made[0].prompt != made[1].prompt


BAD = [
    ("tts", {"corpus": "nope", "count": 1}, r"no corpus 'nope'; there are: mini-speech"),
    ("tts", {"split": "valid"}, r"corpus 'tiny' has no split 'valid'"),
    ("tts", {"split": "tset"}, r"suite\.yaml:5: items\.split: .*'test'.*got 'tset'"),
    ("tts", {"tag": "lon"}, r"items\.tag: no clip of tiny test has the tag 'lon'; did you mean 'long'"),
    ("tts", {"speaker": "hihg"}, r"items\.speaker: no such clip is by 'hihg'; did you mean 'high'"),
    ("tts", {"tag": "zzz"}, r"items\.tag: .*there are: bare, long, n:1, piece:0"),
    ("tts", {"count": 9}, r"items\.count: 9 items are wanted, and 8 clips can be items"),
    ("tts", {"count": 0}, r"suite\.yaml:5: items\.count: .*greater than or equal to 1"),
    ("tts", {"count": None}, r"suite\.yaml:5: items: .*'corpus' needs 'count'"),
    ("tts", {"corpus": None}, r"exactly one of"),
    ("tts", {"corpus": None, "manifest": "m.jsonl"}, r"'tag' belongs to 'corpus'"),
    ("tts", {"turns": "instrument"}, r"items\.turns: clip 'c0' has no 'instrument'; it has: speaker, piece, n"),
    ("tts", {"tag": "bare", "count": 1}, r"clip 'c8' has no text \(1 of 1 clips\)"),
    ("tts", {"tag": "short", "count": 1, "prompt_seconds": 1.0}, r"clip 'c9' is the only one of 'low'"),
    ("tts", {"seconds": 1.0}, r"items\.seconds: items of 'tts' have no use for it"),
    ("tts", {"prompt_seconds": 0}, r"suite\.yaml:5: items\.prompt_seconds: .*greater than 0.*got 0"),
    ("speech_continuation", {"seconds": 1.0}, r"items\.prompt_seconds: items of 'speech_continuation' .*need it"),
    ("music_continuation", {"prompt_seconds": 1.0}, r"items\.seconds: items of 'music_continuation' .*need it"),
    ("music_continuation", {"prompt_seconds": -1.0, "seconds": 1.0}, r"items\.prompt_seconds: .*greater than 0"),
    ("music_continuation", {"prompt_seconds": 1.0, "seconds": 0}, r"items\.seconds: .*greater than 0"),
    ("music_continuation", {"prompt_seconds": 1.0, "seconds": float("nan")}, r"items\.seconds: "),
    ("music_continuation", {"prompt_seconds": 1.0, "seconds": float("inf")}, r"items\.seconds: "),
    (
        "music_continuation",
        {"prompt_seconds": 2.0, "seconds": 2.5},
        r"each item needs 4\.5 s of its clip, and the longest, 'c0', has 4 s",
    ),
    ("text_to_music", {}, r"items\.seconds: items of 'text_to_music' .*need it"),
    ("text_to_music", {"seconds": 1.0, "prompt_seconds": 1.0}, r"items\.prompt_seconds: .*no use for it"),
]


def suite_file(folder: Path, task: str, **keys: Any) -> Path:
    given = {"corpus": "tiny", "tag": "long", "count": 8, **keys}
    spec = {
        "name": "s",
        "version": 1,
        "task": task,
        "title": "S",
        "items": {key: value for key, value in given.items() if value is not None},
        "metrics": ["demo_level"],
        "systems": ["reference"],
    }
    file = folder / "suite.yaml"
    text = yaml.safe_dump(spec, sort_keys=False, default_flow_style=None)
    file.write_text(text)
    return file


@pytest.mark.parametrize(("task", "keys", "said"), BAD)
def test_what_cannot_be_is_refused_before_compute(
    tiny: Path, tmp_path: Path, task: str, keys: dict[str, Any], said: str
) -> None:
    (tmp_path / "m.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(InputError, match=said):
        suite_items(load_suite(str(suite_file(tmp_path, task, **keys))))


def test_a_spoilt_corpus_is_refused_with_its_line(tiny: Path) -> None:
    items("tts")
    manifest = build_split("tiny", "test") / "test.jsonl"
    good = manifest.read_text()
    manifest.write_text(good + good.splitlines()[1] + "\n")
    with pytest.raises(InputError, match=r"test\.jsonl:11: id 'c1' stands twice"):
        items("tts")
    manifest.write_text(good)
    (build_split("tiny", "test") / "audio" / "test" / "c3.flac").unlink()
    with pytest.raises(InputError, match=r"test\.jsonl:4: no file .*c3\.flac"):
        items("tts")


def test_a_clip_that_ends_before_its_cut_is_named(tiny: Path) -> None:
    items("tts")
    short = build_split("tiny", "test") / "audio" / "test" / "c2.flac"
    soundfile.write(short, wave(2)[:1800], RATE, subtype="PCM_16")
    with pytest.raises(InputError, match=r"c2\.flac: has 1\.8 s, and the stretch from 1 to 2 s is not in it"):
        items("speech_continuation", prompt_seconds=1.0, seconds=1.0)
    with pytest.raises(InputError, match="cannot cut from 1 to 1 s"):
        cut(AudioRef(short, "x"), 1.0, 1.0)


def test_a_suite_of_a_corpus_runs(tiny: Path, tmp_path: Path) -> None:
    file = suite_file(tmp_path, "music_continuation", prompt_seconds=1.0, seconds=2.0)
    run = evaluate(str(file), ["reference", "silence", "shuffled-prompts"], out=tmp_path / "run")
    samples = run.samples()
    assert samples["failure"].isna().all()
    assert set(samples["seconds"]) == {2.0}
    assert run.invocations()["generated"].tolist() == [
        15
    ]  # of 8 items 3 are for tuning, and nothing is picked of controls


BLOCKS = {
    "speech_continuation": {
        "corpus": "mini-speech",
        "tag": "paragraph",
        "prompt_seconds": 3.0,
        "seconds": 5.0,
        "turns": "speaker",
    },
    "tts": {"corpus": "mini-speech", "tag": "sentence", "prompt_seconds": 3.0, "turns": "speaker"},
    "music_continuation": {"corpus": "mini-music", "prompt_seconds": 3.0, "seconds": 6.0, "turns": "piece"},
    "text_to_music": {"corpus": "mini-music", "seconds": 8.0, "turns": "instrument"},
}


@pytest.mark.parametrize("task", BLOCKS)
def test_the_mini_corpora_have_items_for_every_task(task: str) -> None:
    corpus = str(BLOCKS[task]["corpus"])
    if not (corpus_folder(corpus) / "corpus.json").is_file():
        pytest.skip(f"{corpus} is not built here")
    wanted = ItemsSpec(count=96, **BLOCKS[task])  # type: ignore[arg-type]
    made = corpus_items(wanted, task, "suite.yaml")  # type: ignore[arg-type]
    assert len({item.id for item in made}) == 96
    assert 30 <= sum(item.tuning for item in made) <= 34
    for item in made[::16]:
        assert item.reference is not None
        if item.duration is not None:
            assert soundfile.info(item.reference.path).duration == pytest.approx(item.duration, abs=1e-4)
        if item.prompt is not None and task != "tts":
            assert soundfile.info(item.prompt.path).duration == pytest.approx(3.0, abs=1e-4)
        elif item.prompt is not None:
            assert soundfile.info(item.prompt.path).duration <= 3.0001
            assert item.prompt.identity != item.reference.identity
    if task == "tts":
        voices = Counter(item.speaker for item in made)
        assert sorted(voices.values()) == [19, 19, 19, 19, 20]


def test_only_the_split_that_is_asked_for_is_built_and_the_whole_corpus_gives_the_same(tiny: Path) -> None:
    alone = items("tts", prompt_seconds=1.0)
    assert [path.name for path in sorted((tiny / "corpora").iterdir())] == [f"tiny-{'c' * 16}-test"]
    assert {path.parent.name for path in (tiny / "corpora").rglob("*.flac")} == {"test"}
    whole = build_corpus("tiny")
    assert build_split("tiny", "test") == whole == corpus_folder("tiny")
    assert [item.digest("tts") for item in items("tts", prompt_seconds=1.0)] == [item.digest("tts") for item in alone]
    alone_sums = (tiny / "corpora" / f"tiny-{'c' * 16}-test" / "SHA256SUMS").read_text().splitlines()
    assert set(alone_sums) < set((whole / "SHA256SUMS").read_text().splitlines())
