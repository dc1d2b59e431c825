"""What the recalculation asks of a spreadsheet calculator, so that another can take its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from udfs.cells import Cell

if TYPE_CHECKING:
    from workbooks.watch import Watch

#: An own function: cells in, a cell or a list of rows out; it never raises.
CellFunction: TypeAlias = Callable[..., Any]
#: Own functions that lowering puts into formulas: a result in a given shape, a result whose shape
#: is noted, a function called for each element of an array, TEXT with a format that is the
#: calculator's or not, AGGREGATE with a rank, a number of no more digits than a text of it shows,
#: what has to be one value, and the two that see to it that no failure of the calculator is taken
#: for an error of the workbook: a count of failures, which the calculator keeps, and a result that
#: stands only if the count has not grown since.
FIT, SPILL, LIFT = "TB.FIT", "TB.SPILL", "TB.LIFT"
FORMATTED, RANKED, SHOWN, ONE = "TB.TEXT", "TB.AGGREGATE", "TB.SHOWN", "TB.ONE"
FAILURES, SURE = "TB.FAILURES", "TB.SURE"
#: A formula whose own functions are asked what they complain of.
ASKED = "TB.ASKED"
#: The place of the last value that is not larger, in any order.
MATCHED = "TB.MATCH"
#: SUMIFS and its kin where errors are concerned.
CRITERIA = "TB.CRITERIA"
#: XLOOKUP and XMATCH for the next smaller or larger value.
NEXT_LOOKUP, NEXT_MATCH = "TB.XLOOKUP", "TB.XMATCH"
#: A text where an operator wants a number.
NUMBER = "TB.NUMBER"
#: VSTACK and HSTACK of parts of different sizes.
STACKED = "TB.STACK"
#: A number of 15 digits, for a comparison; a sum or difference that is nothing.
DIGITS, SNAPPED = "TB.DIGITS", "TB.SNAP"
LOWERED = frozenset(
    {
        *(FIT, SPILL, LIFT, FORMATTED, RANKED, SHOWN, ONE),
        *(FAILURES, SURE, ASKED, MATCHED, NEXT_LOOKUP, NEXT_MATCH, CRITERIA),
        *(DIGITS, SNAPPED, NUMBER, STACKED),
    }
)
#: What `values` may give as it stands; all else is for `value` to say.
PLAIN = frozenset({float, str, bool, type(None)})
#: Results of more cells than this the calculator does not lay out.
LARGEST_SPILL = 10_000
#: Text that stands for a skipped argument of an own function; calculators hand it over as 0.
SKIPPED = "\N{SYMBOL FOR NULL}skipped"


def calculator_name(sheet: str) -> str:
    """Return what the calculator is to call a sheet.

    It begins with a sheet of its own, Sheet1, and takes the formulas of one that is spelt
    sheet1 or SHEET1 for formulas of that. Formulas find a sheet by any spelling.
    """
    return "Sheet1" if sheet.casefold() == "sheet1" else sheet


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the values besides the workbook.

    `clock` is the local time that TODAY and NOW give; `seed` drives RAND and its kin; `watch` tells
    when the evaluation has to end.
    """

    seed: int = 0
    clock: datetime | None = None
    date1904: bool = False
    iterate: bool = False
    iterations: int = 100
    max_change: float = 0.001
    deadline: float | None = None
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class CalculatorError:
    """A failure of the calculator itself, as it stands in a cell: no spreadsheet shows it."""

    reason: str


Value: TypeAlias = Cell | CalculatorError


class Question(NamedTuple):
    """A formula in error, asked what its own functions complain of.

    `text` is in the calculator's terms; of an array it is the error in one element, counted from 0,
    that is meant.
    """

    sheet: str
    row: int
    text: str
    element: tuple[int, int] = (0, 0)


class Calculator(Protocol):
    """A spreadsheet calculator holding one workbook."""

    def knows(self, function: str) -> bool:
        """Tell whether the calculator, or what was registered with it, has a function."""

    def register(self, functions: Mapping[str, CellFunction]) -> None:
        """Add own functions."""

    def load(self, path: Path) -> None:
        """Take in a workbook that was prepared for the calculator."""

    def evaluate(self) -> None:
        """Compute every formula that is not up to date."""

    def start_from(self, saved: Iterable[tuple[str, int, int, Cell]]) -> None:
        """Let circles of formulas begin with saved values: sheet, row, column and value."""

    def values(self, sheet: str, top: int, left: int, bottom: int, right: int) -> Sequence[Any]:
        """Return the rows of a rectangle: what is PLAIN as it is, the rest by `value`."""

    def value(self, raw: Any) -> Value:
        """Turn what `values` gave into a cell."""

    def set_value(self, sheet: str, row: int, column: int, value: Cell) -> None:
        """Put a constant into a cell."""

    def set_values(self, values: Mapping[tuple[str, int, int], Cell]) -> None:
        """Put constants into cells: each by sheet, row and column."""

    def set_again(self, sheet: str, column: int, rows: Iterable[int]) -> None:
        """Set constants of a column to what they are, formulas excepted."""

    def set_formula(self, sheet: str, row: int, column: int, text: str) -> None:
        """Put a formula, written without its equals sign, into a cell."""

    def has_formula(self, sheet: str, row: int, column: int) -> bool:
        """Tell whether a cell holds a formula."""

    def scratch(self, cells: list[list[Any]], formulas: Sequence[str]) -> list[Value]:
        """Evaluate formulas beside some cells from A1 on, in a workbook of their own."""

    def close(self) -> None:
        """Let go of the workbook and of the own functions; it is not used after this."""

    def explain(self, questions: Sequence[Question]) -> list[str]:
        """Return what own functions complain of in each formula; empty where none does.

        The formulas are put into cells that are far out, and evaluated at once.
        """
