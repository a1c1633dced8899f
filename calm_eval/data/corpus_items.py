"""Items made of a mini corpus: which clips, where each is cut, and which third of them is for tuning."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from calm_eval.data.corpus import Progress, build_split
from calm_eval.data.cut import cut
from calm_eval.data.item import TUNING, AudioRef, Item
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.specs.suite import ItemsSpec, Task

Thing = TypeVar("Thing")

TUNING_SHARE = 3
"""One item in so many is a tuning item."""


@dataclass(frozen=True)
class CorpusRow:
    """One clip of a corpus as its manifest tells it; no audio is read. `identity` comes from the corpus's recipe."""

    id: str
    text: str | None
    speaker: str | None
    audio: AudioRef
    seconds: float
    tags: tuple[str, ...]

    def group(self, kind: str) -> str | None:
        """The speaker, or what stands behind `kind:` among the tags; None where there is none."""
        if kind == "speaker":
            return self.speaker
        return next((tag.partition(":")[2] for tag in self.tags if tag.startswith(f"{kind}:")), None)


def corpus_items(wanted: ItemsSpec, task: Task, where: str, progress: Progress | None = None) -> list[Item]:
    """The items of a suite from a mini corpus, which is built on first use; prompts and references are cut once.

    A continuation has the first `prompt_seconds` of a clip as its prompt and the `seconds` after them as its
    reference and duration. It has no text: a transcript is of the whole clip, and a caption would name what is to be
    heard in the prompt. `tts` has the text, the reading, and the start of the same speaker's next reading as voice
    prompt, at most `prompt_seconds` of it. Music and audio from text have the caption and the first `seconds`.
    `where` names the suite in errors. Raises InputError, UnavailableError or StoreError.
    """
    _check_keys(wanted, task, where)
    assert wanted.corpus is not None
    split = wanted.split or "test"
    rows = read_rows(build_split(wanted.corpus, split, progress), split)
    tagged = _tagged(rows, wanted.tag, f"{where}: items.tag", f"{wanted.corpus} {split}")
    tagged = _spoken(tagged, wanted.speaker, f"{where}: items.speaker")
    needed = 0.0 if task == "tts" else (wanted.prompt_seconds or 0.0) + (wanted.seconds or 0.0)
    usable = _with_room(tagged, needed, where)
    if not task.endswith("continuation"):
        _check_texts(usable, where)
    chosen = choose(usable, wanted.turns, wanted.count or 0, where)
    prompts = _voice_prompts(tagged, where) if task == "tts" and wanted.prompt_seconds is not None else {}
    return [_item(row, tuning, task, wanted, prompts.get(row.id)) for row, tuning in chosen]


def read_rows(corpus: Path, split: str) -> list[CorpusRow]:
    """The clips of one split of a built corpus, in its order. Raises InputError on an unknown split or a double id."""
    path = corpus / f"{split}.jsonl"
    about = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    if not path.is_file():
        raise InputError(f"corpus '{about['name']}' has no split '{split}'; it has: {', '.join(about['splits'])}")
    rows: dict[str, CorpusRow] = {}
    # Read plainly: the manifest's own reader decodes every clip of the split for its identity.
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        told = json.loads(line)
        name, audio = told["id"], corpus / told["reference"]
        if name in rows:
            raise InputError(f"{path}:{number}: id '{name}' stands twice")
        if not audio.is_file():
            raise InputError(f"{path}:{number}: no file '{audio}'; remove {corpus} and run again")
        source = AudioRef(audio, digest({"corpus": about["identity"], "split": split, "clip": name}))
        rows[name] = CorpusRow(name, told["text"], told["speaker"], source, told["duration"], tuple(told["tags"]))
    return list(rows.values())


def choose(rows: Sequence[CorpusRow], turns: str | None, count: int, where: str) -> list[tuple[CorpusRow, bool]]:
    """`count` rows, each with whether it is for tuning: groups in turns, evenly spread over each group.

    `turns` is `speaker` or a kind of tag; None makes one group. Groups give equal shares while they can. Of more
    groups than places, groups at even distances are taken. Every third turn of every group is for tuning, shifted by
    one from group to group, so that both parts hold every group and every turn alike. Raises InputError when there
    are fewer rows, or when one has no such group.
    """
    if len(rows) < count:
        raise InputError(f"{where}: items.count: {count} items are wanted, and {len(rows)} clips can be items")
    groups: dict[str, list[CorpusRow]] = {}
    for row in rows:
        name = "" if turns is None else row.group(turns)
        if name is None:
            kinds = ["speaker"] if row.speaker else []
            kinds += [tag.partition(":")[0] for tag in row.tags if ":" in tag]
            raise InputError(f"{where}: items.turns: clip '{row.id}' has no '{turns}'; it has: {', '.join(kinds)}")
        groups.setdefault(name, []).append(row)
    names = spread(sorted(groups), count)
    shares = dict.fromkeys(names, 0)
    while sum(shares.values()) < count:
        for name in names:
            if shares[name] < len(groups[name]) and sum(shares.values()) < count:
                shares[name] += 1
    queues = [spread(groups[name], shares[name]) for name in names]
    return [
        (queue[turn], (turn + place) % TUNING_SHARE == 0)
        for turn in range(max(map(len, queues)))
        for place, queue in enumerate(queues)
        if turn < len(queue)
    ]


def spread(things: Sequence[Thing], count: int) -> list[Thing]:
    """`count` of the things at even distances, all where there are fewer."""
    if len(things) <= count:
        return list(things)
    return [things[int(place)] for place in np.linspace(0, len(things) - 1, count).round()]


def _cut(audio: AudioRef, start: float, end: float) -> AudioRef:
    try:
        return cut(audio, start, end)
    except InputError as error:
        # A corpus that was built whole is long enough and readable: this one was spoilt since.
        raise InputError(f"{error}; remove the corpus that it belongs to and run again") from error


def _item(row: CorpusRow, tuning: bool, task: Task, wanted: ItemsSpec, voice: CorpusRow | None) -> Item:
    tags = (*row.tags, TUNING) if tuning else row.tags
    if task == "tts":
        prompt = None
        if voice is not None and wanted.prompt_seconds is not None:
            whole = voice.seconds <= wanted.prompt_seconds
            prompt = voice.audio if whole else _cut(voice.audio, 0.0, wanted.prompt_seconds)
        return Item(row.id, row.text, row.speaker, prompt, reference=row.audio, tags=tags)
    assert wanted.seconds is not None
    if wanted.prompt_seconds is None:
        reference = _cut(row.audio, 0.0, wanted.seconds)
        return Item(row.id, row.text, row.speaker, reference=reference, duration=wanted.seconds, tags=tags)
    prompt = _cut(row.audio, 0.0, wanted.prompt_seconds)
    reference = _cut(row.audio, wanted.prompt_seconds, wanted.prompt_seconds + wanted.seconds)
    return Item(row.id, None, row.speaker, prompt, reference=reference, duration=wanted.seconds, tags=tags)


def _check_keys(wanted: ItemsSpec, task: Task, where: str) -> None:
    """Raise InputError for a key that the task needs and lacks, or has no use for."""
    continues = task.endswith("continuation")
    for key, needed, useful in (
        ("prompt_seconds", continues, continues or task == "tts"),
        ("seconds", task != "tts", task != "tts"),
    ):
        given = getattr(wanted, key) is not None
        if needed and not given:
            raise InputError(f"{where}: items.{key}: items of '{task}' from a corpus need it")
        if given and not useful:
            raise InputError(f"{where}: items.{key}: items of '{task}' have no use for it; leave it out")


def _tagged(rows: Sequence[CorpusRow], tag: str | None, where: str, place: str) -> list[CorpusRow]:
    found = [row for row in rows if tag is None or tag in row.tags]
    if found:
        return found
    hint = _hint(str(tag), {tag for row in rows for tag in row.tags})
    raise InputError(f"{where}: no clip of {place} has the tag '{tag}'{hint}")


def _spoken(rows: Sequence[CorpusRow], speaker: str | None, where: str) -> list[CorpusRow]:
    found = [row for row in rows if speaker is None or row.speaker == speaker]
    if found:
        return found
    hint = _hint(str(speaker), {row.speaker for row in rows if row.speaker is not None})
    raise InputError(f"{where}: no such clip is by '{speaker}'{hint}")


def _hint(name: str, known: Set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(sorted(known)[:20])}"


def _with_room(rows: Sequence[CorpusRow], seconds: float, where: str) -> list[CorpusRow]:
    """The rows that are long enough. Raises InputError when none is, naming the longest."""
    found = [row for row in rows if row.seconds >= seconds]
    if not found:
        longest = max(rows, key=lambda row: row.seconds)
        raise InputError(
            f"{where}: items: each item needs {seconds:g} s of its clip, and the longest, '{longest.id}', has "
            f"{longest.seconds:g} s; lower 'prompt_seconds' or 'seconds', or take a tag with longer clips"
        )
    return found


def _check_texts(rows: Sequence[CorpusRow], where: str) -> None:
    lacking = [row.id for row in rows if not row.text]
    if lacking:
        raise InputError(f"{where}: items: clip '{lacking[0]}' has no text ({len(lacking)} of {len(rows)} clips)")


def _voice_prompts(rows: Sequence[CorpusRow], where: str) -> Mapping[str, CorpusRow]:
    """For each clip the next one of its speaker, the first after the last. Raises InputError for a lonely one."""
    voices: dict[str | None, list[CorpusRow]] = {}
    for row in rows:
        voices.setdefault(row.speaker, []).append(row)
    for speaker, own in voices.items():
        if speaker is None or len(own) < 2:
            what = "names no speaker" if speaker is None else f"is the only one of '{speaker}'"
            raise InputError(f"{where}: items.prompt_seconds: clip '{own[0].id}' {what}: it has no voice prompt")
    return {row.id: own[(place + 1) % len(own)] for own in voices.values() for place, row in enumerate(own)}
