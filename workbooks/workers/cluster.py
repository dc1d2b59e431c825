"""The workers of a Dask cluster, reached through its scheduler."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NoReturn

from workbooks.errors import BadInputError, CrashedError
from workbooks.workers.crew import LostError
from workbooks.workers.versions import versions

#: How long a scheduler may take to answer [s].
ANSWER = 10.0
#: How long there may be no worker at all; a cluster that grows by need takes a while [s].
NOBODY = 120.0
_AHEAD = 2
# How often to ask how many work [s].
_COUNTED = 5.0


class Cluster:
    """The workers of a cluster: any number of them, which may come and go.

    The scheduler itself gives the tasks of a worker that ended to others.
    """

    together = False

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client  # noqa: PLC0415  (an extra)
            from distributed.scheduler import KilledWorker  # noqa: PLC0415
            from distributed.utils import silence_logging_cmgr  # noqa: PLC0415
        except ImportError:
            raise BadInputError(
                "--scheduler wants Dask, which is not installed: pip install distributed"
            ) from None
        self.versions: Mapping[str, str] = versions()
        self._address, self._killed = address, KilledWorker
        self._stack = ExitStack()
        # What goes wrong is told here, in one line.
        self._stack.enter_context(silence_logging_cmgr(logging.CRITICAL + 1))
        try:
            self._client = _answering(
                partial(Client, address, timeout=ANSWER, set_as_default=False)
            )
        except (OSError, ValueError, TypeError) as error:
            self._stack.close()
            raise BadInputError(
                f"the scheduler at {address} does not answer within {ANSWER:.0f} s: {error}"
            ) from None
        self._pool = self._client.get_executor(pure=False)
        self._threads, self._asked, self._empty_since = 0, 0.0, time.monotonic()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a task."""
        with _unsaid():
            future: Future[Any] = self._pool.submit(function, *arguments)
        return future

    def window(self) -> int:
        """Return how many tasks keep all workers busy, those that have come meanwhile too."""
        if time.monotonic() - self._asked > _COUNTED:
            self.check()
        return max(_AHEAD * self._threads, 1)

    def result(self, future: Future[Any]) -> Any:
        """Return what a task gives."""
        try:
            return future.result()
        except self._killed as error:
            # So often has the scheduler tried by now.
            raise LostError(error.allowed_failures + 1) from None
        except CancelledError:
            self._gone()
        except ModuleNotFoundError as error:
            raise BadInputError(
                f"the workers of {self._address} lack a part of Tokenbook: {error}"
            ) from None

    def recover(self) -> None:
        """Be ready: the scheduler looks after its workers."""

    def check(self) -> None:
        """Count the workers; give up where the scheduler is gone, or has had none for long."""
        try:
            counts = self._client.nthreads()
        except (OSError, RuntimeError, CancelledError):
            self._gone()
        now = time.monotonic()
        self._threads, self._asked = sum(counts.values()), now
        if counts:
            self._empty_since = now
        elif now - self._empty_since > NOBODY:
            raise CrashedError(
                f"the scheduler at {self._address} has had no workers for {NOBODY:.0f} s; nothing "
                "was written"
            )

    def _gone(self) -> NoReturn:
        raise CrashedError(
            f"the scheduler at {self._address} is no longer there; nothing was written"
        ) from None

    def close(self) -> None:
        """Take back what is not done, and leave."""
        with self._stack:
            if self._client.status == "running":
                self._pool.shutdown(wait=False)
            self._client.close(timeout=ANSWER)


def _answering(connect: Callable[[], Any]) -> Any:
    """Return a client that is connected; Dask itself waits without end for one that greets not."""
    found: Future[Any] = Future()

    def wait() -> None:
        try:
            found.set_result(connect())
        except Exception as error:
            found.set_exception(error)

    with _unsaid():
        threading.Thread(target=wait, daemon=True).start()
        try:
            return found.result(ANSWER + 1)
        except FutureTimeout:
            raise OSError("it takes the call, and says nothing") from None


@contextmanager
def _unsaid() -> Iterator[None]:
    """Leave out what Dask advises its programmers: that versions differ, that a task is large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
