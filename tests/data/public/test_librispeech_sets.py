"""LibriSpeech folders and lists of pairs on them; prompts cut from the start of a recording."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from calm_eval.audio.read import read_sound
from calm_eval.data.manifest import file_identity
from calm_eval.errors import InputError


def pair(prompt, target, *, length=None, text=None):
    told = prompt.seconds if length is None else length
    return "\t".join((prompt.id, f"{told:g}", prompt.text, target.id, f"{target.seconds:g}", text or target.text))


def test_a_folder_gives_every_utterance(read, librispeech_tree, speech):
    items = read("librispeech", folder="LibriSpeech/test-other")
    assert [item.id for item in items] == sorted(clip.id for clip in speech)
    by_id = {clip.id: clip for clip in speech}
    for item in items:
        clip = by_id[item.id]
        assert (item.text, item.speaker) == (clip.text.upper(), clip.speaker)
        assert item.reference.identity == file_identity(clip.path)
    assert {item.duration for item in items} == {None}


def test_a_prompt_and_what_comes_after_it_make_the_recording_again(read, librispeech_tree, speech):
    options = {"folder": "LibriSpeech/test-other", "prompt_seconds": 3.0, "min_seconds": 5.0}
    items = read("librispeech", **options)
    by_id = {clip.id: clip for clip in speech}
    assert {item.id for item in items} == {clip.id for clip in speech if clip.seconds >= 5.0}
    for item in items:
        whole, rate = soundfile.read(by_id[item.id].path, dtype="int16")
        prompt, _ = soundfile.read(item.prompt.path, dtype="int16")
        rest, _ = soundfile.read(item.reference.path, dtype="int16")
        assert len(prompt) == 3 * rate
        assert np.array_equal(np.concatenate([prompt, rest]), whole)
        # A transcript is of the whole recording: it would tell what is to come.
        assert item.text is None
        assert item.duration == pytest.approx(by_id[item.id].seconds - 3.0, abs=1e-3)
    written = {item.prompt.path: item.prompt.path.stat().st_mtime_ns for item in items}
    again = read("librispeech", **options)
    assert again == items
    assert written == {item.prompt.path: item.prompt.path.stat().st_mtime_ns for item in again}


def test_lengths_that_are_asked_for(read, librispeech_tree):
    asked = {"prompt_seconds": 1.0, "max_reference_seconds": 1.5, "seconds": 30.0}
    item = read("librispeech", folder="LibriSpeech/test-other", **asked)[0]
    assert read_sound(item.reference.path).seconds == 1.5
    assert item.duration == 30.0


def test_another_cut_is_another_identity(read, librispeech_tree):
    def prompts(seconds):
        items = read("librispeech", folder="LibriSpeech/test-other", prompt_seconds=seconds)
        return {item.prompt.identity for item in items}

    assert len(prompts(1.0)) == 12
    assert not prompts(1.0) & prompts(1.1)


def test_a_prompt_that_takes_all(read, librispeech_tree, speech):
    shortest = min(clip.seconds for clip in speech)
    with pytest.raises(InputError, match=r"trans.txt:\d+: '[\d-]+' lasts [\d.]+ s: nothing is left after a prompt"):
        read("librispeech", folder="LibriSpeech/test-other", prompt_seconds=shortest)
    with pytest.raises(InputError, match="every row is shorter than min_seconds = 500"):
        read("librispeech", folder="LibriSpeech/test-other", min_seconds=500)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("1-2-3 A\n1-2-3 B\n", r"1-2.trans.txt:2: id '1-2-3' stands twice \(first in .*1-2.trans.txt:1\)"),
        ("1-2-3 A\n1-2-9 B\n", r"1-2.trans.txt:2: no file '.*1-2-9.flac' for '1-2-9'"),
        ("1-2-3\n", r"1-2.trans.txt:1: expected an id and its text"),
        ("first A\n", r"1-2.trans.txt:1: 'first' is no LibriSpeech id"),
        ("", r"no \*.trans.txt"),
        ("\n \n", r"no \*.trans.txt"),
    ],
)
def test_a_broken_folder_is_told_by_file_and_line(read, place, write_tone, lines, said):
    write_tone("top/1/2/1-2-3.flac")
    if lines:
        (place / "top/1/2/1-2.trans.txt").write_text(lines)
    with pytest.raises(InputError, match=said):
        read("librispeech", folder="top")


def test_audio_without_a_transcript(read, place, write_tone):
    for name in ("1-2-3", "1-2-4"):
        write_tone(f"top/1/2/{name}.flac")
    (place / "top/1/2/1-2.trans.txt").write_text("1-2-3 A\n")
    with pytest.raises(InputError, match=r"1-2-4.flac: no transcript names this utterance"):
        read("librispeech", folder="top")


def test_audio_of_no_length_and_what_is_no_audio(read, place, write_tone):
    (place / "top/1/2").mkdir(parents=True)
    (place / "top/1/2/1-2.trans.txt").write_text("1-2-3 A\n")
    (place / "top/1/2/1-2-3.flac").write_bytes(b"no audio")
    with pytest.raises(InputError, match=r"1-2.trans.txt:1: '.*1-2-3.flac' is not readable as audio"):
        read("librispeech", folder="top")
    # A WAV file may hold no frame and a name that lies.
    write_tone("top/empty.wav", seconds=0).rename(place / "top/1/2/1-2-3.flac")
    with pytest.raises(InputError, match=r"1-2.trans.txt:1: '.*1-2-3.flac' holds no frames: its duration is 0 s"):
        read("librispeech", folder="top")


def test_pairs_have_the_voice_of_one_and_the_text_of_the_other(read, place, librispeech_tree, speech):
    ours = [clip for clip in speech if clip.speaker == speech[0].speaker]
    lines = [pair(ours[0], ours[1], text='Quote: "don\'t", he said—naïve\u2028so.'), pair(ours[0], ours[2])]
    (place / "pairs.lst").write_text("\n".join(lines) + "\n", encoding="utf-8")
    items = read("librispeech_pc", pairs="pairs.lst", audio="LibriSpeech/test-other")
    assert [item.id for item in items] == [ours[1].id, ours[2].id]
    assert items[0].text == 'Quote: "don\'t", he said—naïve\u2028so.'
    assert items[0].prompt == items[1].prompt
    assert items[0].prompt.identity == file_identity(ours[0].path)
    assert items[1].reference.identity == file_identity(ours[2].path)
    assert (items[0].speaker, items[0].duration) == (ours[0].speaker, None)


def test_other_takes_of_the_prompts(read, place, librispeech_tree, speech):
    first, second = speech[:2]
    speaker, chapter, _ = first.id.split("-")
    samples, rate = soundfile.read(first.path)
    other = place / "cleaned" / speaker / chapter / f"{first.id}.wav"
    other.parent.mkdir(parents=True)
    soundfile.write(other, np.repeat(samples, 2), 2 * rate)
    (place / "pairs.lst").write_text(pair(first, second) + "\n")
    options = {"pairs": "pairs.lst", "audio": "LibriSpeech/test-other", "prompts": "cleaned"}
    item = read("librispeech_pc", **options, max_prompt_seconds=2.5)[0]
    clip = read_sound(item.prompt.path)
    assert (clip.sample_rate, clip.seconds) == (2 * rate, 2.5)
    assert read("librispeech_pc", **options)[0].prompt.path == other
    (place / "pairs.lst").write_text(pair(second, first) + "\n")
    with pytest.raises(InputError, match=rf"pairs.lst:1: no file '.*cleaned/.*{second.id}.wav'"):
        read("librispeech_pc", **options)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a, b, c: f"{pair(a, b)}\n{pair(c, b)}", r"pairs.lst:2: id '[\d-]+' stands twice"),
        (lambda a, b, c: pair(a, b).replace("\t", " "), r"pairs.lst:1: 1 columns; expected 6"),
        (lambda a, b, c: pair(a, b, length=0), r"pairs.lst:1: prompt length: 0 s is not above 0"),
        (lambda a, b, c: pair(a, b).replace(f"\t{b.seconds:g}\t", "\tx\t"), r"target length: expected seconds, got"),
        (lambda a, b, c: pair(a, b, length=a.seconds + 1), r"the prompt lasts [\d.]+ s, the list says"),
        (lambda a, b, c: pair(a, b).replace(a.id, "9-9-9"), r"prompt '9-9-9' and target '[\d-]+' are of two speakers"),
        (lambda a, b, c: pair(a, b).replace(b.id, b.id + "9"), r"pairs.lst:1: no file '.*9.flac'"),
        (lambda a, b, c: "", r"holds no item"),
    ],
)  # fmt: skip
def test_a_broken_list_of_pairs(read, place, librispeech_tree, speech, change, said):
    (place / "pairs.lst").write_text(change(*speech[:3]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read("librispeech_pc", pairs="pairs.lst", audio="LibriSpeech/test-other")


def test_paths_stay_below_their_folder(read, librispeech_tree):
    with pytest.raises(InputError, match=r"option 'folder': '../..' leaves"):
        read("librispeech", folder="../..")
