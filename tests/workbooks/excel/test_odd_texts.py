"""The texts that the calculator reads otherwise than Excel, as the calculator itself has it."""

from __future__ import annotations

import formualizer as fz
import pytest

from tests.workbooks.excel.runtime.test_coerce import DAYS, NUMBERS
from workbooks.excel.odd_texts import is_odd, may_be_read
from workbooks.excel.runtime.coerce import Calendar, Refusal

MORE = [
    "5 %", "%5", "25:00", "1 PM", "1pm", "5p", "Jan-24", "1/2", "2024/1/2", "1.2.2024", "2-jan",
    "2-jan-24", "2024-01-02T10:00", "20240102", "Sunday, January 2, 2024", "13/2/2024", "1/0/1900",
    "2/29/1900", "1/1/1900", "1899-12-31", "1/1/10000", "-($5)", "$5%", "1e5%", "1E+05", "1.2.3",
    "12:30:60", "-1:00", "1:00AM", "0:00 AM", "9999:59:59", "1 10/3", "5$", "$(5)", "- $5", "1'000",
    "&H10", "inf", "nan", "1_000", "0x10", "1d3", "\u00a05", "5\u00a0", "5\n", "\u20035", "2023/24",
    "1,234,567,890.5", " 12:00 ", "\t12:00", " 2024-01-02", "Dec 2023", "dec-2023", "31-Dec-2023",
]  # fmt: skip


def read_by_the_calculator(texts: list[str], *, date1904: bool) -> list[float | None]:
    evaluation = fz.EvaluationConfig()
    evaluation.date_system = "1904" if date1904 else "1900"
    config = fz.WorkbookConfig(mode=fz.WorkbookMode.Interactive, eval_config=evaluation)
    workbook = fz.Workbook(config=config)
    workbook.set_temporal_egress("serial")
    workbook.add_sheet("S")
    found = []
    for row, text in enumerate(texts, 1):
        workbook.set_value("S", row, 1, text)
        workbook.set_formula("S", row, 2, f"=A{row}+0")
        value = workbook.evaluate_cell("S", row, 2)
        found.append(None if isinstance(value, dict) else value)
    return found


def read_as_excel_does(text: str, calendar: Calendar) -> float | None:
    try:
        return calendar.read(text)
    except Refusal:
        return None


@pytest.mark.parametrize("date1904", [False, True])
def test_what_is_not_odd_both_read_alike(date1904: bool) -> None:
    texts = list(dict.fromkeys((*(text for text, _ in (*NUMBERS, *DAYS)), *MORE)))
    calendar = Calendar(date1904=date1904)
    theirs = read_by_the_calculator(texts, date1904=date1904)
    ours = [read_as_excel_does(text, calendar) for text in texts]
    differ = {
        text
        for text, one, other in zip(texts, ours, theirs, strict=True)
        if one != (other if None in (one, other) else pytest.approx(other, rel=1e-15, abs=1e-12))
    }
    assert len(differ) > 40
    assert not [text for text in differ if not is_odd(text)]
    read = {t for t, *both in zip(texts, ours, theirs, strict=True) if both != [None, None]}
    assert not [text for text in read if not may_be_read(text)]


def test_most_texts_of_a_model_are_not_odd() -> None:
    plain = [
        *("Revenue", "2024", "FY2024", "2023/24", "-", "", "n/a", "Dec 2023", "31-Dec-2023"),
        *("(a)", "1. Assumptions", "3 months", "Q1 2024", "10-K", "1H24", "May", "+/- 5", "50%"),
    ]
    assert not [text for text in plain if is_odd(text)]
