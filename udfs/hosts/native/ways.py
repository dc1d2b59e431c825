"""The way through a body that is being followed: who answers what a body asks of its values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class UntraceableError(TypeError):
    """A function's body cannot be written as a formula; the message says where."""


class Way(Protocol):
    """One way through a body."""

    def decide(self, condition: Any) -> bool:
        """Return the truth of a condition on this way."""

    def mark(self, value: Any, how: str) -> str:
        """Return what stands for a value in a text, until the text is made a formula."""

    def need(self, value: Any) -> None:
        """Make the error of a column that of the whole function."""


_followed: ContextVar[Way | None] = ContextVar("followed", default=None)


@contextmanager
def following(way: Way) -> Iterator[None]:
    """Let a way answer what is asked."""
    token = _followed.set(way)
    try:
        yield
    finally:
        _followed.reset(token)


def truth(condition: Any) -> bool:
    """Return the truth of a condition on the way that is being followed."""
    way = _followed.get()
    if way is None:
        raise UntraceableError("a condition on a value: write np.where")
    return way.decide(condition)


def mark(value: Any, how: str) -> str:
    """Return what stands for a value in a text, until the text is made a formula."""
    way = _followed.get()
    return "…" if way is None else way.mark(value, how)


def must_be(value: Any) -> Any:
    """Give a column back whose error is the error of the whole function."""
    if (way := _followed.get()) is not None:
        way.need(value)
    return value
