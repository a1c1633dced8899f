"""The grammar of the mini speech corpus: short English sentences of common words, numbers spelled out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from math import prod

SLOTS: Mapping[str, str] = {
    "name": "Anna Peter Maria Thomas Laura Daniel Emma Robert Julia Martin Sarah Michael Helen David Alice George",
    "person": "teacher doctor farmer driver painter singer baker sailor writer student lawyer gardener soldier "
    "waiter pilot neighbor",
    "number": "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty",
    "adjective": "red green blue yellow white black old new small large heavy broken empty clean golden wooden cheap "
    "simple",
    "thing": "table chair window basket bottle letter picture mirror blanket hammer ladder lantern pillow pencil "
    "ticket wallet camera guitar bucket carpet",
    "things": "apples books boxes candles flowers horses lemons lamps maps pages plates potatoes rabbits shirts "
    "stones trees tickets windows bottles letters",
    "animal": "dog horse rabbit monkey tiger chicken parrot spider donkey camel turtle dolphin",
    "did": "bought found carried painted wanted counted moved opened cleaned borrowed dropped forgot",
    "do": "buy find carry paint move open clean borrow bring sell",
    "went": "waited slept worked walked danced played stopped arrived laughed talked",
    "place": "garden kitchen market station river forest school village harbor castle library office hospital "
    "bakery mountain island bridge airport theater museum",
    "where": "behind near inside outside beside under",
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "part": "morning afternoon evening night",
    "month": "January April August September October December",
    "how": "quickly slowly quietly happily carefully suddenly together again",
    "weather": "rain snow wind thunder sunshine winter summer",
}
"""What may fill each slot, as words with spaces between them."""

PATTERNS: Sequence[str] = (
    "{name} {did} {number} {adjective} {things} near the {place}.",
    "The {person} {did} a {adjective} {thing} on {day} {part}.",
    "The {adjective} {thing} is {where} the {place}.",
    "{name} and the {person} {went} {where} the {place}.",
    "On {day}, {name} {did} the {adjective} {thing}.",
    "Please {do} {number} {things} before {month}.",
    "Can the {person} {do} the {thing} in the {part}?",
    "A {adjective} {animal} {went} {how} in the {weather}.",
    "There were {number} {things} {where} the {thing}.",
    "The {animal} {went} {where} the {place} until {day}.",
    "Did {name} {do} this {adjective} {thing} for the {person}?",
    "In {month}, the {person} {went} {how} with {name}.",
)
"""Sentences with slots in braces."""


def fillers(slot: str) -> list[str]:
    """The words of a slot."""
    return SLOTS[slot].split()


def vocabulary() -> set[str]:
    """Every word that can be said, lower case."""
    fixed = re.sub(r"\{\w+\}", " ", " ".join(PATTERNS))
    return {word.lower() for text in [fixed, *SLOTS.values()] for word in _words(text)}


def count_sentences() -> int:
    """How many different sentences the grammar makes, at least: patterns differ in their fixed words."""
    return sum(prod(len(fillers(slot)) for slot in _slots(pattern)) for pattern in PATTERNS)


def sentence(number: int, seed: str) -> str:
    """A sentence drawn by (seed, number): the same for ever, since only sha256 decides."""
    pattern = _drawn(PATTERNS, f"{seed}/{number}")
    parts = iter(range(len(pattern)))
    text = re.sub(
        r"\{(\w+)\}",
        lambda slot: _drawn(fillers(slot[1]), f"{seed}/{number}/{next(parts)}"),
        pattern,
    )
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def _drawn(words: Sequence[str], key: str) -> str:
    return words[int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % len(words)]


def _slots(pattern: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", pattern)


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z']+", text)
