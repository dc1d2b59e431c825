"""Implicit intersection: what a range means in an ordinary formula where one value is wanted.

A formula in a file that is neither an array formula nor a dynamic one takes of `A1:A9` the cell
in its own row wherever a function or an operator wants one value. Excel shows these places with
an @; here the @ is put in for the engine, which would otherwise spill.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from openpyxl.formula.tokenizer import Token

from workbooks.recalc.tokens import Node, is_blank, is_operator, is_range_token

#: Functions whose arguments are all single values.
SCALAR = frozenset(
    """
    ABS ACOS ACOSH ASIN ASINH ATAN ATAN2 ATANH CEILING COS COSH DEGREES EVEN EXP FACT FLOOR INT LN
    LOG LOG10 MOD ODD POWER RADIANS ROUND ROUNDDOWN ROUNDUP SIGN SIN SINH SQRT TAN TANH TRUNC
    CHAR CLEAN CODE DOLLAR EXACT FIND FIXED LEFT LEN LOWER MID PROPER REPLACE REPT RIGHT SEARCH
    SUBSTITUTE TEXT TRIM UPPER VALUE DATE DATEVALUE DAY DAYS360 HOUR MINUTE MONTH SECOND TIME
    TIMEVALUE WEEKDAY YEAR IF IFERROR IFNA ISBLANK ISERR ISERROR ISLOGICAL ISNA ISNONTEXT ISNUMBER
    ISTEXT NOT FV IPMT NPER PMT PPMT PV RATE SLN SYD DB DDB
    """.split()  # noqa: SIM905
)
#: Functions that compute arrays inside their arguments without being asked to.
ARRAYS = frozenset(
    """
    SUMPRODUCT INDEX LOOKUP AGGREGATE MMULT MINVERSE MDETERM TRANSPOSE SUMXMY2 SUMX2MY2 SUMX2PY2
    CORREL COVAR COVARIANCE.P COVARIANCE.S PEARSON RSQ SLOPE INTERCEPT FORECAST FORECAST.LINEAR
    STEYX TREND GROWTH LINEST LOGEST FREQUENCY MODE PROB FILTER SORT SORTBY UNIQUE XLOOKUP XMATCH
    LET LAMBDA SEQUENCE TEXTJOIN CONCAT BYROW BYCOL MAP REDUCE SCAN MAKEARRAY TAKE DROP HSTACK
    VSTACK TOCOL TOROW CHOOSECOLS CHOOSEROWS WRAPROWS WRAPCOLS EXPAND IRR NPV MIRR XNPV XIRR
    ANCHORARRAY SINGLE
    """.split()  # noqa: SIM905
)
#: Functions whose result may be more than one value.
RETURN_ARRAYS = frozenset(
    """
    MMULT MINVERSE TRANSPOSE TREND GROWTH LINEST LOGEST FREQUENCY FILTER SORT SORTBY UNIQUE
    SEQUENCE RANDARRAY TAKE DROP HSTACK VSTACK TOCOL TOROW CHOOSECOLS CHOOSEROWS WRAPROWS WRAPCOLS
    EXPAND TEXTSPLIT MUNIT MODE.MULT ANCHORARRAY BYROW BYCOL MAP SCAN MAKEARRAY
    """.split()  # noqa: SIM905
)
#: Arguments (counted from 0) of which one value is wanted, in functions that also take ranges.
_SINGLE = {
    "VLOOKUP": {0, 2, 3},
    "HLOOKUP": {0, 2, 3},
    "MATCH": {0, 2},
    "SUMIF": {1},
    "COUNTIF": {1},
    "AVERAGEIF": {1},
    "RANK": {0, 2},
    "LARGE": {1},
    "SMALL": {1},
    "PERCENTILE": {1},
    "QUARTILE": {1},
}


def intersect(tree: Node, is_area: Callable[[str], bool], own: Container[str]) -> None:
    """Put an @ before each range of an ordinary formula of which one value is wanted."""
    _intersect(tree, is_area, own)


def _intersect(node: Node, is_area: Callable[[str], bool], own: Container[str]) -> None:
    if node.name in ARRAYS or node.name in own:
        return
    for i, argument in enumerate(node.arguments):
        solid = [item for item in argument if not is_blank(item)]
        single = (
            not node.is_function
            or node.name in SCALAR
            or i in _SINGLE.get(node.name, ())
            or any(
                isinstance(item, Token) and is_operator(item) and item.value != ","
                for item in solid
            )
        )
        for place, item in enumerate(solid):
            if isinstance(item, Node):
                # A bracket stands for what is around it.
                if item.is_function or single:
                    _intersect(item, is_area, own)
            elif single and is_range_token(item) and is_area(item.value):
                before = solid[place - 1] if place else None
                if not (isinstance(before, Token) and before.value == ":"):
                    item.value = item.value if item.value.startswith("@") else f"@{item.value}"


def gives_array(tree: Node, own_arrays: Container[str]) -> bool:
    """Tell whether a function that is not inside another one may return more than one value."""
    for argument in tree.arguments:
        for item in argument:
            if not isinstance(item, Node):
                if item.type == Token.ARRAY:
                    return True
                continue
            if item.name in RETURN_ARRAYS or item.name in own_arrays:
                return True
            transparent = not item.is_function or item.name in SCALAR
            if transparent and gives_array(item, own_arrays):
                return True
    return False
