"""What the tests give to workers to do; found there by import."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any


def itself(shared: Any, _stack: ExitStack) -> Any:
    return shared


def noted(shared: Path, _stack: ExitStack) -> Path:
    """Note who makes it ready."""
    with shared.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return shared


def product(ready: float, one: float) -> float:
    return ready * one


def late(ready: float, one: float) -> float:
    """Do the earlier tasks later than those behind them."""
    time.sleep(0.3 if one % 3 == 0 else 0)
    return ready * one


def total(ready: Any, one: float) -> float:
    return float(ready.sum()) * one


def worker(_ready: Any, _one: float) -> int:
    time.sleep(0.05)
    return os.getpid()


def killed(folder: Path, one: int, bad: int, times: int) -> int:
    """Kill the worker that has the bad one, so many times."""
    if one == bad:
        with (folder / "tries").open("a") as file:
            file.write(f"{os.getpid()}\n")
        if len((folder / "tries").read_text().split()) <= times:
            os.kill(os.getpid(), signal.SIGKILL)
    return one


def refused(_ready: Any, one: int) -> int:
    from workbooks.errors import BadInputError  # noqa: PLC0415

    if one == 2:
        raise BadInputError("two is refused")
    return one
