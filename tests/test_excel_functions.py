"""The page of Excel's functions is what the catalogue says, and the catalogue what is there."""

from __future__ import annotations

from pathlib import Path

import excel_functions

from workbooks.excel.runtime.registry import ANSWERS
from workbooks.formula.functions import catalogue

ROOT = Path(__file__).parents[1]


def test_the_page_is_up_to_date():
    found = excel_functions.PAGE.read_text(encoding="utf-8")
    assert found == excel_functions.page(), "run: python scripts/excel_functions.py"


def test_what_the_catalogue_names_is_there():
    replaced = {row.name for row in catalogue().values() if row.handled == "runtime"}
    assert replaced - {n for n in replaced if n.startswith("TB.")} == set(ANSWERS)
    for row in catalogue().values():
        kind, _, module = row.handled.partition(" ")
        assert kind in ("native", "pass", "runtime", "refused")
        if kind == "pass":
            assert (ROOT / "workbooks" / "excel" / "passes" / f"{module}.py").exists(), row.name
        # Why a function is not taken as it is stands there for everyone to read.
        assert kind == "native" or row.why, row.name
