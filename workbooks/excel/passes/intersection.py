"""Implicit intersection: what several cells mean in an ordinary formula where one value is wanted.

A formula in a file that is neither an array formula nor a dynamic one takes of `A1:A9` the cell
in its own row wherever a function or an operator wants one value, and so of a range that INDEX,
OFFSET and their like return. Excel shows these places with an @. Here the one cell is written
where it is known beforehand, and else the @ is put in for the calculator, which would otherwise
spill.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from workbooks.calc.protocol import FIT, ONE
from workbooks.excel.context import Context, KeepOldValueError, Scope
from workbooks.excel.kinds import is_area, returns_array
from workbooks.excel.marks import AREAS, Marks
from workbooks.formula.address import MAX_COLUMN, MAX_ROW
from workbooks.formula.functions import native
from workbooks.formula.references import AnyRow, Corner, Reference
from workbooks.formula.structured import OWN_ROW
from workbooks.formula.tree import (
    Array,
    Call,
    Error,
    Inlined,
    Joined,
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
    bare,
    call,
    children,
    rebuilt,
    walk,
)

_ZERO, _ONE = Number("0"), Number("1")


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = AREAS | {"INDIRECT", "INDEX", "OFFSET", "XLOOKUP"}


def apply(tree: Node, context: Context) -> Node:
    """Put an @ wherever one value is wanted and several cells may be given."""
    if context.array:
        return tree
    return _Intersection(context.scope, context).single(tree)


@dataclass(slots=True)
class _Intersection:
    """One formula; `bound` are names that LET gives to what may be several cells."""

    scope: Scope
    context: Context
    bound: set[str] = field(default_factory=set)
    in_let: bool = False

    def single(self, node: Node) -> Node:
        """Return a part of which one value is wanted."""
        return self._one(self._within(node, wanted=True))

    def _within(self, node: Node, *, wanted: bool) -> Node:
        match node:
            case Operation() | Sign() | Percent():
                return rebuilt(node, self.single)
            case Paren():
                return rebuilt(node, self.single if wanted else self._whole)
            case Joined():
                return rebuilt(node, self._whole)
            case Call():
                return self._call(node, wanted=wanted)
            case _:
                return node

    def _whole(self, node: Node) -> Node:
        return self._within(node, wanted=False)

    def _call(self, node: Call, *, wanted: bool) -> Node:
        name = node.name
        if name in self.scope.own:
            # Ranges are handed to our own functions as they are.
            return node
        if name == "LET":
            self.in_let = True
            self._bind(node)
        row, count = native(name), len(node.arguments)
        given: list[Node] = []
        for i, argument in enumerate(node.arguments):
            kind = row.kind(i, count)
            single = kind in "vtn" if kind != "b" else wanted
            single |= kind == "s" and "r" in row.arguments
            single |= kind == "x"
            if name == "LET":
                single = wanted and i == count - 1
            if single:
                given.append(self.single(argument))
            elif row.arrays and name != "LET":
                given.append(argument)
            else:
                given.append(self._beside(kind, name, argument))
        same = all(a is b for a, b in zip(given, node.arguments, strict=True))
        return node if same else replace(node, arguments=tuple(given))

    def _beside(self, kind: str, name: str, argument: Node) -> Node:
        """Return an argument that is not a single value."""
        argument = self._within(argument, wanted=False)
        if kind == "s" and self._gives_cells(argument):
            return Call(ONE, (argument,))
        if kind == "f" and self._many(argument):
            if self.in_let:
                raise KeepOldValueError(f"what {name} gives for a range in LET is not certain")
            return Call(FIT, (argument, _ONE, _ONE))
        return argument

    def _bind(self, let: Call) -> None:
        """Note the names that a LET gives to what may be several cells."""
        for name, value in zip(let.arguments[0:-1:2], let.arguments[1::2], strict=False):
            several = self._many(value) or any(
                returns_array(n, self.scope) or isinstance(n, Array) for n in walk(value)
            )
            if several and isinstance(name, Name):
                self.bound.add(name.text.casefold())

    def _one(self, node: Node) -> Node:
        """Return the one value that is taken of what may be several cells."""
        many = self._many(node)
        refers = isinstance(node, Reference | Name | Inlined)
        if refers and (
            (isinstance(node, Name) and node.text.casefold() in self.bound)
            or (many and self.in_let)
        ):
            raise KeepOldValueError(
                "a name or range in LET may be several values where an ordinary formula wants one"
            )
        if not many:
            return node
        own = self._own_cell(node)
        if own is not None:
            return own
        if isinstance(node, Joined):
            # The calculator gives no value of a joined range alone.
            return Single(call("INDEX", node, _ZERO, _ZERO))
        if isinstance(node, Call) and node.name == "XLOOKUP":
            return self._looked_up(node)
        return Single(node)

    def _own_cell(self, node: Node) -> Node | None:
        """Return the cell of one column or row of cells that stands in the formula's own.

        Written so, the formula does not hang on the others, which may hang on it.
        """
        cells = self._cells(node)
        if cells is None or cells.to_sheet is not None:
            return None
        first, end = cells.first, cells.end
        if first.column is not None and first.column == end.column:
            column = Corner(None, first.column, column_fixed=True)
            if cells.whole_columns:
                return Reference(replace(column, row=self._row()), None, cells.sheet)
            top, bottom = sorted((first.known_row or 1, end.known_row or MAX_ROW))
            if self.context.at is None:
                self.context.notes.holds.append((top, bottom))
            elif not top <= self.context.place.row <= bottom:
                return Error("#VALUE!")
            return Reference(replace(column, row=self._row()), None, cells.sheet)
        if first.known_row is not None and first.known_row == end.known_row:
            own, left, right = (
                self.context.place.column,
                first.column or 1,
                end.column or MAX_COLUMN,
            )
            inside = min(left, right) <= own <= max(left, right)
            corner = Corner(first.known_row, own, row_fixed=True)
            return Reference(corner, None, cells.sheet) if inside else Error("#VALUE!")
        return None

    def _cells(self, node: Node) -> Reference | None:
        """Return the cells that a reference or a name stands for, where that is certain."""
        if isinstance(node, Inlined):
            return node.tree if isinstance(node.tree, Reference) else None
        if isinstance(node, Name) and node.sheet is None:
            name = self.scope.names.find(node.text, self.context.sheet)
            tree = (
                self.scope.names.tree(name) if name and self.scope.names.is_simple(name) else None
            )
            return tree if isinstance(tree, Reference) else None
        return node if isinstance(node, Reference) else None

    def _row(self) -> int | AnyRow:
        """Return the formula's own row, known or not."""
        return OWN_ROW if self.context.at is None else self.context.place.row

    def _many(self, node: Node) -> bool:
        """Tell whether a part of a formula may be a reference to several cells."""
        if isinstance(node, Spilled):
            # A spill is an array by now, of which the first value is taken.
            return False
        return is_area(node, self.scope) or self._gives_cells(node)

    def _gives_cells(self, node: Node) -> bool:
        """Tell whether a function may give a reference to several cells."""
        if isinstance(node, Joined):
            return True
        if not isinstance(node, Call):
            return False
        arguments = node.arguments
        match node.name:
            case "INDIRECT":
                return True
            case "INDEX":
                return len(arguments) < 2 or not all(map(_is_positive, arguments[1:3]))
            case "OFFSET":
                shaped = any(not isinstance(argument, Missing) for argument in arguments[3:])
                return shaped or any(map(self._many, arguments[:1]))
            case "XLOOKUP":
                return len(arguments) > 2 and any(self._columns(a) != 1 for a in arguments[1:3])
        return False

    def _columns(self, argument: Node) -> int | None:
        """Return the columns of a range, None where they are not known."""
        if isinstance(argument, Reference):
            if argument.whole_rows:
                return None
            return 1 if argument.first.column == argument.end.column else 2
        if isinstance(argument, Name):
            # Any other name may stand for whatever shape.
            return 1 if not self.scope.names.is_area(argument.text) else None
        return None

    def _looked_up(self, node: Call) -> Node:
        """Return the lookup in a way that gives a reference, as Excel's XLOOKUP does."""
        wanted, where, what, default, mode, order = (*node.arguments, *[Missing()] * 3)[:6]
        columns = self._columns(where)
        if columns is None:
            return Call(ONE, (node,))
        widths = {a.width for a in (where, what) if isinstance(a, Reference)}
        if columns != 1 and len(widths) > 1:
            # An error for it, which INDEX does not see.
            return node
        match = call("XMATCH", wanted, where, mode, order)
        found = Single(call("INDEX", what, *((match, _ZERO) if columns == 1 else (_ZERO, match))))
        if isinstance(default, Missing):
            return found
        other = call("XLOOKUP", wanted, where, where, default, mode, order)
        return Single(call("IF", call("ISNA", match), other, found.operand))


def _is_positive(node: Node) -> bool:
    """Tell whether a number is surely 1 or more; of one that is written out, that is not asked."""
    terms = _terms(bare(node) if isinstance(node, Paren) else node)
    return (
        terms is not None
        and all(_is_natural(term) for term in terms)
        and any(_counts_from_one(term) for term in terms)
    )


def _terms(node: Node) -> list[Node] | None:
    if isinstance(node, Operation):
        left = _terms(node.left) if node.operator == "+" else None
        return None if left is None else [*left, node.right]
    return [node]


def _is_natural(node: Node) -> bool:
    return isinstance(node, Number) or (
        isinstance(node, Call) and (native(node.name).integer or _counts_from_one(node))
    )


def _counts_from_one(node: Node) -> bool:
    if not isinstance(node, Call):
        return isinstance(node, Number) and node.text.strip("0.") != ""
    if node.name == "IFNA":
        return all(_is_positive(argument) for argument in children(node))
    return native(node.name).result == "ordinal"
