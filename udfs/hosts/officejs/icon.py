"""The add-in's icon as PNG files, drawn here: a T on a coloured square."""

from __future__ import annotations

import struct
import zlib

_BLUE, _WHITE = b"\x0b\x53\x94", b"\xff\xff\xff"


def icon(size: int) -> bytes:
    """Return the icon as a PNG.

    Parameters
    ----------
    size : int
        Width and height [pixels].

    Examples
    --------
    >>> icon(16)[:8] == bytes.fromhex("89504e470d0a1a0a")
    True
    """
    edge, bar = round(size * 0.2), max(2, round(size * 0.16))
    rows = []
    for y in range(size):
        inside = edge <= y < size - edge
        row = b"".join(
            _WHITE if inside and _in_letter(x, y - edge, size, edge, bar) else _BLUE
            for x in range(size)
        )
        rows.append(b"\0" + row)
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _in_letter(x: int, y: int, size: int, edge: int, bar: int) -> bool:
    across = y < bar and edge <= x < size - edge
    left = (size - bar) // 2
    return across or left <= x < left + bar


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check
