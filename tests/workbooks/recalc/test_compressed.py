"""What is compressed by blocks, some at a time, is one whole entry of a file."""

from __future__ import annotations

import io
import zlib
from contextlib import closing

import pytest

from workbooks.ooxml.package import Deflated

ROWS = [b'<row r="%d"/>' % row for row in range(60_000)]


@pytest.mark.parametrize("pieces", [[], [b""], [b"a"], ROWS, [b"x" * (1 << 20), b"", b"y"]])
def test_blocks_are_one_stream_with_its_size_and_checksum(pieces: list[bytes]) -> None:
    with closing(Deflated()) as deflated:
        for piece in pieces:
            deflated.write(piece)
        deflated.finish()
        written = io.BytesIO()
        deflated.copy_to(written)
    whole = b"".join(pieces)
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    assert inflating.decompress(written.getvalue()) == whole
    assert inflating.eof
    assert not inflating.unused_data
    assert (deflated.size, deflated.crc) == (len(whole), zlib.crc32(whole))
    assert deflated.compressed_size == len(written.getvalue())
