"""Texts as numbers: the page's script reads each as recalculation does."""

from __future__ import annotations

import json
import random

from workbooks.excel.runtime.coerce import Calendar, Refusal
from workbooks.page.bundle import script
from workbooks.page.script import Script

#: What numbers, days and times are written with, and what spoils them.
_PARTS = (
    "1", "12", "31", "60", "2024", "1900", "29", "30", "0", "007", "1,234", "12,34", ".5", "1.",
    "e3", "E-2", "$", "%", "-", "+", "(", ")", " ", "/", ":", ",", "Feb", "february", "MAR ",
    "sept", "AM", " pm", " A", "T", "\t", "\u00a0", "\u0663", "x",
)  # fmt: skip
_WHOLE = (
    "$1,200.50", "(3)", "($3.50)", "-(3)", "$-5", "-$5", "1e999", "5%%", " 12 ", "1 1/2", "1 1/0",
    "2024-02-29", "2023-02-29", "1900-01-01", "1900-02-28", "1900-02-29", "1900-03-01",
    "1899-12-31", "9999-12-31", "1/2/2024", "13/1/2024", "1/2/29", "1/2/30", "22-MAY-2011",
    "January 5, 2011", "5 January 2011", "May 2011", "12:30", "24:00", "9999:59", "12:60",
    "0:00:30.5", "1:30 PM",
    "13:00 PM", "12:00 AM", "8/22/2011 12:00", " 8/22/2011", "8/22/2011  6:00 pm", "",
)  # fmt: skip


def test_a_text_reads_as_the_same_number():
    chance = random.Random(20261)
    texts = [*_WHOLE, *_PARTS]
    texts += ["".join(chance.choices(_PARTS, k=chance.randint(2, 6))) for _ in range(20_000)]
    page = Script(script(("texts.js",), {}))
    found = json.loads(page.run(f"JSON.stringify({json.dumps(texts)}.map(module_texts.read))"))
    wanted = [_number(text) for text in texts]
    assert [t for t, a, b in zip(texts, found, wanted, strict=True) if a != b] == []
    assert sum(value is not None for value in wanted) > 1000


def _number(text):
    try:
        return Calendar().read(text)
    except Refusal:
        return None
