"""Training corpora: the folder that a recipe becomes, and the speech grammar."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from calm_eval.data import grammar
from calm_eval.data.corpus import CorpusClip, build_corpus, describe_corpora, write_corpus
from calm_eval.data.manifest import read_manifest
from calm_eval.data.speech_corpus import LOUDEST, LOUDNESS, SpeechCorpus, levelled
from calm_eval.errors import InputError
from reference_models.errors import ModelError
from reference_models.training.corpus import Corpus

RATE = 16000


class Tones:
    """Six training and two validation clips of sine tones; one more for the test split."""

    identity = "a" * 64
    terms = ("made by a test",)
    count = 9

    def __init__(self, loud: float = 0.5) -> None:
        self.loud = loud

    def clips(self) -> Iterator[CorpusClip]:
        for index in range(self.count):
            wave = (self.loud * np.sin(np.arange(4000 + index) / (5 + index))).astype(np.float32)
            split = ("train", "valid", "test")[(index > 5) + (index > 7)]
            yield CorpusClip(split, f"t{index}", wave, RATE, f"tone {index}", "sine", ("tone", f"n{index}"))  # type: ignore[arg-type]


def test_a_corpus_is_a_folder_that_others_can_check(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    folder = write_corpus("tones", Tones(), tmp_path / "tones", lambda done, of: told.append((done, of)))
    assert told == [(number, 9) for number in range(1, 10)]
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    about = json.loads((folder / "corpus.json").read_text())
    assert about["splits"]["train"] == {"clips": 6, "seconds": pytest.approx((6 * 4000 + 15) / RATE, abs=1e-3)}
    items = read_manifest(folder / "test.jsonl")
    assert [(item.id, item.text, item.speaker, item.tags) for item in items] == [
        ("t8", "tone 8", "sine", ("tone", "n8"))
    ]
    assert items[0].reference is not None
    samples, rate = soundfile.read(items[0].reference.path)
    assert rate == RATE
    np.testing.assert_allclose(samples, 0.5 * np.sin(np.arange(4008) / 13), atol=0.51 / 32768)


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_corpus("tones", Tones(), tmp_path / name) for name in "ab")
    assert (one / "SHA256SUMS").read_bytes() == (two / "SHA256SUMS").read_bytes()
    assert (one / "corpus.json").read_bytes() == (two / "corpus.json").read_bytes()


def test_a_finished_corpus_is_kept_and_another_one_refused(tmp_path: Path) -> None:
    folder = write_corpus("tones", Tones(), tmp_path / "tones")
    before = (folder / "corpus.json").stat().st_mtime_ns
    assert write_corpus("tones", Tones(), folder) == folder
    assert (folder / "corpus.json").stat().st_mtime_ns == before
    other = Tones()
    other.identity = "b" * 64
    with pytest.raises(InputError, match="holds another corpus"):
        write_corpus("tones", other, folder)
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="no finished corpus"):
        write_corpus("tones", Tones(), tmp_path / "mine")


def test_a_build_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="louder than full scale"):
        write_corpus("tones", Tones(loud=1.5), tmp_path / "tones")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_corpus_names_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no corpus 'nope'.*mini-speech"):
        build_corpus("nope", tmp_path / "x")
    assert "mini-speech: 5,832 clips" in describe_corpora()


def test_training_reads_its_splits_and_never_the_test_items(tmp_path: Path) -> None:
    corpus = Corpus(write_corpus("tones", Tones(), tmp_path / "tones"))
    assert Counter(clip.split for clip in corpus.clips()) == {"train": 6, "valid": 2}
    assert [clip.id for clip in corpus.clips("n3")] == ["t3"]
    with pytest.raises(ModelError, match="no clip has the tag 'nope'"):
        corpus.clips("nope")
    samples = corpus.samples(corpus.clips()[2], RATE).numpy()
    np.testing.assert_allclose(samples, 0.5 * np.sin(np.arange(4002) / 7), atol=0.51 / 32768)
    assert len(corpus.samples(corpus.clips()[2], RATE // 2)) == 2001


def test_what_has_changed_since_is_refused(tmp_path: Path) -> None:
    folder = write_corpus("tones", Tones(), tmp_path / "tones")
    corpus = Corpus(folder)
    clip = corpus.clips()[1]
    soundfile.write(folder / clip.path, np.zeros(4001), RATE, format="FLAC", subtype="PCM_16")
    with pytest.raises(ModelError, match=r"t1\.flac: has changed since the corpus was built"):
        corpus.samples(clip, RATE)
    with (folder / "train.jsonl").open("a") as stream:
        stream.write("{}\n")
    with pytest.raises(ModelError, match=r"train\.jsonl: has changed"):
        corpus.clips()
    with (folder / "SHA256SUMS").open("a") as stream:
        stream.write("\n")
    with pytest.raises(ModelError, match="SHA256SUMS has digest"):
        Corpus(folder)
    (folder / "corpus.json").unlink()
    with pytest.raises(ModelError, match="is no finished corpus"):
        Corpus(folder)


def test_the_grammar_is_as_large_as_promised() -> None:
    assert len(grammar.vocabulary()) >= 200
    assert grammar.count_sentences() >= 100_000
    assert not any(character.isdigit() for word in grammar.vocabulary() for character in word)


def test_sentences_keep_to_the_grammar() -> None:
    known = grammar.vocabulary() | {"an"}
    texts = [grammar.sentence(number, "check") for number in range(2000)]
    assert all(word.strip(".,?").lower() in known for text in texts for word in text.split())
    assert not any(f" a {vowel}" in text.lower() for text in texts for vowel in "aeiou")
    assert len(set(texts)) > 1950
    assert grammar.sentence(5, "check") == texts[5]
    # Each of the twelve patterns is drawn about as often: five standard deviations of a binomial.
    questions = sum(text.endswith("?") for text in texts)
    assert abs(questions - 2000 / 6) < 5 * (2000 / 6 * 5 / 6) ** 0.5


def test_no_sentence_stands_in_two_splits() -> None:
    plan = SpeechCorpus().plan()
    split_of: dict[str, str] = {}
    for split, _, text in plan:
        assert split_of.setdefault(text, split) == split
    assert len(split_of) == len(plan) == 4860
    voices = Counter(voice for split, voice, _ in plan if split == "test")
    assert voices["piper-joe"] == 260
    assert len(voices) == 5
    assert SpeechCorpus().count == 4860 + 4860 // 5


def test_readings_are_brought_to_one_level() -> None:
    rng = np.random.default_rng(0)
    quiet = levelled((1e-3 * rng.standard_normal(20000)).astype(np.float32))
    assert np.sqrt(np.mean(quiet.astype(np.float64) ** 2)) == pytest.approx(LOUDNESS, rel=1e-5)
    click = np.zeros(20000, np.float32)
    click[7] = 0.01
    assert levelled(click).max() == pytest.approx(LOUDEST)


def test_readings_and_their_paragraph(tmp_path: Path) -> None:
    pytest.importorskip("piper")
    clips = SpeechCorpus().clips()
    first = [next(clips) for _ in range(6)]
    sentences, paragraph = first[:5], first[5]
    assert [clip.tags for clip in first] == [("sentence",)] * 5 + [("paragraph",)]
    assert paragraph.text == " ".join(clip.text or "" for clip in sentences)
    at = 0
    for number, clip in enumerate(sentences):
        np.testing.assert_array_equal(paragraph.samples[at : at + len(clip.samples)], clip.samples)
        at += len(clip.samples)
        if number < 4:
            rest = np.flatnonzero(paragraph.samples[at:])[0]
            # The next reading begins with its own near-silence.
            assert 0.15 * clip.rate <= rest
            pause = next(
                size
                for size in range(round(0.15 * clip.rate) - 1, round(0.35 * clip.rate) + 2)
                if np.array_equal(
                    paragraph.samples[at + size : at + size + len(sentences[number + 1].samples)],
                    sentences[number + 1].samples,
                )
            )
            at += pause
    assert at == len(paragraph.samples)
