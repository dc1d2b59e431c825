"""Which cells are told as not reproduced, over the ways in which a cell may hang on another."""

from __future__ import annotations

import re

import pytest

from workbooks.recalc import recalculate

# A cell as `A1 12` or `A1 =A2*2 24`; what is saved of a formula follows it. `t`, `b` and `e` before
# a value say that it is a text, a truth value or an error; nothing, that the file holds none.
_CELL = re.compile(r"([A-Z]+)([0-9]+) (?:=(\S+) ?)?(?:([tbe]):)?(\S*)")
KINDS = {"t": "str", "b": "b", "e": "e"}


def cell(text: str) -> tuple[int, str]:
    found = _CELL.fullmatch(text)
    assert found, text
    letters, row, formula, kind, value = found.groups()
    held = f"<v>{value}</v>" if value else ""
    inner = "" if formula is None else f"<f>{formula.replace('<', '&lt;')}</f>"
    sort = f' t="{KINDS[kind]}"' if kind else ""
    return int(row), f'<c r="{letters}{row}"{sort}>{inner}{held}</c>'


def rows(*cells: str) -> str:
    by_row: dict[int, list[str]] = {}
    for row, xml in map(cell, cells):
        by_row.setdefault(row, []).append(xml)
    return "".join(f'<row r="{r}">{"".join(by_row[r])}</row>' for r in sorted(by_row))


def told(report) -> dict[str, str]:
    return {one.address.partition("!")[2]: one.reason for one in report.unreproduced}


# The cells of a sheet, and those that are told; A1 is 2.
STANDING = [
    # What is the same, in every kind.
    (("B1 =A1 2",), ""),
    (('B1 ="x" t:x',), ""),
    (("B1 =A1=2 b:1",), ""),
    (("B1 =1/0 e:#DIV/0!",), ""),
    (("B1 =A9 0",), ""),
    # What is not.
    (("B1 =A1 3",), "B1"),
    (('B1 ="x" t:y',), "B1"),
    (("B1 =A1=2 b:0",), "B1"),
    (("B1 =A1=3 b:1",), "B1"),
    (("B1 =1/0 e:#N/A",), "B1"),
    (("B1 =1/0 7",), "B1"),
    (("B1 =A1 e:#DIV/0!",), "B1"),
    (("B1 =A1=2 1",), "B1"),
    (("B1 =A1-1 b:1",), "B1"),
    (('B1 ="2" 2',), "B1"),
    (("B1 =A1 t:2",), "B1"),
    # What the file holds no value of cannot differ.
    (("B1 =A1",), ""),
    # As close as another order of adding brings it, or not.
    (("B1 =A1 2.000000000001",), ""),
    (("B1 =A1 2.000000000003",), "B1"),
    (("B1 =-A1 -2.000000000001",), ""),
    (("B1 =-A1 -2.000000000003",), "B1"),
    (("B1 =A1-2 1E-300",), "B1"),
    # What hangs on a cell that differs is not to be relied on either.
    (("B1 =A1 3", "B2 =B1 3"), "B1 B2"),
    (("B1 =A1 3", "B2 =B1 3", "B3 =B2+1 4"), "B1 B2 B3"),
    (("B1 =A1 3", "B2 =SUM(A1:B1) 5"), "B1 B2"),
    (("B1 =A1 3", "B2 =SUM(A1:C1) 5"), "B1 B2"),
    (("B1 =A1 3", "B9 =SUM(B1:B8) 3"), "B1 B9"),
    (("B1 =A1 3", "B2 =s!B1 3"), "B1 B2"),
    (("B1 =A1 3", "B2 =Named 3"), "B1 B2"),
    (("B1 =A1 3", "B2 =Nested 4"), "B1 B2"),
    (("B1 =A1 3", "B2 =IF(FALSE,B1,1) 1"), "B1"),
    # What moves by itself is a change, and what hangs on that alone.
    (("B1 =RAND() 3",), ""),
    (("B1 =RAND() 3", "B2 =B1*2 6"), ""),
    (("B1 =NOW() 3", "B2 =A1 3", "B3 =B1+B2 6"), "B2 B3"),
    (("B1 =RAND() 3", "B2 =INDIRECT(\"B1\") 3"), ""),
    (("B1 =A1 3", "B2 =INDIRECT(\"B1\") 3"), "B1 B2"),
    (("B1 =RAND() 3", "B2 =OFFSET(A1,0,1) 3"), ""),
    (("B1 =Chance 3", "B2 =B1*2 6"), ""),
    # ... wherever in a range it stands.
    *(((f"{moving} =RAND() 3", "E9 =SUM(B2:D4) 3"), wanted) for moving, wanted in (
        ("B2", ""), ("D2", ""), ("B4", ""), ("D4", ""), ("C3", ""),
        ("B1", "E9"), ("A2", "E9"), ("E2", "E9"), ("B5", "E9"))),
    *(((f"{moving} =RAND() 3", "E9 =SUM(B2:C2) 3"), wanted) for moving, wanted in (
        ("B2", ""), ("C2", ""), ("D2", "E9"), ("A2", "E9"), ("B1", "E9"), ("B3", "E9"))),
]  # fmt: skip
NAMES = (
    '<definedNames><definedName name="Named">S!$B$1</definedName>'
    '<definedName name="Nested">Named+1</definedName>'
    '<definedName name="Chance">RAND()*2</definedName></definedNames>'
)


@pytest.mark.parametrize(("cells", "wanted"), STANDING)
def test_what_is_told_of_a_file_as_it_stands(as_excel, cells, wanted) -> None:
    report = recalculate(as_excel(rows("A1 2", *cells), names=NAMES))
    assert not report.baseline
    assert " ".join(sorted(told(report))) == wanted
    # What hangs on a cell that moves is written.
    kept = [reason.endswith("Excel's value stays") for reason in told(report).values()]
    assert all(kept) or "NOW" in cells[0]
    # What moves is a change, and all else keeps its bytes.
    moves = any(word in text for text in cells for word in ("RAND", "NOW", "Chance"))
    assert bool(report.changed_count) is (moves or "B1 =A1" in cells)


# What is written where A1 is set to 4: of a cell that differs, Excel's value stays unless it hangs
# on the change.
CHANGED = [
    (("B1 =A1 3",), "B1 4"),
    (("B1 =A2 3",), "B1 3"),
    (("B1 =A2 3", "B2 =B1+A1 5"), "B1 3 B2 4"),
    (("B1 =A2 3", "B2 =B1*2 6"), "B1 3 B2 6"),
    (("B1 =SUM(A1:A2) 3", "B2 =A2 1"), "B1 4 B2 1"),
    (("B1 =A1 2.000000000001",), "B1 4"),
    (("B1 =A2+1 1.000000000001",), "B1 1.000000000001"),
]


@pytest.mark.parametrize(("cells", "wanted"), CHANGED)
def test_what_is_written_after_a_change(as_excel, values, cells, wanted) -> None:
    path = as_excel(rows("A1 2", *cells))
    recalculate(path, set_values=[("S!A1", 4.0)])
    found = values(path)
    asked = wanted.split()
    assert {place: found[place] for place in asked[::2]} == dict(
        zip(asked[::2], map(float, asked[1::2]), strict=True)
    )


def test_a_circle_of_differences_is_told_whole(as_excel) -> None:
    iterated = '<calcPr calcId="191029" iterate="1" iterateCount="3"/>'
    path = as_excel(rows("A1 2", "B1 =B2+A1 50", "B2 =B1*0.5 30"), calc=iterated)
    assert set(told(recalculate(path))) == {"B1", "B2"}


def test_formulas_that_cells_share(as_excel) -> None:
    path = as_excel(
        '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f t="shared" ref="B1:B3" si="0">A1+1</f>'
        '<v>3</v></c></row><row r="2"><c r="A2"><v>5</v></c><c r="B2"><f t="shared" si="0"/>'
        '<v>7</v></c><c r="C2"><f>B2*2</f><v>14</v></c></row><row r="3"><c r="A3"><v>8</v></c>'
        '<c r="B3"><f t="shared" si="0"/><v>9</v></c><c r="C3"><f>B3*2</f><v>18</v></c></row>'
    )
    report = recalculate(path, set_values=[("S!A2", 6.0)])
    assert set(told(report)) == {"B2", "C2"}
    assert "7 is written" in told(report)["B2"]


@pytest.mark.parametrize(
    ("calc", "trusted"),
    [
        ('<calcPr calcId="191029" fullCalcOnLoad="true"/>', False),
        ('<calcPr calcId="191029" fullCalcOnLoad="0"/>', True),
        ('<calcPr calcId="191029" calcMode="auto"/>', True),
        ("", True),
    ],
)
def test_which_settings_are_those_of_values_that_hold(as_excel, calc, trusted) -> None:
    report = recalculate(as_excel(rows("A1 2", "B1 =A1 3"), calc=calc))
    assert (not report.baseline) is trusted
    assert bool(report.unreproduced) is trusted


def test_an_array_stays_whole_and_is_told_by_its_first_cell(as_excel, values) -> None:
    path = as_excel(
        '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f t="array" ref="B1:C2">A1:A2*{1,2}</f>'
        '<v>9</v></c><c r="C1"><v>2</v></c></row><row r="2"><c r="A2"><v>2</v></c><c r="B2">'
        '<v>2</v></c><c r="C2"><v>8</v></c><c r="D2"><f>C2+1</f><v>9</v></c></row>'
    )
    report = recalculate(path)
    assert set(told(report)) == {"B1", "D2"}
    assert (values(path)["C2"], values(path)["D2"]) == (8, 9)
    again = recalculate(path, set_values=[("S!A2", 3.0)], baseline=False)
    assert not again.unreproduced
    assert values(path)["C2"] == 6
