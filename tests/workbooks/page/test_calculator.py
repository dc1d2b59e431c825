"""The page's calculator: the values of recalculation, in every function, and after every change."""

from __future__ import annotations

import json
import re
from pathlib import Path

import openpyxl
import pytest
from computing import both, computed, program_of
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from tests.workbooks.excel.runtime.test_coerce import DAYS, NUMBERS
from tests.workbooks.excel.test_odd_texts import MORE, read_as_excel_does
from udfs.cells import CellError
from udfs.hosts.native import library_of
from workbooks.excel.runtime.coerce import Calendar
from workbooks.page.bundle import script
from workbooks.page.calculator import PARTS
from workbooks.page.compiled import compiled
from workbooks.page.emitting import FUNCTIONS, known_functions
from workbooks.page.graph import Graph
from workbooks.page.model import Part
from workbooks.page.places import Place
from workbooks.page.reading import read_workbook
from workbooks.page.script import Script, ScriptError
from workbooks.page.truth import agree

#: Cells that formulas below read: numbers, a text, errors, a truth value, a blank one.
CELLS = (2.0, 3.0, 0.5, "words", "=1/0", "=NA()", True, -4.0, None)
#: Calls of our functions with single cells, ranges, constants, blanks, errors, arguments left out.
OURS = (
    "TOK_SUBSIDY(A1,A2)", "TOK_SUBSIDY(A1,A4)", "TOK_SUBSIDY(A5,A1)", "TOK_SUBSIDY(A6,A1)",
    "TOK_SUBSIDY(A1,A7)", "TOK_SUBSIDY(A9,A1)", "TOK_SUBSIDY(A8,A1)", "TOK_SUBSIDY(A1*2,3)",
    "SUM(TOK_SUBSIDY(A1:A3,A2))", "SUM(TOK_SUBSIDY(A1:A4,A2))", "TOK_RAMP(A1,A3,A2)",
    "TOK_RAMP(A1,A3,A2,A9)", "TOK_RAMP(A1,A3,A2,3)", "TOK_RAMP(A1,A3,A2,)",
    "TOK_RUNWAY_FLOWS(A2,A8:A9)", "TOK_RUNWAY_FLOWS(1,A1:A3)", "TOK_RUNWAY_FLOWS(A1,A4:A5)",
    "TOK_FLEET(A1*100,A2)", "TOK_FLEET(A1*100,A2,A1,A3,A9)", "TOK_REVENUE(A1,A2,A2,A1,A1,,A9)",
    "TOK_TIERED_CHARGE(A2,A1:A2,A2:A3)", "TOK_RUNWAY(A1*1E9,A2*1E9,A3,A1)",
    "IF(A1>1,TOK_SUBSIDY(A1,TOK_RAMP(A1,A3,A2)),0)",
)  # fmt: skip
#: What Excel's own functions and operators are tried with, a formula a line.
EXCELS = (Path(__file__).parents[2] / "data" / "functions_of_pages.txt").read_text().splitlines()


def stored(formula):
    """Return a formula as a file stores it, the names of its own marked; they are small letters."""
    return re.sub(r'"[^"]*"|\b([a-z])\b', lambda m: f"_xlpm.{m[1]}" if m[1] else m[0], formula)


def book_of(path, formulas, names=None):
    """Write a workbook with the cells above, formulas in column D, and names."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for row, value in enumerate(CELLS, start=1):
        sheet.cell(row, 1, value)
    for row, formula in enumerate(formulas, start=1):
        sheet.cell(row, 4, formula if isinstance(formula, ArrayFormula) else f"={stored(formula)}")
    for name, text in (names or {}).items():
        book.defined_names[name] = DefinedName(name, attr_text=text)
    book.save(path)
    return path


def different(path, formulas, change=None):
    found, unknown = both(path, change)
    assert not unknown
    places = {f: f"S!D{row}" for row, f in enumerate(formulas, start=1)}
    compared = [(f, *found[place]) for f, place in places.items() if place in found]
    return compared, [one for one in compared if not agree(*one[1:])]


def test_operators_and_functions_have_the_values_of_recalculation(tmp_path):
    compared, differ = different(book_of(tmp_path / "book.xlsx", EXCELS), EXCELS)
    assert differ == []
    assert len(compared) > 0.95 * len(EXCELS)


def test_our_functions_have_the_values_of_python(tmp_path):
    """The recalculation calls Python; the page computes the native formulas."""
    called = sorted(set(re.findall(r"TOK_\w+", " ".join(OURS))))
    names = dict(library_of(called).names)
    native = book_of(tmp_path / "native.xlsx", OURS, names)
    found, unknown = both(native, judged=book_of(tmp_path / "python.xlsx", OURS))
    assert not unknown
    assert {f"S!D{row}" for row in range(1, len(OURS) + 1)} <= found.keys()
    assert [pair for pair in found.items() if not agree(*pair[1])] == []
    assert sum(isinstance(theirs, float) for _, theirs in found.values()) > 10


def test_each_published_value_comes_out_as_in_recalculation(published):
    """Over the tables of published values; what is not known is left out of a page by name."""
    found, _ = both(published)
    assert len(found) > 800
    book = openpyxl.load_workbook(published)
    differ = {}
    for address, (ours, theirs) in found.items():
        if not agree(ours, theirs):
            sheet, _, cell = address.partition("!")
            differ[str(book[sheet][cell].value)] = str(theirs)
    # A search by halves from the end.
    assert all(formula.endswith(",-2)") for formula in differ), differ
    assert set(differ.values()) <= {"#VALUE!"}


def test_texts_are_read_as_recalculation_reads_them():
    texts = list(dict.fromkeys((*(text for text, _ in (*NUMBERS, *DAYS)), *MORE)))
    page = Script(script(PARTS, {}))
    one = (
        "(text) => { const found = module_values.parsed(text); return found.error ? null : found; }"
    )
    found = json.loads(page.run(f"JSON.stringify({json.dumps(texts)}.map({one}))"))
    calendar = Calendar()
    read = [read_as_excel_does(text, calendar) for text in texts]
    assert sum(number is not None for number in read) > 80
    for text, ours, theirs in zip(texts, read, found, strict=True):
        assert theirs == (ours if ours is None else pytest.approx(ours, rel=1e-15, abs=1e-12)), text


def test_known_functions_are_those_of_the_script():
    page = Script(script(PARTS, {}))
    merged = ", ".join(f"...module_{p.removesuffix('.js')}.{own}" for p, own in FUNCTIONS.items())
    names = page.run(f"Object.keys({{ {merged} }}).join(' ')").split()
    assert sorted(name.replace("$", ".") for name in names) == sorted(known_functions())


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("BESSELI(1,2)", "BESSELI"),
        ("IFERROR(BESSELI(1,2),0)", "BESSELI"),
        ("nothing+1", "nothing"),
        ("SUM(S:T!A1)", "several sheets"),
        ("A1:A3*2", "no array formula"),
        ("ROW(A1:A3)", "ROW of more than one cell"),
        ("TOK_SUBSIDY(1,2)", "TOK_SUBSIDY"),
    ],
)
def test_what_is_not_known_is_told_and_not_computed(tmp_path, formula, says):
    found, unknown = both(book_of(tmp_path / "book.xlsx", [formula]))
    assert "S!D1" not in found
    assert says in unknown["S!D1"]


#: Formulas that hang on A1 in all ways, and some that do not.
CHAIN = (
    "A1*2", "SUM(A1:A3)+D1", "IF(A3>1,D1,7)", "COUNTIF($A$1:A3,A1)", "INDEX(A1:A9,3)", "TWICE(A1)",
    "D6+LATER", "SUM(D1:D7)", "MATCH(A1,A1:A3,0)", "ROWS(D1:D9)", "SUM(A:A)",
)  # fmt: skip


@pytest.mark.parametrize("value", [2.5, -1.0, 0.0, "words", True])
def test_after_a_change_all_that_hangs_on_it_follows(tmp_path, value):
    names = {"TWICE": "_xlfn.LAMBDA(_xlpm.x,_xlpm.x*2+S!$A$1)", "LATER": "S!$A$1*3"}
    path = book_of(tmp_path / "book.xlsx", CHAIN, names)
    change = {Place(0, 1, 1): value, Place(0, 3, 1): 4.0}
    compared, differ = different(path, CHAIN, change)
    assert differ == []
    assert len(compared) >= len(CHAIN) - 1


def test_formulas_that_were_filled_down_or_right_keep_their_own_references(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for row in range(1, 30):
        for column in range(1, 6):
            sheet.cell(row, column, float(row * column % 7))
        sheet.cell(row, 7, f"=SUM($A$1:A{row})+$B{row}*C$1-E{max(row - 1, 1)}")
        sheet.cell(row, 8, f"=COUNTIF(A{row}:$C$15,3)")
        sheet.cell(row, 9, f"=SUM(A{row}:E{row + 400})+Z{row + 9000}")
    path = tmp_path / "book.xlsx"
    book.save(path)
    for change in (None, {Place(0, 9, 1): 100.0, Place(0, 1, 3): -3.0}):
        found, unknown = both(path, change)
        assert not unknown
        assert len(found) == 29 * 3
        assert [pair for pair in found.items() if not agree(*pair[1])] == []


def test_an_array_fills_its_cells_and_what_reads_them_follows(tmp_path):
    formulas = ("SUM(F1:F4)", "F3", "COUNT(F1:G4)")
    path = book_of(tmp_path / "book.xlsx", formulas)
    book = openpyxl.load_workbook(path)
    sheet = book["S"]
    sheet["F1"] = ArrayFormula("F1:F4", "=A1:A3*A1")
    sheet["G1"] = ArrayFormula("G1:G4", "=A1+1")
    book.save(path)
    change = {Place(0, 1, 1): 5.0}
    found, unknown = both(path, change)
    assert not unknown
    assert [pair for pair in found.items() if not agree(*pair[1])] == []
    _, _, theirs = computed(path, change)
    assert [theirs[f"S!F{row}"] for row in range(1, 5)] == [25.0, 15.0, 2.5, CellError("#N/A")]
    assert [theirs[f"S!G{row}"] for row in range(1, 5)] == [6.0] * 4


def test_cells_that_read_each_other_are_told(tmp_path):
    path = book_of(tmp_path / "book.xlsx", ("D2+1", "D1+1", "A1*2", "D1+D3"))
    _, unknown, theirs = computed(path)
    assert not unknown
    assert theirs["S!D1"] == CellError("#CIRC!") or theirs["S!D2"] == CellError("#CIRC!")
    assert theirs["S!D4"] == CellError("#CIRC!")
    assert theirs["S!D3"] == 4.0


def test_a_script_that_fails_says_how():
    page = Script("const f = (n) => f(n + 1) + 1;")
    with pytest.raises(ScriptError, match="nothing is not defined"):
        page.run("nothing(1)")
    with pytest.raises(ScriptError, match="failed"):
        page.run("f(0)")


#: Changes each input by itself, and computes what hangs on it, and in a second calculator all anew.
EACH_INPUT = """
const { Calculator } = module_calculator;
const some = new Calculator(data, module_formulas.formulas);
const all = new Calculator(data, module_formulas.formulas);
const told = (value) => (value && typeof value === 'object' ? value.error : value);
const differ = [];
let moved = 0;
some.evaluate();
all.evaluate();
for (const place of data.inputs.filter((_, i) => i % STEP === 0)) {
  const value = some.value(place);
  const other = typeof value === 'number' ? (value === 0 ? 1 : value * 1.25) : 'another';
  for (const one of [other, value]) {
    some.put(place, one);
    some.evaluate();
    all.put(place, one);
    all.first = true;
    all.evaluate();
    moved += some.own.some((at) => some.changed[at] === some.turn);
    for (const at of some.own) if (!Object.is(told(some.cells[at]), told(all.cells[at]))) differ.push([place, at]);
  }
}
JSON.stringify([data.inputs.length / STEP, moved, differ.slice(0, 9)]);
"""  # noqa: E501


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("market", 1),
        *(
            pytest.param(name, step, marks=pytest.mark.long)
            for name, step in (
                ("audit", 1),
                ("breakeven", 1),
                ("ownership", 1),
                ("serving", 1),
                ("applications", 1),
                ("buyer", 1),
                ("broker", 1),
                ("risk", 4),
                # Two evaluations of all of it take three seconds here.
                ("plan", 12),
            )
        ),
    ],
)
def test_what_is_computed_after_an_input_is_all_that_hangs_on_it(name, step):
    program = program_of(name)
    page = Script(script(PARTS, {"formulas.js": program.code}))
    page.run(f"const STEP = {step}; const data = {json.dumps(program.data)};")
    inputs, moved, differ = json.loads(page.run(EACH_INPUT))
    assert differ == []
    # Nearly every input of a page moves something on it, there and back.
    assert moved > inputs > 9


def test_operators_give_for_each_of_several_values_what_they_give_for_one():
    """Numbers go a short way, of one value as of several; all else comes out as in the long."""
    told = Script(script(PARTS, {"formulas.js": "export const nothing = 1;"})).run(
        """const { Block, Fault, NUM, ...of } = module_values;
        const values = [2, -0.5, 0, -0, 1e308, 0.1, 'text', '7', '', true, false, null, NUM, of.NA];
        const operators = ['add', 'subtract', 'multiply', 'divide', 'power', 'joined', 'equal',
          'unequal', 'less', 'greater', 'atMost', 'atLeast'];
        const shown = (value) => (value instanceof Fault ? value.error : `${typeof value}${value}`);
        const differ = [];
        let count = 0;
        for (const name of operators) for (const a of values) for (const b of values) {
          const one = shown(of[name](a, b));
          const [x, y] = [new Block(1, 2, [a, b]), new Block(1, 2, [b, a])];
          const found = [of[name](x, y).data[0], of[name](x, b).data[0], of[name](a, y).data[0]];
          for (const several of found) {
            count += 1;
            if (shown(several) !== one) differ.push([name, shown(a), shown(b), one]);
          }
        }
        for (const is of values) {
          const one = shown(of.choose(is, () => 'yes', () => 'no'));
          const several = of.choose(new Block(1, 2, [is, is]), () => 'yes', () => 'no').data;
          const wide = of.choose(new Block(1, 2, [is, is]), () => new Block(2, 1, ['yes', 'yes']),
            () => 'no').data;
          count += 1;
          for (const found of [several[1], wide[0]]) {
            if (shown(found) !== one) differ.push(['choose', shown(is), one, shown(found)]);
          }
        }
        JSON.stringify([count, differ])"""
    )  # fmt: skip
    count, differ = json.loads(told)
    assert count == 12 * 14 * 14 * 3 + 14
    assert differ == []


def test_what_a_function_of_little_work_gave_is_not_remembered(tmp_path):
    """It is asked for at once, too; what calls others that are remembered is one of these."""
    names = {
        "SMALL": "_xlfn.LAMBDA(_xlpm.x,_xlpm.x+1)",
        "TWICE": "_xlfn.LAMBDA(_xlpm.x,SMALL(SMALL(_xlpm.x)))",
        "AGAIN": "_xlfn.LAMBDA(_xlpm.x,IF(_xlpm.x<1,0,1+AGAIN(_xlpm.x-1)))",
        "OVER": "_xlfn.LAMBDA(_xlpm.x,AGAIN(_xlpm.x)*2)",
        "LET_IN": "_xlfn.LAMBDA(_xlpm.x,_xlfn.LET(_xlpm.y,TWICE(_xlpm.x),_xlpm.z,OVER(_xlpm.x),"
        "_xlpm.y+_xlpm.z))",
    }
    path = book_of(tmp_path / "names.xlsx", ["LET_IN(A1)", "LET_IN(A4)"], names)
    book = read_workbook(path)
    formulas = frozenset(p for p, e in book.cells.items() if e.formula is not None)
    part = Part(formulas, frozenset(book.cells.keys() - formulas))
    code = compiled(book, Graph(book), part, {}, part.constants).code
    kept = {n: f"const n_{n} = remembered(" in code for n in names}
    assert kept == {"SMALL": False, "TWICE": False, "AGAIN": True, "OVER": True, "LET_IN": True}
    assert "= n_TWICE(" in code
    assert "later(() => n_OVER(" in code
    found, unknown = both(path)
    assert unknown == {}
    assert all(agree(*pair) for pair in found.values())
