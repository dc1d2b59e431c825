"""Texts with characters that XML cannot hold, and character sets of two systems."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import openpyxl
import pytest

from workbooks.ooxml.xml import cell_text, held_text
from workbooks.recalc import recalculate


def written(path: Path, *, mac: bool = False) -> Path:
    """Write a workbook of a few texts, saved by Excel on one system or the other."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = '="a"&CHAR(13)&CHAR(10)&CHAR(1)&"_x0041_"'
    sheet["A2"] = "=LEN(A1)"
    sheet["A3"] = "=CHAR(128)"
    sheet["A4"] = "=CODE(A3)"
    book.save(path)
    if mac:
        other = path.with_name("other.xlsx")
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                data = old.read(name)
                if name == "docProps/app.xml":
                    data = data.replace(b"Microsoft Excel", b"Microsoft Macintosh Excel")
                new.writestr(name, data)
        shutil.move(other, path)
    return path


@pytest.mark.parametrize(("mac", "character"), [(False, "€"), (True, "Ä")])
def test_texts_come_back_as_they_were_computed(tmp_path: Path, mac: bool, character: str) -> None:
    path = written(tmp_path / "a.xlsx", mac=mac)
    recalculate(path)
    with zipfile.ZipFile(path) as package:
        part = package.read("xl/worksheets/sheet1.xml")
    assert b"<v>a_x000D_\n_x0001__x005F_x0041_</v>" in part
    values = openpyxl.load_workbook(path, data_only=True).active
    assert [values[f"A{row}"].value for row in (2, 3, 4)] == [11, character, 128]
    # What is read back is what was there.
    assert recalculate(path, baseline=False).changed_count == 0


@pytest.mark.parametrize("text", ["a\r\nb", "\x01\x1f", "_x000D_", "__x0041_", "x_x00", "\ufffe"])
def test_the_text_of_a_cell_is_read_as_it_was_written(text: str) -> None:
    assert cell_text(held_text(text)) == text
