"""Every value goes to the address that it belongs to, whatever stands between the cells."""

from __future__ import annotations

import random
import re
import zipfile
from array import array

import pytest

from udfs.cells import CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.ooxml.scan import split
from workbooks.recalc import recalculate
from workbooks.recalc.report import Report
from workbooks.recalc.splice import SheetSplicer

# Excel writes an empty formula into each cell that a volatile spill fills.
SPILL = (
    '<row r="1"><c r="A1" cm="1"><f t="array" ref="A1:A3" ca="1">'
    "_xlfn.SEQUENCE(3)*10+TODAY()*0</f><v>0</v></c>"
    '<c r="B1"><f>A1+1</f><v>0</v></c></row>'
    '<row r="2"><c r="A2" s="0"><f ca="1"/><v>0</v></c><c r="B2"><f>A2+2</f><v>0</v></c></row>'
    '<row r="3"><c r="A3"><f ca="1"/><v>0</v></c><c r="B3"><f>A3+3</f><v>0</v></c></row>'
    '<row r="4"><c r="B4"><f>SUM(A1:A3)</f><v>0</v></c><c r="C4"><f>7</f><v>0</v></c></row>'
)


def test_empty_formulas_in_a_spill_shift_nothing(write, values) -> None:
    path = write(SPILL)
    report = recalculate(path)
    assert values(path) == {
        "A1": 10, "B1": 11, "A2": 20, "B2": 22, "A3": 30, "B3": 33, "B4": 60, "C4": 7,
    }  # fmt: skip
    assert not report.unevaluated
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b'<c r="A2" s="0"><f ca="1"/><v>20</v></c>' in sheet
    assert recalculate(path).changed_count == 0


def test_a_spill_that_shrinks_leaves_nothing(write, values) -> None:
    path = write(SPILL.replace("SEQUENCE(3)", "SEQUENCE(2)"))
    recalculate(path)
    assert values(path) == {"A1": 10, "B1": 11, "A2": 20, "B2": 22, "B3": 3, "B4": 30, "C4": 7}
    with zipfile.ZipFile(path) as archive:
        assert b'ref="A1:A2"' in archive.read("xl/worksheets/sheet1.xml")


class Told:
    """An calculator whose values are what they are."""

    def value(self, raw):
        return raw


def cells(places) -> bytes:
    return b"".join(b'<c r="%b"><f>1</f><v>-1</v></c>' % p.encode() for p in places)


@pytest.mark.parametrize("seed", range(20))
def test_values_in_any_order_and_number_go_to_their_own_cells(seed: int) -> None:
    """The value of a cell is its row and column; blocks come shifted, split, doubled or short."""
    draw = random.Random(seed)
    places = [(row, column) for row in range(1, 9) for column in range(1, 4)]
    held = [p for p in places if draw.random() < 0.7]
    given = [p for p in places if draw.random() < 0.7]
    draw.shuffle(given)
    cut = sorted(draw.sample(range(len(given) + 1), 3))
    blocks = [given[: cut[0]], given[cut[0] : cut[1]], given[cut[1] : cut[2]], given[cut[2] :]]
    report = Report()
    splicer = SheetSplicer(
        "S",
        Told(),
        iter(
            (
                array("I", [r for r, _ in block]),
                array("H", [c for _, c in block]),
                [r * 100.0 + c for r, c in block],
            )
            for block in blocks
        ),
        {}, {}, {}, report,
    )  # fmt: skip
    out = b""
    for row in range(1, 9):
        mine = [f"{chr(64 + c)}{r}" for r, c in held if r == row]
        out += splicer.rows(split(b'<row r="%d">%b</row>' % (row, cells(mine))))
    found = re.findall(rb'<c r="([A-C])([0-9])"><f>1</f><v>([-0-9]+)</v></c>', out)
    assert len(found) == len(held)
    for letter, row, value in found:
        place = (int(row), ord(letter) - 64)
        expected = place[0] * 100 + place[1] if place in given else -1
        assert int(value) == expected
    assert report.unevaluated_count == len(set(held) - set(given))


def test_what_was_not_computed_keeps_its_old_value() -> None:
    report = Report()
    splicer = SheetSplicer("S", Told(), iter(()), {}, {}, {}, report)
    parts = split(b'<row r="1">' + cells(["A1"]) + b"</row>")
    assert b"<v>-1</v>" in splicer.rows(parts)
    assert "no value was computed" in report.unevaluated[0].reason


def test_values_of_each_kind_keep_their_place() -> None:
    kinds = [1.0, "x", True, CellError("#N/A"), CalculatorError("why"), None]
    names = [f"A{i}" for i in range(1, 7)]
    block = (array("I", range(1, 7)), array("H", [1] * 6), kinds)
    splicer = SheetSplicer("S", Told(), iter([block]), {}, {}, {}, Report())
    out = splicer.rows(split(b"<row>" + cells(names) + b"</row>"))
    assert re.findall(rb'r="A(\d)"([^>]*)><f>1</f><v>([^<]*)', out) == [
        (b"1", b"", b"1"),
        (b"2", b' t="str"', b"x"),
        (b"3", b' t="b"', b"1"),
        (b"4", b' t="e"', b"#N/A"),
        (b"5", b"", b"-1"),
        (b"6", b"", b"0"),
    ]
