"""Cells that do not come out as Excel saved them are told, and keep its value where they may."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from workbooks.cli import main
from workbooks.errors import BadInputError, DeadlineError
from workbooks.recalc import job as jobs
from workbooks.recalc import recalculate, sheets
from workbooks.scenarios.outcome import Gathered
from workbooks.scenarios.risks import read_risks
from workbooks.scenarios.simulate import simulate
from workbooks.scenarios.sweep import SweepReport, sweep

# B1 was saved as if SUM gave 7; B2 depends on it, B3 does not, B4 on A2 alone.
ROWS = (
    '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>SUM(A1:A2)</f><v>7</v></c></row>'
    '<row r="2"><c r="A2"><v>2</v></c><c r="B2"><f>B1*10</f><v>70</v></c></row>'
    '<row r="3"><c r="A3"><v>5</v></c><c r="B3"><f>A3*2</f><v>10</v></c></row>'
    '<row r="4"><c r="B4"><f>A2+1</f><v>3.0000000000000004</v></c></row>'
)


@pytest.fixture
def saved(as_excel):
    """Write a workbook as Excel saves one, with the rows above where none are given."""
    return lambda rows=ROWS, **more: as_excel(rows, **more)


def told(report):
    return {cell.address: cell.reason for cell in report.unreproduced}


def test_as_it_stands_excel_has_the_last_word(saved, values) -> None:
    path = saved()
    report = recalculate(path)
    assert set(told(report)) == {"S!B1", "S!B2"}
    assert "Excel saved 7, here it is 3: Excel's value stays" in told(report)["S!B1"]
    assert not report.changed_count
    assert not report.clean
    assert values(path)["B1"] == 7


def test_sheets_too_large_to_keep_are_held_against_excel_too(
    saved, values, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns that are computed at once, in a sheet that is read anew each time."""
    rows = "".join(
        f'<row r="{r}"><c r="A{r}"><v>{r}</v></c><c r="B{r}"><v>2</v></c>'
        f'<c r="C{r}"><f>A{r}*B{r}</f><v>{2 * r + (r == 20)}</v></c></row>'
        for r in range(1, 61)
    )
    kept = recalculate(saved(rows))
    for module in (jobs, sheets):
        monkeypatch.setattr(module, "KEPT_IN_PARTS", 10)
    path = saved(rows)
    read_anew = recalculate(path)
    assert told(kept) == told(read_anew)
    assert set(told(kept)) == {"S!C20"}
    assert (kept.changed, kept.baseline) == (read_anew.changed, read_anew.baseline) == ([], "")
    assert values(path)["C20"] == 41


def test_what_depends_on_a_change_is_written_and_told(saved, values) -> None:
    path = saved()
    report = recalculate(path, set_values=[("S!A1", 4.0)])
    assert "6 is written" in told(report)["S!B1"]
    assert "60 is written" in told(report)["S!B2"]
    found = values(path)
    assert (found["B1"], found["B2"], found["B3"]) == (6, 60, 10)


def test_what_depends_on_no_change_keeps_its_bytes(saved) -> None:
    path = saved()
    report = recalculate(path, set_values=[("S!A3", 6.0)])
    assert "stays" in told(report)["S!B1"]
    with zipfile.ZipFile(path) as source:
        sheet = source.read("xl/worksheets/sheet1.xml")
    assert b"<f>SUM(A1:A2)</f><v>7</v>" in sheet
    assert b"<f>A2+1</f><v>3.0000000000000004</v>" in sheet
    assert b"<f>A3*2</f><v>12</v>" in sheet


def test_without_a_baseline_everything_is_written(saved, values) -> None:
    path = saved()
    report = recalculate(path, baseline=False)
    assert not report.unreproduced
    assert report.changed_count == 2
    assert values(path)["B1"] == 3


def test_our_own_output_is_no_baseline(saved, values) -> None:
    path = saved()
    recalculate(path, baseline=False)
    report = recalculate(path, set_values=[("S!A1", 4.0)])
    assert "computed by Tokenbook" in report.baseline
    assert not report.unreproduced
    assert values(path)["B2"] == 60


@pytest.mark.parametrize(
    ("application", "version", "calc"),
    [
        ("LibreOffice/7.4.7.2$Linux", "15.0000", '<calcPr calcId="191029"/>'),
        ("Microsoft Excel", "3.1", '<calcPr calcId="191029"/>'),
        ("Microsoft Excel", "12.0000", '<calcPr calcId="124519" fullCalcOnLoad="1"/>'),
        ("Microsoft Excel", "16.0300", '<calcPr calcId="191029" calcMode="manual"/>'),
    ],
)
def test_files_whose_values_are_not_excels(saved, values, application, version, calc) -> None:
    path = saved(application=application, version=version, calc=calc)
    report = recalculate(path)
    assert report.baseline
    assert not report.unreproduced
    assert values(path)["B1"] == 3


def test_what_moves_by_itself_is_a_change(saved) -> None:
    path = saved(
        '<row r="1"><c r="A1"><f>TODAY()</f><v>45000</v></c><c r="B1"><f>A1+1</f><v>45001</v></c>'
        '<c r="C1"><f>LEN("abc")</f><v>4</v></c><c r="D1"><f>B1+C1</f><v>45005</v></c></row>'
    )
    report = recalculate(path)
    assert {change.address for change in report.changed} == {"S!A1", "S!B1", "S!D1"}
    assert set(told(report)) == {"S!C1", "S!D1"}


def test_own_functions_saved_without_the_add_in(saved, values) -> None:
    path = saved(
        '<row r="1"><c r="A1"><v>3</v></c>'
        '<c r="B1" t="e"><f>TOK_SUBSIDY(A1,5)</f><v>#NAME?</v></c>'
        '<c r="C1" t="e"><f>B1*2</f><v>#NAME?</v></c></row>'
    )
    report = recalculate(path)
    assert "without the add-in" in report.baseline
    assert values(path)["C1"] == 4


def test_cells_that_array_formulas_fill(saved, values) -> None:
    path = saved(
        '<row r="1"><c r="A1"><v>1</v></c>'
        '<c r="B1"><f t="array" ref="B1:B2">A1:A2*2</f><v>2</v></c></row>'
        '<row r="2"><c r="A2"><v>2</v></c><c r="B2"><v>5</v></c></row>'
    )
    report = recalculate(path)
    assert set(told(report)) == {"S!B2"}
    assert values(path)["B2"] == 5


MISSED = (
    '<row r="1"><c r="A1"><v>3</v></c><c r="B1"><f>A1*2</f><v>6</v></c>'
    '<c r="C1"><f>LEN("abc")</f><v>4</v></c><c r="D1"><f>B1+C1</f><v>10</v></c></row>'
)


def swept(path: Path, tmp_path: Path, **options) -> SweepReport:
    (tmp_path / "in.csv").write_text("S!A1\n1\n2\n")
    return sweep(path, tmp_path / "in.csv", ["S!D1"], tmp_path / "out.csv", **options)


def test_a_sweep_tells_once_what_does_not_come_out_as_excel_saved_it(saved, tmp_path) -> None:
    report = swept(saved(MISSED), tmp_path)
    found = {one.address: one.reason for one in report.unreproduced}
    assert found == {
        "S!C1": "Excel saved 4, here it is 3",
        "S!D1": "Excel saved 10, here it is 9",
    }
    assert (report.baseline, report.done, report.bad) == ("", 2, 0)
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == ["1,1,5,", "2,2,7,"]
    alone = recalculate(saved(MISSED), dry_run=True)
    assert {one.address for one in alone.unreproduced} == set(found)


def test_a_sweep_is_held_to_nothing_where_there_is_nothing(saved, tmp_path) -> None:
    report = swept(saved(MISSED), tmp_path, baseline=False)
    assert (report.unreproduced, report.baseline) == ([], "not asked for")
    recalculate(saved(MISSED), tmp_path / "ours.xlsx")
    report = swept(tmp_path / "ours.xlsx", tmp_path)
    assert report.unreproduced == []
    assert "by Tokenbook" in report.baseline


def test_a_simulation_tells_it_too(saved, tmp_path) -> None:
    path = saved(MISSED)
    (tmp_path / "risks.csv").write_text("cell,distribution,low,high\nS!A1,uniform,1,2\n")
    risks = read_risks(path, tmp_path / "risks.csv")
    found = simulate(path, risks, ["S!D1"], 20)
    assert {one.address for one in found.unreproduced} == {"S!C1", "S!D1"}
    assert found.draws.outputs.max() <= 7
    assert simulate(path, risks, ["S!D1"], 20, baseline=False).unreproduced == []


@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--strict",), 1)])
@pytest.mark.parametrize("command", ["sweep", "simulate"])
def test_strict_fails_on_what_excel_saved_otherwise(
    saved, tmp_path, monkeypatch, capsys, command, strict, code
) -> None:
    (tmp_path / "sweep.csv").write_text("S!A1\n1\n2\n")
    (tmp_path / "simulate.csv").write_text("cell,distribution,low,high\nS!A1,uniform,1,2\n")
    inputs = ["--inputs", str(tmp_path / f"{command}.csv"), "--outputs", "S!D1"]
    more = ["--draws", "20"] if command == "simulate" else []
    output = tmp_path / "out.csv"
    monkeypatch.setattr(
        "sys.argv",
        ["tokenbook", command, str(saved(MISSED)), *inputs, *more, *strict, "-o", str(output)],
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert "Excel saved 10, here it is 9" in capsys.readouterr().out
    assert output.exists()


@pytest.mark.parametrize(
    ("inputs", "outputs", "why"),
    [
        ("S!B1", ["S!D1"], r"S!B1 holds a formula, =A1\*2; set a cell that it reads$"),
        ("prise", ["S!D1"], r"no such defined name; did you mean price\?$"),
        ("S!A1", ["prices"], r"no such defined name; did you mean price\?$"),
        ("S!A1", ["T!D1"], "there is no sheet 'T'; the file has S"),
        ("S!A1", ["zzz"], "no such defined name; write a cell as Sheet!B5"),
    ],
)
def test_what_a_sweep_refuses_offers_what_it_has(saved, tmp_path, inputs, outputs, why) -> None:
    names = "<definedNames><definedName name='price'>S!$A$1</definedName></definedNames>"
    (tmp_path / "in.csv").write_text(f"{inputs}\n1\n")
    with pytest.raises(BadInputError, match=why):
        sweep(saved(MISSED, names=names), tmp_path / "in.csv", outputs, tmp_path / "out.csv")


def test_a_sweep_ends_by_its_deadline_and_keeps_what_is_done(saved, tmp_path, monkeypatch) -> None:
    # The clock runs out once the first scenario is written.
    path, whole = saved(MISSED), swept(saved(MISSED), tmp_path)
    assert whole.done == 2
    done = Gathered.add

    def add(self, *row) -> None:
        done(self, *row)
        raise DeadlineError("too late")

    monkeypatch.setattr(Gathered, "add", add)
    with pytest.raises(DeadlineError):
        swept(path, tmp_path, deadline=60)
    monkeypatch.undo()
    report = swept(path, tmp_path, resume=True)
    assert (report.resumed, report.done) == (1, 1)
    with pytest.raises(DeadlineError):
        swept(path, tmp_path, deadline=1e-6)
    with pytest.raises(BadInputError, match="deadline"):
        swept(path, tmp_path, deadline=-1)
