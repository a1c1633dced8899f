from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from jiwer import wer
from whisper_normalizer.english import EnglishTextNormalizer

from calm_eval.assets import fetch, weights
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.faster_whisper import FasterWhisperJudge, whisper_tiny_en


@pytest.fixture
def copied(tiny_en: FasterWhisperJudge, tmp_path: Path) -> Path:
    """The catalogue's model as a folder of the user's own."""
    return Path(shutil.copytree(fetch("whisper-tiny.en-ct2"), tmp_path / "mine.en"))


def test_real_speech_comes_out_as_the_words_that_were_read(tiny_en: FasterWhisperJudge, utterances: list) -> None:
    normalise = EnglishTextNormalizer()
    picked = utterances[2::16]
    found = tiny_en.judge([each.audio for each in picked])
    assert found[0].text == "You don't mean that you thought me so silly."
    assert all(each.notes["segments"] >= 1 for each in found)
    assert all(each.notes["avg_logprob"] < 0 < each.notes["compression_ratio"] < 2.4 for each in found)
    assert wer([normalise(each.text) for each in picked], [normalise(str(each.text)) for each in found]) < 0.25


@pytest.mark.slow
def test_word_error_rate_of_the_fifty_clips(tiny_en: FasterWhisperJudge, utterances: list) -> None:
    normalise = EnglishTextNormalizer()
    found = [normalise(str(each.text)) for each in tiny_en.judge([each.audio for each in utterances])]
    # Radford et al. 2022, table 8: 14.6 % on all of test-other, greedy; these are five speakers of it.
    assert 0.12 < wer([normalise(each.text) for each in utterances], found) < 0.19


def test_same_audio_same_answer_alone_or_among_others(tiny_en: FasterWhisperJudge, utterances: list) -> None:
    first, second = utterances[2].audio, utterances[12].audio
    together = tiny_en.judge([first, second, first])
    assert together[0] == together[2] == tiny_en.judge([first])[0]


def test_silence_is_transcribed_for_real_and_no_text_is_no_refusal(tiny_en: FasterWhisperJudge) -> None:
    silence, click = tiny_en.judge([np.zeros(48000, dtype=np.float32), np.zeros(1, dtype=np.float32)])
    assert silence.refused is None
    assert isinstance(silence.text, str)
    assert silence.notes["no_speech_prob"] > 0.6
    assert click.refused is None
    assert isinstance(click.text, str)


def test_audio_over_thirty_seconds_is_heard_to_its_end(tiny_en: FasterWhisperJudge, utterances: list) -> None:
    beginning, end = utterances[0], utterances[2]
    gap = np.zeros(16000 * 17, dtype=np.float32)
    long = np.concatenate([beginning.audio, gap, end.audio])
    assert long.size > 30 * 16000
    text = str(tiny_en.judge([long])[0].text).lower()
    assert "blood" in text
    assert "so silly" in text


def test_identity_of_the_catalogue_model() -> None:
    info = whisper_tiny_en().info
    assert info.name == "whisper-tiny.en/faster-whisper"
    assert info.weights == weights("whisper-tiny.en-ct2")
    assert info.parameters["compute_type"] == "int8"
    assert info.parameters["beam_size"] == 1
    assert info.parameters["temperature"] == 0.0
    assert info.parameters["condition_on_previous_text"] is False
    assert "sequential" in info.parameters["over_30_s"]
    assert whisper_tiny_en(compute_type="float32").info.parameters != info.parameters


def test_identity_of_a_local_folder_is_the_hash_of_its_files(copied: Path) -> None:
    judge = FasterWhisperJudge(path=str(copied))
    expected = {
        name: hashlib.sha256((copied / name).read_bytes()).hexdigest() for name in ("model.bin", "tokenizer.json")
    }
    assert judge.info.weights == expected
    assert judge.info.name == "mine.en/faster-whisper"
    (copied / "preprocessor_config.json").write_text("{}")
    assert "preprocessor_config.json" in FasterWhisperJudge(path=str(copied)).info.weights


def test_a_missing_tokenizer_is_never_replaced_by_a_download(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(UnavailableError, match=r"tokenizer\.json"):
        FasterWhisperJudge(path=str(copied)).load("cpu", 1)


def test_a_truncated_model_is_unavailable(copied: Path) -> None:
    content = (copied / "model.bin").read_bytes()
    (copied / "model.bin").write_bytes(content[: len(content) // 2])
    with pytest.raises(UnavailableError, match="cannot load"):
        FasterWhisperJudge(path=str(copied)).load("cpu", 1)


def test_options_that_cannot_work_are_refused_before_any_work() -> None:
    with pytest.raises(InputError, match="exactly one"):
        FasterWhisperJudge()
    with pytest.raises(InputError, match="exactly one"):
        FasterWhisperJudge(model="whisper-tiny.en-ct2", path="somewhere")
    with pytest.raises(InputError, match="English only"):
        whisper_tiny_en(language="fr")


def test_an_unknown_compute_type_is_unavailable_with_its_name(tiny_en: FasterWhisperJudge) -> None:
    with pytest.raises(UnavailableError, match="int7"):
        whisper_tiny_en(compute_type="int7").load("cpu", 1)


def test_a_language_the_model_does_not_know(copied: Path) -> None:
    renamed = copied.rename(copied.with_name("mine"))
    with pytest.raises(InputError, match="'fr'"):
        FasterWhisperJudge(path=str(renamed), language="fr").load("cpu", 1)
