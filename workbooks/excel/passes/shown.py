"""Numbers that Excel takes 15 digits of, and the engine up to 17: as texts and when compared.

`0.1+0.2=0.3` is true in Excel. Here it is where one side is computed in the comparison itself, in
an ordinary formula. Cells that differ in the last of 17 digits alone still differ, and a difference
of nearly equal numbers is what it is, where Excel may make 0 of it: to see to that, every formula
of a workbook would have to be called for.
"""

from __future__ import annotations

from openpyxl.formula.tokenizer import Token

from workbooks.calc.protocol import SHOWN
from workbooks.formula.signatures import ARRAYS
from workbooks.formula.tokens import Node, is_blank

#: Arguments (counted from 0) that these take as texts.
_TEXTS: dict[str, range] = {
    "CONCAT": range(256),
    "CONCATENATE": range(256),
    "EXACT": range(2),
    "FIND": range(2),
    "SEARCH": range(2),
    "LEFT": range(1),
    "LEN": range(1),
    "MID": range(1),
    "REPLACE": range(1),
    "REPT": range(1),
    "RIGHT": range(1),
    "SUBSTITUTE": range(3),
    "TEXTAFTER": range(2),
    "TEXTBEFORE": range(2),
    "TEXTJOIN": range(2, 256),
}
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
_GIVE_TEXTS = frozenset(
    """
    CHAR CLEAN CONCAT CONCATENATE FIXED LEFT LOWER MID PROPER REPLACE REPT RIGHT SUBSTITUTE TEXT
    TEXTAFTER TEXTBEFORE TEXTJOIN TRIM UNICHAR UPPER ROW COLUMN LEN FIND SEARCH YEAR MONTH DAY
    """.split()  # noqa: SIM905
)


_ARITHMETIC = ("+", "-", "*", "/", "^")
_TOTALS = frozenset("SUM SUMIF SUMIFS SUMPRODUCT AVERAGE AVERAGEIF AVERAGEIFS PRODUCT".split())  # noqa: SIM905


def compare_fifteen_digits(node: Node) -> None:
    """Put what is compared with a computed number inside `SHOWN`, in an ordinary formula."""
    if node.name in ARRAYS:
        # Blank cells of an array would not stay blank.
        return
    for argument in node.arguments:
        for item in argument:
            if isinstance(item, Node):
                compare_fifteen_digits(item)
        sides: list[list[Node | Token]] = [[]]
        signs: list[Token] = []
        for item in argument:
            if isinstance(item, Token) and item.type == Token.OP_IN and item.value in _COMPARISONS:
                signs.append(item)
                sides.append([])
            else:
                sides[-1].append(item)
        if not signs or not any(map(_is_computed, sides)):
            continue
        out = _as_shown(sides[0])
        for sign, side in zip(signs, sides[1:], strict=True):
            out += [sign, *_as_shown(side)]
        argument[:] = out


def _is_computed(operand: list[Node | Token]) -> bool:
    """Tell whether an operand is a number that is computed where it stands."""
    if any(_is_joining(item) for item in operand):
        return False
    for item in operand:
        if isinstance(item, Token):
            if item.type == Token.OP_IN and item.value in _ARITHMETIC:
                return True
        elif item.name in _TOTALS or (not item.name and any(map(_is_computed, item.arguments))):
            return True
    return False


def _as_shown(operand: list[Node | Token]) -> list[Node | Token]:
    if any(_is_joining(item) for item in operand) or not _may_be_number(operand):
        return operand
    return [Node("", f"{SHOWN}(", ")", [operand])]


def show_fifteen_digits(node: Node) -> None:
    """Put what becomes text, and may be a number, inside `SHOWN`."""
    for i, argument in enumerate(node.arguments):
        for item in argument:
            if isinstance(item, Node):
                show_fifteen_digits(item)
        if any(_is_joining(item) for item in argument):
            argument[:] = _joined(argument)
        elif i in _TEXTS.get(node.name, ()) and _may_be_number(argument):
            argument[:] = [Node("", f"{SHOWN}(", ")", [list(argument)])]


def _is_joining(item: Node | Token) -> bool:
    return isinstance(item, Token) and item.type == Token.OP_IN and item.value == "&"


def _joined(argument: list[Node | Token]) -> list[Node | Token]:
    """Return `a&b` with each of its operands wrapped that may be a number."""
    out: list[Node | Token] = []
    operand: list[Node | Token] = []
    joined = False
    for item in [*argument, None]:
        splits = item is None or (
            isinstance(item, Token)
            and item.type == Token.OP_IN
            and item.value in ("&", *_COMPARISONS)
        )
        if not splits and item is not None:
            operand.append(item)
            continue
        joining = item is not None and _is_joining(item)
        if (joined or joining) and _may_be_number(operand):
            out.append(Node("", f"{SHOWN}(", ")", [operand]))
        else:
            out.extend(operand)
        if item is not None:
            out.append(item)
        operand, joined = [], joining
    return out


def _may_be_number(operand: list[Node | Token]) -> bool:
    solid = [item for item in operand if not is_blank(item)]
    if len(solid) != 1:
        return bool(solid)
    only = solid[0]
    if isinstance(only, Node):
        return only.name not in _GIVE_TEXTS and not only.opening.startswith(SHOWN)
    # A number that is written out has no more digits than it shows.
    return only.subtype == Token.RANGE or only.type == Token.ARRAY
