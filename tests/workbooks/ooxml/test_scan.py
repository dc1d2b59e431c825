"""A run of rows split into its formulas, none of which is missed unseen."""

from __future__ import annotations

import re
from array import array
from collections import deque
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbooks.errors import NotAWorkbookError
from workbooks.ooxml.scan import STEP, UnusualError, pieces, split

FOUND = '<c r="A1"><f>B1*2</f><v>1</v></c>'


@pytest.mark.parametrize(
    "hidden",
    [
        '<c r="C1"><v>1</v><f>B1</f></c>',
        '<c r="C1"><v>1</v><f t="shared" si="0"/></c>',
        '<c r="C1"><f>B1</f><v>1</v><f>B2</f></c>',
        '<c r="C1"><v>1</v><f/></c>',
        '<c r="c1"><f>B1</f></c>',
        '<c r="C1"><f>B1</f><is/><f\n>B2</f></c>',
    ],
)
@pytest.mark.parametrize("form", ["{}", FOUND + "{}", "{}" + FOUND])
def test_a_formula_in_another_form_is_noticed(hidden: str, form: str) -> None:
    parts = split(f'<row r="1">{form.format(hidden)}</row>'.encode())
    with pytest.raises(UnusualError):
        parts.check()


@pytest.mark.parametrize(
    "other",
    [
        "",
        '<c r="C1" t="inlineStr"><is><r><rPr><family val="2"/></rPr><t>x</t></r></is></c>',
        '<c r="C1"><f>B1</f><is><r><rPr><family val="2"/></rPr></r></is></c>',
        '<c r="C1" t="str"><f ca="1"/><v>&lt;f></v></c>',
    ],
)
def test_what_is_no_formula_is_not_taken_for_one(other: str) -> None:
    parts = split(f'<row r="1">{FOUND}{other}</row>'.encode())
    parts.check()
    assert len(parts) // STEP in (1, 2)


@pytest.mark.parametrize(
    ("names", "rows", "columns"),
    [
        ([], [], []),
        (["D1", "D2", "D7"], [1, 2, 7], [4, 4, 4]),
        (["A1", "XFD1", "B1048576"], [1, 1, 1048576], [1, 16384, 2]),
    ],
)
def test_places_are_those_that_the_cells_say(
    names: list[str], rows: list[int], columns: list[int]
) -> None:
    parts = split("".join(f'<c r="{name}"><f>1</f></c>' for name in names).encode())
    assert parts.places == (array("I", rows), array("H", columns))


@pytest.mark.parametrize("name", ["A0", "A1048577", "XFE1", "A" + "9" * 5000])
def test_places_outside_a_sheet_are_refused(name: str) -> None:
    with pytest.raises(NotAWorkbookError):
        _ = split(f'<c r="{name}"><f>1</f></c>'.encode()).places


ENDS = ["</c>", "</c >", "</c\n>", "</row\t>", "</v\r\n>", "</f x>", "</v\f>", "</ c>", "</x:c >"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*ENDS, '<c r="A1">', '<c r="A1"/>', "<v>", " ", "\n", "A1/B1 - 2", "/", "&lt;/ x", ">"]
        )
    )
)
def test_a_blank_within_the_end_of_an_element_is_noticed(pieces_: list[str]) -> None:
    rows = "".join(pieces_).encode()
    found = re.search(rb"</\w+\s", rows) is not None
    head = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    parts = pieces([head, rows, b"</row></sheetData>"])
    next(parts)
    with pytest.raises(UnusualError) if found else nullcontext():
        deque(parts, maxlen=0)


def test_no_pattern_repeats_a_group_possessively():
    """Python 3.11.0 to 3.11.4 find nothing by `(?:a|b)*+`; `(?>(?:a|b)*)` says the same."""
    root = Path(__file__).parents[3]
    packages = ("engine", "udfs", "workbooks")
    sources = [path for name in packages for path in (root / name).rglob("*.py")]
    assert len(sources) > 300
    repeated = re.compile(r"\)[*+]\+")
    assert [p.name for p in sources if repeated.search(p.read_text(encoding="utf-8"))] == []
