from __future__ import annotations

import io

import pytest

from calm_eval.data.music_midi import TimedNote, midi_bytes, variable_length
from calm_eval.errors import InputError


@pytest.mark.parametrize(
    ("value", "written"),
    [  # the examples of the Standard MIDI Files specification
        (0x00, "00"),
        (0x40, "40"),
        (0x7F, "7F"),
        (0x80, "81 00"),
        (0x2000, "C0 00"),
        (0x3FFF, "FF 7F"),
        (0x4000, "81 80 00"),
        (0x1FFFFF, "FF FF 7F"),
        (0x200000, "81 80 80 00"),
        (0x0FFFFFFF, "FF FF FF 7F"),
    ],
)
def test_variable_length_quantities(value: int, written: str) -> None:
    assert variable_length(value) == bytes.fromhex(written)


@pytest.mark.parametrize("value", [-1, 1 << 28])
def test_a_number_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(InputError):
        variable_length(value)


def test_another_reader_finds_the_same_notes() -> None:
    mido = pytest.importorskip("mido")
    notes = [TimedNote(0.0, 0.5, 60, 0), TimedNote(0.5, 1.0, 60, 0), TimedNote(0.25, 2.0, 64, 1)]
    found, sounding, now = [], {}, 0.0
    programs = {}
    for message in mido.MidiFile(file=io.BytesIO(midi_bytes(notes, 19))):
        now += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on":
            assert (message.channel, message.note) not in sounding
            sounding[message.channel, message.note] = now
        elif message.type == "note_off":
            found.append((sounding.pop((message.channel, message.note)), now, message.note, message.channel))
    assert programs == {0: 19, 1: 19}
    assert not sounding
    wanted = sorted((note.start, note.stop, note.pitch, note.channel) for note in notes)
    assert [value for row in sorted(found) for value in row] == pytest.approx([v for row in wanted for v in row])


@pytest.mark.parametrize(
    "note",
    [TimedNote(1.0, 1.0, 60, 0), TimedNote(-0.1, 1.0, 60, 0), TimedNote(0.0, 1.0, 128, 0), TimedNote(0.0, 1.0, 60, 9)],
)
def test_a_note_that_midi_cannot_hold_is_refused(note: TimedNote) -> None:
    with pytest.raises(InputError, match="MIDI cannot hold"):
        midi_bytes([note], 0)
