"""NeMo manifests, lhotse cuts and lhotse supervisions over the same real clips."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
import soundfile

from calm_eval.data.manifest import file_identity
from calm_eval.errors import InputError


def write(path, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def nemo(clip, **more):
    return {"audio_filepath": str(clip.path), "text": clip.text, "duration": clip.seconds, **more}


def recording(clip):
    source = {"type": "file", "channels": [0], "source": str(clip.path)}
    return {"id": clip.id, "sources": [source], "sampling_rate": 16000, "duration": clip.seconds, "channel_ids": [0]}


def supervision(clip, **more):
    told = {"id": clip.id, "recording_id": clip.id, "start": 0.0, "duration": clip.seconds, "channel": 0}
    return {**told, "text": clip.text, "speaker": clip.speaker, **more}


def cut(clip, **more):
    told = {"id": clip.id, "start": 0.0, "duration": clip.seconds, "channel": 0, "type": "MonoCut"}
    return {**told, "supervisions": [supervision(clip)], "recording": recording(clip), **more}


def test_three_styles_of_one_set_give_the_same_items(read, place, speech):
    clips = speech[:4]
    write(place / "nemo.jsonl", [nemo(clip, id=clip.id, speaker=clip.speaker) for clip in clips])
    write(place / "cuts.jsonl.gz", [cut(clip) for clip in clips])
    write(place / "supervisions.jsonl", [supervision(clip) for clip in clips])
    write(place / "recordings.jsonl", [recording(clip) for clip in clips])
    as_nemo = read("jsonl", manifest="nemo.jsonl", style="nemo")
    assert as_nemo == read("jsonl", manifest="cuts.jsonl.gz", style="lhotse")
    assert as_nemo == read("jsonl", manifest="supervisions.jsonl", style="lhotse", recordings="recordings.jsonl")
    for item, clip in zip(as_nemo, clips, strict=True):
        assert (item.id, item.text, item.speaker) == (clip.id, clip.text, clip.speaker)
        assert item.duration == clip.seconds
        assert item.reference.identity == file_identity(clip.path)


def test_parts_of_a_recording(read, place, speech):
    clip = speech[0]
    write(place / "nemo.jsonl", [nemo(clip, offset=at, duration=1.25) for at in (0.0, 2.5)])
    write(place / "cuts.jsonl", [cut(clip, id=name, start=at, duration=1.25) for name, at in (("a", 0), ("b", 2.5))])
    as_nemo = read("jsonl", manifest="nemo.jsonl", style="nemo")
    cuts = read("jsonl", manifest="cuts.jsonl", style="lhotse")
    assert [item.reference for item in as_nemo] == [item.reference for item in cuts]
    assert [item.id.rpartition("@")[2] for item in as_nemo] == ["0", "2.5"]
    whole, rate = soundfile.read(clip.path, dtype="int16")
    for item, start in zip(cuts, (0.0, 2.5), strict=True):
        part, _ = soundfile.read(item.reference.path, dtype="int16")
        assert np.array_equal(part, whole[round(start * rate) : round((start + 1.25) * rate)])
        assert item.duration == 1.25


def test_paths_beside_the_manifest_or_in_a_folder(read, place, write_tone):
    write_tone("lists/audio/a.wav")
    write_tone("elsewhere/audio/a.wav", frequency=700)
    write(place / "lists/m.jsonl", [{"audio_filepath": "audio/a.wav", "text": "x “y”\u2028z", "duration": 0.5}])
    beside = read("jsonl", manifest="lists/m.jsonl", style="nemo")[0]
    assert (beside.id, beside.text) == ("audio/a", "x “y”\u2028z")
    assert beside.reference.path == place / "lists/audio/a.wav"
    other = read("jsonl", manifest="lists/m.jsonl", style="nemo", audio="elsewhere")[0]
    assert other.reference.path == place / "elsewhere/audio/a.wav"
    assert other.reference.identity != beside.reference.identity


def test_texts_of_several_supervisions(read, place, speech):
    one, two = supervision(speech[0], text="first"), supervision(speech[0], text="second", speaker="another")
    write(place / "cuts.jsonl", [cut(speech[0], supervisions=[one, two]), cut(speech[1], supervisions=[])])
    both, none = read("jsonl", manifest="cuts.jsonl", style="lhotse")
    assert (both.text, both.speaker) == ("first second", None)
    assert (none.text, none.speaker) == (None, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"duration": 0}, r"m.jsonl:1: duration: 0 s is not above 0 and below ten hours"),
        ({"duration": -1.0}, r"m.jsonl:1: duration: -1.0 s is not above 0"),
        ({"duration": None}, r"m.jsonl:1: duration: expected seconds, got None"),
        ({"duration": True}, r"m.jsonl:1: duration: expected seconds, got True"),
        ({"duration": 9.0}, r"m.jsonl:1: 'a': the reference lasts 0.500 s, the list says 9 s"),
        ({"offset": 0.4}, r"m.jsonl:1: 'a@0.4' ends at 0.9 s, but '.*a.wav' lasts 0.500 s"),
        ({"offset": -1}, r"m.jsonl:1: offset: -1 is no time at or after 0 s"),
        ({"audio_filepath": "b.wav"}, r"m.jsonl:1: no file '.*b.wav' for 'b'"),
        ({"audio_filepath": None}, r"m.jsonl:1: expected a text 'audio_filepath'"),
        ({"text": ["x"]}, r"m.jsonl:1: text: wrong type list"),
    ],
)
def test_a_broken_row(read, place, write_tone, change, said):
    write_tone("a.wav")
    write(place / "m.jsonl", [{"audio_filepath": "a.wav", "text": "x", "duration": 0.5, **change}])
    with pytest.raises(InputError, match=said):
        read("jsonl", manifest="m.jsonl", style="nemo")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": 3}, r"m.jsonl:1: expected a text 'id'"),
        ({"type": "MixedCut"}, r"m.jsonl:1: '[\d-]+' is a MixedCut; only cuts of one recording"),
        ({"duration": 0}, r"m.jsonl:1: duration: 0 s is not above 0"),
        ({"start": 1e4}, r"m.jsonl:1: '[\d-]+' ends at .* s, but"),
        ({"recording": None}, r"m.jsonl:1: '[\d-]+' holds no recording, and option 'recordings' knows no 'None'"),
        ({"recording": {"sources": []}}, r"has not exactly one source"),
        ({"recording": {"sources": [{"type": "command", "source": "cat"}]}}, r"of type 'command'; only files are read"),
        ({"recording": {"sources": [{"type": "file", "source": "x", "channels": [0, 1]}]}}, "has 2 channels"),
        ({"supervisions": "x"}, r"m.jsonl:1: supervisions: expected a list"),
    ],
)
def test_a_broken_cut(read, place, speech, change, said):
    write(place / "m.jsonl", [cut(speech[0], **change)])
    with pytest.raises(InputError, match=said):
        read("jsonl", manifest="m.jsonl", style="lhotse")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"audio_filepath": "a.wav", "duration": 0.5}\n' * 2, r"m.jsonl:2: id 'a' stands twice"),
        ("{broken\n", r"m.jsonl:1: not valid JSON"),
        ("\n[1]\n", r"m.jsonl:2: expected an object, found list"),
        ("\n", "holds no item"),
    ],
)
def test_a_broken_file(read, place, write_tone, text, said):
    write_tone("a.wav")
    (place / "m.jsonl").write_text(text)
    with pytest.raises(InputError, match=said):
        read("jsonl", manifest="m.jsonl", style="nemo")


def test_a_style_that_is_none_and_a_file_that_is_not_packed(read, place):
    (place / "m.jsonl.gz").write_text("no gzip")
    with pytest.raises(InputError, match=r"m.jsonl.gz: cannot be read"):
        read("jsonl", manifest="m.jsonl.gz", style="nemo")
    with pytest.raises(InputError, match=r"option 'style': 'kaldi'; known: nemo, lhotse"):
        read("jsonl", manifest="m.jsonl.gz", style="kaldi")
