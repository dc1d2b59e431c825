"""The report: it counts every cell, and lists as many as there is room for."""

from __future__ import annotations

import pytest

from workbooks.recalc import Report
from workbooks.recalc.report import LISTED, Change, Unevaluated, Unreproduced

ADDERS = {
    "changed": ("add_change", Change("S!A1", 1.0, 2.0)),
    "unevaluated": ("add_unevaluated", Unevaluated("S!A1", "why")),
}
COUNTS = {
    "changed": "changed_count",
    "unevaluated": "unevaluated_count",
}


@pytest.mark.parametrize("kind", ADDERS)
def test_every_cell_is_counted_and_no_more_listed_than_there_is_room_for(kind: str) -> None:
    report = Report()
    name, cell = ADDERS[kind]
    for _ in range(LISTED + 2):
        getattr(report, name)(cell)
    assert getattr(report, COUNTS[kind]) == LISTED + 2
    assert getattr(report, kind) == [cell] * LISTED
    assert report.clean == (kind == "changed")


def test_cells_that_are_not_reproduced_are_counted_likewise() -> None:
    report, cell = Report(), Unreproduced("S!A1", "why")
    for _ in range(LISTED + 2):
        report.add_unreproduced(cell)
    assert report.unreproduced_count == LISTED + 2
    assert report.unreproduced == [cell] * LISTED
    assert not report.clean
    assert Report().clean


@pytest.mark.parametrize("kind", ADDERS)
def test_another_report_is_added_up_to_the_room_that_is_left(kind: str) -> None:
    report, other = Report(), Report()
    name, cell = ADDERS[kind]
    for _ in range(LISTED - 1):
        getattr(report, name)(cell)
    for _ in range(3):
        getattr(other, name)(cell)
    report.evaluated, other.evaluated = 5, 7
    report.add(other)
    assert report.evaluated == 12
    assert getattr(report, COUNTS[kind]) == LISTED + 2
    assert getattr(report, kind) == [cell] * LISTED
