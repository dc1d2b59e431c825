"""Every call by which the reading and publishing of a workbook touches the file system.

They stand in one place so that a test can let each of them fail, at each of its occurrences.
Systems differ here too: `windows` says where a lock, a mode, an owner or an extended attribute is
not what it is on POSIX.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

# What some file systems (network folders, FAT) answer to what they do not have.
_UNSUPPORTED = frozenset(
    getattr(errno, name) for name in ("ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOLCK", "EINVAL")
)


class Identity(NamedTuple):
    """What tells a file from another, and from what it becomes when it is written."""

    device: int
    inode: int
    size: int
    modified: int


def windows() -> bool:
    """Tell whether this is Windows."""
    return os.name == "nt"


def identity(status: os.stat_result) -> Identity:
    """Return what tells a file from another."""
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def open_to_read(path: Path) -> IO[bytes]:
    """Open a file for reading."""
    return path.open("rb")


def status_of(file: IO[bytes]) -> os.stat_result:
    """Return the status of an open file."""
    return os.fstat(file.fileno())


def status(path: Path) -> os.stat_result | None:
    """Return the status of a file, None where there is none."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def may_write(path: Path) -> bool:
    """Tell whether the user may write to a file or into a folder."""
    return os.access(path, os.W_OK)


def real(path: Path) -> Path:
    """Return the path of the file that a symbolic link leads to."""
    return Path(os.path.realpath(path))


def create(path: Path) -> IO[bytes]:
    """Create a file that is not there yet, for the user alone, and open it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "w+b")


def open_lock(path: Path) -> IO[bytes]:
    """Open the file that a lock is put on; create it where it is not there."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "r+b")


def lock(file: IO[bytes]) -> bool | None:
    """Lock a file; False where another program has it, None where locks are not to be had."""
    try:
        if windows():
            import msvcrt  # noqa: PLC0415

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise
    return True


def sync(file: IO[bytes]) -> None:
    """Have the bytes of a file on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; Windows has no such call."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def close(file: IO[bytes]) -> None:
    """Close a file that was written."""
    file.close()


def set_mode(path: Path, mode: int) -> None:
    """Say who may do what with a file."""
    path.chmod(mode)


def set_owner(path: Path, user: int, group: int) -> None:
    """Give a file to a user and a group; -1 leaves either. Windows has no such call."""
    if hasattr(os, "chown"):
        os.chown(path, user, group)


def attributes(path: Path) -> list[str]:
    """Return the names of a file's extended attributes, where the system can tell."""
    if not hasattr(os, "listxattr"):
        return []
    try:
        return os.listxattr(path)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return []
        raise


def copy_attribute(source: Path, target: Path, name: str) -> None:
    """Give a file the extended attribute that another has."""
    os.setxattr(target, name, os.getxattr(source, name))


def replace(source: Path, target: Path) -> None:
    """Let a file take the place of another, in one step."""
    source.replace(target)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def names(folder: Path) -> Iterator[str]:
    """Yield the names in a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def spool(size: int) -> IO[bytes]:
    """Return a file without a name that stays in memory up to a size [B]."""
    return tempfile.SpooledTemporaryFile(max_size=size)


def working_folder() -> Path:
    """Create a folder to work in."""
    return Path(tempfile.mkdtemp(prefix="tokenbook-"))


def working_file(path: Path) -> IO[bytes]:
    """Open a new file in the folder to work in."""
    return path.open("w+b")


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it."""
    shutil.rmtree(folder)
