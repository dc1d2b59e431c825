"""How a replaced worksheet function takes its arguments: what each of its cells is turned into.

A signature is written in a line: `rate periods:whole present [future] [due:truth]`. An argument is
a number unless it says otherwise; brackets mean that it may be left out (with `=` its default, 0
otherwise); a `*` at the end stands for more of the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Calendar, Convert, Refusal, text, truth, without_errors

#: What a cell may be asked to be. `raw` is handed on as it comes, errors too; an `array` has none.
KINDS = ("number", "whole", "date", "parts", "moment", "truth", "text", "cell", "array", "raw")
_CELLS = ("array", "raw")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a function."""

    name: str
    kind: str
    optional: bool
    default: Any = None
    repeated: bool = False


def read(signature: str) -> tuple[Argument, ...]:
    """Return the arguments of a signature."""
    return tuple(_argument(word) for word in signature.split())


def _argument(word: str) -> Argument:
    optional = word.startswith("[")
    bare, _, default = word.strip("[]*").partition("=")
    name, _, kind = bare.partition(":")
    value: Any = None
    if default:
        of_kind: dict[str, Any] = {"text": default, "truth": default == "TRUE"}
        value = of_kind[kind] if kind in of_kind else float(default)
    return Argument(name, kind or "number", optional, value, word.endswith("*"))


def whole(number: float) -> int:
    """Cut a number to a whole one."""
    if not math.isfinite(number):
        raise Refusal("#NUM!", "not a finite number")
    return int(number)


def answering(
    function: Callable[..., Any], signature: str, calendar: Calendar, *, strict: bool = False
) -> Callable[..., Any]:
    """Return a function of cells for one of numbers, dates, texts and arrays.

    The first argument that is an error value, or not what is wanted, is the answer.

    Parameters
    ----------
    function : Callable
        Takes what the signature says. `Refusal` is its error value; an ArithmeticError becomes
        #NUM! (a division by zero #DIV/0!), a ValueError or TypeError #VALUE!.
    signature : str
        Its arguments.
    calendar : Calendar
        The serial numbers of the workbook's days.
    strict : bool
        Refuse truth values where numbers are wanted.
    """
    arguments = read(signature)
    makers = [_maker(argument, calendar, strict=strict) for argument in arguments]
    needed = sum(not argument.optional for argument in arguments)
    repeated = bool(arguments) and arguments[-1].repeated

    @wraps(function)
    def answer(*given: Any) -> Any:
        if len(given) < needed or (len(given) > len(arguments) and not repeated):
            return CellError("#VALUE!", "too few arguments, or too many")
        try:
            values = [make(cell) for make, cell in zip(makers, given, strict=False)]
            if repeated:
                values += [makers[-1](cell) for cell in given[len(makers) :]]
            return shown(function(*values), calendar)
        except Refusal as refused:
            return refused.error
        except ZeroDivisionError:
            return CellError("#DIV/0!", "a division by 0")
        except ArithmeticError as error:
            return CellError("#NUM!", str(error))
        except (TypeError, ValueError) as error:
            return CellError("#VALUE!", str(error))

    return answer


def shown(value: Any, calendar: Calendar) -> Any:
    """Return what a function gave as a cell."""
    if type(value) is float:
        return value if math.isfinite(value) else CellError("#NUM!", "not a finite number")
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    return calendar.serial(value) if isinstance(value, date) else value


def _maker(argument: Argument, calendar: Calendar, *, strict: bool) -> Convert:
    number = calendar.strict if strict else calendar.number
    kind = argument.kind
    made: Convert
    if kind == "raw":
        return lambda cell: cell
    if kind == "array":
        made = without_errors
    elif kind == "cell":
        made = _cell
    elif kind == "truth":
        made = truth
    elif kind == "text":
        made = text
    elif kind == "date":
        made = lambda cell: calendar.day(number(cell))  # noqa: E731
    elif kind == "moment":
        made = lambda cell: _seconds(number(cell))  # noqa: E731
    elif kind == "parts":
        made = lambda cell: calendar.parts(number(cell))  # noqa: E731
    elif kind == "whole":
        made = lambda cell: whole(number(cell))  # noqa: E731
    else:
        made = number
    return _single(made) if kind not in _CELLS else made


def _seconds(serial: float) -> int:
    """Return the second of the day of a serial number, rounded."""
    if serial < 0:
        raise Refusal("#NUM!", "a time before the first day")
    return round((serial - math.floor(serial)) * 86400) % 86400


def _cell(cell: Any) -> Any:
    if isinstance(cell, CellError):
        raise Refusal(cell.code, cell.reason)
    return cell


def _single(made: Convert) -> Convert:
    def one(cell: Any) -> Any:
        if isinstance(cell, list):
            raise Refusal("#VALUE!", "one value is wanted, not several cells")
        return made(cell)

    return one
