"""A formula as a JavaScript expression, from its tree."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, partial

from workbooks.calc.protocol import DIGITS, SNAPPED
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Apply,
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
    Single,
    Spilled,
    TableReference,
    Text,
    bare,
    walk,
)
from workbooks.page.grid import Span, UnknownError
from workbooks.page.places import Place
from workbooks.page.script import ASSETS
from workbooks.page.sharing import Shared

#: The parts of the script that hold worksheet functions, and what each calls its own.
FUNCTIONS = {
    "functions.js": "singles", "sums.js": "sums", "blocks.js": "blocks", "money.js": "money",
    "allocation.js": "allocation",
}  # fmt: skip
_KEY = re.compile(r"^  ([A-Z][A-Z0-9$_]*): ", re.MULTILINE)
_OPERATORS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "^": "power", "&": "joined",
    "=": "equal", "<>": "unequal", "<": "less", ">": "greater", "<=": "atMost", ">=": "atLeast",
}  # fmt: skip
#: Functions to which one cell is a range of one cell: texts in it do not count, and so on.
_OF_RANGES = frozenset((
    "SUM", "AVERAGE", "MIN", "MAX", "PRODUCT", "SUMSQ", "MEDIAN", "COUNT", "COUNTA", "COUNTBLANK",
    "SUMPRODUCT", "AND", "OR", "XOR", "STDEV", "STDEV.S", "STDEVP", "STDEV.P", "VAR", "VAR.S",
    "VARP", "VAR.P", "GEOMEAN", "NPV", "IRR", "SMALL", "LARGE", "PERCENTILE", "RANK", "RANK.EQ",
))  # fmt: skip
_FAULTS = {
    "#DIV/0!": "DIV0", "#VALUE!": "VALUE", "#REF!": "REF", "#NAME?": "NAME", "#NUM!": "NUM",
    "#N/A": "NA", "#CALC!": "CALC",
}  # fmt: skip
#: Where a formula stands: the number of its cell, its row and its column.
CELL = "i, r, c"


@cache
def known_functions() -> frozenset[str]:
    """Return the worksheet functions of the page's calculator, by their names in Excel."""
    return frozenset(
        key.replace("$", ".")
        for name in FUNCTIONS
        for key in _KEY.findall((ASSETS / name).read_text(encoding="utf-8"))
    )


_Variables = Mapping[str, str]


@dataclass
class Emitter:
    """Writes one formula; `place` is where it stands, None for a name."""

    shared: Shared
    place: Place | None
    #: All that it reads, names followed.
    spans: list[Span] = field(default_factory=list)
    _number: int = 0

    def value(self, node: Node, variables: _Variables) -> str:
        """Return the expression of a tree."""
        if isinstance(node, Operation | Call) and _is_constant(node):
            return self.shared.constant(self._of(node, {}))
        return self._of(node, variables)

    def _of(self, node: Node, variables: _Variables) -> str:
        into = partial(self.value, variables=variables)
        match node:
            case Number(text):
                return repr(float(text))
            case Text(value):
                # No text of a formula can end the element that the script stands in.
                return json.dumps(value).replace("<", "\\u003c")
            case Logical(value):
                return "true" if value else "false"
            case Error(code):
                if code not in _FAULTS:
                    raise UnknownError(code)
                return _FAULTS[code]
            case Missing():
                return "undefined"
            case Paren(inner):
                return into(inner)
            case Reference():
                return self._reference(node)
            case Name(text, sheet):
                return self._name(text, sheet, variables)
            case Array(rows):
                return self._array(rows)
            case Operation(operator, left, right):
                return f"{_OPERATORS[operator]}({into(left)}, {into(right)})"
            case Sign(operator, operand):
                return into(operand) if operator == "+" else f"negative({into(operand)})"
            case Percent(operand):
                return f"divide({into(operand)}, 100)"
            case Apply(function, arguments):
                return f"({into(function)})({', '.join(map(into, arguments))})"
            case Single(operand):
                return self._beside(operand)
            case Spilled(Reference() as operand):
                return self._spilled(operand)
            case Call(name, arguments):
                return self._call(name, arguments, variables)
        raise UnknownError(f"{type(node).__name__.lower()} references")

    # --- references ------------------------------------------------------------------------------

    def _reference(self, node: Reference, *, as_range: bool = False) -> str:
        span = self._span(node)
        if span.is_cell and not as_range:
            return f"V[{span.at}]"
        if self.shared.grid.is_fixed(span):
            return self.shared.fixed(span)
        return f"range({span.at}, {span.high}, {span.wide})"

    def _span(self, node: Reference) -> Span:
        span = self.shared.grid.span(node, self.place)
        if span not in self.spans:
            self.spans.append(span)
        return span

    def _beside(self, operand: Node) -> str:
        if self.place is None or not isinstance(operand, Reference):
            raise UnknownError("@ before what is no range")
        span = self._span(operand)
        top, left = self.shared.grid.corner(span)
        return f"beside({self._reference(operand, as_range=True)}, r - ({top}), c - ({left}))"

    def _spilled(self, operand: Reference) -> str:
        span = self.shared.grid.spilled(operand, self.place)
        if span is None:
            raise UnknownError("# behind a cell that fills no others")
        self.spans.append(span)
        return f"range({span.at}, {span.high}, {span.wide})"

    def _name(self, text: str, sheet: str | None, variables: _Variables) -> str:
        found = variables.get(text.casefold())
        if found is not None:
            return found
        known = self.shared.names.get(text.upper())
        if known is None or sheet is not None:
            raise UnknownError(f"{text}, which is no name of the workbook")
        reference = self.shared.grid.named(known)
        if reference is not None:
            return self._reference(reference)
        if known.upper().startswith("LAMBDA("):
            written = self.shared.function(text.upper())
            self.spans += [s for s in self.shared.spans(text.upper()) if s not in self.spans]
            return written
        written = self.shared.value(text.upper())
        self.spans += [s for s in self.shared.spans(text.upper()) if s not in self.spans]
        return written

    def _array(self, rows: Sequence[Sequence[Node]]) -> str:
        items = ", ".join(self.value(one, {}) for row in rows for one in row)
        return self.shared.array(f"new Block({len(rows)}, {len(rows[0])}, [{items}])")

    # --- calls -----------------------------------------------------------------------------------

    def _call(self, name: str, given: Sequence[Node], variables: _Variables) -> str:
        into = partial(self.value, variables=variables)
        if name.casefold() in variables:
            return f"{variables[name.casefold()]}({', '.join(map(into, given))})"
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, Call(name, tuple(given)), variables)
        if name in self.shared.names:
            function = self.shared.function(name)
            self.spans += [s for s in self.shared.spans(name) if s not in self.spans]
            return f"{function}({', '.join(map(into, given))})"
        if name not in known_functions():
            raise UnknownError(f"{name}, which the page's calculator does not know")
        arguments = [
            self._reference(one, as_range=True)
            if name in _OF_RANGES and isinstance(one := bare(node), Reference)
            # What is left out between commas is a 0 or an empty text to Excel's own functions.
            else _left_out(name) if isinstance(node, Missing) else into(node)
            for node in given
        ]  # fmt: skip
        return f"F.{name.replace('.', '$')}({', '.join(arguments)})"

    def written(self, node: Call, variables: _Variables) -> list[str]:
        """Return the expressions of the arguments of a call."""
        return [self.value(one, variables) for one in node.arguments]

    def _if(self, node: Call, variables: _Variables) -> str:
        condition, *branches = self.written(node, variables)
        yes, no = (*branches, "false")[:2]
        yes, no = ("0" if one == "undefined" else one for one in (yes, no))
        return _choice(condition, yes, no)

    def _iferror(self, node: Call, variables: _Variables) -> str:
        value, rest = self.written(node, variables)
        fails = "isFault" if node.name == "IFERROR" else "isNothing"
        return f"instead({value}, () => {rest}, {fails})"

    def _choose(self, node: Call, variables: _Variables) -> str:
        which, *values = self.written(node, variables)
        return f"picked({which}, [{', '.join(f'() => {one}' for one in values)}])"

    def _ifs(self, node: Call, variables: _Variables) -> str:
        parts, written = self.written(node, variables), "NA"
        for condition, value in reversed(list(zip(parts[::2], parts[1::2], strict=True))):
            written = _choice(condition, value, written)
        return written

    def _switch(self, node: Call, variables: _Variables) -> str:
        what, *rest = self.written(node, variables)
        otherwise = f"() => {rest.pop()}" if len(rest) % 2 else "null"
        cases = ", ".join(
            f"[() => {case}, () => {value}]"
            for case, value in zip(rest[::2], rest[1::2], strict=True)
        )
        return f"switched({what}, [{cases}], {otherwise})"

    def _omitted(self, node: Call, variables: _Variables) -> str:
        return f"({self.value(node.arguments[0], variables)} === undefined)"

    def _row(self, node: Call, _: _Variables) -> str:
        if self.place is None:
            raise UnknownError(f"{node.name} in a name")
        row, column, sheet = "r", "c", self.place.sheet
        if node.arguments:
            reference = bare(node.arguments[0])
            if not isinstance(reference, Reference) or not reference.is_cell:
                raise UnknownError(f"{node.name} of more than one cell")
            span = self._span(reference)
            (row, column), sheet = self.shared.grid.corner(span), span.sheet
        first = self.shared.grid.base(sheet) - 1
        return f"({row} - ({first}))" if node.name == "ROW" else f"({column} + 1)"

    def _extent(self, node: Call, variables: _Variables) -> str:
        # How many rows a range has hangs on none of its cells.
        if isinstance(reference := bare(node.arguments[0]), Reference):
            span = self.shared.grid.span(reference, self.place)
            return f"({span.high if node.name == 'ROWS' else span.wide})"
        return f"F.{node.name}({self.value(node.arguments[0], variables)})"

    # --- variables and functions -----------------------------------------------------------------

    def function(self, node: Call, variables: _Variables) -> str:
        """Return a LAMBDA as a JavaScript function."""
        *parameters, body = node.arguments
        inner = dict(variables)
        names = []
        for one in parameters:
            text = one.text.strip("[]") if isinstance(one, Name | TableReference) else None
            if text is None:
                raise UnknownError("a LAMBDA whose parameters are no names")
            names.append(self._fresh())
            inner[text.casefold()] = names[-1]
        return f"({', '.join(names)}) => {self._body(body, inner)}"

    def _lambda(self, node: Call, variables: _Variables) -> str:
        return f"({self.function(node, variables)})"

    def _let(self, node: Call, variables: _Variables) -> str:
        return f"(() => {self._body(node, variables)})()"

    def _body(self, node: Node, variables: _Variables) -> str:
        """Return the body of a function: the names that it gives values to, and its result."""
        inner, lines = dict(variables), []
        while isinstance(node := bare(node), Call) and node.name == "LET":
            *pairs, node = node.arguments
            for name, value in zip(pairs[::2], pairs[1::2], strict=True):
                if not isinstance(name, Name):
                    raise UnknownError("a LET whose names are none")
                fresh, written = self._fresh(), self.value(value, inner)
                if _is_long(value, self.shared.light):
                    # Worked out where it is asked for first: often only one branch does.
                    lines.append(f"const {fresh} = later(() => {written});")
                    fresh += "()"
                else:
                    lines.append(f"const {fresh} = {written};")
                inner[name.text.casefold()] = fresh
        result = self.value(node, inner)
        if not lines:
            return result if not result.startswith("{") else f"({result})"
        return f"{{ {' '.join(lines)} return {result}; }}"

    def _fresh(self) -> str:
        self._number += 1
        return f"v{self._number}"


def named(shared: Shared, name: str) -> tuple[str, list[Span], bool]:
    """Return a name of the workbook in JavaScript, what it reads, and whether it is a function."""
    emitter = Emitter(shared, None)
    try:
        tree = bare(parse(shared.names[name]))
    except FormulaError as error:
        raise UnknownError(f"the name {name.lower()}, which cannot be read") from error
    if isinstance(tree, Call) and tree.name == "LAMBDA":
        return emitter.function(tree, {}), emitter.spans, True
    return f"() => {emitter.value(tree, {})}", emitter.spans, False


def _left_out(function: str) -> str:
    """Return what stands for an argument that is left out between commas."""
    return "undefined" if function in _TELLING else "null"


def _plain(name: str) -> Callable[[Emitter, Call, _Variables], str]:
    def write(emitter: Emitter, node: Call, variables: _Variables) -> str:
        return f"{name}({', '.join(emitter.written(node, variables))})"

    return write


_SPECIAL: Mapping[str, Callable[[Emitter, Call, _Variables], str]] = {
    "LET": Emitter._let, "LAMBDA": Emitter._lambda, "IF": Emitter._if, "IFS": Emitter._ifs,
    "IFERROR": Emitter._iferror, "IFNA": Emitter._iferror, "CHOOSE": Emitter._choose,
    "SWITCH": Emitter._switch, "ISOMITTED": Emitter._omitted, "ROW": Emitter._row,
    "COLUMN": Emitter._row, "ROWS": Emitter._extent, "COLUMNS": Emitter._extent,
    DIGITS: _plain("digits"), SNAPPED: _plain("snapped"),
}  # fmt: skip
#: Functions that tell an argument that is left out from a blank cell.
_TELLING = frozenset(("DROP", "SORT", "SORTBY", "TAKE", "XLOOKUP"))
#: Functions that take long enough to be asked for only where their value is used.
_LONG = frozenset((
    "MAP", "REDUCE", "SCAN", "MAKEARRAY", "BYROW", "BYCOL", "FILTER", "SORTBY", "SORT", "SEQUENCE",
    "MATCH",
))  # fmt: skip


def _is_constant(node: Node) -> bool:
    """Tell whether an expression reads neither cells nor names, and calls only what is known."""
    return all(
        one.name in known_functions() if isinstance(one, Call)
        else isinstance(one, Number | Text | Logical | Operation | Sign | Paren | Percent | Array)
        for one in walk(node)
    )  # fmt: skip


@cache
def _short_functions() -> frozenset[str]:
    return known_functions() - _LONG | _SPECIAL.keys()


def _choice(condition: str, yes: str, no: str) -> str:
    return f"choose({condition}, () => {yes}, () => {no})"


def _is_long(node: Node, light: Set[str]) -> bool:
    """Tell whether a value takes long: often only one branch of a formula asks for it."""
    short = _short_functions() | light
    return any(isinstance(one, Call) and one.name not in short for one in walk(node))
