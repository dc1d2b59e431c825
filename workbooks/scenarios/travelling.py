"""A workbook that goes to others by its bytes, and is opened where they are."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from workbooks.errors import BadInputError
from workbooks.ooxml import files
from workbooks.recalc.job import Job


def content_of(path: Path, job: Job) -> bytes:
    """Return the bytes of the workbook that is open, for those who open it elsewhere."""
    try:
        content = path.read_bytes()
        found = files.status(path)
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from error
    if found is None or files.identity(found) != job.package.identity:
        raise BadInputError(f"{path.name} was changed by another program meanwhile")
    return content


def put_down(content: bytes, name: str, stack: ExitStack) -> Path:
    """Write a workbook into a folder that goes with the stack, on a worker."""
    folder = files.working_folder()
    stack.callback(files.remove_folder, folder)
    path = folder / name
    path.write_bytes(content)
    return path
