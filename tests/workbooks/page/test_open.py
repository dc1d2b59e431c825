"""`tokenbook open`: one page, opened once; told where no browser is."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from typer.testing import CliRunner

from workbooks.cli import app


@pytest.fixture
def model(tmp_path):
    workbook = Workbook()
    sheet = workbook.active
    for row, value in enumerate((2.0, "=A1*3"), start=1):
        sheet.cell(row, 1, value)
        workbook.defined_names[f"n{row}"] = DefinedName(f"n{row}", attr_text=f"Sheet!$A${row}")
    path = tmp_path / "model.xlsx"
    workbook.save(path)
    return path


@pytest.mark.parametrize("there", [True, False])
def test_a_page_is_opened_once_or_it_is_told_where_it_lies(model, monkeypatch, there):
    asked: list[str] = []

    def opened(address: str) -> bool:
        asked.append(address)
        return there

    monkeypatch.setattr(webbrowser, "open", opened)
    done = CliRunner().invoke(app, ["open", str(model)])
    assert done.exit_code == 0, done.output
    (address,) = asked
    page = Path(url2pathname(urlparse(address).path))
    assert page.suffix == ".html"
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    assert ("No browser could be opened" in done.output) is not there
    assert str(page) in done.output.replace("\n", "")


def test_nothing_is_opened_and_no_folder_stays_where_a_file_cannot_be_shown(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("a browser was opened"))
    done = CliRunner().invoke(app, ["open", str(tmp_path / "missing.xlsx")])
    assert done.exit_code != 0
    assert list((tmp_path / "temporary").iterdir()) == []
