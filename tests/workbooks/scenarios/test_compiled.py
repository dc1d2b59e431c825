"""Compiled workbooks give what recalculations give, for every formula of every template."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula
from shipped import few_first, formulas_of, inputs_of, recalculated, scenarios_of

from udfs import registry
from udfs.cells import CellError
from workbooks.build import Built
from workbooks.recalc import recalculate, setup_for
from workbooks.recalc.job import Job
from workbooks.recalc.run import opened
from workbooks.scenarios.compiled.held import agree
from workbooks.scenarios.compiled.program import CHUNK, Program
from workbooks.scenarios.compiled.values import UnsupportedError
from workbooks.scenarios.model import Model, place_of


@contextmanager
def compiled(path: Path, inputs: list[str], outputs: list[str]) -> Iterator[Program]:
    setup = setup_for()
    with opened(path, setup) as job:
        model = Model(job, inputs, outputs, setup.functions)
        program = model.compiled()
        assert program is not None, model.reason
        yield program


def run(program: Program, scenarios: list[list[object]]) -> list[list[object]]:
    """Return the outputs of each scenario, all of them computed together."""
    texts, size = program.texts, len(scenarios)
    given = [texts.gathered(list(column)) for column in zip(*scenarios, strict=True)]
    columns = program.run(given, size)
    cells = [texts.cells(column, size) for column in columns]
    return [list(row) for row in zip(*cells, strict=True)]


def differing(
    program: Program, names: list[str], ours: list[object], theirs: list[object]
) -> dict[str, tuple[object, object]]:
    """Return what differs from a recalculated file, a difference judged by what it is between."""
    by_place = dict(zip(program.outputs, theirs, strict=True))
    found = {}
    for name, place, one, other in zip(names, program.outputs, ours, theirs, strict=True):
        sizes = [by_place.get(cell) for cell in program.needed_by(place)]
        scale = max((abs(s) for s in sizes if type(s) in (int, float)), default=0.0)
        shown = float(other) if type(other) is int else other
        mine = one.code if isinstance(one, CellError) else one
        if not agree(mine if mine != "" else None, shown, scale):
            found[name] = (mine, shown)
    return found


@pytest.mark.parametrize("name", few_first(["breakeven", "ownership"]))
@pytest.mark.parametrize("every", [1, pytest.param(3, marks=pytest.mark.long)])
def test_every_formula_of_every_template(
    name: str, every: int, built: Callable[[str], Built], tmp_path: Path
) -> None:
    path = built(name).path
    inputs, formulas = inputs_of(name, path), formulas_of(path)
    # Fewer inputs leave more to be constant: what is left out must not vary.
    some = dict(list(inputs.items())[::every])
    chance = random.Random(7)
    scenarios = scenarios_of(some)
    for factor in (0.02, 0.3):
        scenarios += [
            [
                value * chance.uniform(1 - factor, 1 + factor)
                if isinstance(value, float) and not choices and value % 1
                else chance.choice(choices or [value])
                for value, choices in some.values()
            ]
            for _ in range(2)
        ]
    with compiled(path, list(some), formulas) as program:
        assert len(program.steps) > 20
        for scenario, ours in zip(scenarios, run(program, scenarios), strict=True):
            theirs = recalculated(path, list(some), scenario, formulas, tmp_path / "one.xlsx")
            assert differing(program, formulas, ours, theirs) == {}


FORMULAS = [
    "A1+A2*A3-A4/A5", "A1^2", "A1^0.5", "-A1^2", "A1%", "A1=A2", "A1>A3", "A6=A7", "A6<>\"PRICE\"",
    "A1/0", "A1/(A2-A2)", "IF(A1>3,A2,A3)", "IF(A1>3,\"high\",\"low\")", "IF(A1>3,A2)",
    "IF(A8,A1,A2)", "IF(A1>3,1/0,2)", "IFERROR(1/(A1-A1),A2)", "ISERROR(1/(A1-A1))",
    "ISNUMBER(A6)", "ISNUMBER(A1)", "ISBLANK(A9)", "A9+A1", "A9=\"\"", "A9=0", "A8+A1", "A8=TRUE",
    "A6&\" of \"&A5", "A1&\"\"", "ROUND(A1*100,0)&\"%\"", "LEN(A6)", "LEFT(A6,2)", "RIGHT(A6,2)",
    "SUM(A1:A9)", "SUM(A1:A9,2,TRUE)", "MIN(A1:A9)", "MAX(A6:A9)", "AVERAGE(A1:A9)",
    "AVERAGE(A6:A9)", "COUNT(A1:A9)", "COUNTA(A1:A9)", "PRODUCT(A1:A5)", "SUM(A1:A5)/COUNT(A1:A5)",
    "SUMPRODUCT(A1:A5,A2:A6)", "SUMPRODUCT((A1:A5>2)*A1:A5)", "SUMPRODUCT(--ISNUMBER(A1:A9))",
    "INDEX(A1:A9,2)", "INDEX(A1:A9,A5)", "INDEX(A1:A9,99)", "INDEX(A1:B9,A5,1)",
    "MATCH(A5,A1:A9,0)", "MATCH(\"PRICE\",A1:A9,0)", "MATCH(99,A1:A9,0)",
    "INDEX(B1:B3,MATCH(A1,C1:C3,1))", "VLOOKUP(A5,C1:D3,2)", "VLOOKUP(A5,C1:D3,2,FALSE)",
    "CHOOSE(A5,A1,A2,A3)", "CHOOSE(9,A1,A2)", "COUNTIF(A1:A9,\">2\")", "COUNTIF(A1:A9,A1)",
    "COUNTIF(A1:A9,\"price\")", "COUNTIF(A1:A9,\"<>price\")", "SUMIF(A1:A5,\">2\")",
    "SUMIF(A1:A5,\">\"&A5,A2:A6)", "SUMIFS(A1:A5,A1:A5,\">1\",A2:A6,\"<9\")",
    "AVERAGEIF(A1:A5,\">2\")", "COUNTIFS(A1:A5,\">1\",A1:A5,\"<4\")",
    "AND(A1>1,A2>1)", "OR(A1>1,A2>99)", "NOT(A8)", "AND(A8,A1)", "ABS(-A1)", "INT(-A1)",
    "MOD(A1,3)", "MOD(-A1,3)", "MOD(A1,0)", "SQRT(-A1)", "LN(A1)", "EXP(A1)", "EXP(A1*1000)",
    "ROUND(A1,1)", "ROUNDUP(A1,1)", "ROUNDDOWN(-A1,1)", "PMT(A1/100,12,-1000)", "PMT(0,12,-1000)",
    "NPV(A1/100,A2:A5)", "NORMSDIST(A1/10)", "N(A6)", "N(A8)", "SIGN(-A1)", "NA()", "PI()*A1",
    "PERCENTILE(A1:A9,0.3)", "PERCENTILE(A1:A5,A1/10)", "PERCENTILE(A1:A5,2)", "SMALL(A1:A9,2)",
    "LARGE(A1:A9,A5)", "SMALL(A1:A5,99)", "LARGE(A1:A10,1)", "PERCENTILE(A6:A7,0.5)",
    "0.1+0.2+A1-A1=0.3", "A1+A6", "A1*A10", "SUM(A10,A1)", "MAX(A1:A10)", "IF(A10,1,2)",
    "TOK_SUBSIDY(A1,A2)", "TOK_SUBSIDY(A9,A2)", "TOK_SUBSIDY(A6,A2)", "TOK_SUBSIDY(A10,A2)",
    "TOK_SUBSIDY(-A1,A2)", "TOK_VERDICT(A1,2,3)", "TOK_COST_PER_MTOK(A1,A2)",
    "TOK_COST_PER_MTOK(A1,A2,)", "TOK_COST_PER_MTOK(A1,A2,A3)", "TOK_RUNWAY(A1,1,A1,A2)",
    "SUM(TOK_SUBSIDY(A1:A3,A2))", "INDEX(TOK_SUBSIDY_PATH(A1*1000,1E9,1,A2),3,2)",
    "ROWS(TOK_SUBSIDY_PATH(A1*1000,1E9,1,A2,,,,A5))", "TOK_COMBINED_GAIN(A1:A4)",
    "TOK_THROUGHPUT(\"llama-3.1-8b\",\"h100_sxm\",A5)", "TOK_THROUGHPUT(A6,\"h100_sxm\",A5)",
    "INDEX(TOK_SERVING_COST(A1,0.5,\"llama-3.1-8b\",\"h100_sxm\",A5),1,3)",
    "TEXT(A1,\"$#,##0.00\")&\"!\"", "TEXT(A6,\"0%\")", "MEDIAN(A1:A5)", "EDATE(45000+A5,A5)",
    "DEGREES(A1)", "TANH(A1)", "CEILING(A2,0.1)", "YEAR(45000+A5)", "IRR(B1:B3)+A1",
    "RANK(A1,A1:A5)", "RANK(A1,A1:A9,1)", "RANK(A1,B1:B3)",
    "Rate_*A1", "SUM(M!$A:$A)", "B5", "B5*2",
    "TOK_FLEET_COST(A1,A2)", "TOK_FLEET_COST(A1:A5,A2)", "TOK_FLEET_COST(A1,A2,,,A5,0.5,B1:B3)",
    "TOK_FLEET_COST(B1:B3,A2:A3)", "TOK_FLEET_COST(A1:A9,A2)", "TOK_FLEET_COST(A9,A2)",
    "TOK_FLEET_COST(A1,A10)", "TOK_FLEET_COST(A1*1E300,A1*1E300)", "TOK_FLEET_COST(A6,A2)",
    "TOK_COMBINED_GAIN(A1)", "TOK_STACKED_CUT(A2:A3)", "TOK_STACKED_CUT(A2/4)",
    "TOK_TIERED_CHARGE(A1,C1:C3,D1:D3)", "TOK_TIERED_CHARGE(A1,C1:C3,D1:D3,\"volume\")",
    "TOK_TIERED_CHARGE(A1,C1:C3,D1:D3,A6)", "TOK_TIERED_CHARGE(A1,A2:A4,D1:D3)",
    "TOK_TIERED_CHARGE(A10,C1:C3,D1:D3)", "TOK_TIERED_CHARGE(A1,C1:C4,D1:D4)",
    "BETAINV(A2/4,A1,A4)", "BETAINV(0.3,A1,A5,A2,A4)", "BETAINV(A1,A2,A6)", "BETAINV(A9,A1,A2)",
    "BETAINV(A8,A1,A2)", "BETA.INV(A2/4,2,A5)", "BETAINV(0.3,A1,A10)",
    "TOK_TIERED_CHARGE(A6,C1:C3,D1:D3)", "TOK_TIERED_CHARGE(A1,C1,D1)",
]  # fmt: skip


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with a formula of each kind over cells of each kind."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    values = [2.5, 1.25, 0.5, 4.0, 2.0, "Price", "price", True, None, "#N/A"]
    for row, value in enumerate(values, 1):
        sheet.cell(row, 1, value)
    for row, line in enumerate([(10, 0, 100), (20, 2, 200), (30, 4, 300)], 1):
        for column, value in enumerate(line, 2):
            sheet.cell(row, column, value)
    sheet["B5"] = "=A1*2"
    sheet["B6"] = ArrayFormula("B6:C8", "=A1:A3*B1:C3")
    book.create_sheet("F")
    for row, text in enumerate(FORMULAS, 1):
        book["F"].cell(row, 1, _on_sheet(f"={text}"))
    book["F"].cell(len(FORMULAS) + 1, 1, "=SUM(M!B6:C8)")
    book.defined_names["Rate_"] = openpyxl.workbook.defined_name.DefinedName(
        "Rate_", attr_text="M!$A$4"
    )
    path = tmp_path_factory.mktemp("zoo") / "zoo.xlsx"
    book.save(path)
    recalculate(path)
    return path


def _on_sheet(text: str) -> str:
    """Return a formula whose references point at the sheet with the values."""
    tokens = openpyxl.formula.Tokenizer(text)
    for token in tokens.items:
        plain = token.subtype == "RANGE" and "!" not in token.value and token.value != "Rate_"
        if plain:
            token.value = f"M!{token.value}"
    return tokens.render()


SCENARIOS = [
    [2.5, 1.25, 4.0, 2.0, "Price", True],
    [3.5, 0.75, -4.0, 3.0, "price", False],
    [0.0, 0.0, 1e-9, 1.0, "gpu", True],
    [-7.25, 2.0, 1e9, 9.0, "llama-3.1-8b", False],
    [1e15, 3.0, 0.3, 2.0, "llama-3.1-70b", True],
]


INPUTS = ["M!A1", "M!A2", "M!A4", "M!A5", "M!A6", "M!A8"]


@pytest.fixture(scope="module")
def job(zoo: Path) -> Iterator[Job]:
    """The workbook, evaluated once for all formulas."""
    setup = setup_for()
    with opened(zoo, setup) as job:
        Model(job, INPUTS, [], setup.functions)
        yield job


@pytest.fixture(scope="module")
def zoo_values(zoo: Path) -> list[list[object]]:
    cells = [f"F!A{row}" for row in range(1, len(FORMULAS) + 2)]
    one = zoo.with_name("one.xlsx")
    return [recalculated(zoo, INPUTS, scenario, cells, one) for scenario in SCENARIOS]


@pytest.mark.parametrize("place", range(len(FORMULAS) + 1))
def test_a_formula_of_each_kind(job: Job, place: int, zoo_values: list[list[object]]) -> None:
    inputs = [place_of(cell, job) for cell in INPUTS]
    try:
        program = Program(job, registry, inputs, [("F", place + 1, 1)])
        ours = [row[0] for row in run(program, SCENARIOS)]
    except UnsupportedError as refused:
        # Such a formula is evaluated draw by draw, and told.
        ours = [str(refused)]
    if place < len(FORMULAS) and FORMULAS[place] in REFUSED:
        assert "F!A" in str(ours[0])
        return
    assert len(ours) == len(SCENARIOS), ours
    for one, row in zip(ours, zoo_values, strict=True):
        mine = one.code if isinstance(one, CellError) else one
        shown = float(row[place]) if type(row[place]) is int else row[place]
        assert agree(mine, shown), (ours, [row[place] for row in zoo_values])


#: Formulas of the zoo that are not compiled.
REFUSED = {'TEXT(A6,"0%")', "MEDIAN(A1:A5)", 'A1&""', 'ROUND(A1*100,0)&"%"'}


def test_chunks_are_one_whole(zoo: Path) -> None:
    size = CHUNK + 10
    scenarios = [[float(i), 1.0] for i in range(size)]
    with compiled(zoo, ["M!A1", "M!A2"], ["M!B5", "F!A12", "F!A13"]) as program:
        rows = run(program, scenarios)
    assert [row[0] for row in rows] == [2.0 * i for i in range(size)]
    assert [row[1] for row in rows] == [1.0 if i > 3 else 0.5 for i in range(size)]
    assert [row[2] for row in rows] == ["high" if i > 3 else "low" for i in range(size)]


def test_only_what_lies_between_is_computed(zoo: Path) -> None:
    with compiled(zoo, ["M!A1"], ["F!A1", "M!B1"]) as program:
        assert [step.place for step in program.steps] == [("F", 1, 1)]
