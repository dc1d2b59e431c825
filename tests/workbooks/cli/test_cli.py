"""The command line as a user meets it: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile

import pytest
import typer
from openpyxl import Workbook, load_workbook
from openpyxl.workbook.defined_name import DefinedName

from udfs import registry
from workbooks import templates
from workbooks.cli import COMMANDS, command_line


@pytest.fixture
def model(tmp_path):
    """A workbook made elsewhere: TOK_ functions among native ones and names."""
    workbook = Workbook()
    inputs = workbook.active
    inputs.title = "Inputs"
    for row, (label, value) in enumerate(
        (("price", 0.88), ("breakeven", 3.0), ("tokens", 10e9), ("note", "text")), start=1
    ):
        inputs.cell(row, 1, label)
        inputs.cell(row, 2, value)
    inputs["B5"] = "=B1*2"
    workbook.defined_names["price"] = DefinedName("price", attr_text="Inputs!$B$1")
    model = workbook.create_sheet("Model")
    model["A1"] = "=TOK_SUBSIDY(price,Inputs!B2)"
    model["A2"] = "=SUM(A1,1)"
    model["A3"] = '=INDEX(Inputs!B1:B3,MATCH("tokens",Inputs!A1:A3,0))'
    model["A4"] = "=TOK_SUBSIDY_LOSS(A3,price,Inputs!B2,1)"
    path = tmp_path / "model.xlsx"
    workbook.save(path)
    return path


def values(path, sheet="Model"):
    return {
        c.coordinate: c.value for row in load_workbook(path, data_only=True)[sheet] for c in row
    }


# --- call -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("TOK_COST_PER_MTOK", "30", "23.928571428571427"), "348.2587065"),
        (("TOK_DECODE_TIME", "140", "3.35"), "0.04179104478"),
        (("TOK_SUBSIDY_LOSS", "10e9", "0", "3", "1"), "30000"),
        (("TOK_MARKET_VOLUME", "8.5e9", "2.5"), "9315068493150.69"),
        (("TOK_RUNWAY", "305e6", "10e9", "0", "3"), "334.2465753"),
        (("subsidy", "0.88", "3"), "2.12"),
        (("TOK_SUBSIDY", "0.88", "[[3],[5]]"), "2.12\n4.12"),
        (("TOK_SUBSIDY", "0.88", "[3,5]"), "2.12\t4.12"),
        (("TOK_STACKED_CUT", "[0.2,0.5,0.3,0.1]"), "0.748"),
        (("TOK_COST_CUT", "+.5"), "-1"),
        (("TOK_ANNUALISED", "-0.9", "18"), "-0.784556531"),
        (("TOK_VERDICT", "0.88", "3", "5"), "below cost"),
        (("TOK_SUBSIDY_LOSS", "1e6", "1", "2", "null"), "365"),
    ],
)
def test_call_prints_the_value(tokenbook, arguments, printed):
    assert tokenbook("call", *arguments) == (0, printed + "\n", "")


def test_call_prints_a_table(tokenbook):
    code, out, _ = tokenbook("call", "TOK_MARKET_PATH", "8e9", "2.5", "1", "-0.5", "1")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["year", "market", "USD", "price", "tokens/day"],
        ["0", "8000000000", "2.5", "8767123287671.23"],
        ["1", "16000000000", "1.25", "35068493150684.93"],
    ]


def test_call_prints_json(tokenbook):
    code, out, _ = tokenbook("call", "--json", "TOK_SUBSIDY", "1", "[3,-1]")
    assert (code, json.loads(out)) == (1, [[2.0, "#NUM!"]])


def test_call_prints_an_error_value_and_its_reason(tokenbook):
    code, out, err = tokenbook("call", "TOK_SUBSIDY", "-1", "2")
    assert (code, out) == (1, "#NUM!\n")
    assert "price is -1; it must be 0 or more" in err


def test_call_takes_error_values(tokenbook):
    code, out, _ = tokenbook("call", "TOK_SUBSIDY", "#N/A", "2")
    assert (code, out) == (1, "#N/A\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("TOK_SUBSIDI", "1", "2"), "did you mean TOK_SUBSIDY"),
        (("TOK_SUBSIDY", "1"), "takes 2 arguments, not 1: TOK_SUBSIDY(price, breakeven)"),
        (("TOK_SUBSIDY", "1", "[2"), "not JSON"),
        (("TOK_SUBSIDY", "1", '{"a":2}'), "a range is an array"),
    ],
)
def test_call_refuses_with_one_clear_line(tokenbook, arguments, message):
    code, out, err = tokenbook("call", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


# --- list -------------------------------------------------------------------------------------


def test_list_shows_every_function_with_its_help(tokenbook):
    code, out, _ = tokenbook("list")
    assert code == 0
    for function in registry.values():
        assert function.usage in out
        assert function.summary in out


def test_list_as_json(tokenbook):
    code, out, _ = tokenbook("list", "--json")
    listed = json.loads(out)
    assert code == 0
    assert [f["name"] for f in listed] == list(registry)
    runway = next(f for f in listed if f["name"] == "TOK_RUNWAY")
    assert runway["arguments"][0]["unit"] == "USD"
    assert runway["arguments"][4]["default"] == 0


def test_list_one_function_shows_its_equation(tokenbook):
    assert "Equation:" in tokenbook("list", "TOK_RUNWAY")[1]
    assert tokenbook("list", "nonsense")[0] == 2


# --- build and demo ---------------------------------------------------------------------------


def test_build_writes_the_workbook_with_its_values(tokenbook, tmp_path):
    code, out, _ = tokenbook("build", "breakeven", "-o", tmp_path / "books")
    assert code == 0
    path = tmp_path / "books" / "breakeven.xlsx"
    assert str(path) in out
    assert values(path, "Subsidy")["B8"] == pytest.approx(30000)


def test_build_leaves_a_changed_workbook_alone(tokenbook, tmp_path):
    tokenbook("build", "breakeven", "-o", tmp_path)
    path = tmp_path / "breakeven.xlsx"
    assert tokenbook("build", "breakeven", "-o", tmp_path)[0] == 0
    tokenbook("recalc", path, "--set", "Inputs!C12=0.5")
    changed = path.read_bytes()
    code, _, err = tokenbook("build", "breakeven", "-o", tmp_path)
    assert code == 2
    assert "--force" in err
    assert path.read_bytes() == changed
    assert tokenbook("build", "breakeven", "-o", tmp_path, "--force")[0] == 0
    assert path.read_bytes() != changed
    assert os.listdir(tmp_path) == ["breakeven.xlsx"]


def test_build_of_an_unknown_template_names_the_known(tokenbook):
    code, _, err = tokenbook("build", "brakeven")
    assert code == 2
    assert "did you mean breakeven" in err


@pytest.mark.parametrize(
    ("name", "kind"), [("f.xlsm", "macroEnabled"), ("My model.XLSX", "spreadsheetml.sheet.main")]
)
def test_build_writes_the_file_that_is_named_in_the_flavour_of_its_ending(
    tokenbook, tmp_path, name, kind
):
    path = tmp_path / "new" / name
    code, out, _ = tokenbook("build", "breakeven", "-o", path)
    assert code == 0
    assert str(path) in out
    assert os.listdir(path.parent) == [name]
    with zipfile.ZipFile(path) as package:
        assert kind in package.read("[Content_Types].xml").decode()
    assert values(path, "Subsidy")["B8"] == pytest.approx(30000)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("all", "-o", "f.xlsx"), "one file"),
        (("breakeven", "-o", "f.xls"), ".xls cannot be written"),
        (("breakeven", "-o", "f.xlsx", "--flavour", "xlsm"), "does not end in .xlsx"),
        (("breakeven", "-o", "f.ods", "--flavour", "officejs"), "does not end in .ods"),
    ],
)
def test_build_refuses_a_file_that_cannot_be_meant(
    tokenbook, tmp_path, monkeypatch, arguments, told
):
    monkeypatch.chdir(tmp_path)
    code, _, err = tokenbook("build", *arguments)
    assert code == 2
    assert told in err
    assert os.listdir(tmp_path) == []


def test_build_takes_a_folder_whose_name_looks_like_a_file(tokenbook, tmp_path):
    (tmp_path / "books.xlsx").mkdir()
    assert tokenbook("build", "breakeven", "-o", tmp_path / "books.xlsx")[0] == 0
    assert os.listdir(tmp_path / "books.xlsx") == ["breakeven.xlsx"]
    assert tokenbook("build", "breakeven", "-o", tmp_path / "v1.2")[0] == 0
    assert os.listdir(tmp_path / "v1.2") == ["breakeven.xlsx"]


@pytest.mark.libreoffice
def test_build_writes_an_ods(tokenbook, tmp_path):
    code, out, _ = tokenbook("build", "audit", "-o", tmp_path / "claims.ods")
    assert code == 0
    assert "claims.ods" in out
    assert os.listdir(tmp_path) == ["claims.ods"]
    with zipfile.ZipFile(tmp_path / "claims.ods") as package:
        assert package.read("mimetype") == b"application/vnd.oasis.opendocument.spreadsheet"
        assert b"ORG.TOKENBOOK.FUNCTIONS.TOK_" in package.read("content.xml")


def test_build_into_a_file_is_refused(tokenbook, tmp_path):
    (tmp_path / "books").write_text("a file")
    code, _, err = tokenbook("build", "breakeven", "-o", tmp_path / "books")
    assert code == 2
    assert "cannot be written" in err


@pytest.mark.parametrize(
    "names",
    [("breakeven", "market", "audit"), pytest.param(templates.NAMES, marks=pytest.mark.long)],
)
def test_demo_prints_headline_figures_and_where_the_files_are(
    names, tokenbook, monkeypatch, tmp_path
):
    monkeypatch.setattr(templates, "NAMES", names)
    code, out, _ = tokenbook("demo", tmp_path / "demo")
    assert code == 0
    # As the cover shows them.
    for figure in ("593.6T  tokens/day", "27.85  years", "73.6%  of paid time", "$10,950,000  USD"):
        assert figure in out
    assert str(tmp_path / "demo") in out
    assert {path.stem for path in (tmp_path / "demo").iterdir()} == set(names)


# --- recalc -----------------------------------------------------------------------------------


def test_recalc_in_place_gives_values_and_keeps_everything_else(tokenbook, model):
    with zipfile.ZipFile(model) as z:
        before = {name: z.read(name) for name in z.namelist()}
    code, out, _ = tokenbook("recalc", model)
    assert code == 0
    assert "5 cells evaluated, 5 changed, 0 in error, 0 not evaluated" in out
    found = values(model)
    assert found["A1"] == pytest.approx(2.12)
    assert found["A2"] == pytest.approx(3.12)
    assert found["A4"] == pytest.approx(21200)
    with zipfile.ZipFile(model) as z:
        # What it was computed with is recorded in its properties.
        assert z.namelist() == [*before, "docProps/custom.xml"]
        touched = {name for name in before if z.read(name) != before[name]}
    linked = {"[Content_Types].xml", "_rels/.rels"}
    sheets = {"xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"}
    assert touched <= sheets | linked


def test_recalc_sets_inputs_into_another_file(tokenbook, model, tmp_path):
    before = model.read_bytes()
    target = tmp_path / "out.xlsx"
    code, _, _ = tokenbook(
        "recalc", model, "-o", target, "--set", "Inputs!B2=5", "--set", "price=1", "-v"
    )
    assert code == 0
    assert values(target)["A1"] == 4
    assert model.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("inputs.csv", "cell,value\nInputs!B1,2\nInputs!B4,=1+1\n"),
        ("inputs.json", '{"Inputs!B1": 2, "Inputs!B4": "=1+1"}'),
    ],
)
def test_recalc_takes_inputs_from_a_file_and_no_formulas(tokenbook, model, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert tokenbook("recalc", model, "--inputs", tmp_path / name)[0] == 0
    assert values(model)["A1"] == 1
    assert load_workbook(model)["Inputs"]["B4"].data_type == "s"


def test_dry_run_writes_nothing(tokenbook, model):
    before = model.read_bytes()
    code, out, _ = tokenbook("recalc", model, "--dry-run")
    assert code == 0
    assert "not written" in out
    assert model.read_bytes() == before


def test_strict_exits_1_and_names_cell_function_and_reason(tokenbook, model):
    code, out, _ = tokenbook("recalc", model, "--strict", "--set", "price=-1")
    assert code == 1
    assert "Model!A1" in out
    assert "TOK_SUBSIDY" in out
    assert "price is -1; it must be 0 or more" in out
    assert tokenbook("recalc", model, "--set", "price=-1")[0] == 0


def test_wrong_number_of_arguments_is_reported_with_the_usage(tokenbook, tmp_path):
    path = tmp_path / "book.xlsx"
    workbook = Workbook()
    workbook.active["A1"] = "=TOK_SUBSIDY(1)"
    workbook.save(path)
    code, out, _ = tokenbook("recalc", path, "--strict")
    assert code == 1
    assert "Sheet!A1" in out
    assert "TOK_SUBSIDY takes 2 arguments, not 1: TOK_SUBSIDY(price, breakeven)" in out


def test_unknown_function_keeps_the_old_value_and_is_reported(tokenbook, tmp_path):
    path = tmp_path / "book.xlsx"
    workbook = Workbook()
    workbook.active["A1"] = "=NOSUCHFUNCTION(1)"
    workbook.active["A2"] = "=1+1"
    workbook.save(path)
    with_cached_value(path, "A1", "42")
    code, out, _ = tokenbook("recalc", path, "--strict")
    assert code == 1
    assert "Sheet!A1" in out
    assert "NOSUCHFUNCTION" in out
    assert values(path, "Sheet") == {"A1": 42, "A2": 2}


def with_cached_value(path, cell, value, part="sheet1"):
    """Put a cached value beside a formula, as Excel would have left it."""
    part = f"xl/worksheets/{part}.xml"
    with zipfile.ZipFile(path) as z:
        parts = {name: z.read(name) for name in z.namelist()}
    sheet = parts[part]
    start = sheet.index(f'r="{cell}"'.encode())
    end = sheet.index(b"</c>", start)
    done = re.sub(rb"<v ?/>|<v>[^<]*</v>", f"<v>{value}</v>".encode(), sheet[start:end])
    assert done.endswith(f"<v>{value}</v>".encode()), done
    parts[part] = sheet[:start] + done + sheet[end:]
    with zipfile.ZipFile(path, "w") as z:
        for name, data in parts.items():
            z.writestr(name, data)


# --- check, sweep, freeze ---------------------------------------------------------------------


def test_check_finds_what_is_stale(tokenbook, model):
    tokenbook("recalc", model)
    code, out, _ = tokenbook("check", model)
    assert code == 0
    assert "5 cells evaluated, 0 differ" in out
    with_cached_value(model, "A2", "99", part="sheet2")
    code, out, _ = tokenbook("check", model)
    assert code == 1
    assert "Model!A2" in out
    assert "3.12" in out


def test_sweep_evaluates_scenarios_and_tells_the_bad(tokenbook, model, tmp_path):
    (tmp_path / "in.csv").write_text("price,Inputs!B2\n1,5\ncheap,5\n")
    result = tmp_path / "out.csv"
    code, out, _ = tokenbook(
        "sweep", model, "--inputs", tmp_path / "in.csv", "--outputs", "Model!A1,Model!A2",
        "-o", result,
    )  # fmt: skip
    assert code == 1
    assert "2 scenarios evaluated, 0 were done before, 1 bad" in out
    lines = result.read_text().splitlines()
    assert lines[0] == "scenario,price,Inputs!B2,Model!A1,Model!A2,error"
    assert lines[1].startswith("1,1,5,4,5,")
    assert "holds a number" in lines[2]


def test_freeze_leaves_values_where_functions_were(tokenbook, model, tmp_path):
    frozen = tmp_path / "frozen.xlsx"
    assert tokenbook("freeze", model, "-o", frozen)[0] == 0
    assert load_workbook(frozen)["Model"]["A1"].value == pytest.approx(2.12)
    assert load_workbook(frozen)["Model"]["A2"].value == "=SUM(A1,1)"
    assert tokenbook("freeze", model, "-o", model)[0] == 2


@pytest.mark.libreoffice
def test_second_opinion_is_asked_and_nothing_is_written(tokenbook, model):
    tokenbook("recalc", model)
    before = model.read_bytes()
    code, out, _ = tokenbook("recalc", model, "--engine", "libreoffice", "--strict")
    assert code == 0, out
    assert "5 cells compared, 0 differ, 0 not calculated" in out
    assert model.read_bytes() == before


def test_errors_are_told_by_the_input_in_which_they_begin(tokenbook, model):
    code, out, _ = tokenbook("recalc", model, "--dry-run", "--set", "price=-1")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("Inputs!B1")]
    why = "price is -1; it must be 0 or more (#NUM! in TOK_SUBSIDY, Model!A1)"
    assert line == f"Inputs!B1: {why}; 3 cells follow"
    assert "--all-errors lists all 3 cells in error" in out
    assert "passed on" not in out
    _, out, _ = tokenbook("recalc", model, "--dry-run", "--set", "price=-1", "--all-errors")
    rows = [re.split(r"  +", line) for line in out.splitlines() if line.startswith("Model!")]
    assert [(row[0], row[-1]) for row in rows] == [
        ("Model!A1", "Model!A1"),
        ("Model!A4", "Model!A4"),
        ("Model!A2", "Model!A1"),
    ]


# --- what recalc refuses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "Nowhere!A1=1"), "no sheet 'Nowhere'"),
        (("--set", "Inputs!Z99=1"), "Inputs!Z99"),
        (("--set", "Inputs!B1=cheap"), "Inputs!B1"),
        (("--set", "Inputs!B5=1"), "Inputs!B5 holds a formula"),
        (("--set", "nosuchname=1"), "nosuchname"),
        (("--set", "B1"), "Sheet!B3=0.88"),
        (("--inputs", "missing.csv"), "missing.csv"),
    ],
)
def test_bad_inputs_are_refused_and_write_nothing(tokenbook, model, arguments, message):
    before = model.read_bytes()
    code, _, err = tokenbook("recalc", model, *arguments)
    assert code == 2
    assert message in err
    assert model.read_bytes() == before


def test_formula_cell_is_set_by_force(tokenbook, model):
    assert tokenbook("recalc", model, "--set", "Inputs!B5=7", "--force")[0] == 0
    assert values(model, "Inputs")["B5"] == 7


def test_missing_file(tokenbook, tmp_path):
    code, _, err = tokenbook("recalc", tmp_path / "none.xlsx")
    assert code == 2
    assert "none.xlsx" in err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a workbook",
        b"PK\x03\x04 truncated",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    ],
)
def test_what_is_no_workbook_is_refused_and_kept(tokenbook, tmp_path, content):
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    code, _, err = tokenbook("recalc", path)
    assert code == 2
    assert "book.xlsx" in err
    assert len(err.splitlines()) == 1
    assert path.read_bytes() == content


def test_truncated_workbook_is_refused(tokenbook, model):
    model.write_bytes(model.read_bytes()[:-200])
    assert tokenbook("recalc", model)[0] == 2


def test_target_that_cannot_be_written(tokenbook, model, tmp_path):
    code, _, err = tokenbook("recalc", model, "-o", tmp_path / "no" / "such" / "out.xlsx")
    assert code == 2
    assert "out.xlsx" in err


# --- the program itself -----------------------------------------------------------------------


def test_help_names_every_command(tokenbook):
    code, out, _ = tokenbook("--help")
    assert code == 0
    for command in ("demo", "build", "recalc", "check", "sweep", "freeze", "call", "list"):
        assert command in out


@pytest.mark.parametrize("arguments", [["--help"], ["call", "TOK_SUBSIDY", "1", "2"]])
def test_start_is_light(arguments):
    """pandas, openpyxl, xlwings and SciPy stay out where they are not needed."""
    program = (
        "import sys; from workbooks.cli import main\n"
        f"sys.argv = ['tokenbook', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'openpyxl', 'xlwings', 'scipy', 'formualizer'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_reader_that_goes_away_is_no_failure():
    done = subprocess.run(
        f"{sys.executable} -c 'from workbooks.cli import main; main()' list | head -1",
        shell=True,
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stderr == ""


def test_a_command_alone_is_the_same_as_among_all() -> None:
    everything = typer.main.get_command(command_line())
    assert list(everything.commands) == list(COMMANDS)
    for name, command in everything.commands.items():
        alone = typer.main.get_command(command_line(name)).commands[name]
        assert alone.help == command.help
        assert _options(alone) == _options(command)


def _options(command) -> list[tuple[object, ...]]:
    return [(p.name, p.opts, p.required, p.type.name, p.default) for p in command.params]
