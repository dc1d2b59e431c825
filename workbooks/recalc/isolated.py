"""A recalculation in a fresh interpreter, run as a module with the folder of its request."""

from __future__ import annotations

import pickle
import signal
import sys
import time
from pathlib import Path
from typing import Any

from workbooks.errors import BadInputError, CrashedError
from workbooks.ooxml import files
from workbooks.recalc.report import Report
from workbooks.supervise import Limits, start
from workbooks.watch import guarded

_REQUEST, _ANSWER = "request", "answer"


def recalculate_apart(
    path: Path, output: Path | None, memory: int, deadline: float | None, options: dict[str, Any]
) -> Report:
    """Recalculate in a process of its own; see `workbooks.recalc.recalculate`."""
    try:
        request = pickle.dumps((path, output, {**options, "deadline": deadline}))
    except Exception as error:
        raise BadInputError(f"this cannot be handed to another process: {error}") from error
    end = None if deadline is None else time.monotonic() + deadline
    with guarded() as watch:
        folder = files.working_folder()
        try:
            (folder / _REQUEST).write_bytes(request)
            supervisor = start(
                [sys.executable, "-m", __name__, str(folder)],
                Limits(memory, end),
                [output or path],
            )
            try:
                try:
                    code = supervisor.wait(lambda: watch.raised is not None)
                finally:
                    watch.check()
                answer = folder / _ANSWER
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


def _answer(folder: Path) -> None:
    from workbooks.recalc import recalculate  # noqa: PLC0415

    path, output, options = pickle.loads((folder / _REQUEST).read_bytes())
    answer: Report | Exception
    try:
        answer = recalculate(path, output, **options)
    except Exception as error:
        answer = error
    (folder / _ANSWER).write_bytes(pickle.dumps(answer))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _answer(Path(sys.argv[1]))
