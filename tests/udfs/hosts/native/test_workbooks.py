"""Workbooks whose functions are native names, evaluated by IronCalc."""

from __future__ import annotations

import re
import subprocess
import zipfile

import ironcalc_values
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import column_index_from_string
from openpyxl.workbook.defined_name import DefinedName
from shipped import few_first, scenarios_to_try

from engine.subsidy import runway
from udfs import CellError
from udfs.hosts.native import reason
from workbooks import templates
from workbooks.authoring.native import calls_of, make_native
from workbooks.recalc import recalculate

#: A native template is mailed about: no larger may one be [bytes].
LARGEST = 400_000


def simple(path, formulas, names=()):
    workbook = Workbook()
    sheet = workbook.active
    sheet["A1"], sheet["B1"] = 0.88, 3.88
    for row, formula in enumerate(formulas, start=2):
        sheet.cell(row, 1, formula)
    for name, text in names:
        workbook.defined_names[name] = DefinedName(name, attr_text=text)
    workbook.save(path)
    return path


def test_a_real_workbook_computes_with_nothing_installed(tmp_path):
    formulas = ["=TOK_SUBSIDY(A1,B1)", "=TOK_RUNWAY(305000000,10000000000,A1,B1,1,-0.5,-0.3)"]
    path = simple(tmp_path / "book.xlsx", formulas)
    made = make_native(path, tmp_path / "native.xlsx")
    assert made.native == ("TOK_SUBSIDY", "TOK_RUNWAY")
    found = ironcalc_values.values(tmp_path / "native.xlsx")["Sheet"]
    assert found[2, 1] == pytest.approx(3.0, rel=1e-12)
    assert found[3, 1] == pytest.approx(runway(305e6, 10e9, 0.88, 3.88, 1.0, -0.5, -0.3), rel=1e-12)


def test_all_but_the_names_stays_byte_for_byte(tmp_path):
    path = simple(tmp_path / "book.xlsx", ["=TOK_SUBSIDY(A1,B1)"], [("rate", "Sheet!$A$1")])
    make_native(path, tmp_path / "native.xlsx")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(tmp_path / "native.xlsx") as after:
        assert before.namelist() == after.namelist()
        changed = [n for n in before.namelist() if before.read(n) != after.read(n)]
        assert changed == ["xl/workbook.xml"]
        old, new = before.read("xl/workbook.xml"), after.read("xl/workbook.xml")
    start = old.index(b"</definedNames>")
    assert new.startswith(old[:start])
    assert new.endswith(old[start:])


def test_a_workbook_without_names_gets_its_first_in_their_place(tmp_path):
    path = simple(tmp_path / "book.xlsx", ["=TOK_SUBSIDY(A1,B1)"])
    make_native(path, path)
    assert set(load_workbook(path).defined_names) == {"_TOK_CELL", "_TOK_NUMBER", "TOK_SUBSIDY"}


def test_making_native_twice_changes_nothing_more(tmp_path):
    path = simple(tmp_path / "book.xlsx", ["=TOK_SUBSIDY(A1,B1)"])
    make_native(path, path)
    once = path.read_bytes()
    make_native(path, path)
    assert path.read_bytes() == once


def test_a_name_of_the_workbooks_own_wins_and_is_told(tmp_path):
    own = "_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlpm.a*100)"
    path = simple(tmp_path / "book.xlsx", ["=TOK_SUBSIDY(A1,B1)"], [("TOK_SUBSIDY", own)])
    made = make_native(path, path)
    assert (made.native, made.own) == ((), ("TOK_SUBSIDY",))
    assert ironcalc_values.values(path)["Sheet"][2, 1] == pytest.approx(88.0)


def test_a_name_in_a_text_is_no_call(tmp_path):
    path = simple(tmp_path / "book.xlsx", ['="TOK_SUBSIDY(A1,B1)"'])
    before = path.read_bytes()
    assert make_native(path, tmp_path / "out.xlsx").native == ()
    assert (tmp_path / "out.xlsx").read_bytes() == before


# --- the templates ---------------------------------------------------------------------------


@pytest.fixture
def made(built):
    """Return a template, plain and native."""
    return lambda name: (built(name).path, built(name, "native").path)


@pytest.mark.parametrize("name", few_first())
def test_a_native_template_equals_the_plain_one(name, made, tmp_path):
    _equal(*made(name), tmp_path)


@pytest.mark.parametrize(("name", "scenario"), scenarios_to_try(["ownership"]))
def test_it_equals_the_plain_one_in_each_scenario(name, scenario, made, tmp_path):
    plain, native = tmp_path / "plain.xlsx", tmp_path / "native.xlsx"
    recalculate(made(name)[0], plain, set_values=[("scenario", scenario)])
    make_native(plain, native)
    _equal(plain, native, tmp_path)


def _equal(plain, native, folder):
    if kept := [name for name in calls_of(plain) if reason(name)]:
        native = _holding(kept, native, folder / "holding.xlsx")
    assert not _differences(plain, native)


def test_all_templates_are_compared():
    tried = {name if isinstance(name, str) else name.values[0] for name in few_first()}
    assert tried == set(templates.NAMES)
    assert len(templates.NAMES) >= 10


def _holding(kept, native, path):
    """Return the workbook with values where it calls what is no name of it, as a file has them."""
    workbook, values = load_workbook(native), load_workbook(native, data_only=True)
    held = 0
    for sheet in workbook:
        for cell in [cell for row in sheet.iter_rows() for cell in row]:
            formula = str(getattr(cell.value, "text", cell.value))
            if not (formula.startswith("=") and any(f"{name}(" in formula for name in kept)):
                continue
            for row in sheet[getattr(cell.value, "ref", f"{cell.coordinate}:{cell.coordinate}")]:
                for one in row:
                    one.value = values[sheet.title][one.coordinate].value
                    held += 1
    assert held
    workbook.save(path)
    return path


_REFERENCE = re.compile(r"(?:'([^']+)'!|(\w+)!)?\$?([A-Z]{1,3})\$?([0-9]+)(?![\w(])")


def _largest(formula, title, found):
    """Return the size of the largest number that a formula names: a difference rounds like it."""
    named = (
        found.get(quoted or bare or title, {}).get((int(row), column_index_from_string(column)))
        for quoted, bare, column, row in _REFERENCE.findall(str(formula))
    )
    return max((abs(v) for v in named if isinstance(v, int | float)), default=1.0)


def _differences(plain, native):
    found = ironcalc_values.values(native)
    formulas = load_workbook(plain)
    wrong = {}
    for sheet in load_workbook(plain, data_only=True):
        for cell in (c for row in sheet.iter_rows() for c in row if c.value is not None):
            wanted = CellError(cell.value) if cell.data_type == "e" else cell.value
            got = found[sheet.title].get((cell.row, cell.column))
            if cell.is_date:
                continue
            if isinstance(wanted, int | float) and not isinstance(wanted, bool):
                # A difference of equal numbers may leave a rounding error.
                formula = formulas[sheet.title][cell.coordinate].value
                rounding = 1e-12 * max(1.0, _largest(formula, sheet.title, found))
                alike = isinstance(got, int | float) and got == pytest.approx(
                    wanted, rel=1e-9, abs=rounding
                )
            else:
                alike = wanted == got
            if not alike:
                wrong[f"{sheet.title}!{cell.coordinate}"] = (wanted, got)
    return wrong


@pytest.mark.parametrize("name", few_first())
def test_a_native_template_has_the_cells_and_values_of_the_plain_one(name, made):
    plain, native = made(name)
    assert native.stat().st_size <= LARGEST
    with zipfile.ZipFile(plain) as one, zipfile.ZipFile(native) as other:
        for part in one.namelist():
            if part.startswith("xl/worksheets/"):
                assert one.read(part) == other.read(part), part


@pytest.mark.ooxml
@pytest.mark.parametrize("name", templates.NAMES)
def test_a_native_template_is_valid(name, made):
    _, native = made(name)
    done = subprocess.run(
        ["ooxml-validator", native], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
