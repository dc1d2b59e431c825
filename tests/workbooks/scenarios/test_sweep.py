"""A workbook as a function: every scenario gives what a recalculation of its own gives."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName

from workbooks.recalc import BadInputError, RefusedError, UnwritableError, recalculate
from workbooks.scenarios.sweep import sweep
from workbooks.workers import Where


@pytest.fixture
def model(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    sheet["A1"], sheet["A2"], sheet["A3"] = 30, 0.5, "note"
    sheet["B1"] = "=TOK_COST_PER_MTOK(A1,100,A2)"
    sheet["B2"] = "=B1*2+LEN(A3)"
    path = tmp_path / "model.xlsx"
    book.save(path)
    recalculate(path)
    return path


def scenarios(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scenarios.csv"
    path.write_text(text, encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_scenario_is_a_recalculation(model: Path, tmp_path: Path) -> None:
    before = model.read_bytes()
    given = scenarios(tmp_path, "M!A1,M!A2,M!A3\n10,0.5,note\n20,0.25,=1+1\n10,0.5,note\n")
    report = sweep(model, given, ["M!B1", "M!B2"], tmp_path / "out.csv")
    assert (report.done, report.bad) == (3, 0)
    assert model.read_bytes() == before
    for row in rows(tmp_path / "out.csv"):
        single = tmp_path / "single.xlsx"
        recalculate(
            model,
            single,
            set_values=[
                ("M!A1", float(row["M!A1"])),
                ("M!A2", float(row["M!A2"])),
                ("M!A3", row["M!A3"].removeprefix("'")),
            ],
        )
        sheet = openpyxl.load_workbook(single, data_only=True)["M"]
        assert float(row["M!B1"]) == sheet["B1"].value
        assert float(row["M!B2"]) == sheet["B2"].value


def test_a_range_of_outputs_is_a_column_for_each_of_its_cells(model: Path, tmp_path: Path) -> None:
    given = scenarios(tmp_path, "M!A1\n10\n20\n")
    for asked, name in (("M!B1:A2", "one"), ("M!$A$1:$B$2", "other")):
        sweep(model, given, [asked], tmp_path / f"{name}.csv")
    cells = ["M!A1", "M!B1", "M!A2", "M!B2"]
    sweep(model, given, cells, tmp_path / "each.csv")
    texts = [(tmp_path / f"{name}.csv").read_text() for name in ("one", "other", "each")]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0].splitlines()[0].split(",") == ["scenario", "M!A1", *cells, "error"]
    with pytest.raises(BadInputError, match="20,000 cells"):
        sweep(model, given, ["M!A1:B10000"], tmp_path / "many.csv")


def test_functions_of_ones_own_stay_here(model: Path, tmp_path: Path) -> None:
    given = scenarios(tmp_path, "M!A1\n10\n")
    with pytest.raises(BadInputError, match="cannot be sent to workers"):
        sweep(model, given, ["M!A1"], tmp_path / "out.csv", functions={}, where=Where(2))


def test_the_first_error_is_told_with_where_it_begins(model: Path, tmp_path: Path) -> None:
    given = scenarios(tmp_path, "M!A1,M!A2\n10,0.5\n10,7\n10,8\n")
    report = sweep(model, given, ["M!B2"], tmp_path / "out.csv")
    assert report.cause.startswith("scenario 2, M!B2: #NUM! begins in M!B1: utilisation is 7;")
    fine = scenarios(tmp_path, "M!A1,M!A2\n10,0.5\n")
    assert not sweep(model, fine, ["M!B2"], tmp_path / "out.csv").cause


def test_scenarios_at_once_give_what_each_alone_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    sheet["A1"], sheet["A2"] = 30, 0.5
    for row in range(1, 31):
        sheet.cell(row, 3, f"=TOK_COST_PER_MTOK(A$1+{row},100,$A$2)")
        sheet.cell(row, 4, f"=IF(C{row}>MAX(C$1:C{row})*50%,-C{row}^2/3,SUM(C{row},A1:A2))")
        sheet.cell(row, 5, f"=D{row}" if row == 1 else f"=E{row - 1}+ABS(D{row})-INT(C{row})")
    sheet["F1"] = "=Last*(1+A2)"
    book.defined_names["Last"] = DefinedName("Last", attr_text="M!$E$30")
    model = tmp_path / "model.xlsx"
    book.save(model)
    # Scenarios 7, 14 ... are outside the domain: the calculator knows what to show.
    lines = [f"{i},{0.01 * i if i % 7 else 5}" for i in range(1, 61)]
    given = scenarios(tmp_path, "\n".join(["M!A1,M!A2", *lines]) + "\n")
    sweep(model, given, ["M!F1", "M!C3"], tmp_path / "together.csv")
    together = rows(tmp_path / "together.csv")
    monkeypatch.setattr("workbooks.scenarios.model._WORTH_WHILE", 1_000)
    sweep(model, given, ["M!F1", "M!C3"], tmp_path / "alone.csv")
    for one, other in zip(together, rows(tmp_path / "alone.csv"), strict=True):
        for cell in ("M!F1", "M!C3"):
            if other[cell].startswith("#"):
                assert one[cell] == other[cell]
            else:
                assert float(one[cell]) == pytest.approx(float(other[cell]), rel=1e-12)
    assert together[6]["M!C3"] == "#NUM!"


def test_bad_scenarios_say_why_in_their_row(model: Path, tmp_path: Path) -> None:
    given = scenarios(tmp_path, "M!A1,M!A2\n10,0.5\ncheap,0.5\n10\n10,7\n20,1\n")
    report = sweep(model, given, ["M!B1"], tmp_path / "out.csv")
    assert (report.done, report.bad) == (5, 2)
    found = rows(tmp_path / "out.csv")
    assert "holds a number" in found[1]["error"]
    assert "1 values for 2 cells" in found[2]["error"]
    assert found[3]["M!B1"] == "#NUM!"
    assert float(found[4]["M!B1"]) == pytest.approx(20 / 3600 / 100 * 1e6)


def test_resumes_where_it_was_stopped(model: Path, tmp_path: Path) -> None:
    given = scenarios(tmp_path, "M!A1\n" + "".join(f"{i}\n" for i in range(1, 9)))
    out = tmp_path / "out.csv"

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(_stage: str, done: int, _total: int) -> None:
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        sweep(model, given, ["M!B1"], out, progress=stop)
    assert not out.exists()
    part = tmp_path / "out.csv.part"
    with part.open("a") as file:
        file.write("[4, [4.0], [12")  # the row that was being written
    with pytest.raises(BadInputError, match="another sweep"):
        sweep(model, given, ["M!B2"], out, resume=True)
    report = sweep(model, given, ["M!B1"], out, resume=True)
    assert (report.resumed, report.done) == (3, 5)
    assert [row["scenario"] for row in rows(out)] == [str(i) for i in range(1, 9)]
    assert not part.exists()


def test_other_kinds_of_result(model: Path, tmp_path: Path) -> None:
    given = scenarios(tmp_path, "M!A1\n10\n-1\n")
    sweep(model, given, ["M!B1"], tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert [c.value for c in sheet[1]] == ["scenario", "M!A1", "M!B1", "error"]
    assert [c.value for c in sheet[3]] == [2, -1, "#NUM!", None]
    with pytest.raises(UnwritableError):
        sweep(model, given, ["M!B1"], tmp_path / "out.txt")


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("M!A1\n", ["M!B1"]),
        ("M!Z9\n1\n", ["M!B1"]),
        ("M!B1\n1\n", ["M!B2"]),
        ("M!A1\n1\n", ["N!B1"]),
        ("M!A1\n1\n", ["nothing"]),
        ("M!A1,M!A1\n1,2\n", ["M!B1"]),
    ],
)
def test_refusals(model: Path, tmp_path: Path, text: str, outputs: list[str]) -> None:
    with pytest.raises(RefusedError):
        sweep(model, scenarios(tmp_path, text), outputs, tmp_path / "out.csv")


@pytest.mark.parametrize(
    "formula", ["1/(1/A1)", "IF(1/A1>3,1,2)", "EXP(LN(A1))", "MAX(1/A1,2)", "A1*1E308*10/1E308"]
)
def test_an_error_on_the_way_stays_one(formula: str, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "M"
    book.active["A1"], book.active["B1"] = 1, f"={formula}"
    book.save(tmp_path / "model.xlsx")
    numbers = [0, *range(1, 40), 1e300, 0]
    given = scenarios(tmp_path, "M!A1\n" + "\n".join(map(str, numbers)) + "\n")
    sweep(tmp_path / "model.xlsx", given, ["M!B1"], tmp_path / "out.csv")
    found = rows(tmp_path / "out.csv")
    for place in (0, 5, 40, 41):
        recalculate(
            tmp_path / "model.xlsx", tmp_path / "one.xlsx", set_values=[("M!A1", numbers[place])]
        )
        value = openpyxl.load_workbook(tmp_path / "one.xlsx", data_only=True)["M"]["B1"].value
        shown = found[place]["M!B1"]
        assert shown == value if isinstance(value, str) else float(shown) == pytest.approx(value)
