"""A recalculation in a fresh interpreter: asked, watched, and its answer taken."""

from __future__ import annotations

import os
import pickle
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from workbooks.errors import BadInputError, CrashedError
from workbooks.ooxml import files
from workbooks.recalc.report import Report
from workbooks.supervise import Limits, start
from workbooks.watch import guarded

#: What is run there, and the files by which it is asked and answers.
_CHILD = "workbooks.recalc.apart"
REQUEST, ANSWER = "request", "answer"


def recalculate_apart(
    path: Path, output: Path | None, memory: int, deadline: float | None, options: dict[str, Any]
) -> Report:
    """Recalculate in a process of its own; see `workbooks.recalc.recalculate`."""
    try:
        request = pickle.dumps((path, output, {**options, "deadline": deadline}))
    except Exception as error:
        raise BadInputError(f"this cannot be handed to another process: {error}") from error
    end = None if deadline is None else time.monotonic() + deadline
    with guarded() as watch, ExitStack() as stack:
        folder = files.working_folder()
        try:
            (folder / REQUEST).write_bytes(request)
            # What it reads ends with this process, and it ends then.
            reading, writing = os.pipe()
            stack.callback(os.close, writing)
            try:
                supervisor = start(
                    [sys.executable, "-m", _CHILD, str(folder)],
                    Limits(memory, end),
                    [output or path],
                    reading,
                )
            finally:
                os.close(reading)
            try:
                try:
                    code = supervisor.wait(lambda: watch.raised is not None)
                finally:
                    watch.check()
                answer = folder / ANSWER
                if code or not answer.exists():
                    raise CrashedError(f"the other process ended with {code}; nothing was written")
                report = pickle.loads(answer.read_bytes())
            finally:
                supervisor.child.kill()
        finally:
            files.remove_folder(folder)
    if isinstance(report, BaseException):
        raise report
    assert isinstance(report, Report)
    return report
