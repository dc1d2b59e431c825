"""The zip package of a workbook: opened with suspicion, copied entry by entry, published whole.

An entry that is not rewritten is copied as the raw bytes it has in the source, local header and
compressed data alike, in the order of the source.
"""

from __future__ import annotations

import copy
import shutil
import stat
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from workbooks.errors import NotAWorkbookError, UnsafeFileError
from workbooks.ooxml import files

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MAX_ENTRIES = 50_000
MAX_EXPANDED = 16 << 30
# What a zip entry holds without its 64-bit form, which the calculator does not read; a sheet of
# 1,048,576 full rows stays below.
MAX_PART = (1 << 31) - 1
# Deflate reaches 1,030:1; the sheets of real models stay below 100:1. Small parts do no harm.
BOMB_RATIO = 250
BOMB_SIZE = 64 << 20
MAX_SMALL_PART = 256 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_LOCAL_HEADER = 30
_DESCRIPTOR = b"PK\x07\x08"
_HAS_DESCRIPTOR = 0x08
# Level 1 takes half the time of level 6 and gives sheets a quarter larger.
_LEVEL = 1
#: Bytes that are compressed together, and how many such blocks at once.
_BLOCK, _AT_ONCE = 1 << 18, 2
_COPY = 1 << 20
# Compressed content up to this size stays in memory until it is written.
_SPOOLED = 16 << 20
_KNOWN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def _go_on() -> None:
    """Go on: nobody waits for the end."""


def _threads(count: int) -> ThreadPoolExecutor:
    """Return threads to work in the background, which small workbooks never need."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    return ThreadPoolExecutor(count)


class Package:
    """A workbook file opened for reading.

    Parameters
    ----------
    path : Path
        The file.
    check : Callable
        Asked between the pieces whether to go on; it raises what ends the work.
    """

    def __init__(self, path: Path, check: Callable[[], None] = _go_on) -> None:
        self.path = path
        self._check = check
        self._file, self.identity = _open(path)
        try:
            self._zip = _directory(self._file, path)
            # Part names are compared without case (ECMA-376 part 2).
            self.entries = {info.filename.lower(): info for info in self._zip.infolist()}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()
        # What was read is read.
        with suppress(OSError):
            self._file.close()

    def __contains__(self, part: str) -> bool:
        return part.lower() in self.entries

    def size(self, part: str) -> int:
        """Return how many bytes a part holds."""
        return self._entry(part).file_size

    def _entry(self, part: str) -> zipfile.ZipInfo:
        try:
            return self.entries[part.lower()]
        except KeyError:
            raise NotAWorkbookError(f"{self.path.name}: the part {part} is missing") from None

    def read(self, part: str) -> bytes:
        """Return a part whole; for the small ones."""
        if self.size(part) > MAX_SMALL_PART:
            raise UnsafeFileError(f"{self.path.name}: {part} is larger than such a part can be")
        with self.stream(part) as stream:
            return b"".join(self.chunks(stream, part))

    def stream(self, part: str) -> IO[bytes]:
        """Open a part for reading piece by piece, through `chunks`."""
        try:
            return self._zip.open(self._entry(part))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
            raise NotAWorkbookError(f"{self.path.name}: {part} is damaged: {error}") from error

    def chunks(self, stream: IO[bytes], part: str, size: int = _COPY) -> Iterator[bytes]:
        """Yield the bytes of a part; damage to it is a refusal."""
        if self.size(part) <= size:
            yield from self._pieces(partial(stream.read, size), part)
            return
        # The next piece is decompressed while the one before is used: zlib lets other threads run.
        with _threads(1) as pool:
            ahead = pool.submit(stream.read, size)

            def read() -> bytes:
                nonlocal ahead
                piece = ahead.result()
                ahead = pool.submit(stream.read, size)
                return piece

            yield from self._pieces(read, part)

    def _pieces(self, read: Callable[[], bytes], part: str) -> Iterator[bytes]:
        while True:
            self._check()
            try:
                piece = read()
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                raise NotAWorkbookError(f"{self.path.name}: {part} is damaged: {error}") from error
            if not piece:
                return
            yield piece

    def write(
        self,
        target: IO[bytes],
        replaced: Mapping[str, Callable[[], Iterable[bytes] | Deflated]],
        dropped: Iterable[str] = (),
        added: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write the package to `target`, some parts replaced by the bytes they yield."""
        replaced = {part.lower(): make for part, make in replaced.items()}
        gone = {part.lower() for part in dropped}
        with zipfile.ZipFile(target, "w", allowZip64=True) as out:
            out.comment = self._zip.comment
            for info in sorted(self.entries.values(), key=lambda entry: entry.header_offset):
                name = info.filename.lower()
                if name in replaced:
                    _write_entry(out, info, replaced[name]())
                elif name not in gone:
                    self._copy_entry(out, info)
            for part, content in (added or {}).items():
                _write_entry(out, zipfile.ZipInfo(part), (content,))

    def _copy_entry(self, out: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        target = out.fp
        assert target is not None
        copied = copy.copy(info)
        copied.header_offset = target.tell()
        header = self._bytes(info.header_offset, _LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or header[:4] != _ZIP:
            raise NotAWorkbookError(f"{self.path.name}: {info.filename} has no header")
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        size = _LOCAL_HEADER + names + info.compress_size
        if info.flag_bits & _HAS_DESCRIPTOR:
            size += _descriptor_size(self._bytes(info.header_offset + size, 24), info)
        place, end = info.header_offset, info.header_offset + size
        while place < end:
            self._check()
            piece = self._bytes(place, min(end - place, _COPY))
            if not piece:
                raise NotAWorkbookError(f"{self.path.name} is shorter than its directory says")
            target.write(piece)
            place += len(piece)
        _list_entry(out, copied)

    def _bytes(self, place: int, size: int) -> bytes:
        try:
            self._file.seek(place)
            return self._file.read(size)
        except OSError as error:
            raise NotAWorkbookError(f"{self.path} cannot be read: {error.strerror}") from error


def check_source(path: Path) -> None:
    """Refuse a workbook that is not there; opening a pipe, say, would wait for ever."""
    try:
        found = files.status(path)
    except OSError as error:
        raise NotAWorkbookError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise NotAWorkbookError(f"{str(path)!r} cannot be read: {error}") from error
    if found is None:
        raise NotAWorkbookError(f"{path}: no such file")
    if stat.S_ISDIR(found.st_mode):
        raise NotAWorkbookError(f"{path} is a folder, not a workbook")
    if not stat.S_ISREG(found.st_mode):
        raise NotAWorkbookError(f"{path} is not a regular file")


def _open(path: Path) -> tuple[IO[bytes], files.Identity]:
    check_source(path)
    try:
        file = files.open_to_read(path)
    except OSError as error:
        raise NotAWorkbookError(f"{path} cannot be read: {error.strerror}") from error
    try:
        found = files.status_of(file)
    except OSError as error:
        file.close()
        raise NotAWorkbookError(f"{path} cannot be read: {error.strerror}") from error
    except BaseException:
        file.close()
        raise
    return file, files.identity(found)


def _directory(file: IO[bytes], path: Path) -> zipfile.ZipFile:
    try:
        start = file.read(8)
    except OSError as error:
        raise NotAWorkbookError(f"{path} cannot be read: {error.strerror}") from error
    if start == _OLE:
        raise NotAWorkbookError(
            f"{path.name} is protected by a password, or a workbook of the old .xls kind; "
            "save it as .xlsx without a password"
        )
    if not start.startswith(_ZIP):
        raise NotAWorkbookError(f"{path.name} is not a workbook (.xlsx, .xlsm, .xltx or .xltm)")
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise NotAWorkbookError(f"{path.name} is truncated or damaged: {error}") from error
    _check(archive, path)
    return archive


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise UnsafeFileError(f"{path.name} holds {len(infos):,} entries; {MAX_ENTRIES:,} at most")
    seen: set[str] = set()
    total = 0
    for info in infos:
        name = info.filename
        # Part names are compared without case (ECMA-376 part 2).
        if name.lower() in seen:
            raise UnsafeFileError(f"{path.name} holds two entries named {name}")
        seen.add(name.lower())
        if info.flag_bits & 0x01:
            raise NotAWorkbookError(f"{path.name} is encrypted ({name})")
        if info.compress_type not in _KNOWN:
            raise NotAWorkbookError(f"{path.name}: {name} is compressed in an unknown way")
        if info.file_size > BOMB_SIZE and info.file_size > BOMB_RATIO * info.compress_size:
            raise UnsafeFileError(
                f"{path.name}: {name} would expand to {info.file_size / 1e9:.1f} GB, "
                f"over {BOMB_RATIO} times its size; it looks like a zip bomb"
            )
        if info.file_size > MAX_PART:
            raise UnsafeFileError(f"{path.name}: {name} is over {MAX_PART / 1e9:.1f} GB")
        total += info.file_size
    if total > MAX_EXPANDED:
        raise UnsafeFileError(f"{path.name} would expand to {total / 1e9:.0f} GB")


class Deflated:
    """The content of an entry, compressed in the background while it is being made.

    Each block is compressed by itself, two at a time, and they stand one behind the other; zlib
    lets other threads run meanwhile. What is no more than a block is compressed at its end.
    """

    def __init__(self) -> None:
        # `close` closes it.
        self._file = files.spool(_SPOOLED)
        self._pool: ThreadPoolExecutor | None = None
        self._block: list[bytes] = []
        self._length = 0
        self._waiting: deque[Future[bytes]] = deque()
        self.size = self.compressed_size = self.crc = 0

    def write(self, piece: bytes) -> None:
        """Add a piece; no more than a few blocks wait to be compressed."""
        self.size += len(piece)
        self.crc = zlib.crc32(piece, self.crc)
        self._block.append(piece)
        self._length += len(piece)
        if self._length >= _BLOCK:
            self._pool = self._pool or _threads(_AT_ONCE)
            self._hand_over(self._pool)

    def _hand_over(self, pool: ThreadPoolExecutor) -> None:
        if len(self._waiting) > _AT_ONCE:
            self._take()
        self._waiting.append(pool.submit(_deflated, b"".join(self._block)))
        self._block, self._length = [], 0

    def _take(self) -> None:
        self.compressed_size += self._file.write(self._waiting.popleft().result())

    def finish(self) -> None:
        """Compress what is left."""
        if self._pool is None:
            self.compressed_size += self._file.write(_deflated(b"".join(self._block)))
        else:
            self._hand_over(self._pool)
        while self._waiting:
            self._take()
        self.compressed_size += self._file.write(_deflating().flush())

    def copy_to(self, target: IO[bytes]) -> None:
        """Write the compressed bytes."""
        self._file.seek(0)
        shutil.copyfileobj(self._file, target, _COPY)

    def close(self) -> None:
        """Let go of the bytes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._file.close()


def _deflating() -> zlib._Compress:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)


def _deflated(block: bytes) -> bytes:
    """Return a block compressed up to a whole byte, so that another may follow."""
    deflating = _deflating()
    return deflating.compress(block) + deflating.flush(zlib.Z_SYNC_FLUSH)


def _write_entry(
    out: zipfile.ZipFile, source: zipfile.ZipInfo, content: Iterable[bytes] | Deflated
) -> None:
    if not isinstance(content, Deflated):
        with closing(Deflated()) as deflated:
            for piece in content:
                deflated.write(piece)
            deflated.finish()
            _write_entry(out, source, deflated)
        return
    target = out.fp
    assert target is not None
    info = zipfile.ZipInfo(source.filename, source.date_time)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = source.external_attr
    info.create_system = source.create_system
    info.header_offset = target.tell()
    info.CRC = content.crc
    info.file_size, info.compress_size = content.size, content.compressed_size
    target.write(info.FileHeader())
    content.copy_to(target)
    _list_entry(out, info)


def _list_entry(out: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    # ZipFile writes the central directory from these; it has no public way to take an entry that
    # is compressed already.
    assert out.fp is not None
    out.filelist.append(info)
    out.NameToInfo[info.filename] = info
    out.start_dir = out.fp.tell()


def _descriptor_size(found: bytes, info: zipfile.ZipInfo) -> int:
    """Return how long the data descriptor behind an entry is; its signature is optional."""
    marked = 4 if found.startswith(_DESCRIPTOR) else 0
    wide = found[marked + 4 : marked + 12] == info.compress_size.to_bytes(8, "little")
    narrow = found[marked + 4 : marked + 8] == (info.compress_size & 0xFFFFFFFF).to_bytes(
        4, "little"
    ) and found[marked + 8 : marked + 12] == (info.file_size & 0xFFFFFFFF).to_bytes(4, "little")
    return marked + (20 if wide and not narrow else 12)
