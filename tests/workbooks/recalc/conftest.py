"""Workbooks written part by part, as programs other than openpyxl write them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"

#: The part in which Excel says that it saved a file, and what points to it.
APP = (
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    "<Application>{}</Application><AppVersion>{}</AppVersion></Properties>"
)
LINK = (
    '<Relationship Id="rIdApp" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/extended-properties" Target="docProps/app.xml"/></Relationships>'
)

Write = Callable[..., Path]
Values = Callable[..., dict[str, object]]


def parts_of(
    sheets: Mapping[str, str],
    *,
    calc: str = '<calcPr calcId="191029"/>',
    names: str = "",
    properties: str = "",
    main_type: str = MAIN_TYPE,
    relations: str = "",
    types: str = "",
) -> dict[str, str]:
    """Return the parts of a workbook; a sheet is given by its rows, or as a whole part."""
    count = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="bin" ContentType="application/octet-stream"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{main_type}"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{SHEET_TYPE}"/>'
            for i in count
        )
        + f"{types}</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}<sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"/>'
            for i, name in enumerate(sheets, 1)
        )
        + f"</sheets>{names}{calc}</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet" '
            f'Target="worksheets/sheet{i}.xml"/>'
            for i in count
        )
        + f"{relations}</Relationships>",
    }
    for i, rows in enumerate(sheets.values(), 1):
        whole = "<" in rows and "worksheet" in rows
        parts[f"xl/worksheets/sheet{i}.xml"] = (
            rows
            if whole
            else f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return parts


@pytest.fixture(scope="session")
def make_parts() -> Callable[..., dict[str, str]]:
    """Return the parts of a workbook by the rows of its sheets."""
    return parts_of


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a workbook from the rows of its sheets and return its path."""

    def write_parts(
        sheets: Mapping[str, str] | str,
        *,
        name: str = "book.xlsx",
        extra: Mapping[str, str | bytes] | None = None,
        **options: str,
    ) -> Path:
        path = tmp_path / name
        given = {"S": sheets} if isinstance(sheets, str) else sheets
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, content in {**parts_of(given, **options), **(extra or {})}.items():
                archive.writestr(part, content)
        return path

    return write_parts


@pytest.fixture
def as_excel(write: Write) -> Write:
    """Write a workbook as Excel saves one."""

    def make(
        rows: Mapping[str, str] | str,
        application: str = "Microsoft Excel",
        version: str = "16.0300",
        **more: str,
    ) -> Path:
        path = write(rows, **more)
        with zipfile.ZipFile(path) as source:
            parts = {name: source.read(name) for name in source.namelist()}
        parts["_rels/.rels"] = parts["_rels/.rels"].replace(b"</Relationships>", LINK.encode())
        parts["docProps/app.xml"] = APP.format(application, version).encode()
        with zipfile.ZipFile(path, "w") as target:
            for name, data in parts.items():
                target.writestr(name, data)
        return path

    return make


@pytest.fixture
def values() -> Values:
    """Read the values of a sheet as openpyxl finds them."""

    def read(path: Path, sheet: str = "S") -> dict[str, object]:
        book = openpyxl.load_workbook(path, data_only=True)
        return {
            cell.coordinate: cell.value
            for row in book[sheet].iter_rows()
            for cell in row
            if cell.value is not None
        }

    return read
