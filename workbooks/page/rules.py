"""What an input may be, read from the data validation of its cell."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbooks.formula.address import cell_name, parse_area, split_sheet
from workbooks.page.places import Place
from workbooks.page.reading import Workbook
from workbooks.page.validations import Rule

_NUMBER = r"-?[0-9.]+(?:[eE][+-]?[0-9]+)?"
_FLOAT = re.compile(_NUMBER)
# Comparisons that a data validation may make: lower end, its openness, upper end, its openness.
_BETWEEN = {
    "between": ("low", "high"), "greaterThan": ("above",), "greaterThanOrEqual": ("low",),
    "lessThan": ("below",), "lessThanOrEqual": ("high",), "equal": ("same",),
}  # fmt: skip


@dataclass(frozen=True)
class Allowed:
    """What a cell may hold."""

    low: float | None = None
    low_open: bool = False
    high: float | None = None
    high_open: bool = False
    whole: bool = False
    #: Texts or numbers to choose from, as the workbook writes them.
    listed: tuple[str, ...] | None = None
    #: The cells of such a list.
    area: tuple[int, int, int, int, int] | None = None
    message: str = ""
    #: A rule that only the workbook itself can check.
    unread: str = ""

    def texts(self, workbook: Workbook) -> list[str]:
        """Return what can be chosen, as texts."""
        if self.listed is not None:
            return list(self.listed)
        if self.area is None:
            return []
        sheet, top, left, bottom, right = self.area
        values = [
            workbook.value(Place(sheet, row, column))
            for row in range(top, bottom + 1) for column in range(left, right + 1)
        ]  # fmt: skip
        return [shown(value) for value in values if value not in (None, "")]


def shown(value: object) -> str:
    """Return a value of a list as it is written."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def allowed_by(workbook: Workbook, place: Place) -> Allowed:
    """Return what the data validation of a cell lets in; anything where it has none."""
    rule = workbook.rules.get(place)
    if rule is None or rule.kind == "none":
        return Allowed()
    if rule.kind == "list":
        return _listed(workbook, place, rule)
    if rule.kind in ("decimal", "whole", "date"):
        return _compared(rule)
    if rule.kind == "custom":
        return _custom(rule)
    return Allowed(unread=f"a rule of the kind {rule.kind}", message=rule.message)


def _listed(workbook: Workbook, place: Place, rule: Rule) -> Allowed:
    text = rule.first.removeprefix("=")
    if text.startswith('"'):
        return Allowed(listed=tuple(t.strip() for t in text.strip('"').split(",")),
                       message=rule.message)  # fmt: skip
    text = next((t for n, t in workbook.names.items() if n.casefold() == text.casefold()), text)
    sheet, cells = split_sheet(text)
    number = place.sheet if sheet is None else workbook.number(sheet)
    area = parse_area(cells.replace("$", ""))
    if number is None or area is None:
        return Allowed(unread=f"a list of {rule.first}", message=rule.message)
    return Allowed(area=(number, *area), message=rule.message)


def _compared(rule: Rule) -> Allowed:
    ends = _BETWEEN.get(rule.operator)
    texts = [rule.first, rule.second][: len(ends or ())]
    if ends is None or not all(_FLOAT.fullmatch(text) for text in texts):
        return Allowed(
            unread=f"{rule.operator} {rule.first} {rule.second}".strip(), message=rule.message
        )
    given = dict(zip(ends, map(float, texts), strict=True))
    same = given.get("same")
    low = given.get("low", given.get("above", same))
    high = given.get("high", given.get("below", same))
    return Allowed(
        low, "above" in given, high, "below" in given, rule.kind == "whole", message=rule.message
    )


def _custom(rule: Rule) -> Allowed:
    """Read the conditions that the templates write: a number, its ends, and whether it is whole."""
    corner = re.escape(cell_name(*rule.corner))
    inner = re.fullmatch(r"AND\((.*)\)", rule.first)
    found: dict[str, float] = {}
    whole = False
    for condition in (inner[1] if inner else rule.first).split(",ROUND(")[0].split(","):
        match = re.fullmatch(rf"{corner}(>=|>|<=|<)({_NUMBER})", condition)
        if match:
            found[match[1]] = float(match[2])
        elif condition != f"ISNUMBER({cell_name(*rule.corner)})":
            return Allowed(unread=rule.first, message=rule.message)
    if ",ROUND(" in rule.first:
        if f",ROUND({cell_name(*rule.corner)},0)={cell_name(*rule.corner)}" not in rule.first:
            return Allowed(unread=rule.first, message=rule.message)
        whole = True
    return Allowed(
        found.get(">=", found.get(">")), ">" in found, found.get("<=", found.get("<")),
        "<" in found, whole, message=rule.message,
    )  # fmt: skip
