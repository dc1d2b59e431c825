"""The command line on what Windows has: no fork, no signal but Ctrl-C, exit codes of its own.

    python windows_driver.py FAULT COMMAND ...

FAULT is what the calculator does instead of evaluating: Python code, or nothing.
"""

from __future__ import annotations

import ctypes  # noqa: F401  (for faults)
import faulthandler  # noqa: F401
import os
import signal
import subprocess
import sys
import time

from workbooks import supervise, watch
from workbooks.calc.formualizer import FormualizerCalculator
from workbooks.cli import start
from workbooks.ooxml import files

#: What modules lack there.
LACKING = {
    os: ("fork", "chown", "O_DIRECTORY", "O_NOFOLLOW", "listxattr", "sysconf", "geteuid"),
    signal: ("setitimer", "pthread_sigmask", "sigpending", "SIGALRM", "SIGHUP", "SIGKILL"),
}
#: What a process ends with there, by the signal that it ends with here.
CODES = {-9: 1, -15: 1, -6: 3, -11: 0xC0000005}


class Process(subprocess.Popen):
    """A process that is ended as there, and runs this driver in its turn."""

    def __init__(self, command: list[str], **options: object) -> None:
        assert command[1:3] == ["-m", "workbooks.cli"]
        assert not options.pop("start_new_session")
        options["creationflags"] = 0
        super().__init__([sys.executable, __file__, sys.argv[0], *command[3:]], **options)

    def send_signal(self, sig: int) -> None:
        """End it at once by SIGTERM; there is nothing else to send."""
        if sig != signal.SIGTERM:
            raise ValueError(f"Unsupported signal: {sig}")
        super().send_signal(9)

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            super().send_signal(9)

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code."""
        code = super().wait(timeout)
        return CODES.get(code, code)


def as_windows() -> None:
    """Take away what Windows has not."""
    for module, names in LACKING.items():
        for name in names:
            delattr(module, name)
    files.windows = lambda: True
    files.lock = lambda _file: True
    watch._wakes = lambda: False
    # There is no /proc to look into.
    supervise.resident = lambda _process: 0
    supervise.subprocess.Popen = Process
    supervise.GRACE = 1.0
    # A background job of a shell would hear no Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def evaluate_instead(fault: str) -> None:
    """Have the calculator do something else first."""
    evaluate = FormualizerCalculator.evaluate

    def faulty(self, *arguments, **options):
        print("here", flush=True)
        exec(fault)
        return evaluate(self, *arguments, **options)

    FormualizerCalculator.evaluate = faulty


if __name__ == "__main__":
    fault = sys.argv[1]
    sys.argv = [fault, *sys.argv[2:]]
    as_windows()
    if fault:
        evaluate_instead(fault)
    assert time
    start()
