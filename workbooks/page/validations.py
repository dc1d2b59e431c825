"""What a workbook lets into its cells: its data validations."""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from workbooks.formula.address import parse_area
from workbooks.page.places import Place


class Rule(NamedTuple):
    """A data validation: its kind, comparison, formulas, and what it says of a wrong value."""

    kind: str
    operator: str
    first: str
    second: str
    message: str
    #: The first cell that it is for, which its formulas are written for.
    corner: tuple[int, int]
    blank: bool


def read_rules(root: etree._Element, sheet: int) -> dict[Place, Rule]:
    """Return the rule of each cell of a sheet that has one."""
    main = etree.QName(root).namespace
    rules: dict[Place, Rule] = {}
    for element in root.iter(f"{{{main}}}dataValidation"):
        areas = [parse_area(text) for text in (element.get("sqref") or "").split()]
        first = next((area for area in areas if area is not None), None)
        if first is None:
            continue
        rule = Rule(
            element.get("type", "none"),
            element.get("operator", "between"),
            element.findtext(f"{{{main}}}formula1") or "",
            element.findtext(f"{{{main}}}formula2") or "",
            element.get("error", ""),
            (first.top, first.left),
            element.get("allowBlank") in ("1", "true"),
        )
        for area in areas:
            for row, column in area.cells() if area else ():
                rules[Place(sheet, row, column)] = rule
    return rules
