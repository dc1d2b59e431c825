"""The other end of `isolated`: run as a module with the folder that holds the request."""

from __future__ import annotations

import pickle
import signal
import sys
from pathlib import Path

from workbooks.recalc import Report, recalculate
from workbooks.recalc.isolated import ANSWER, REQUEST


def answer(folder: Path) -> None:
    """Do what is asked, and leave the report or what was raised."""
    path, output, options = pickle.loads((folder / REQUEST).read_bytes())
    found: Report | Exception
    try:
        found = recalculate(path, output, **options)
    except Exception as error:
        found = error
    (folder / ANSWER).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    # The one that asked hands on what is meant for this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer(Path(sys.argv[1]))
