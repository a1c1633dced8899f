"""What the normaliser does today, phrase by phrase.

A failure here means that the package behind `whisper-english` changed its answers: raise its `version`, and those of
WER and CER, together with the golden, so that old and new numbers are never put side by side.
"""

from __future__ import annotations

import pytest

from calm_eval.metrics.normalisers import WHISPER_ENGLISH
from calm_eval.metrics.word_error_rate import CER, CER_MEAN, WER, WER_MEAN

# The first twelve are the reference sheet's and Whisper's own tests; the others cover what sentences hold.
GOLDEN = {
    "two double o eight": "2008",
    "200 thousand dollars": "$200000",
    "nineteen fifties": "1950s",
    "two dollars and seventy cents": "$2.70",
    "$0.36": "¢36",
    "Mr. Park visited Assoc. Prof. Kim Jr.": "mister park visited associate professor kim junior",
    "[Music]": "",
    "(laughs)": "",
    "mm hmm": "",
    "John's book": "john is book",
    "it's one o'clock": "it is 10 clock",
    "don't": "do not",
    "The colour of the grey aluminium theatre": "the color of the gray aluminum theater",
    "favourite centre organise": "favorite center organize",
    "I can't believe we won't go": "i can not believe we will not go",
    "She's been": "she has been",
    "They've gone": "they have gone",
    "I'd like it": "i would like it",
    "let's go": "let us go",
    "y'all ain't": "you all aint",
    "gonna wanna gotta": "going to want to got to",
    "uh, um, hmm": "",
    "Dr. Smith lives on 5th Ave.": "doctor smith lives on 5th ave",
    "Mrs. Jones of St. Paul": "missus jones of saint paul",
    "U.S.A.": "u s a",
    "twenty-one": "21",
    "one hundred and one": "101",
    "nineteen eighty four": "1984",
    "one two three": "123",
    "double seven": "77",
    "half past nine": "half past 9",
    "three point one four": "3.14",
    "thirty-first of May": "31st of may",
    "ten percent": "10%",
    "1,000,000": "1000000",
    "3.5 million": "3500000",
    "€5.50": "€5.50",
    "minus five": "-5",
    "oh": "0",
    "Hello, world!": "hello world",
    "“quoted” text — with dashes": "quoted text with dashes",
    "stop—its": "stop its",
    "well-known": "well known",
    "Café naïve": "cafe naive",
    "éàü ß Ærø": "eau ss aero",
    "ﬁne ligature": "fine ligature",
    "日本語": "日本語",
    "Привет мир": "привет мир",
    "<b>bold</b>": "bold",
    "hello <unk> world (softly)": "hello world",
    "a  b\tc\n d": "a b c d",
    " Thank you. ": "thank you",
    "": "",
    # Oddities to know of: dots alone stay a word, and a spaced million loses zeros.
    "...": ".",
    "100 000": "100 0",
}


@pytest.mark.parametrize("phrase", GOLDEN)
def test_golden(phrase: str) -> None:
    assert WHISPER_ENGLISH(phrase) == GOLDEN[phrase]


def test_versions_that_the_golden_belongs_to() -> None:
    assert [metric.spec.version for metric in (WER, WER_MEAN, CER, CER_MEAN)] == [1, 1, 1, 1]


def test_no_edge_or_double_spaces() -> None:
    for phrase in GOLDEN:
        words = WHISPER_ENGLISH(phrase)
        assert words == " ".join(words.split())
