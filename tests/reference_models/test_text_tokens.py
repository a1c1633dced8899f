import hashlib

import pytest

from reference_models.errors import ModelError
from reference_models.text import Characters, HashedWords, SentencePiece


def test_characters_are_places_in_the_alphabet():
    assert Characters(" abc'").encode("  Cab\n b’ ") == [3, 1, 2, 0, 2, 4]


def test_unknown_characters_and_empty_texts_are_refused():
    with pytest.raises(ModelError, match="characters '3é' are not in the model's alphabet"):
        Characters(" abc").encode("a é 3")
    for text in ("", " \n"):
        with pytest.raises(ModelError, match="empty"):
            Characters(" abc").encode(text)
        with pytest.raises(ModelError, match="no word"):
            HashedWords(8).encode(text)


def test_hashed_words_are_the_sha256_of_each_word():
    expected = [int(hashlib.sha256(word).hexdigest()[:16], 16) % 1000 for word in (b"a", b"slow", b"waltz")]
    assert HashedWords(1000).encode("A slow, waltz!") == expected


def test_a_missing_sentencepiece_file_is_named(tmp_path):
    with pytest.raises(ModelError, match="no SentencePiece model at"):
        SentencePiece(4000, tmp_path / "none.model")
