"""The other end of `isolated`: run as a module with the folder that holds the request."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

from workbooks.recalc import Report, recalculate
from workbooks.recalc.isolated import ANSWER, REQUEST
from workbooks.supervise import GRACE


def answer(folder: Path) -> None:
    """Do what is asked, and leave the report or what was raised."""
    path, output, options = pickle.loads((folder / REQUEST).read_bytes())
    found: Report | Exception
    try:
        found = recalculate(path, output, **options)
    except Exception as error:
        found = error
    (folder / ANSWER).write_bytes(pickle.dumps(found))


def end_with_asker() -> None:
    """End when the process that asked has ended: what it holds open for us to read ends then."""

    def wait() -> None:
        os.read(0, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        # A calculator that hangs heeds no signal.
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    # The one that asked hands on what is meant for this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_asker()
    answer(Path(sys.argv[1]))
