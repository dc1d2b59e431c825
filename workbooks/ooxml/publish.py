"""A new file put in the place of an old one: whole or not at all, by one program at a time.

The content is written beside the target and renamed over it. From the first byte that is read to
the renaming, a lock beside the file keeps out other runs of this program; what other programs do
meanwhile shows in the target's inode, size and time, and then nothing is replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workbooks.errors import RefusedError, UnwritableError
from workbooks.ooxml import files
from workbooks.ooxml.files import Identity
from workbooks.watch import Watch

# File systems take names of 255 bytes.
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """A target that is ours to write.

    `found` is what was there when it was claimed, None for nothing; `part` is the file that the
    new content goes to.
    """

    target: Path
    part: Path
    found: Identity | None


def check_target(target: Path, source: Path) -> Path:
    """Return the file that really is to be written, or refuse before any work is done.

    A symbolic link is followed: what it points at is replaced, the link stays.
    """
    try:
        return _checked_target(target, source)
    except (OSError, ValueError) as error:
        raise UnwritableError(f"{target} cannot be written: {_why(error)}") from error


def _checked_target(target: Path, source: Path) -> Path:
    real = files.real(target)
    found, folder = files.status(real), files.status(real.parent)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise UnwritableError(f"{target} is a folder")
    if folder is None or not stat.S_ISDIR(folder.st_mode):
        raise UnwritableError(f"{target}: the folder {real.parent} does not exist")
    if found is not None:
        if not stat.S_ISREG(found.st_mode):
            raise UnwritableError(f"{target} is not a regular file")
        # Replacing a file asks nothing of the file itself, so its mark is honoured here.
        if not found.st_mode & 0o222 or not files.may_write(real):
            raise UnwritableError(f"{target} is read-only")
    if not files.may_write(real.parent):
        raise UnwritableError(f"{target}: no file can be written in {real.parent}")
    if real.suffix.lower() != source.suffix.lower() and real.suffix:
        raise UnwritableError(
            f"{target}: the result has the kind of {source.name}; name it *{source.suffix}"
        )
    return real


def beside(target: Path, kind: str) -> Path:
    """Return the name of a file of ours beside a target."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        import hashlib  # noqa: PLC0415  (it takes longer to load than a small workbook to write)

        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return target.with_name(f".{name}.tokenbook-{kind}")


@contextmanager
def claimed(target: Path) -> Iterator[Claim]:
    """Keep other runs from reading and writing a file between our reading and our writing it."""
    path = beside(target, "lock")
    try:
        file, locked = _locked(path)
    except OSError as error:
        raise UnwritableError(f"{target} cannot be written: {_why(error)}") from error
    if file is None:
        raise UnwritableError(
            f"{target.name} is being written by another run ({path.name} lies beside it); wait "
            "for it, or write elsewhere"
        )
    part = beside(target, "part" if locked else f"{os.urandom(4).hex()}-part")
    try:
        try:
            if locked:
                # What a run that was killed left.
                files.remove(part)
            found = files.status(target)
        except OSError as error:
            raise UnwritableError(f"{target} cannot be written: {_why(error)}") from error
        yield Claim(target, part, None if found is None else files.identity(found))
    finally:
        _unlock(file, path)


def _locked(path: Path) -> tuple[IO[bytes] | None, bool]:
    """Return a locked file, None where another has it, and whether there are locks at all."""
    while True:
        try:
            file = files.open_lock(path)
        except PermissionError:
            if files.windows():
                # It is being removed there.
                return None, True
            raise
        locked: bool | None = False
        try:
            locked = files.lock(file)
            there = files.status(path)
            same = there is not None and (there.st_dev, there.st_ino) == _place(file)
        except BaseException:
            if locked:
                with suppress(OSError):
                    files.remove(path)
            file.close()
            raise
        if locked is False:
            file.close()
            return None, True
        if same:
            return file, locked is True
        # The run before removed it after we had opened it.
        file.close()


def _place(file: IO[bytes]) -> tuple[int, int]:
    found = files.status_of(file)
    return found.st_dev, found.st_ino


def _unlock(file: IO[bytes], path: Path) -> None:
    """Remove a lock; one that stays locks nothing once its file is closed."""
    if files.windows():
        # Nothing that is open can be removed there.
        with suppress(OSError):
            file.close()
    with suppress(OSError):
        files.remove(path)
    with suppress(OSError):
        file.close()


@contextmanager
def published(
    claim: Claim,
    source: Path,
    read: Identity | None = None,
    watch: Watch | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of the target once it is whole, else leaves no trace.

    Parameters
    ----------
    claim : Claim
        The target.
    source : Path
        The file that was read, whose mode a new target takes.
    read : Identity, optional
        What that file was when it was opened.
    watch : Watch, optional
        Told when the file is in place; no signal comes in between.
    warn : Callable
        Told what could not be kept of the old file.
    """
    target, watch = claim.target, watch or Watch()
    try:
        try:
            file = files.create(claim.part)
            try:
                yield file
                files.sync(file)
            finally:
                files.close(file)
            old = files.status(target)
            if old is not None:
                _dress(claim.part, target, old, warn)
            else:
                like = files.status(source)
                files.set_mode(claim.part, stat.S_IMODE(like.st_mode) if like else 0o600)
            watch.put_in_place(lambda: _replace(claim, source, read, warn))
        except RefusedError:
            raise
        except OSError as error:
            raise UnwritableError(f"{target} cannot be written: {_why(error)}") from error
    finally:
        # One that stays is removed by the next run.
        with suppress(OSError):
            files.remove(claim.part)
    try:
        files.sync_folder(target.parent)
    except OSError as error:
        warn(
            f"{target.name} is written, but its folder could not be brought to the disk "
            f"({_why(error)}): after a power failure the old file may be back"
        )


def _replace(
    claim: Claim, source: Path, read: Identity | None, warn: Callable[[str], None]
) -> None:
    """Put the new file in its place, if nobody else did so meanwhile."""
    target = claim.target
    origin = files.status(source)
    if read is not None and (origin is None or files.identity(origin) != read):
        raise UnwritableError(
            f"{source.name} was changed by another program meanwhile; nothing was written: run it "
            "again"
        )
    found = files.status(target)
    if (None if found is None else files.identity(found)) != claim.found:
        raise UnwritableError(
            f"{target.name} was changed by another program meanwhile; nothing was written: run it "
            "again"
        )
    try:
        files.replace(claim.part, target)
    except PermissionError as error:
        if files.windows():
            raise UnwritableError(
                f"{target.name} is open in another program, which lets nobody else write it; "
                "close it there"
            ) from error
        raise
    if found is not None and found.st_nlink > 1:
        warn(
            f"{target.name} had {found.st_nlink} names (hard links); only this one leads to the "
            "new file, the others keep the old"
        )


def _dress(part: Path, old: Path, like: os.stat_result, warn: Callable[[str], None]) -> None:
    """Give the new file the owner, mode and extended attributes of the old."""
    mine = files.status(part)
    if mine is not None and not files.windows():
        for what, kind, is_, was in (
            ("user", 0, mine.st_uid, like.st_uid),
            ("group", 1, mine.st_gid, like.st_gid),
        ):
            if is_ == was:
                continue
            try:
                files.set_owner(part, *((was, -1) if kind == 0 else (-1, was)))
            except OSError as error:
                warn(f"the new file cannot be given to the {what} {was}: {_why(error)}")
    files.set_mode(part, stat.S_IMODE(like.st_mode))
    lost = []
    try:
        for name in files.attributes(old):
            try:
                files.copy_attribute(old, part, name)
            except OSError:
                lost.append(name)
    except OSError as error:
        lost.append(f"all ({_why(error)})")
    if lost:
        warn(f"extended attributes that the new file does not have: {', '.join(lost)}")


def lock_file(path: Path) -> Path | None:
    """Return the lock file that Excel or LibreOffice keeps beside an open workbook, if any."""
    for name in (f"~${path.name}", f"~${path.name[2:]}", f".~lock.{path.name}#"):
        lock = path.with_name(name)
        try:
            if files.status(lock) is not None:
                return lock
        except OSError as error:
            raise UnwritableError(f"{path} cannot be written: {_why(error)}") from error
    return None


def put_away(target: Path) -> None:
    """Remove what a run that was killed left beside a target, unless another run is at it."""
    with suppress(UnwritableError), claimed(target):
        pass


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return "the disk is full"
        if error.errno == getattr(errno, "EDQUOT", None):
            return "the quota of the disk is used up"
        return error.strerror or str(error)
    return str(error)


def whole_lines(path: Path) -> bytes | None:
    """Return the lines of a file that a stopped run finished; None where there is no file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnwritableError(f"{path} cannot be read: {error.strerror}") from error
    return data[: data.rfind(b"\n") + 1]
