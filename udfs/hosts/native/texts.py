"""Texts in a formula, and the records that they name: each has fields of the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from types import FunctionType, MethodType
from typing import Any

from engine.errors import UnknownIdError
from udfs.hosts.native import data
from udfs.hosts.native.helpers import FIND, FOLD, helper
from udfs.hosts.native.symbols import INFINITE, Symbol, call, operation, where
from udfs.hosts.native.ways import must_be

#: What stands for a field that a record does not tell.
UNTOLD = -INFINITE


class Text(Symbol):
    """A text in a formula, with the methods of one that a lookup needs."""

    __slots__ = ()

    @staticmethod
    def __match__(kind: str, given: Any, known: Iterable[str]) -> str:
        """Return which of few texts is meant, each on a way of its own."""
        folded = helper(FOLD, given)
        for name in known:
            if folded == name.lower().replace(" ", "").replace("_", "").replace("-", ""):
                return name
        raise UnknownIdError(f"{kind} is none of {', '.join(known)}")

    @staticmethod
    def __record__(record: type, given: Any) -> Any:
        """Return the record that a text names."""
        return found(record, given)

    def strip(self) -> Text:
        """Return the text without blanks around it."""
        return Text("call", "TRIM", self)

    def lower(self) -> Text:
        """Return the text in small letters."""
        return Text("call", "LOWER", self)

    casefold = lower

    def upper(self) -> Text:
        """Return the text in capitals."""
        return Text("call", "UPPER", self)

    def replace(self, old: str, new: str) -> Text:
        """Return the text with one part put for another."""
        return Text("call", "SUBSTITUTE", self, old, new)


def text(name: str) -> Text:
    """Return an argument that is a text."""
    return Text("var", name, vector=False)


class Described:
    """A record whose fields are values of a formula."""

    def __init__(self, cls: type, told: Mapping[str, Any]) -> None:
        self.__dict__.update(told, described=cls, id="one's own")

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self.__dict__["described"]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__dict__["described"], name)
        return MethodType(found, self) if isinstance(found, FunctionType) else found

    def peak(self, name: Any) -> Any:
        """Return a field by a name that is a value itself."""
        if not isinstance(name, Symbol):
            return getattr(self, name)
        result: Any = UNTOLD
        for known, value in self.__dict__.items():
            if known.endswith(("_tflops", "_tops")):
                result = where(operation("=", name, known), value, result)
        return result


def column_of(cls: type, column: Any) -> Described:
    """Return the record whose fields stand in a column, in the order of the declaration."""
    told = {
        name: _field(kind, call("INDEX", column, float(i + 1)))
        for i, (name, kind) in enumerate(_kinds(cls).items())
    }
    return Described(cls, told)


@cache
def _kinds(cls: type) -> Mapping[str, str]:
    """Return the kinds of a record's fields, in the order of the declaration."""
    return {f.name: str(f.type) for f in fields(cls) if f.name != "id"}


def found(cls: type, text: Any) -> Described:
    """Return the record that a text names, of a table that no user describes."""
    kind = str(cls.kind).removesuffix("s")  # type: ignore[attr-defined]
    row = helper(FIND, text, data.row_keys(kind))
    return column_of(cls, must_be(call("INDEX", data.values(kind), row, 0.0)))


def _field(kind: str, value: Symbol) -> Symbol:
    return Text(value.op, *value.args) if kind == "str" else value
