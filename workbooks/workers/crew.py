"""What those who do tasks have in common, whoever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol


class LostError(Exception):
    """A task whose worker ended before it was done, `times` times by now."""

    def __init__(self, times: int = 1) -> None:
        super().__init__(times)
        self.times = times


class Crew(Protocol):
    """Those who do tasks, wherever they are.

    `together` says that when one worker is lost the tasks of all are; `versions` are those that
    every worker has to have, and empty where they cannot differ.
    """

    together: bool
    versions: Mapping[str, str]

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a task; raise `LostError` where one before it has been lost."""

    def window(self) -> int:
        """Return how many tasks to hand over before the first is back."""

    def result(self, future: Future[Any]) -> Any:
        """Return what a task that has ended gives; raise `LostError` where it was lost."""

    def recover(self) -> None:
        """Be ready again, when a task was lost."""

    def check(self) -> None:
        """Refuse to wait any longer, where nothing will come."""

    def close(self) -> None:
        """Leave what is not done."""
