"""A formula's tree, evaluated over all draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from udfs.cells import CODES
from udfs.declare import Function
from workbooks.excel.passes.fifteen_digits import simpler
from workbooks.formula.address import Area
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    ARITHMETIC,
    COMPARISONS,
    Array,
    Call,
    Error,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    Percent,
    Sign,
    Text,
)
from workbooks.scenarios.compiled import own
from workbooks.scenarios.compiled.functions import SCALARS, WHOLE
from workbooks.scenarios.compiled.lookups import LOOKUPS
from workbooks.scenarios.compiled.native import Calculator
from workbooks.scenarios.compiled.operators import (
    arithmetic,
    compared,
    joined,
    logical,
    negative,
    snapped,
)
from workbooks.scenarios.compiled.values import (
    BLANK,
    BLANK_CELL,
    ERROR,
    FALSE_CELL,
    Column,
    Grid,
    Texts,
    UnsupportedError,
    Value,
    anywhere,
    each,
    error,
    everywhere,
    first_error,
    is_kind,
    merged,
    number,
    truth,
)

Cell: TypeAlias = tuple[str, int, int]

#: Functions that take arrays, in ordinary formulas too, in their first argument or in all.
_ARRAYS = frozenset(("SUMPRODUCT", "INDEX"))
#: Functions that count a reference without reading its cells.
SIZES = frozenset(("ROWS", "COLUMNS"))
#: All that is compiled, beside own functions.
KNOWN = frozenset((*SCALARS, *WHOLE, *LOOKUPS, "IF"))


@dataclass(slots=True)
class Evaluator:
    """What formulas are evaluated with, over one set of draws.

    Parameters
    ----------
    texts : Texts
        The texts of the program.
    functions : Mapping
        Own functions by their names in upper case.
    read : Callable
        Gives the cells of a rectangle of a sheet.
    named : Callable
        Gives the tree that a name stands for, seen from a sheet.
    size : int
        Number of draws [-].
    calculator : Calculator
        Answers native functions that are not compiled.
    """

    texts: Texts
    functions: Mapping[str, Function]
    read: Callable[[str, Area], Sequence[Sequence[Column]]]
    named: Callable[[str, str], Node]
    size: int
    calculator: Calculator
    _tables: dict[tuple[str, Node, bool], Value] = field(default_factory=dict)
    # Of the formula at hand: IF(ISNA(f(x)), ..., f(x)) asks for the same twice.
    _asked: dict[tuple[str, Node, bool], Value] = field(default_factory=dict)

    def cell(self, tree: Node, sheet: str) -> Column:
        """Return the value of an ordinary formula."""
        self._asked.clear()
        result = self.single(self.value(tree, sheet, array=False))
        if isinstance(tree, Operation) and tree.operator in ("+", "-"):
            operand = self.single(self.value(simpler(tree), sheet, array=False))
            result = snapped(result, operand)
        return shown(result)

    def array(self, tree: Node, sheet: str) -> Grid:
        """Return the value of an array formula."""
        self._asked.clear()
        value = self.value(tree, sheet, array=True)
        if isinstance(value, Column):
            return Grid([[shown(value)]])
        rows = [[shown(cell) for cell in row] for row in value.rows]
        return Grid(rows, height=value.height)

    def single(self, value: Value) -> Column:
        """Return the one cell of a value."""
        if isinstance(value, Column):
            return value
        if value.shape == (1, 1):
            return value.rows[0][0]
        raise UnsupportedError("a range where one value is wanted")

    def value(self, node: Node, sheet: str, *, array: bool) -> Value:
        """Return the value of a node; `array` says that ranges go cell by cell."""
        match node:
            case Number(text):
                return number(float(text))
            case Text(text):
                return self.texts.column(text)
            case Logical(value):
                return truth(value)
            case Error(code):
                return error(float(CODES.index(code)))
            case Missing():
                return BLANK_CELL
            case Paren(inner):
                return self.value(inner, sheet, array=array)
            case Reference():
                return self._reference(node, sheet)
            case Name(text, None):
                return self.value(self.named(text, sheet), sheet, array=array)
            case Array(rows):
                return Grid(
                    [[self.single(self.value(one, sheet, array=False)) for one in r] for r in rows]
                )
            case Operation() | Sign() | Percent():
                return self._operation(node, sheet, array=array)
            case Call():
                return self._call(node, sheet, array=array)
            case _:
                raise UnsupportedError(f"a {type(node).__name__.lower()}")

    def _reference(self, node: Reference, sheet: str) -> Grid:
        if node.to_sheet is not None:
            raise UnsupportedError("a reference to several sheets")
        return Grid(self.read(node.sheet or sheet, node.area), reference=True)

    def _operation(self, node: Operation | Sign | Percent, sheet: str, *, array: bool) -> Value:
        texts = self.texts
        if isinstance(node, Operation):
            sign = node.operator
            operands = [self.value(n, sheet, array=array) for n in (node.left, node.right)]
            if sign in ARITHMETIC:
                return self._spread(lambda a, b: arithmetic(sign, a, b, texts), operands, array)
            if sign in COMPARISONS:
                return self._spread(
                    lambda a, b: compared(sign, a, b, texts, rounded=not array), operands, array
                )
            return self._spread(lambda a, b: joined(a, b, texts), operands, array)
        operand = [self.value(node.operand, sheet, array=array)]
        if isinstance(node, Percent):
            return self._spread(lambda a: arithmetic("/", a, number(100.0), texts), operand, array)
        if node.operator == "-":
            return self._spread(lambda a: negative(a, texts), operand, array)
        return operand[0]

    def _spread(
        self, function: Callable[..., Column], arguments: Sequence[Value], array: bool
    ) -> Value:
        if array:
            return each(function, arguments)
        return function(*map(self.single, arguments))

    def _call(self, node: Call, sheet: str, *, array: bool) -> Value:
        name = node.name
        if name == "IF":
            return self._if(node, sheet, array=array)
        if name in SIZES and len(node.arguments) == 1 and isinstance(node.arguments[0], Reference):
            area = node.arguments[0].area
            return number(float(area.rows if name == "ROWS" else area.columns))
        function = self.functions.get(name)
        if function is not None:
            return self._own(function, node, sheet, array=array)
        try:
            if name in SCALARS:
                given = [self.value(one, sheet, array=array) for one in node.arguments]
                called = SCALARS[name]
                return self._spread(lambda *cells: called(self.texts, *cells), given, array)
            whole = WHOLE.get(name) or LOOKUPS.get(name)
            if whole is None:
                return self._by_calculator(node, sheet, array=array)
            inside = array or name in _ARRAYS
            given = [self.value(one, sheet, array=inside) for one in node.arguments]
            result: Value = whole(self.texts, *given)
        except TypeError as refused:
            raise UnsupportedError(f"{name}() with such arguments: {refused}") from refused
        return result

    def _by_calculator(self, node: Call, sheet: str, *, array: bool) -> Value:
        name, count = node.name, len(node.arguments)
        if array or any(isinstance(one, Missing) for one in node.arguments):
            raise UnsupportedError(f"{name}() with arrays or arguments left out")
        given = [self.value(one, sheet, array=False) for one in node.arguments]
        row = native(name)
        cells = [
            self.single(value) if row.single(i, count) else value for i, value in enumerate(given)
        ]
        return self.calculator.call(self.texts, name, cells, self.size)

    def _if(self, node: Call, sheet: str, *, array: bool) -> Value:
        if not 2 <= len(node.arguments) <= 3:
            raise UnsupportedError("IF with so many arguments")
        texts = self.texts
        given = self.value(node.arguments[0], sheet, array=array)
        condition = given if array and isinstance(given, Grid) else self.single(given)

        def branch(i: int) -> Value:
            if len(node.arguments) <= i:
                return FALSE_CELL
            return self.value(node.arguments[i], sheet, array=array)

        if isinstance(condition, Column):
            found = logical(condition, texts)
            wrong = is_kind(found, ERROR)
            if everywhere(wrong):
                return found
            if found.constant:
                return branch(1 if found.num else 2)
        yes, no = branch(1), branch(2)

        def choose(test: Column, one: Column, other: Column) -> Column:
            found = logical(test, texts)
            return first_error([found], merged(found.num != 0, one, other))

        if array or (isinstance(yes, Grid) and isinstance(no, Grid) and yes.shape == no.shape):
            return each(choose, [condition, yes, no])
        assert isinstance(condition, Column)
        return choose(condition, self.single(yes), self.single(no))

    def _own(self, function: Function, node: Call, sheet: str, *, array: bool) -> Value:
        key = (sheet, node, array)
        # The rows of a table each stand in a formula of their own.
        kept = self._asked if function.plain else self._tables
        if key in kept:
            return kept[key]
        given: list[Value] = []
        for one in node.arguments:
            value = self.value(one, sheet, array=array)
            if isinstance(value, Grid) and value.shape == (1, 1):
                value = value.rows[0][0]
            given.append(value)
        kept[key] = own.call(self.texts, function, given, self.size)
        return kept[key]


def shown(column: Column) -> Column:
    """Return what a formula shows: a blank is 0."""
    blank = is_kind(column, BLANK)
    return merged(blank, number(0.0), column) if anywhere(blank) else column
