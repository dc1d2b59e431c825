"""Columns read side by side hold what a reading cell by cell finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbooks.ooxml.constants import numbers
from workbooks.ooxml.scan import CELL

LETTERS = ("A", "B", "C", "D")
#: Cells as files hold them; all but the first seven are no plain number to the reader of columns.
CELLS = (
    '<c r="{}"><v>{n}</v></c>',
    '<c r="{}" t="n"><v>{n}</v></c>',
    '<c r="{}" s="12"><v>{n}</v></c>',
    '<c r="{}" s="3" t="n"><v>{n}</v></c>',
    '<c r="{}"><v>-{n}E-3</v></c>',
    '<c r="{}"><v>+.5e{n}</v></c>',
    '<c r="{}"><v>1e999</v></c>',
    '<c r="{}" t="n" s="3"><v>{n}</v></c>',
    '<c r="{}" s="3" cm="1"><v>{n}</v></c>',
    '<c r="{}" t="s"><v>{n}</v></c>',
    '<c r="{}" t="b"><v>1</v></c>',
    '<c r="{}" t="e"><v>#N/A</v></c>',
    '<c r="{}" t="str"><v>{n}</v></c>',
    '<c r="{}" t="inlineStr"><is><t>{n}</t></is></c>',
    '<c r="{}"><v> {n}</v></c>',
    '<c r="{}"> <v>{n}</v></c>',
    '<c r="{}"><v xml:space="preserve">{n}</v></c>',
    '<c r="{}"><v>{n}</v><extLst/></c>',
    '<c r="{}"><v>{n}_0</v></c>',
    '<c r="{}"><v>inf</v></c>',
    '<c r="{}"><v></v></c>',
    '<c r="{}"><v/></c>',
    '<c r="{}" s="1"/>',
    '<c r="{}"/>',
    '<c r="{}"><f>B1*2</f><v>{n}</v></c>',
    '<c r="{}"><f t="shared" si="0"/><v>{n}</v></c>',
    '<c r="{}"></c>',
    '<c r="A{}"><v>{n}</v></c>',
    "",
)
#: What the pattern takes for a number, and is none.
BROKEN = ('<c r="{}"><v>1e</v></c>', '<c r="{}"><v>1-2</v></c>', '<c r="{}"><v>.</v></c>')
PLAIN = re.compile(rb"<v>([-+0-9.eE]+)</v>")
ATTRIBUTES = {b"", b' t="n"'}


def cell_by_cell(rows: bytes, letters: str) -> tuple[list[bytes], list[float]]:
    """Return the plain numbers of one column by looking at every cell by itself."""
    found = []
    for column, row, attributes, content in CELL.findall(rows):
        plain = PLAIN.fullmatch(content)
        styled = re.sub(rb'^ s="[0-9]+"', b"", attributes)
        if column.decode() == letters and styled in ATTRIBUTES and plain:
            found.append((row, plain[1]))
    try:
        return [row for row, _ in found], [float(text) for _, text in found]
    except ValueError:
        return [], []


@st.composite
def a_sheet(draw: st.DrawFn, kinds: tuple[str, ...] = CELLS) -> bytes:
    """Return some rows, most of whose cells are numbers."""
    kind = st.one_of(st.sampled_from(kinds[:4]), st.sampled_from(kinds))
    between = st.sampled_from(["", "", "", "\n  ", "<!-- -->"])
    rows = ""
    for row in range(1, draw(st.integers(1, 12)) + 1):
        rows += f'<row r="{row}">'
        for letters in LETTERS:
            # A cell that says of itself that it stands in another row.
            place = f"{letters}{row + draw(st.sampled_from([0] * 15 + [1]))}"
            number = draw(st.sampled_from(["0", "0.5", "7", "12345.678", "1E5", str(row)]))
            rows += draw(kind).format(place, n=number) + draw(between)
        rows += "</row>"
    return rows.encode()


@pytest.mark.parametrize("columns", [("A",), ("C",), ("A", "B"), ("B", "C", "D"), LETTERS])
@settings(max_examples=60, deadline=None)
@given(rows=a_sheet())
def test_columns_read_together_are_those_read_cell_by_cell(
    columns: tuple[str, ...], rows: bytes
) -> None:
    for letters, (places, values) in zip(columns, numbers(rows, columns), strict=True):
        expected = cell_by_cell(rows, letters)
        assert len(places) == len(values)
        assert sorted(zip(places, values, strict=True)) == sorted(zip(*expected, strict=True))
        if len(columns) == 1:
            assert (places, values) == expected


@settings(max_examples=100, deadline=None)
@given(rows=a_sheet(CELLS + BROKEN))
@example(rows=b'<row r="1"><c r="A1"><v>1e</v></c><c r="B1"><v>2</v></c></row>')
def test_a_column_with_a_number_that_is_none_is_not_read(rows: bytes) -> None:
    together = numbers(rows, LETTERS)
    for letters, found in zip(LETTERS, together, strict=True):
        expected = cell_by_cell(rows, letters)
        assert sorted(zip(*found, strict=True)) == sorted(zip(*expected, strict=True))


def test_each_cell_form_is_tried_in_a_row_of_its_own() -> None:
    for form in CELLS + BROKEN:
        rows = "".join(
            f'<row r="{r}"><c r="A{r}"><v>{r}</v></c>'
            + (form.format(f"B{r}", n=r) if r == 3 else f'<c r="B{r}"><v>{r}.5</v></c>')
            + f'<c r="C{r}" t="n"><v>7</v></c></row>'
            for r in range(1, 6)
        ).encode()
        for letters, found in zip("ABC", numbers(rows, "ABC"), strict=True):
            assert sorted(zip(*found, strict=True)) == sorted(
                zip(*cell_by_cell(rows, letters), strict=True)
            ), form


@pytest.mark.parametrize("distinct", [1, 2, 49, 50, 51, 100])
def test_few_and_many_different_numbers_are_read_alike(distinct: int) -> None:
    texts = [f"{(-1) ** r * (r % distinct) / 7!r}" for r in range(100)]
    rows = "".join(f'<c r="A{r}"><v>{text}</v></c>' for r, text in enumerate(texts)).encode()
    ((places, values),) = numbers(rows, ["A"])
    assert places == [b"%d" % r for r in range(100)]
    assert list(map(repr, values)) == [repr(float(text)) for text in texts]
