from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from calm_eval.judges.tensorflow_bundle import BundleError, crc32c, read_index, read_tensors


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def block(records: list[tuple[bytes, bytes]]) -> bytes:
    """A LevelDB block: each key without what it shares with the one before, one restart point."""
    out, last = b"", b""
    for key, value in records:
        shared = 0
        while shared < min(len(key), len(last)) and key[shared] == last[shared]:
            shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return out + struct.pack("<II", 0, 1)


def table(records: list[tuple[bytes, bytes]], kind: int = 0) -> bytes:
    out = b""

    def put(content: bytes) -> bytes:
        nonlocal out
        handle = varint(len(out)) + varint(len(content))
        crc = crc32c(content + bytes([kind]))
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        out += content + struct.pack("<BI", kind, masked)
        return handle

    half = len(records) // 2
    index = [(part[-1][0] + b"~", put(block(part))) for part in (records[:half], records[half:]) if part]
    footer = put(block([])) + put(block(index))
    return out + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def record(kind: int, shape: tuple[int, ...], offset: int, size: int, extra: bytes = b"") -> bytes:
    dims = b"".join(message(2, number(1, dim)) for dim in shape)
    crc = varint(6 << 3 | 5) + struct.pack("<I", 7)
    return number(1, kind) + message(2, dims) + number(4, offset) + number(5, size) + crc + extra


HEADER = (b"", number(1, 1) + message(3, number(1, 1)))
WEIGHT = (b"layer/weight", record(1, (2, 3), 0, 24))


def index_of(tmp_path: Path, *records: tuple[bytes, bytes], kind: int = 0) -> Path:
    file = tmp_path / "model.index"
    file.write_bytes(table(list(records), kind))
    return file


def test_reads_tensors_of_every_kind_at_their_place(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors = {
        "layer/bias": rng.standard_normal(4).astype("<f8"),
        "layer/bias_copy": np.arange(300, dtype="<i8"),
        "layer/weight": rng.standard_normal((2, 3)).astype("<f4"),
        "step": np.array(7, dtype="<i4"),
    }
    kinds = {"<f4": 1, "<f8": 2, "<i4": 3, "<i8": 9}
    content, records = b"", [HEADER]
    for name, tensor in tensors.items():
        place = (tensor.shape, len(content), tensor.nbytes)
        records.append((name.encode(), record(kinds[tensor.dtype.str], *place)))
        content += tensor.tobytes()
    (tmp_path / "data").write_bytes(content)
    found = read_tensors(tmp_path / "data", read_index(index_of(tmp_path, *records)))
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        np.testing.assert_array_equal(found[name], tensor)


def test_checksum_is_crc_32c() -> None:
    # The check values of RFC 3720, appendix B.4, and of the CRC catalogues.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43


@pytest.mark.parametrize(
    ("records", "what"),
    [
        ([(b"", number(1, 2))], "2 data files"),
        ([(b"", number(1, 1) + number(2, 1))], "big-endian"),
        ([HEADER, (b"w", record(1, (2, 3), 0, 20))], "do not fill"),
        ([HEADER, (b"w", record(7, (2,), 0, 8))], "data type 7"),
        ([HEADER, (b"w", record(1, (2, 3), 0, 24, message(7, b"")))], "slices"),
        ([HEADER, (b"w", message(1, b"x"))], "damaged"),
        ([HEADER, (b"w", number(1, 1) + b"\x0b")], "wire type 3"),
        ([HEADER, (b"w", number(1, 1) + b"\x12\x09ab")], "ends inside a field"),
        ([HEADER, (b"w", b"\x08")], "breaks off"),
        ([HEADER, (b"\xff\xfe", record(1, (2, 3), 0, 24))], "damaged"),
    ],
)
def test_what_is_not_read_has_a_name(records: list[tuple[bytes, bytes]], what: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=what) as caught:
        read_index(index_of(tmp_path, *records))
    assert "model.index" in str(caught.value)


def test_a_damaged_table_is_never_read(tmp_path: Path) -> None:
    file = index_of(tmp_path, HEADER, WEIGHT)
    whole = file.read_bytes()
    for content in (b"", b"short", whole[:-1], whole[:-8] + bytes(8)):
        file.write_bytes(content)
        with pytest.raises(BundleError, match="no table magic"):
            read_index(file)
    first_block = len(block([HEADER]))
    for place in (0, 3, first_block - 1):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(BundleError, match="checksum"):
            read_index(file)
    file.write_bytes(whole[-48:])
    with pytest.raises(BundleError, match="breaks off"):
        read_index(file)
    with pytest.raises(BundleError, match="compressed"):
        read_index(index_of(tmp_path, HEADER, WEIGHT, kind=1))


def test_a_data_file_that_is_too_short_names_the_tensor(tmp_path: Path) -> None:
    entries = read_index(index_of(tmp_path, HEADER, WEIGHT))
    (tmp_path / "data").write_bytes(bytes(23))
    with pytest.raises(BundleError, match="layer/weight"):
        read_tensors(tmp_path / "data", entries)
