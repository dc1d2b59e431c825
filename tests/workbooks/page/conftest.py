"""Pages of templates, exported once for all tests."""

from __future__ import annotations

import csv
import re
import shutil
import sys
from functools import cache
from pathlib import Path

import openpyxl
import pytest

# Tests are no packages: what they share is found by its place.
sys.path.insert(0, str(Path(__file__).parent))

from driven import browser

from workbooks.build import drafted
from workbooks.page.export import Exported, export

TABLES = Path(__file__).parents[2] / "data" / "functions"


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Return what exports a template, once."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def once(name: str) -> Exported:
        with drafted(name) as draft:
            return export(draft, folder / f"{name}.html", name=name)

    return once


@pytest.fixture(scope="session")
def browser_page(tmp_path_factory):
    """Return a page of Chromium with the network off."""
    if not shutil.which("chromium"):
        pytest.skip("Chromium is not installed")
    profile: Path = tmp_path_factory.mktemp("profile")
    with browser(profile) as page:
        page("Network.emulateNetworkConditions", offline=True, latency=0,
             downloadThroughput=-1, uploadThroughput=-1)  # fmt: skip
        yield page


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Return the tables of published values as a workbook, a sheet each."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for table in sorted(TABLES.glob("*.csv")):
        sheet = book.create_sheet(table.stem)
        with table.open(encoding="utf-8", newline="") as file:
            for number, (formula, value, _) in enumerate(list(csv.reader(file))[1:], start=2):
                if re.fullmatch(r"[A-Z]{1,2}[0-9]+", formula):
                    sheet[formula] = _meant(value)
                else:
                    sheet.cell(number, 60, f"={formula}")
    path = tmp_path_factory.mktemp("published") / "tables.xlsx"
    book.save(path)
    return path


def _meant(text: str) -> object:
    if text in ("TRUE", "FALSE"):
        return text == "TRUE"
    try:
        return float(text)
    except ValueError:
        return text.removeprefix("'")
