"""What the command line prints, where it may be that nobody can take it.

A reader that has gone (`tokenbook list | head`) is no failure, and a full disk is told; neither
hides what the command found out, which its exit code says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class Output:
    """A stream that goes on when it can no longer be written, and remembers why."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream: Any = stream
        self._error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, while it can be written."""
        if self._error is None and self._stream is not None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Write what is held back, while it can be written."""
        if self._error is None and self._stream is not None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def failed(self) -> str:
        """Return why something is not written; nothing where the reader has had enough."""
        self.flush()
        if self._error is None or isinstance(self._error, BrokenPipeError):
            return ""
        return self._error.strerror or str(self._error)

    def _give_up(self, error: OSError) -> None:
        self._error = error
        # Python writes what is left once more at its end.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextmanager
def told() -> Iterator[Output]:
    """Let stdout and stderr be streams that may fail."""
    before = sys.stdout, sys.stderr
    output, errors = Output(before[0]), Output(before[1])
    # A program that is started without them has none.
    if before[0] is not None:
        sys.stdout = output
    if before[1] is not None:
        sys.stderr = errors
    try:
        yield output
    finally:
        output.flush()
        errors.flush()
        sys.stdout, sys.stderr = before
