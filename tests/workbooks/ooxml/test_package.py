"""A part read piece by piece, the next one being decompressed meanwhile."""

from __future__ import annotations

import random
import threading
import zipfile
from pathlib import Path

import pytest

from workbooks.errors import DeadlineError, NotAWorkbookError
from workbooks.ooxml.package import Package

SIZES = [0, 1, 999, 1000, 1001, 2000, 12_345]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Write a package with parts of several sizes, which do not compress well."""
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for size in SIZES:
            archive.writestr(f"{size}.xml", random.Random(size).randbytes(size))
    return path


@pytest.mark.parametrize("size", SIZES)
def test_pieces_are_the_part_in_its_order(book: Path, size: int) -> None:
    with Package(book) as package, package.stream(f"{size}.xml") as stream:
        pieces = list(package.chunks(stream, f"{size}.xml", 1000))
    assert b"".join(pieces) == random.Random(size).randbytes(size)
    assert all(len(piece) == 1000 for piece in pieces[:-1])


def test_parts_are_read_side_by_side(book: Path) -> None:
    names = [f"{size}.xml" for size in SIZES if size > 1000]
    with Package(book) as package:
        runs = [package.chunks(package.stream(name), name, 100) for name in names]
        found = [b""] * len(runs)
        for i in [*range(len(runs))] * 200:
            found[i] += next(runs[i], b"")
        assert found == [zipfile.ZipFile(book).read(name) for name in names]


def test_nothing_goes_on_once_nobody_reads(book: Path) -> None:
    before = threading.active_count()
    with Package(book) as package, package.stream("12345.xml") as stream:
        pieces = package.chunks(stream, "12345.xml", 1000)
        assert next(pieces)
        assert threading.active_count() == before + 1
        pieces.close()
        assert threading.active_count() == before


def test_damage_far_into_a_part_is_a_refusal(book: Path) -> None:
    data = bytearray(book.read_bytes())
    data[-4000:-3900] = bytes(100)
    book.write_bytes(data)
    with Package(book) as package, package.stream("12345.xml") as stream:
        pieces = package.chunks(stream, "12345.xml", 1000)
        assert next(pieces) == random.Random(12_345).randbytes(1000)
        with pytest.raises(NotAWorkbookError, match="is damaged"):
            list(pieces)


def test_the_end_of_the_work_is_asked_for_between_the_pieces(book: Path) -> None:
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 4:
            raise DeadlineError("it takes too long")

    with Package(book, check) as package, package.stream("12345.xml") as stream:
        read = []
        with pytest.raises(DeadlineError):
            read.extend(package.chunks(stream, "12345.xml", 1000))
    assert len(calls) == 4
