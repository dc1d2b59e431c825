"""Calls by Office.js: what Excel is told of the functions, and its JSON in and out."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import openpyxl
import pytest
from hosted import OMITTED
from inputs import INPUTS, plausible, same
from openpyxl.formatting.rule import FormulaRule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula

from engine.errors import InputError
from udfs import CellError, registry
from udfs.cells import scalar_of
from udfs.hosts.officejs import stored_names
from udfs.hosts.officejs.functions import ERROR_TYPES, JsonCells

every_function = pytest.mark.parametrize("function", registry.values(), ids=list(registry))


# --- what Excel is told --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def metadata(officejs):
    return officejs.ask(name="", cells=[], by="")


def test_one_line_is_all_that_a_project_needs(metadata):
    assert [function["name"] for function in metadata["functions"]] == sorted(registry)
    # Without these Excel would not pass errors, or would not call at all when one comes in.
    assert metadata["allowErrorForDataTypeAny"]


@every_function
def test_metadata_are_the_functions_own(metadata, function):
    told = next(f for f in metadata["functions"] if f["name"] == function.name)
    assert told["id"] == function.name
    assert told["description"] == function.summary
    assert told["result"] == {"dimensionality": "matrix", "type": "any"}
    assert told["parameters"] == [
        {
            "name": argument.name,
            "description": argument.text,
            "dimensionality": "matrix",
            "type": "any",
            **({"optional": True} if argument.optional else {}),
        }
        for argument in function.arguments
    ]


# --- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", INPUTS)
def test_every_kind_of_input_arrives(officejs, kind):
    price, breakeven, expected = INPUTS[kind]
    assert same(officejs.call("TOK_SUBSIDY", [price, breakeven]), expected)


@pytest.mark.parametrize("code", ERROR_TYPES)
def test_every_error_comes_out_as_it_went_in(officejs, code):
    assert officejs.call("TOK_SUBSIDY", [CellError(code), 1.0]) == CellError(code)


def test_before_runtime_1_4_an_error_can_only_be_text(officejs):
    assert officejs.call("TOK_SUBSIDY", [-1.0, 1.0], by="old runtime") == "#NUM!"


def test_an_error_is_known_by_its_type_where_it_has_no_text():
    assert JsonCells.read({"type": "Error", "errorType": "Div0"}) == CellError("#DIV/0!")
    assert JsonCells.read({"type": "Error", "errorType": "Python"}) == CellError("#VALUE!")


def test_an_optional_argument_left_out_or_blank_is_its_default(officejs):
    for cells in ([1e6, 1.0, 2.0, 365.0], [1e6, 1.0, 2.0, OMITTED], [1e6, 1.0, 2.0, None]):
        assert officejs.call("TOK_SUBSIDY_LOSS", cells) == 365.0
    given = officejs.call("TOK_COST_PER_MTOK", [2.0, 100.0, 1.0, 2.0])
    assert officejs.call("TOK_COST_PER_MTOK", [2.0, 100.0, OMITTED, 2.0]) == given


def test_texts_and_tables_go_out(officejs):
    assert officejs.call("TOK_VERDICT", [1.0, 2.0, 3.0]) == "below cost"
    table = officejs.call("TOK_MARKET_PATH", [1e9, 1.0, 1.0, -0.5, 1.0])
    assert same(table, registry["TOK_MARKET_PATH"](1e9, 1.0, 1.0, -0.5, 1.0))


@every_function
def test_every_function_answers_as_in_python(officejs, function):
    cells = plausible(function)
    assert same(officejs.call(function.name, cells), scalar_of(function(*cells)))


def test_functions_stay_callable_from_python_under_a_host():
    program = (
        "import xlwings\nfrom udfs import *\n"
        "print(TOK_SUBSIDY(1.0, 3.0), TOK_SUBSIDY(-1.0, 3.0), TOK_SUBSIDY.__xlfunc__['name'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "XLWINGS_ON_SERVER": "true", "XLWINGS_LICENSE_KEY": "noncommercial"},
    )
    assert done.stdout.split() == [b"2.0", b"#NUM!", b"TOK_SUBSIDY"]


# --- the names in a file -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "stored"),
    [
        ("TOK_SUBSIDY(A1,A2)", "_xldudf_TOK_SUBSIDY(A1,A2)"),
        ("=IF(A1>1,tok_subsidy(A1,1),0)", "=IF(A1>1,_xldudf_TOK_SUBSIDY(A1,1),0)"),
        ("_xldudf_TOK_SUBSIDY(A1,1)", "_xldudf_TOK_SUBSIDY(A1,1)"),
        ('TOK_VERDICT(1,2,3)&"TOK_VERDICT(1)"', '_xldudf_TOK_VERDICT(1,2,3)&"TOK_VERDICT(1)"'),
        ("'TOK_SUBSIDY(1)'!A1", "'TOK_SUBSIDY(1)'!A1"),
        ("MY_TOK_SUBSIDY(1)+TOK_UNKNOWN(1)", "MY_TOK_SUBSIDY(1)+TOK_UNKNOWN(1)"),
        ("TOK_SUBSIDY+1", "TOK_SUBSIDY+1"),
        (
            "TOK_SUBSIDY(TOK_WEIGHT_GB(1),1)",
            "_xldudf_TOK_SUBSIDY(_xldudf_TOK_WEIGHT_GB(1),1)",
        ),
    ],
)
def test_calls_alone_are_renamed(formula, stored):
    assert stored_names.for_officejs(formula) == stored


def test_a_workbook_is_renamed_wherever_formulas_stand_and_nowhere_else(tmp_path):
    plain, stored = tmp_path / "plain.xlsx", tmp_path / "stored.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = '=TOK_SUBSIDY(1,2)&"<TOK_SUBSIDY(1)>"&IF(1<2,"&",)'
    sheet["A2"] = ArrayFormula("A2:A3", "=TOK_SUBSIDY(B1:B2,1)")
    sheet["A4"] = "TOK_SUBSIDY(1,2) is a text"
    sheet.add_data_validation(DataValidation("custom", formula1="TOK_SUBSIDY(1,2)>0", sqref="C1"))
    sheet.conditional_formatting.add("D1", FormulaRule(["TOK_SUBSIDY(1,2)>0"]))
    book.defined_names["loss"] = DefinedName("loss", attr_text="TOK_SUBSIDY(1,2)")
    book.save(plain)
    assert stored_names.write_officejs(plain, stored) == stored
    again = openpyxl.load_workbook(stored)
    read = again.active
    assert read["A1"].value == '=_xldudf_TOK_SUBSIDY(1,2)&"<TOK_SUBSIDY(1)>"&IF(1<2,"&",)'
    assert read["A2"].value.text == "=_xldudf_TOK_SUBSIDY(B1:B2,1)"
    assert read["A4"].value == "TOK_SUBSIDY(1,2) is a text"
    assert read.data_validations.dataValidation[0].formula1 == "_xldudf_TOK_SUBSIDY(1,2)>0"
    (rules,) = read.conditional_formatting
    assert rules.rules[0].formula == ["_xldudf_TOK_SUBSIDY(1,2)>0"]
    assert again.defined_names["loss"].attr_text == "_xldudf_TOK_SUBSIDY(1,2)"
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(stored) as after:
        changed = [n for n in before.namelist() if before.read(n) != after.read(n)]
        assert before.namelist() == after.namelist()
    assert sorted(changed) == ["xl/workbook.xml", "xl/worksheets/sheet1.xml"]


def test_a_workbook_is_not_written_over_itself(tmp_path):
    openpyxl.Workbook().save(tmp_path / "book.xlsx")
    with pytest.raises(InputError, match="over itself"):
        stored_names.write_officejs(tmp_path / "book.xlsx", tmp_path / "." / "book.xlsx")
