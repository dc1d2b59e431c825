"""A workbook over random inputs: against textbooks, any cut of the work, and what is refused."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.uncertainty.draws import BLOCK
from workbooks.cli import app
from workbooks.errors import BadInputError
from workbooks.recalc import recalculate
from workbooks.scenarios import runner
from workbooks.scenarios import simulate as module
from workbooks.scenarios.drawn import condition
from workbooks.scenarios.risks import read_risks
from workbooks.scenarios.simulate import simulate
from workbooks.scenarios.statistics_table import table
from workbooks.workers import Where


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    for row, value in enumerate((1.0, 2.0, 3.0, "x"), 1):
        sheet.cell(row, 1, value)
    formulas = ("A1+A2+A3", "A1*A2", "IF(A1>2,NA(),A1)", 'IF(A1>1,"much",A1)', "EXP(A1)",
                "MAX(A1-1,0)", "TOK_SUBSIDY(A1,A2)", 'IF(A1>-99,"text",1)')  # fmt: skip
    for row, formula in enumerate(formulas, 1):
        sheet.cell(row, 2, f"={formula}")
    for row, value in enumerate((4, 8, 15, 16, 23, 42), 1):
        sheet.cell(row, 4, value)
    path = tmp_path_factory.mktemp("model") / "model.xlsx"
    book.save(path)
    recalculate(path)
    return path


def drawn(model: Path, tmp_path: Path, rows: list[str], outputs: list[str], n: int, **more):
    return simulate(model, risks(model, tmp_path, rows), outputs, n, **more)


def risks(model: Path, tmp_path: Path, rows: list[str], pairs: list[str] | None = None):
    header = "cell,distribution,low,base,high,mean,sd,p10,p50,p90,values,weights"
    (tmp_path / "risks.csv").write_text("\n".join([header, *rows]) + "\n")
    if pairs is None:
        return read_risks(model, tmp_path / "risks.csv")
    (tmp_path / "pairs.csv").write_text("\n".join(["a,b,rho", *pairs]) + "\n")
    return read_risks(model, tmp_path / "risks.csv", tmp_path / "pairs.csv")


def mean_and_error(simulation, place: int = 0) -> tuple[float, float]:
    row = simulation.draws.outputs[place]
    return row.mean(), row.std(ddof=1) / math.sqrt(len(row))


NORMAL = "M!A{0},normal,,,,{1},{2},,,,,"
N = 40_000


@pytest.mark.parametrize(
    ("rows", "output", "answer"),
    [
        # The mean of a sum is the sum of the means.
        ([NORMAL.format(1, 1, 2), NORMAL.format(2, 2, 1)], "M!B1", 6.0),
        # A product of independent factors: the product of their means.
        ([NORMAL.format(1, 3, 1), NORMAL.format(2, 5, 2)], "M!B2", 15.0),
        # E[e^X] of a standard normal X is e^(1/2) (Johnson, Kotz and Balakrishnan 1994, ch. 14).
        ([NORMAL.format(1, 0, 1)], "M!B5", math.exp(0.5)),
        # The textbook news vendor's loss function: E[max(Z, 0)] = φ(0) = 0.39894.
        ([NORMAL.format(1, 1, 1)], "M!B6", 1 / math.sqrt(2 * math.pi)),
        # Triangular: (low + base + high)/3; uniform: the middle.
        (["M!A1,triangular,0,1,5,,,,,,,", "M!A2,uniform,1,,3,,,,,,,"], "M!B1", 2 + 2 + 3.0),
        # PERT: (low + 4·base + high)/6 (Malcolm et al. 1959).
        (["M!A1,pert,0,1,8,,,,,,,"], "M!B1", 2 + 5.0),
        # E[e^X − 1 ...]: the lognormal has the mean that was given.
        (["M!A1,lognormal,,,,4,3,,,,,"], "M!B1", 4 + 5.0),
        (["M!A1,discrete,,,,,,,,,1;5,0.25;0.75"], "M!B1", 4 + 5.0),
        (["M!A1,empirical,,,,,,,,,M!D1:D6,"], "M!B1", 18 + 5.0),
        # A half normal has mean √(2/π).
        (["M!A1,normal,0,,,0,1,,,,,"], "M!B1", math.sqrt(2 / math.pi) + 5),
        # Symmetric percentiles: a logistic distribution around the median.
        (["M!A1,percentiles,,,,,,-1,0,1,,"], "M!B1", 5.0),
    ],
)
def test_published_answers_come_out(model, tmp_path, rows, output, answer) -> None:
    found = drawn(model, tmp_path, rows, [output], N, seed=5)
    assert not found.reason
    mean, error = mean_and_error(found)
    assert abs(mean - answer) <= 3 * error


def test_a_correlation_adds_to_the_variance(model, tmp_path) -> None:
    # Var(X + Y) = 1 + 1 + 2ρ; the rank correlation of normals is 6/π·asin(ρ/2).
    rho = 6 / math.pi * math.asin(0.5 / 2)
    given = risks(
        model, tmp_path, [NORMAL.format(1, 0, 1), NORMAL.format(2, 0, 1)], [f"M!A2,M!A1,{rho}"]
    )
    found = simulate(model, given, ["M!B1"], N)
    assert found.draws.outputs[0].var(ddof=1) == pytest.approx(3.0, rel=0.03)


def test_any_number_of_workers_gives_the_same(model, tmp_path) -> None:
    rows = [NORMAL.format(1, 1, 2), "M!A2,pert,0,1,8,,,,,,,"]
    one = drawn(model, tmp_path, rows, ["M!B1", "M!B3"], 2 * BLOCK, seed=3)
    two = drawn(model, tmp_path, rows, ["M!B1", "M!B3"], 2 * BLOCK, seed=3, where=Where(2))
    for name in ("inputs", "outputs", "codes"):
        assert getattr(one.draws, name).tobytes() == getattr(two.draws, name).tobytes()


def test_draw_by_draw_gives_what_all_at_once_gives(model, tmp_path, monkeypatch) -> None:
    rows = [NORMAL.format(1, 1, 2), "M!A2,pert,0,1,8,,,,,,,"]
    outputs = ["M!B1", "M!B3", "M!B4", "M!B7"]
    together = drawn(model, tmp_path, rows, outputs, 60)
    monkeypatch.setattr(runner.Runner, "checked", lambda self, _: setattr(self, "program", None))
    alone = drawn(model, tmp_path, rows, outputs, 60)
    assert together.draws.labels == alone.draws.labels == ("#N/A", "#NUM!", "much")
    assert (together.draws.codes == alone.draws.codes).all()
    assert together.draws.outputs == pytest.approx(alone.draws.outputs, rel=1e-12, nan_ok=True)


def test_a_program_that_differs_is_left_and_told(model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(runner, "first_difference", lambda *_: "M!B1: 1 in place of 2")
    found = drawn(model, tmp_path, [NORMAL.format(1, 1, 2)], ["M!B1"], 10)
    assert "M!B1: 1 in place of 2" in found.reason


def test_it_stops_when_it_is_precise(model, tmp_path) -> None:
    rows = [NORMAL.format(1, 1, 2)]
    found = drawn(model, tmp_path, rows, ["M!B1"], 10 * BLOCK, precision=0.01)
    assert (found.converged, found.blocks) == (True, 1)
    found = drawn(model, tmp_path, rows, ["M!B1"], 2 * BLOCK, precision=1e-6)
    assert (found.converged, found.blocks) == (False, 2)


def test_the_workbook_may_say_itself_what_varies(model, tmp_path) -> None:
    book = openpyxl.load_workbook(model)
    sheet = book.create_sheet("Risks")
    for row in (
        ["cell", "distribution", "mean", "sd", "Note"],
        ["M!A1", "normal", 1, 2, "as last year"], ["M!A2", "normal", 2, 1],
        [], ["a", "b", "rho"], ["M!A1", "M!A2", 0.5],
    ):  # fmt: skip
        sheet.append(row)
    book.save(tmp_path / "own.xlsx")
    own = read_risks(tmp_path / "own.xlsx")
    assert own.cells == ["M!A1", "M!A2"]
    assert own.correlation.tolist() == [[1, 0.5], [0.5, 1]]


@pytest.mark.parametrize(
    ("rows", "pairs", "told"),
    [
        (["M!A1,pert,3,2,4,,,,,,,"], [], "low is 3"),
        (["M!A1,normal,,,,1,-2,,,,,"], [], "sd is -2"),
        (["M!A1,discrete,,,,,,,,,1;2,0.5;0.4"], [], "add up to 0.9"),
        (["M!A1,peart,3,2,4,,,,,,,"], [], "did you mean pert"),
        (["M!A1,pert,3,,4,,,,,,,"], [], "lacks base"),
        (["M!A1,pert,1,2,4,5,,,,,,"], [], "takes no mean"),
        (["M!A1,,1,2,4,,,,,,,"], [], "lacks a distribution"),
        (["M!A1,pert,1,2,4,,,,,,,,7"], [], "'7' stands right of the last column"),
        (
            ["M!A1,uniform,1,,2,,,,,,,", "M!A2,uniform,1,,2,,,,,,,"],
            ["M!A1,M!A2,0.5", "M!A2,M!A1,0.4"],
            "M!A2 and M!A1 are given twice",
        ),
        (["M!A1,pert,1,two,4,,,,,,,"], [], "base is 'two'"),
        (["M!A1,uniform,1,,2,,,,,,,", "M!A1,uniform,1,,2,,,,,,,"], [], "twice"),
        ([], [], "no cell"),
        (["M!A1,empirical,,,,,,,,,Q!A1:A3,"], [], "no sheet 'Q'"),
        (["M!A1,uniform,1,,2,,,,,,,"], ["M!A1,M!A7,0.5"], "'M!A7' has no distribution"),
        (["M!A1,uniform,1,,2,,,,,,,"], ["M!A1,M!A1,0.5"], "itself"),
        (
            [f"M!A{i},uniform,1,,2,,,,,,," for i in (1, 2, 3)],
            ["M!A1,M!A2,0.9", "M!A2,M!A3,0.9", "M!A1,M!A3,-0.9"],
            "in place of",
        ),
    ],
)
def test_bad_risks_are_told(model, tmp_path, rows, pairs, told) -> None:
    with pytest.raises(BadInputError, match=told):
        risks(model, tmp_path, rows, pairs)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("cell,distribution,low,high,Note", ""),
        ("Comment,distribution,low,high,cell", "the cell is missing"),
        ("cell,distribution,low,high,Source", ""),
        ("cell,distribution,low,high,Notes", "no column 'notes'; did you mean note"),
        ("cell,distribution,low,hihg,Note", "no column 'hihg'; did you mean high"),
        ("cell,distribution,low,high,low", "two columns low"),
        ("cell;distribution;low;high", "parted by semicolons"),
    ],
)
def test_a_column_for_readers_is_left_and_another_told(model, tmp_path, head, told) -> None:
    (tmp_path / "risks.csv").write_text(f"{head}\nM!A1,uniform,1,2,\n")
    if told:
        with pytest.raises(BadInputError, match=told):
            read_risks(model, tmp_path / "risks.csv")
    else:
        (tmp_path / "risks.csv").write_text(f"{head}\nM!A1,uniform,1,2,a guess of ours\n")
        assert read_risks(model, tmp_path / "risks.csv").cells == ["M!A1"]


@pytest.mark.parametrize(
    ("cell", "outputs", "draws", "told"),
    [
        ("M!B1", ["M!B2"], 10, "holds a formula"),
        ("M!Z9", ["M!B2"], 10, "not in the file"),
        ("M!A1", ["nothing"], 10, "nothing"),
        ("M!A1", ["M!B8"], 10, "no number in any draw"),
        ("M!A1", ["M!B1"], 0, "0 draws"),
        ("M!A1", ["M!B1"], 10**13, "would"),
    ],
)
def test_bad_simulations_are_told(model, tmp_path, cell, outputs, draws, told) -> None:
    with pytest.raises(BadInputError, match=told):
        drawn(
            model, tmp_path, [f"{cell},uniform,0,,3,,,,,,,"], outputs, draws, keep_draws=True
        )  # fmt: skip


# --- more draws than are kept ---------------------------------------------------------------------

MANY = [NORMAL.format(1, 1, 2), "M!A2,pert,0,1,8,,,,,,,"]
OUTPUTS = ["M!B1", "M!B2", "M!B3", "M!B4", "M!B6"]


@pytest.fixture
def few_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EXACT", 1)
    monkeypatch.setattr(module, "_SAMPLE", 2)
    monkeypatch.setattr(module, "_TOGETHER", 2)


def table_of(simulation) -> dict[str, tuple]:
    return {row.statistic: row.values for row in table(simulation)}


def test_beyond_what_is_kept_the_statistics_are_those_of_all(model, tmp_path, few_kept) -> None:
    conditions = [condition("M!B1<5"), condition("M!B6=0")]
    more = {"seed": 3, "conditions": conditions}
    whole = drawn(model, tmp_path, MANY, OUTPUTS, 5 * BLOCK, keep_draws=True, **more)
    found = drawn(model, tmp_path, MANY, OUTPUTS, 5 * BLOCK, **more)
    assert whole.summary is None
    assert found.draws.inputs.tobytes() == whole.draws.inputs[:, : 2 * BLOCK].tobytes()
    exact, counted = table_of(whole), table_of(found)
    for name, values in exact.items():
        tolerance = 1e-12
        if name.startswith(("quantile", "median", "mean of")):
            tolerance = counted["relative error of quantiles, at most"][0]
        for mine, wanted in zip(counted[name], values, strict=True):
            assert mine is wanted or mine == pytest.approx(wanted, rel=tolerance, abs=0), name
        if name.startswith(("draws", "probability", "smallest", "largest", "rank", "share of")):
            assert counted[name] == values
    # What hangs on single draws is that of the first ones, and says of how many.
    first = table_of(drawn(model, tmp_path, MANY, OUTPUTS, 2 * BLOCK, keep_draws=True, **more))
    assert counted["draws behind the rows below"][0] == 2 * BLOCK
    for name, values in first.items():
        if name.startswith(("rank", "share of")):
            assert counted[name] == values


def test_a_digest_does_not_hang_on_the_cut(model, tmp_path, few_kept, monkeypatch) -> None:
    one = table_of(drawn(model, tmp_path, MANY, OUTPUTS, 5 * BLOCK, seed=3))
    two = table_of(drawn(model, tmp_path, MANY, OUTPUTS, 5 * BLOCK, seed=3, where=Where(2)))
    assert one == two


def test_more_than_is_kept_on_the_command_line(model, tmp_path, few_kept) -> None:
    risks(model, tmp_path, MANY)
    done = {}
    for ending in ("xlsx", "csv", "parquet"):
        out = tmp_path / f"out.{ending}"
        done[ending] = CliRunner().invoke(
            app,
            ["simulate", str(model), "--inputs", str(tmp_path / "risks.csv"), "--outputs",
             "M!B1,M!B3", "--draws", str(3 * BLOCK), "-o", str(out)],
        )  # fmt: skip
        assert done[ending].exit_code == 0, done[ending].output
    assert "within 0.0061 % of themselves" in done["csv"].output
    assert "first 131,072 draws" in done["csv"].output
    assert "196,608 draws, seed 0" in done["csv"].output
    assert f"of {3 * BLOCK:,} draws give an error" in done["csv"].output
    about = [[c.value for c in r] for r in openpyxl.load_workbook(tmp_path / "out.xlsx")["About"]]
    assert ["draws", 3 * BLOCK] in about
    assert ["quantiles", "by classes, each within 6.1e-05 of itself"] in about
    # A .parquet file holds every draw.
    assert "themselves" not in done["parquet"].output
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 3 * BLOCK


def test_a_condition_is_read() -> None:
    one = condition("'My sheet'!B5 <= 1e3")
    assert (one.output, one.sign, one.value) == ("'My sheet'!B5", "<=", 1000.0)
    assert one.holds(np.array([1000.0, 1001.0, np.nan])).tolist() == [True, False, False]
    with pytest.raises(BadInputError, match="no condition"):
        condition("runway")


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_the_command_line(model, tmp_path, ending) -> None:
    risks(model, tmp_path, [NORMAL.format(1, 1, 2), "M!A2,pert,0,1,8,,,,,,,"])
    out = tmp_path / f"out.{ending}"
    result = CliRunner().invoke(
        app,
        ["simulate", str(model), "--inputs", str(tmp_path / "risks.csv"), "--outputs",
         "M!B1,M!B3", "--draws", "2000", "--seed", "4", "--probability", "M!B1<5", "--keep-draws",
         "-o", str(out)],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "give an error" in result.output
    if ending == "csv":
        rows = {row[0]: row[1:] for row in csv.reader(out.read_text().splitlines())}
        draws = list(csv.DictReader((tmp_path / "out.draws.csv").read_text().splitlines()))
        sums = [float(row["M!B1"]) for row in draws]
        assert float(rows["mean"][0]) == pytest.approx(np.mean(sums))
        assert float(rows["probability of M!B1<5"][0]) == np.mean([s < 5 for s in sums])
        lost = sum(row["M!B3"] == "#N/A" for row in draws)
        assert rows["draws that give #N/A"] == ["0", str(lost)]
        assert 0 < lost < 2000
    elif ending == "xlsx":
        book = openpyxl.load_workbook(out)
        assert book.sheetnames == ["Summary", "Statistics", "M B1", "M B3", "About", "Draws"]
        assert len(book["M B1"]._charts) == 4
        assert ["seed", 4] in [[c.value for c in row] for row in book["About"].iter_rows()]
        assert book["Draws"].max_row == 2001
    else:
        assert len(pd.read_parquet(out)) == 2000


@pytest.mark.parametrize(
    ("sign", "held"),
    [
        ("<>", [False, True, False]), ("=", [True, False, False]), ("<", [False, False, False]),
        ("<=", [True, False, False]), (">", [False, True, False]), (">=", [True, True, False]),
    ],
)  # fmt: skip
def test_a_draw_without_a_number_meets_no_condition(sign: str, held: list[bool]) -> None:
    assert condition(f"x{sign}5").holds(np.array([5.0, 6.0, math.nan])).tolist() == held


def test_a_risk_on_a_text_is_refused_with_the_number_beside_it(model: Path, tmp_path: Path) -> None:
    told = "M!A4 holds the text 'x', and a risk draws numbers; .* such as M!D4 \\(16\\)"
    with pytest.raises(BadInputError, match=told):
        drawn(model, tmp_path, ["M!A4,uniform,0,,1"], ["M!B1"], 10)


def test_draws_in_error_are_told_with_where_the_error_begins(model: Path, tmp_path: Path) -> None:
    found = drawn(model, tmp_path, ["M!A1,uniform,1.5,,2.5"], ["M!B3", "M!B1"], 50)
    assert found.causes == ["#N/A begins in M!B3: a value is not available", ""]
    with pytest.raises(BadInputError, match="'#N/A'; #N/A begins in M!B3"):
        drawn(model, tmp_path, ["M!A1,uniform,2.5,,3.5"], ["M!B3"], 50)


def test_a_range_of_outputs_is_one_for_each_of_its_cells(model: Path, tmp_path: Path) -> None:
    found = drawn(model, tmp_path, [NORMAL.format(1, 1, 2)], ["M!B1:B2"], 50)
    each = drawn(model, tmp_path, [NORMAL.format(1, 1, 2)], ["M!B1", "M!B2"], 50)
    assert found.task.outputs == ("M!B1", "M!B2")
    np.testing.assert_array_equal(found.draws.outputs, each.draws.outputs)
