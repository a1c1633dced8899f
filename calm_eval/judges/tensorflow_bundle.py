"""TensorFlow's checkpoint format (version 2) read without TensorFlow: an `.index` table and one `.data` file.

Sources: tensorflow/core/protobuf/tensor_bundle.proto for the records, doc/table_format.md of LevelDB for the table.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_BLOCK_TRAILER = 5
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}
_CRC_MASK = 0xA282EAD8
_FIXED = {1: 8, 5: 4}


class BundleError(InputError):
    """A checkpoint that cannot be read: damaged, or of a kind that is not supported. Says which part is wrong."""


@dataclass(frozen=True)
class TensorEntry:
    """Where a tensor lies in the data file: NumPy dtype, shape, first byte and number of bytes."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


def read_index(path: Path) -> dict[str, TensorEntry]:
    """All tensors named by an `.index` file.

    Every block is checked against its CRC-32C. Read are uncompressed tables of little-endian, unsliced tensors in one
    data file. Raises BundleError on everything else, OSError when the file cannot be read.
    """
    table = path.read_bytes()
    try:
        return dict(_entries(table))
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BundleError(f"{path.name}: the table breaks off or is damaged ({error})") from error
    except BundleError as error:
        raise BundleError(f"{path.name}: {error}") from error


def read_tensors(data: Path, entries: Mapping[str, TensorEntry]) -> dict[str, NDArray[np.generic]]:
    """The tensors of `entries` from a `.data-00000-of-00001` file, by name, in their own dtype and shape.

    Their checksums are not computed: pin the file by its sha256. Raises BundleError when the file is too short for an
    entry, OSError when it cannot be read.
    """
    found: dict[str, NDArray[np.generic]] = {}
    with data.open("rb") as stream:
        for name, entry in entries.items():
            stream.seek(entry.offset)
            content = stream.read(entry.size)
            if len(content) != entry.size:
                raise BundleError(f"{data.name}: ends before the last byte of tensor '{name}'")
            found[name] = np.frombuffer(content, dtype=entry.dtype).reshape(entry.shape)
    return found


def crc32c(content: bytes) -> int:
    """The CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4) of some bytes; for small contents, byte by byte."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _entries(table: bytes) -> Iterator[tuple[str, TensorEntry]]:
    if len(table) < _FOOTER or struct.unpack("<Q", table[-8:])[0] != _MAGIC:
        raise BundleError("not the index of a TensorFlow checkpoint (no table magic at its end)")
    # The footer holds two handles; the first, of the meta-index, is of no use here.
    _, _, at = _handle(table, len(table) - _FOOTER)
    start, size, _ = _handle(table, at)
    for _, handle in _records(_block(table, start, size)):
        start, size, _ = _handle(handle, 0)
        for key, value in _records(_block(table, start, size)):
            if key:
                name = key.decode("utf-8")
                yield name, _tensor(name, value)
            else:
                _check_header(value)


def _block(table: bytes, start: int, size: int) -> bytes:
    content, trailer = table[start : start + size], table[start + size : start + size + _BLOCK_TRAILER]
    kind, masked = struct.unpack("<BI", trailer)
    if kind != 0:
        raise BundleError(f"a block is compressed (type {kind}); only uncompressed tables are read")
    crc = crc32c(content + trailer[:1])
    if ((crc >> 15 | crc << 17) + _CRC_MASK) & 0xFFFFFFFF != masked:
        raise BundleError(f"the block at byte {start} does not match its checksum")
    return content


def _records(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; each key names how many bytes it shares with the one before."""
    (restarts,) = struct.unpack("<I", block[-4:])
    end, at, key = len(block) - 4 * (restarts + 1), 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _check_header(value: bytes) -> None:
    fields = dict(_fields(value))
    if fields.get(1, 1) != 1:
        raise BundleError(f"the tensors lie in {fields[1]!r} data files; only one is read")
    if fields.get(2, 0) != 0:
        raise BundleError("the tensors are big-endian; only little-endian ones are read")


def _tensor(name: str, value: bytes) -> TensorEntry:
    fields = dict(_fields(value))
    kind, shape = fields.get(1, 0), fields.get(2, b"")
    offset, size = fields.get(4, 0), fields.get(5, 0)
    if not (isinstance(kind, int) and isinstance(shape, bytes) and isinstance(offset, int) and isinstance(size, int)):
        raise BundleError(f"tensor '{name}': its record is damaged")
    if 7 in fields:
        raise BundleError(f"tensor '{name}' is stored in slices; only whole tensors are read")
    if kind not in _DTYPES:
        raise BundleError(f"tensor '{name}' has data type {kind}; read are {sorted(_DTYPES)} (DataType in types.proto)")
    dims = [dict(_fields(dim)).get(1, 0) for number, dim in _fields(shape) if number == 2 and isinstance(dim, bytes)]
    sizes = tuple(dim for dim in dims if isinstance(dim, int))
    if int(np.prod(sizes, dtype=np.int64)) * np.dtype(_DTYPES[kind]).itemsize != size:
        raise BundleError(f"tensor '{name}': {size} bytes do not fill its shape {sizes}")
    return TensorEntry(_DTYPES[kind], sizes, offset, size)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protocol buffer: whole numbers, or bytes for everything of a given length."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in _FIXED:
            length = _FIXED[wire]
        else:
            raise BundleError(f"a record has a field of unknown wire type {wire}")
        if at + length > len(message):
            raise BundleError("a record ends inside a field")
        yield number, message[at : at + length]
        at += length


def _handle(content: bytes, at: int) -> tuple[int, int, int]:
    """Offset and size of a block, and the position after them."""
    start, at = _varint(content, at)
    size, at = _varint(content, at)
    return start, size, at


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A base-128 number and the position after it. Raises IndexError when the content ends inside it."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
