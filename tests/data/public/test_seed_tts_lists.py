"""Lists in the form of Seed-TTS-eval."""

from __future__ import annotations

import pytest

from calm_eval.data.manifest import file_identity
from calm_eval.errors import InputError


@pytest.fixture
def listed(place, speech):
    """Prompts and one target in the folders of Seed-TTS-eval; writes the list."""
    (place / "en/prompt-wavs").mkdir(parents=True)
    (place / "en/wavs").mkdir()
    for clip in speech[:2]:
        (place / "en/prompt-wavs" / f"{clip.id}.flac").symlink_to(clip.path)

    def write(*lines):
        (place / "en/meta.lst").write_text("\n".join(lines) + "\n", encoding="utf-8")

    return write


def test_four_or_five_columns(read, listed, place, write_tone, speech):
    voice = f"prompt-wavs/{speech[0].id}.flac"
    write_tone("en/wavs/b.wav", frequency=500)
    write_tone("en/elsewhere.wav", frequency=600)
    listed(
        f"a|{speech[0].text}|{voice}|Get the trust fund to the bank early.",
        f"b|{speech[0].text}|{voice}|Ça va, “naïve”?",
        f"c|{speech[0].text}|{voice}|Elsewhere.|elsewhere.wav",
    )
    plain, usual, named = read("seed_tts", meta="en/meta.lst")
    assert (plain.id, plain.text) == ("a", "Get the trust fund to the bank early.")
    assert plain.reference is None
    assert plain.prompt.identity == file_identity(speech[0].path)
    assert plain.speaker == speech[0].id
    assert usual.text == "Ça va, “naïve”?"
    assert usual.reference.path == place / "en/wavs/b.wav"
    assert named.reference.path == place / "en/elsewhere.wav"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["a|x|prompt-wavs/{0}.flac|t", "a|x|prompt-wavs/{0}.flac|t"], r"meta.lst:2: id 'a' stands twice"),
        (["a|x|prompt-wavs/none.wav|t"], r"meta.lst:1: no file '.*none.wav' for 'a'"),
        (["a|x|prompt-wavs/{0}.flac|t|gone.wav"], r"meta.lst:1: no file '.*gone.wav' for 'a'"),
        (["a|x|prompt-wavs/{0}.flac"], r"meta.lst:1: expected 4 or 5 columns .* got 3"),
        (["a|x|prompt-wavs/{0}.flac|"], r"meta.lst:1: expected 4 or 5 columns with | between, none empty"),
        ([], r"holds no item"),
    ],
)
def test_a_broken_list(read, listed, speech, lines, said):
    listed(*(line.format(speech[0].id) for line in lines))
    with pytest.raises(InputError, match=said):
        read("seed_tts", meta="en/meta.lst")


def test_a_prompt_of_no_length(read, listed, write_tone):
    write_tone("en/prompt-wavs/empty.wav", seconds=0)
    listed("a|x|prompt-wavs/empty.wav|t")
    with pytest.raises(InputError, match=r"meta.lst:1: '.*empty.wav' holds no frames"):
        read("seed_tts", meta="en/meta.lst")
