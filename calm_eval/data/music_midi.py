"""Notes in seconds as the bytes of a standard MIDI file (format 0)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from calm_eval.errors import InputError

TICKS_PER_SECOND = 960
VELOCITY = 100
MAIN_VOLUME = 7
OFF_BEFORE_ON = {0x80: 1, 0x90: 2}


@dataclass(frozen=True)
class TimedNote:
    """A note that sounds from `start` to `stop` (seconds), MIDI `pitch`, on MIDI `channel` 0 to 15 but 9 (drums)."""

    start: float
    stop: float
    pitch: int
    channel: int


def midi_bytes(notes: Sequence[TimedNote], program: int) -> bytes:
    """A MIDI file of one track: every channel used gets `program` (0 to 127) and full volume.

    One quarter note is one second, so ticks are seconds / 960. Two notes of one pitch on one channel may touch but not
    overlap, because the first end would silence both. Raises InputError for a note that MIDI cannot hold.
    """
    events: list[tuple[int, int, bytes]] = [(0, 0, b"\xff\x51\x03" + (1_000_000).to_bytes(3, "big"))]
    for channel in sorted({note.channel for note in notes}):
        events.append((0, 0, bytes([0xC0 | channel, program])))
        events.append((0, 0, bytes([0xB0 | channel, MAIN_VOLUME, 127])))
    for note in notes:
        if not (0 <= note.start < note.stop and 0 <= note.pitch < 128 and 0 <= note.channel < 16 and note.channel != 9):
            raise InputError(f"MIDI cannot hold {note}")
        for status, time, velocity in ((0x90, note.start, VELOCITY), (0x80, note.stop, 0)):
            message = bytes([status | note.channel, note.pitch, velocity])
            events.append((round(time * TICKS_PER_SECOND), OFF_BEFORE_ON[status], message))
    events.sort(key=lambda event: event[:2])
    track, now = bytearray(), 0
    for tick, _, message in events:
        track += variable_length(tick - now) + message
        now = tick
    track += b"\x00\xff\x2f\x00"
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, TICKS_PER_SECOND, b"MTrk", len(track)) + bytes(track)


def variable_length(value: int) -> bytes:
    """A number as a variable-length quantity: seven bits a byte, the highest first, all but the last with bit 7 set.

    Source: Standard MIDI Files 1.0. Raises InputError when it is below 0 or takes over 28 bits.
    """
    if not 0 <= value < 1 << 28:
        raise InputError(f"{value} is no variable-length quantity")
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | (value & 0x7F))
    return bytes(reversed(groups))
