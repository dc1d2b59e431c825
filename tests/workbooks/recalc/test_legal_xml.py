"""Legal ways to write a workbook that no common program uses: read as what they are."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from workbooks.recalc import recalculate

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"
ONE = '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*2</f></c></row>'


def whole(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


@pytest.mark.parametrize(
    "rows",
    [
        ONE.replace("</c>", "</c\n>"),
        ONE.replace("</f>", "</f\t>").replace("</v>", "</v >").replace("</row>", "</row\n>"),
        ONE.replace('r="A1"', 'r = "A1"').replace('r="B1"', 'r= "B1"'),
        ONE.replace('"', "'"),
        ONE.replace("<c ", "<c\n"),
        ONE.replace('<c r="A1">', "<c>"),
        ONE.replace("<v>2</v>", "<v>&#50;</v>"),
        ONE.replace("<v>2</v>", "<v>&#x32;</v>"),
        ONE.replace("A1*2", "&#65;1*2"),
        ONE.replace("A1*2", "A1\r\n*\r\n2"),
        ONE.replace("A1*2", "<![CDATA[A1*2]]>"),
        ONE.replace("<c", "<!-- here --><c"),
        ONE.replace('<row r="1">', "<row r ='1'>"),
        "<row></row>".join(["", ONE.replace('r="1"', 'r="2"').replace("A1", "A2")]).replace(
            '"B1"', '"B2"'
        ),
    ],
)
def test_other_forms_of_a_cell(write, values, rows: str) -> None:
    path = write(whole(rows))
    report = recalculate(path)
    assert not report.unevaluated
    assert set(values(path).values()) == {2, 4}
    (name,) = (s for s, v in values(path).items() if v == 2)
    recalculate(path, set_values=[(f"S!{name}", 5)])
    assert set(values(path).values()) == {5, 10}


@pytest.mark.parametrize("form", ['ref = "A1:A3" t="array"', "t='array' ref='A1:A3'"])
@pytest.mark.parametrize("child", ["<c>", '<c r="A{}">', '<c s="0" r="A{}">'])
def test_cells_beneath_an_array(write, values, form: str, child: str) -> None:
    rows = f'<row r="1"><c r="A1"><f {form}>{{1;2;3}}*2</f><v>9</v></c></row>'
    for row in (2, 3):
        rows += f'<row r="{row}">{child.format(row)}<v>9</v></c><c r="B{row}"><f>A{row}+1</f></c>'
        rows += "</row>"
    path = write(whole(rows))
    recalculate(path)
    assert values(path) == {"A1": 2, "A2": 4, "B2": 5, "A3": 6, "B3": 7}


@pytest.mark.parametrize(
    "formula", ["<f t='shared' ref='B1:B2' si='0'>", '<f t = "shared" ref="B1:B2" si ="0">']
)
def test_shared_formulas(write, values, formula: str) -> None:
    second = formula.split(">", maxsplit=1)[0].replace("ref='B1:B2'", "").replace('ref="B1:B2"', "")
    path = write(
        whole(
            f'<row r="1"><c r="A1"><v>2</v></c><c r="B1">{formula}A1*2</f></c></row>'
            f'<row r="2"><c r="A2"><v>3</v></c><c r="B2">{second}/></c></row>'
        )
    )
    recalculate(path)
    assert values(path) == {"A1": 2, "B1": 4, "A2": 3, "B2": 6}


def strings(encoding: str, prefix: str = "") -> bytes:
    p, name = (f"{prefix}:", f":{prefix}") if prefix else ("", "")
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><{p}sst xmlns{name}="{MAIN}">'
        f"<{p}si><{p}t>naïve</{p}t></{p}si><{p}si><{p}t>b</{p}t></{p}si></{p}sst>"
    )
    return text.encode(encoding)


@pytest.mark.parametrize("prefix", ["", "x"])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
@pytest.mark.parametrize("index", ["0", "&#48;"])
def test_texts_that_cells_share(write, values, encoding: str, prefix: str, index: str) -> None:
    path = write(
        f'<row r="1"><c r="A1" t="s"><v>{index}</v></c><c r="B1"><f>A1&amp;"!"</f></c></row>',
        extra={"xl/sharedStrings.xml": strings(encoding, prefix)},
        relations='<Relationship Id="rIdS" Type="http://schemas.openxmlformats.org/officeDocument/'
        '2006/relationships/sharedStrings" Target="sharedStrings.xml"/>',
        types='<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxml'
        'formats-officedocument.spreadsheetml.sharedStrings+xml"/>',
    )
    recalculate(path)
    assert values(path) == {"A1": "naïve", "B1": "naïve!"}


@pytest.mark.parametrize("part", ["xl/workbook.xml", SHEET, "_rels/.rels", "[Content_Types].xml"])
def test_parts_in_utf16(write, values, make_parts, part: str) -> None:
    text = make_parts({"S": ONE})[part]
    path = write(
        ONE, extra={part: ('<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16")}
    )
    recalculate(path)
    assert values(path) == {"A1": 2, "B1": 4}


def test_names_of_parts_in_another_case(write, tmp_path: Path) -> None:
    path = write(
        ONE, extra={"xl/calcChain.xml": '<calcChain><c r="B1" i="1"/></calcChain>'},
        relations='<Relationship Id="rIdC" Type="http://schemas.openxmlformats.org/officeDocument/'
        '2006/relationships/calcChain" Target="CALCCHAIN.xml"/>',
    )  # fmt: skip
    odd = tmp_path / "odd.xlsx"
    renamed = {
        "xl/workbook.xml": "XL/Workbook.xml",
        SHEET: "xl/Worksheets/SHEET1.XML",
        "xl/_rels/workbook.xml.rels": "xl/_RELS/workbook.xml.Rels",
    }
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(odd, "w") as new:
        for name in old.namelist():
            new.writestr(renamed.get(name, name), old.read(name))
    recalculate(odd, set_values=[("S!B1", 3)], force=True)
    with zipfile.ZipFile(odd) as archive:
        assert b'<c r="B1"><v>3</v></c>' in archive.read("xl/Worksheets/SHEET1.XML")
        # The formula is gone, and with it the order of formulas.
        assert "xl/calcChain.xml" not in archive.namelist()
        assert b"CALCCHAIN" not in archive.read("xl/_RELS/workbook.xml.Rels")
        assert archive.testzip() is None


@pytest.mark.parametrize("prefix", ["x", "main"])
def test_a_prefix_is_kept(write, values, prefix: str) -> None:
    sheet = (
        f'<{prefix}:worksheet xmlns:{prefix}="{MAIN}" xmlns:r="urn:r" r:id="7">'
        f'<{prefix}:sheetData><{prefix}:row r="1"><{prefix}:c r="A1"><{prefix}:v>2</{prefix}:v>'
        f'</{prefix}:c><{prefix}:c r="B1"><{prefix}:f>A1*2</{prefix}:f></{prefix}:c>'
        f"</{prefix}:row></{prefix}:sheetData></{prefix}:worksheet>"
    )
    path = write(sheet)
    recalculate(path)
    assert values(path) == {"A1": 2, "B1": 4}
    with zipfile.ZipFile(path) as archive:
        new = archive.read(SHEET).decode()
    assert new.split("?>\n")[1] == sheet.replace(
        f"<{prefix}:f>A1*2</{prefix}:f>",
        f"<{prefix}:f>A1*2</{prefix}:f><{prefix}:v>4</{prefix}:v>",
    )
