"""One call of the espeak-ng library in a process of its own. Standard library only; started by espeak.py.

espeak-ng keeps the phase of its flutter, its sample counter and its random numbers in static variables that no call
of its interface resets, so a second utterance in the same process differs from the first. A fresh process for each
makes an utterance depend on nothing but its request. The working directory is the folder that holds `espeak-ng-data`:
the library copies the path of its data into a buffer of 160 characters, which a relative path never fills.
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
from collections.abc import Iterator
from typing import Any

SYNCHRONOUS = 2
DO_NOT_EXIT = 0x8000
RATE = 1
UTF8 = 1
NO_SUCH_VOICE = 3  # exit code
DATA_FOLDER = b"espeak-ng-data"

Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voice(ctypes.Structure):
    """`espeak_VOICE` of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("unused", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


def open_library(path: str) -> tuple[ctypes.CDLL, int]:
    """The initialised library and its sample rate in Hz. Exits with a sentence when its own data cannot be read."""
    library = ctypes.CDLL(path)
    library.espeak_Info.restype = ctypes.c_char_p
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(Voice))
    library.espeak_Synth.argtypes = (
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    )
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, b".", DO_NOT_EXIT)
    data = ctypes.c_char_p()
    library.espeak_Info(ctypes.byref(data))
    # Without its own data the library looks in the system's folders, and then speaks with another version's voices.
    if rate <= 0 or data.value is None or not data.value.endswith(b"/" + DATA_FOLDER) or data.value[:1] != b".":
        sys.exit(f"espeak-ng did not open its data folder (returned {rate}, folder {data.value!r})")
    return library, rate


def languages(address: int) -> list[str]:
    """What one voice speaks: a list in memory of a priority byte and a NUL-terminated name each, ended by a zero."""
    names: list[str] = []
    while ctypes.string_at(address, 1) != b"\0":
        name = ctypes.string_at(address + 1)
        names.append(name.decode())
        address += len(name) + 2
    return names


def voices(library: ctypes.CDLL) -> dict[str, list[str]]:
    """Languages (`en-us`) and variants (`f3`, which the library calls `!v/f3`) that this library lists."""
    only_variants = ctypes.create_string_buffer(b"variant")
    wanted = Voice(languages=ctypes.addressof(only_variants))
    return {
        "languages": [name for voice in listed(library, None) for name in languages(voice.languages)],
        "variants": [voice.identifier.decode().removeprefix("!v/") for voice in listed(library, ctypes.byref(wanted))],
    }


def listed(library: ctypes.CDLL, query: Any) -> Iterator[Voice]:
    """The voices that fit a query (none: all but the variants)."""
    pointers = library.espeak_ListVoices(query)
    at = 0
    while pointers[at]:
        yield pointers[at].contents
        at += 1


def speak(library: ctypes.CDLL, voice: str, text: str, words_per_minute: int) -> bytes:
    """The utterance as 16-bit PCM, mono, native byte order. Exits with a sentence when the library reports a code."""
    pieces: list[bytes] = []

    def collect(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = Callback(collect)
    library.espeak_SetSynthCallback(callback)
    encoded = text.encode("utf-8")
    for name, code in (
        ("SetRandSeed", library.espeak_ng_SetRandSeed(ctypes.c_long(0))),
        ("SetVoiceByName", library.espeak_SetVoiceByName(voice.encode())),
        ("SetParameter", library.espeak_SetParameter(RATE, words_per_minute, 0)),
        ("Synth", library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, UTF8, None, None)),
    ):
        if code != 0:
            sys.stderr.write(f"espeak-ng {name} returned {code}")
            sys.exit(NO_SUCH_VOICE if name == "SetVoiceByName" else 1)
    return b"".join(pieces)


def main() -> None:
    """Reads a JSON request from standard input, writes the answer to standard output."""
    request = json.load(sys.stdin)
    library, rate = open_library(request["library"])
    if "text" not in request:
        sys.stdout.write(json.dumps(voices(library)))
        return
    pcm = speak(library, request["voice"], request["text"], request["rate"])
    sys.stdout.buffer.write(struct.pack("<I", rate) + pcm)


if __name__ == "__main__":
    main()
