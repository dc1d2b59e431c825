"""Functions of single values that are handed arrays: element by element, as Excel takes them.

The engine's own functions of single values, all but a few, take the first element of an array or
fail. Where such a function may be handed an array, its call is put inside `LIFT`, which calls it
for each element (`workbooks.excel.runtime.lifted`). What is not known to work, neither so nor by
itself, is refused, since it would give a wrong value that looks right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

from openpyxl.formula.tokenizer import Token

from workbooks.calc.protocol import FIT, LIFT, MATCHED, NEXT_LOOKUP
from workbooks.formula.signatures import (
    ALWAYS_ONE,
    ARRAYS,
    EACH,
    NATIVE,
    NO_RANGES,
    ONE_ONLY,
    RETURN_ARRAYS,
    SOME,
    WHOLE,
)
from workbooks.formula.tokens import Node, is_blank, is_range_token

#: How the second argument of `LIFT` tells of each further one: a single value of which there may
#: be an array, a range, a range of whole columns, one that is left out.
SINGLE, RANGE, WHOLE_COLUMNS, SKIPPED = "1*|-"
# In an ordinary formula these take one cell of a range, even inside functions of arrays.
_ONE_EVEN_THERE = frozenset(["IF", "IFERROR", "IFNA"])
# Where the first argument of these is no array, the others are handed on as they are.
_BY_FIRST = frozenset(["CHOOSE", "IFS"])
_CELL = re.compile(r"@|(?:.*!)?\$?[A-Z]{1,3}\$?[0-9]+$", re.IGNORECASE)
_COLUMNS = re.compile(r"(?:.*!)?\$?[A-Z]{1,3}:\$?[A-Z]{1,3}", re.IGNORECASE)


class NotLiftedError(ValueError):
    """A function is handed an array, and what it would give is not certain."""


@dataclass(slots=True)
class Lifting:
    """Puts the calls of one formula that are to go element by element inside `LIFT`.

    Parameters
    ----------
    is_area : Callable
        Tells whether a reference or name may stand for more than one cell.
    defines : Callable
        Tells whether a name is one of the workbook's.
    own : Container of str
        Names of own functions, which see to their arrays themselves.
    """

    is_area: Callable[[str], bool]
    defines: Callable[[str], bool]
    own: Container[str]

    def lift(self, node: Node, *, arrays: bool, ordinary: bool = False) -> None:
        """Go through a formula.

        Parameters
        ----------
        node : Node
            The formula or a part of it.
        arrays : bool
            Whether a range is an array at this place.
        ordinary : bool
            Whether it is one only because of the function around it.
        """
        inside = arrays or node.name in ARRAYS or node.name in self.own
        if ordinary and arrays and node.name in _ONE_EVEN_THERE and self._ranges(node.arguments[0]):
            raise NotLiftedError(
                f"{node.name} of a range inside a function of arrays: Excel takes one cell of it "
                "unless this is entered as an array formula"
            )
        for argument in node.arguments:
            for item in argument:
                if isinstance(item, Node):
                    of_arrays = not arrays and node.name in ARRAYS
                    self.lift(item, arrays=inside, ordinary=ordinary or of_arrays)
        if node.name and node.name not in self.own and node.name not in NATIVE:
            self._function(node, arrays=arrays)

    def _function(self, node: Node, *, arrays: bool) -> None:
        name, arguments = node.name, node.arguments
        many = [i for i, argument in enumerate(arguments) if self._many(argument, arrays)]
        if name in EACH or (name in NO_RANGES and name not in SOME):
            places: Container[int] = range(256)
        elif name in SOME:
            places = SOME[name]
        elif name in WHOLE or name in ONE_ONLY:
            places = ONE_ONLY.get(name, ())
        else:
            places = range(256)
        spread = [i for i in many if i in places]
        if not arrays and name not in WHOLE:
            self._first_alone(arguments, places)
            if name in NO_RANGES:
                spread += [i for i, a in enumerate(arguments) if i in places and self._is_range(a)]
        if not spread or (name in _BY_FIRST and spread[0] != 0):
            return
        if name in ONE_ONLY or not (name in EACH or name in NO_RANGES or name in SOME):
            raise NotLiftedError(f"what {name} gives for an array is not certain")
        if name in NO_RANGES and any(self._is_range(arguments[i]) for i in spread):
            raise NotLiftedError(f"{name} takes no range in the place of a single value")
        self._wrap(node, places)

    def _first_alone(self, arguments: list[list[Node | Token]], places: Container[int]) -> None:
        """Take the first element of what gives an array where an ordinary formula wants a value."""
        for i, argument in enumerate(arguments):
            if i in places and any(
                isinstance(item, Node)
                and (item.name in RETURN_ARRAYS or (item.name in self.own and self._spread(item)))
                for item in argument
            ):
                argument[:] = [Node("", f"{FIT}(", ",1,1)", [list(argument)])]

    def _wrap(self, node: Node, places: Container[int]) -> None:
        kinds, given = "", []
        for i, argument in enumerate(node.arguments):
            if all(is_blank(item) for item in argument):
                kinds += SKIPPED
                continue
            if i in places:
                kinds += SINGLE
            else:
                kinds += WHOLE_COLUMNS if self._is_columns(argument) else RANGE
            given.append(argument)
        ours = (name for name in (MATCHED, NEXT_LOOKUP) if node.opening.startswith(name))
        called = next(ours, node.name)
        node.opening = f'{LIFT}("{called}","{kinds}",'
        node.arguments = given
        node.separators = [","] * (len(given) - 1)

    def _spread(self, node: Node) -> bool:
        return any(self._many(argument, True) for argument in node.arguments)

    def _ranges(self, argument: list[Node | Token]) -> bool:
        """Tell whether an argument is an array because of a range, rather than a constant."""
        constants = [item for item in argument if isinstance(item, Token)]
        inner = [item for item in argument if isinstance(item, Node)]
        return any(
            item.type != Token.ARRAY and self._is_many(item, True) for item in constants
        ) or any(
            self._is_many(node, True) and any(self._ranges(a) for a in node.arguments)
            for node in inner
        )

    def _many(self, argument: list[Node | Token], ranges: bool) -> bool:
        return any(self._is_many(item, ranges) for item in argument)

    def _is_many(self, item: Node | Token, ranges: bool) -> bool:
        """Tell whether a part of a formula may be an array; if in doubt, it may."""
        if isinstance(item, Token):
            return item.type == Token.ARRAY or (
                ranges and is_range_token(item) and self._is_area(item.value)
            )
        name = item.name
        if item.opening.startswith((LIFT, "@", FIT)):
            many = item.opening.startswith(LIFT)
        elif not name or name == "CHOOSE" or name in EACH | NO_RANGES | NATIVE:
            many = any(self._many(argument, ranges) for argument in item.arguments)
        elif name == "AGGREGATE":
            many = any(self._many(argument, ranges) for argument in item.arguments[3:])
        elif name in SOME or name in ("ROW", "COLUMN") or name in self.own:
            many = ranges and name not in ALWAYS_ONE and self._spread(item)
        else:
            many = ranges and name not in ALWAYS_ONE
        return many

    def _is_area(self, text: str) -> bool:
        if _CELL.match(text):
            return False
        # A name that was written out, and one that LET gives, may stand for anything.
        return text.startswith("(") or self.is_area(text) or not self.defines(text)

    def _is_range(self, argument: list[Node | Token]) -> bool:
        solid = [item for item in argument if not is_blank(item)]
        return len(solid) == 1 and is_range_token(solid[0]) and self._is_area(solid[0].value)

    def _is_columns(self, argument: list[Node | Token]) -> bool:
        solid = [item for item in argument if not is_blank(item)]
        only = solid[0] if len(solid) == 1 else None
        return isinstance(only, Token) and bool(_COLUMNS.fullmatch(only.value))
