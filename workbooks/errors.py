"""What the recalculation refuses, as one tree; each message names the file or the cell.

::

    TokenbookError
    └── RefusedError              nothing has been written
        ├── NotAWorkbookError     missing, not a zip, truncated, encrypted, a part that is not XML
        │   └── CalculatorFailedError the calculator gives up on the whole workbook
        ├── UnsafeFileError       a zip or XML bomb, a DTD, two entries of one name
        ├── BadInputError         a cell that is not there, text in a number cell, a formula cell
        ├── UnwritableError       a target that cannot be written, a full disk, an open workbook
        ├── DeadlineError         it took longer than it was given
        ├── TooLargeError         it takes more memory than it was given
        └── CrashedError          the process that did the work ended badly
"""

from __future__ import annotations

from engine.errors import TokenbookError


class RefusedError(TokenbookError):
    """The input is refused; no file has been touched."""


class NotAWorkbookError(RefusedError):
    """The file is missing, or is no workbook that can be read."""


class CalculatorFailedError(NotAWorkbookError):
    """The calculator gives up on the whole workbook because of a formula in it."""


class UnsafeFileError(RefusedError):
    """The file is made to harm its reader, or means two things at once."""


class BadInputError(RefusedError):
    """A value to be set does not fit the workbook."""


class UnwritableError(RefusedError):
    """The result cannot be written where it should go."""


class DeadlineError(RefusedError):
    """The recalculation took longer than it was given."""


class TooLargeError(RefusedError):
    """The recalculation takes more memory than it was given."""


class CrashedError(RefusedError):
    """The process that did the work ended badly; `done` says that the file had been written."""

    def __init__(self, message: str, *, done: bool = False) -> None:
        super().__init__(message)
        self.done = done
