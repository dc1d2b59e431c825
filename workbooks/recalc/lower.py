"""Formulas as the engine can take them: the same values, in its own terms.

What a formula needs is decided once for all formulas that differ in cell addresses and numbers
alone; most need nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from openpyxl.formula.tokenizer import Token

from workbooks.recalc.book import DefinedName
from workbooks.recalc.engine import SKIPPED
from workbooks.recalc.names import Names
from workbooks.recalc.tokens import (
    FormulaError,
    Node,
    is_blank,
    is_operator,
    is_range_token,
    read_formula,
)

_DIGITS = {ord(c): None for c in "0123456789$"}
_NUMBERED = re.compile(r"[A-Za-z][0-9]+[A-Za-z.]*\(")
_EXTERNAL = re.compile(r"^'?(?:[^'!]*)\[[^\]]+\][^!\]]*!|^\[[0-9]+\]!?")
_FIT = "TB.FIT"


class UnevaluableError(ValueError):
    """The formula cannot be put in the engine's terms; the message says why."""


@dataclass(frozen=True, slots=True)
class Own:
    """What lowering has to know of an own function."""

    arrays: bool


@dataclass(slots=True)
class Lowering:
    """The lowering of one workbook's formulas.

    Parameters
    ----------
    names : Names
        The defined names.
    own : Mapping[str, Own]
        Own functions by their names in upper case.
    knows : Callable
        Tells whether the engine has a function.
    """

    names: Names
    own: Mapping[str, Own]
    knows: Callable[[str], bool]
    _plain: dict[tuple[str, str], bool] = field(default_factory=dict)

    def is_plain(self, text: str, sheet: str) -> bool:
        """Tell whether the engine takes a formula of an ordinary cell as it is."""
        pattern = text if _NUMBERED.search(text) else text.translate(_DIGITS)
        key = (sheet if self.names.local_to(sheet) else "", pattern)
        plain = self._plain.get(key)
        if plain is None:
            try:
                plain = self.lowered(text, sheet) == text
            except UnevaluableError:
                plain = False
            self._plain[key] = plain
        return plain

    def lowered(self, text: str, sheet: str, *, array: tuple[int, int] | None = None) -> str:
        """Return a formula in the engine's terms.

        Parameters
        ----------
        text : str
            The formula without its equals sign.
        sheet : str
            The sheet it stands on.
        array : tuple of int, optional
            Rows and columns of the array formula, None for an ordinary cell.
        """
        try:
            tree = read_formula(text)
        except FormulaError as error:
            raise UnevaluableError(str(error)) from error
        for node in tree.walk():
            self._check(node)
            if node.name in self.own:
                _fill_skipped(node)
            for argument in node.arguments:
                self._references(argument, sheet)
        result = tree.text()
        if array is not None:
            return f"{_FIT}({result},{array[0]},{array[1]})"
        if self._may_be_array(tree):
            return f"{_FIT}({result},1,1)"
        return result

    def _check(self, node: Node) -> None:
        if node.is_function and not self.knows(node.name) and not self.names.defines(node.name):
            raise UnevaluableError(f"unknown function {node.name}")
        for argument in node.arguments:
            solid = [item for item in argument if not is_blank(item)]
            for left, right in pairwise(solid):
                if not is_operator(left) and not is_operator(right) and _adjacent(left, right):
                    raise UnevaluableError("the intersection operator (a space) is not supported")
            if not node.is_function and any(
                isinstance(item, Token) and item.type == Token.OP_IN and item.value == ","
                for item in argument
            ):
                raise UnevaluableError("the union operator (a comma) is not supported")

    def _references(self, argument: list[Node | Token], sheet: str) -> None:
        for item in argument:
            if not is_range_token(item):
                continue
            if "|" in item.value:
                raise UnevaluableError(f"{item.value} is a DDE link; links are never followed")
            if _EXTERNAL.match(item.value):
                raise UnevaluableError(
                    f"{item.value} refers to another workbook; links are never followed"
                )
            definition = self.names.to_inline(item.value, sheet)
            if definition is not None:
                item.value = f"({self.lowered_name(definition, sheet)})"

    def lowered_name(self, name: DefinedName, sheet: str, depth: int = 0) -> str:
        """Return what a name stands for, in brackets' place."""
        if depth > 16:
            raise UnevaluableError(f"the name {name.name} refers to itself")
        tree = read_formula(name.text)
        for node in tree.walk():
            self._check(node)
            for argument in node.arguments:
                for item in argument:
                    if is_range_token(item):
                        inner = self.names.to_inline(item.value, sheet)
                        if inner is not None:
                            item.value = f"({self.lowered_name(inner, sheet, depth + 1)})"
        return tree.text()

    def _may_be_array(self, tree: Node) -> bool:
        """Tell whether a plain formula that calls own functions may give more than one cell."""
        for node in tree.walk():
            own = self.own.get(node.name)
            if own is None:
                continue
            if own.arrays:
                return True
            for inner in node.walk():
                for argument in inner.arguments:
                    for item in argument:
                        if is_range_token(item) and self.names.is_area(item.value):
                            return True
                        if isinstance(item, Token) and item.type == Token.ARRAY:
                            return True
        return False


def _adjacent(left: Node | Token, right: Node | Token) -> bool:
    def is_operand(item: Node | Token) -> bool:
        return isinstance(item, Node) or item.type == Token.OPERAND

    return is_operand(left) and is_operand(right)


def _fill_skipped(node: Node) -> None:
    if len(node.arguments) == 1:
        return
    for argument in node.arguments:
        if all(is_blank(item) for item in argument):
            argument[:] = [Token(f'"{SKIPPED}"', Token.OPERAND, Token.TEXT)]
