import json
import math
import os
import re
import struct
import subprocess
import time
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from lxml import etree

from udfs import CellError, registry
from udfs.hosts import libreoffice
from udfs.hosts.libreoffice import addin, office, setup, values

#: On a developer's machine without LibreOffice these are skipped; in CI they have to run.
needs_calc = pytest.mark.skipif(
    libreoffice.find_soffice() is None and "CI" not in os.environ,
    reason="LibreOffice is not installed",
)
OOR = "{http://openoffice.org/2001/registry}"


# --- the extension, read as a file ---------------------------------------------------------------


@pytest.fixture(scope="module")
def extension(tmp_path_factory):
    return libreoffice.build(tmp_path_factory.mktemp("addin"))


@pytest.fixture(scope="module")
def parts(extension):
    with zipfile.ZipFile(extension) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_same_registry_gives_the_same_bytes(extension, tmp_path):
    assert libreoffice.build(tmp_path).read_bytes() == extension.read_bytes()


def test_manifest_lists_parts_that_are_there(parts):
    manifest = etree.fromstring(parts["META-INF/manifest.xml"].encode())
    listed = [entry.get(f"{{{entry.nsmap['manifest']}}}full-path") for entry in manifest]
    assert set(listed) <= set(parts)
    # The types have to be known before the component that has them is registered.
    assert listed == ["tokenbook.idl", "component.py", "CalcAddIns.xcu"]


def test_about_tells_identifier_and_version(parts):
    about = etree.fromstring(parts["description.xml"].encode())
    values = {element.tag.rpartition("}")[2]: element.get("value") for element in about}
    assert values["identifier"] == addin.IDENTIFIER
    assert re.fullmatch(r"[0-9.]+", values["version"])


def names_in_calc():
    """What each function is called in Calc: itself, and a twin for ranges where it gives a text."""
    return {
        name: [name, f"{name}_RANGE"] if function.result in ("text", "value") else [name]
        for name, function in registry.items()
    }


def test_interface_has_the_methods_of_every_function(parts):
    method = re.compile(r"(any|sequence< sequence< any > >) (\w+)\((.*)\);")
    found = {name: (kind, given) for kind, name, given in method.findall(parts["tokenbook.idl"])}
    expected = {}
    for name, (*alone, rows) in names_in_calc().items():
        places = range(len(registry[name].parameters))
        # UNO allows no underscore in an identifier that starts with a small letter.
        given = ", ".join(f"[in] any argument{place + 1}" for place in places)
        expected |= dict.fromkeys(alone, ("any", given))
        expected[rows] = ("sequence< sequence< any > >", given)
    assert found == expected
    assert found["TOK_SPEC"] == ("any", "[in] any argument1, [in] any argument2")


def test_wizard_has_help_for_every_function_and_argument(parts):
    tree = etree.fromstring(parts["CalcAddIns.xcu"].encode())

    def prop(node, name):
        return node.findtext(f"prop[@{OOR}name='{name}']/value")

    functions = {
        node.get(f"{OOR}name"): node for node in tree.find(f".//node[@{OOR}name='AddInFunctions']")
    }
    assert set(functions) == {*chain(*names_in_calc().values()), addin.KEEP}
    for name, names in names_in_calc().items():
        function = registry[name]
        assert function.summary in prop(functions[name], "Description")
        for shown in names:
            node = functions[shown]
            assert prop(node, "DisplayName") == shown
            assert prop(node, "Category") == "Add-In"
            arguments = list(node.find(f"node[@{OOR}name='Parameters']"))
            assert [prop(a, "DisplayName") for a in arguments] == list(function.parameters)
            assert [prop(a, "Description") for a in arguments] == [
                a.text for a in function.arguments
            ]


# --- values and formulas, without Calc -----------------------------------------------------------


class Area:
    """A cell range as UNO shows it: values, errors by number, formats by number."""

    def __init__(self, rows):
        self.rows = rows

    def getDataArray(self):
        return tuple(tuple(value for value, _, _ in row) for row in self.rows)

    def getCellByPosition(self, column, row):
        _, error, number_format = self.rows[row][column]
        cell = type("Cell", (), {"NumberFormat": number_format})()
        cell.getError = lambda: error
        return cell


def test_packing_keeps_blanks_logical_values_and_errors():
    area = Area(
        [
            [(1.5, 0, 0), ("", 0, 0), ("text", 0, 0), (None, 32767, 0)],
            [(1.0, 0, 0), (1.0, 0, 99), (0.0, 0, 10099), (None, 502, 0)],
        ]
    )
    assert values.unpack(values.pack(area)) == [
        [1.5, None, "text", CellError("#N/A")],
        [1.0, True, False, CellError("#VALUE!")],
    ]


@pytest.mark.parametrize("code", values.CALC_ERRORS)
def test_errors_go_to_calc_and_back(code):
    nan = values.error_to_calc(CellError(code, "a reason"))
    assert math.isnan(nan)
    number = struct.unpack("<Q", struct.pack("<d", nan))[0] & 0xFFFFFFFF
    assert values.error_from_calc(number) == CellError(code)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("tok_x(A1)", "F.TOK_X(F.TOK_CELLS(A1))"),
        ("_xldudf_TOK_X(1,,$A$1:B2)", "F.TOK_X(1,,F.TOK_CELLS($A$1:B2))"),
        ('TOK_X(A1+1,(A1),"TOK_X(A1)")', 'F.TOK_X(A1+1,(A1),"TOK_X(A1)")'),
        ("TOK_X(SUM(A1,B1),TOK_Y( C1 ))", "F.TOK_X(SUM(A1,B1),F.TOK_Y(F.TOK_CELLS(C1)))"),
        ("TOK_X('It''s (a, b)'!A1)", "F.TOK_X(F.TOK_CELLS('It''s (a, b)'!A1))"),
        (
            "TOK_X({1,2;3,4},T[[#This Row],[a, b]])",
            "F.TOK_X({1,2;3,4},F.TOK_CELLS(T[[#This Row],[a, b]]))",
        ),
        ("TOK_X('[1]Other book'!A1,[1]S!A1)", "F.TOK_X('[1]Other book'!A1,[1]S!A1)"),
        ("TOK_X(TRUE)", 'F.TOK_X("tokenbook:cells:[[true]]")'),
        ("MYTOK_X(A1)+TOK_X()", "MYTOK_X(A1)+F.TOK_X()"),
        ("SUM(A1:A3)", "SUM(A1:A3)"),
    ],
)
def test_formulas_for_calc(formula, expected):
    found = libreoffice.for_calc(formula, libreoffice.is_reference)
    assert found == expected.replace("F.", f"{addin.SERVICE.upper()}.")


@pytest.mark.parametrize(
    ("formula", "array", "expected"),
    [
        ("TOK_VERDICT(1,2,3)", False, "F.TOK_VERDICT(1,2,3)"),
        (
            "TOK_VERDICT(A1:A2,2,3)",
            True,
            'IF(ISTEXT(F.TOK_VERDICT_RANGE(A1:A2,2,3)),F.TOK_VERDICT_RANGE(A1:A2,2,3)&"",'
            "F.TOK_VERDICT_RANGE(A1:A2,2,3))",
        ),
        ('TOK_LIST("x")', False, 'IF(ISTEXT(F.TOK_LIST("x")),F.TOK_LIST("x")&"",F.TOK_LIST("x"))'),
        ("TOK_WEIGHT_GB(A1:A2)", True, "F.TOK_WEIGHT_GB(A1:A2)"),
    ],
)
def test_formulas_whose_texts_calc_shall_find(formula, array, expected):
    found = libreoffice.for_calc(formula, array=array)
    assert found == expected.replace("F.", f"{addin.SERVICE.upper()}.")


def test_methods_leave_out_what_calc_filled_up():
    methods = values.methods([registry["TOK_WEIGHT_GB"], registry["TOK_VERDICT"]])
    assert methods["TOK_WEIGHT_GB"](None, 8.0, None) == ((16.0,),)
    assert methods["TOK_WEIGHT_GB"](None, ((1.0, 2.0),), 8.0) == ((1.0, 2.0),)
    assert methods["TOK_VERDICT"](None, 1.0, 2.0, 3.0) == "below cost"
    assert math.isnan(methods["TOK_VERDICT"](None, ((1.0, 2.0),), 2.0, 3.0))
    assert methods["TOK_VERDICT_RANGE"](None, ((1.0, 2.0),), 2.0, 3.0) == (
        ("below cost", "near breakeven"),
    )


def test_an_activated_environment_does_not_mislead_the_python_of_libreoffice(monkeypatch):
    monkeypatch.setenv("PATH", "/a/venv/bin")
    monkeypatch.setenv("VIRTUAL_ENV", "/a/venv")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    found = office.environment(Path("/usr/bin/python3"))
    assert found["PATH"].split(os.pathsep)[0] == str(Path("/usr/bin"))
    assert not {"VIRTUAL_ENV", "PYTHONHOME"} & set(found)


@pytest.mark.libreoffice
@needs_calc
def test_a_profile_is_prepared_once_for_each_build(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    old = tmp_path / "tokenbook" / "libreoffice-old"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    made = office.prepared_profile()
    assert list(made.parent.iterdir()) == [made]
    stamp = made.stat().st_mtime_ns
    assert office.prepared_profile() == made
    assert made.stat().st_mtime_ns == stamp


def test_status_tells_that_libreoffice_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("TOKENBOOK_SOFFICE", str(tmp_path / "nowhere"))
    office.program.cache_clear()
    try:
        [finding] = libreoffice.status(tmp_path)
    finally:
        office.program.cache_clear()
    assert not finding.ok
    assert "install LibreOffice Calc" in finding.told


def test_status_tells_that_the_pythons_do_not_match(monkeypatch, tmp_path):
    old = libreoffice.Program(Path("soffice"), Path("python"), "3.8.19")
    monkeypatch.setattr(office, "program", lambda: old)
    findings = {finding.what: finding for finding in libreoffice.status(tmp_path)}
    assert not findings["Python"].ok
    assert "LibreOffice runs Python 3.8" in findings["Python"].told
    assert "environment of Python 3.8" in findings["Python"].told


def test_an_open_libreoffice_is_left_alone(tmp_path):
    (tmp_path / ".lock").touch()
    with pytest.raises(libreoffice.LibreOfficeError, match="close it first"):
        libreoffice.install(tmp_path)
    with pytest.raises(libreoffice.LibreOfficeError, match="close it first"):
        libreoffice.uninstall(tmp_path)


# --- the real program ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calc():
    with libreoffice.calc_with_functions() as running:
        yield running


def ask(calc, *cases, keep=True):
    return libreoffice.ask_many(calc, cases, keep=keep)


@pytest.mark.libreoffice
@needs_calc
def test_calc_shows_every_function_with_its_help(calc):
    shown = {about["name"]: about for about in calc.ask("described", prefix="TOK_")}
    assert set(shown) == {*chain(*names_in_calc().values()), addin.KEEP}
    for name, names in names_in_calc().items():
        function = registry[name]
        assert shown[name]["description"] == addin.description(function)
        # Calc lets any argument be left out; the function itself says which it needs.
        expected = [[a.name, a.text, True] for a in function.arguments]
        assert all(shown[one]["arguments"] == expected for one in names)


@pytest.mark.libreoffice
@needs_calc
def test_cells_of_every_kind(calc):
    errors = [CellError(code) for code in values.CALC_ERRORS]
    kinds = [[2.0], [None], [True], ["text"], [-1.0], *([error] for error in errors)]
    single = [("TOK_WEIGHT_GB", [cell, 8.0]) for [cell] in kinds]
    column, row, *cells = ask(
        calc,
        ("TOK_WEIGHT_GB", [kinds, 8.0]),
        ("TOK_WEIGHT_GB", [[[cell for [cell] in kinds]], 8.0]),
        *single,
    )
    wanted = [2.0, *map(CellError, ["#VALUE!", "#VALUE!", "#VALUE!", "#NUM!"]), *errors]
    assert cells == wanted
    assert column == [[cell] for cell in wanted]
    assert row == [wanted]


@pytest.mark.libreoffice
@needs_calc
def test_blank_optional_argument_is_its_default(calc):
    assert ask(calc, ("TOK_WEIGHT_GB", [8.0, None]), ("TOK_WEIGHT_GB", [8.0])) == [16.0, 16.0]


@pytest.mark.libreoffice
@needs_calc
def test_ranges_broadcast(calc):
    grid = ask(calc, ("TOK_WEIGHT_GB", [[[1.0, 2.0]], [[8.0], [16.0]]]))
    assert grid == [[[1.0, 2.0], [2.0, 4.0]]]


@pytest.mark.libreoffice
@needs_calc
def test_a_table_has_its_header(calc):
    arguments = [8.5e9, 2.5, 1.0, -0.5, 2.0]
    [table] = ask(calc, ("TOK_MARKET_PATH", arguments))
    expected = registry["TOK_MARKET_PATH"](*arguments)
    assert table[0] == expected[0]
    assert len(table) == 4
    for found, wanted in zip(table[1:], expected[1:], strict=True):
        assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.libreoffice
@needs_calc
def test_calc_finds_the_text_that_a_function_gives(calc):
    def formula(text):
        return ["=1", "=1", f"={text}"]

    cells = [[{"formula": "=TOK_VERDICT(1;2;3)"}]]
    found = calc.ask(
        "evaluate",
        cells=cells,
        formulas=[
            formula('Cells.A1="below cost"'),
            formula('COUNTIF(Cells.A1;"below cost")'),
            formula('MATCH("below cost";Cells.A1:A2;0)'),
        ],
    )
    assert found == [[[1.0]]] * 3


@pytest.mark.libreoffice
@needs_calc
def test_what_calc_does_not_tell_an_add_in_without_help(calc):
    # These are the limits that docs/libreoffice.md tells; when Calc mends one, the page changes.
    blank, true, error = ask(
        calc,
        ("TOK_WEIGHT_GB", [None]),
        ("TOK_WEIGHT_GB", [True]),
        ("TOK_WEIGHT_GB", [[[1.0], [CellError("#N/A")]]]),
        keep=False,
    )
    assert (blank, true, error.code) == (0.0, 2.0, "#VALUE!")


@pytest.mark.libreoffice
@needs_calc
def test_an_error_that_calc_does_not_have_is_refused(calc):
    with pytest.raises(ValueError, match="Calc has no error value #SPILL!"):
        ask(calc, ("TOK_WEIGHT_GB", [CellError("#SPILL!")]))


@pytest.mark.libreoffice
@needs_calc
def test_progress_is_told(calc):
    told = []
    cases = [("TOK_WEIGHT_GB", [float(n)]) for n in range(250)]
    answers = libreoffice.ask_many(calc, cases, progress=lambda *how_far: told.append(how_far))
    assert answers == [2.0 * n for n in range(250)]
    assert told == [(0, 250), (100, 250), (200, 250)]


@pytest.mark.libreoffice
@needs_calc
def test_a_refusal_names_the_reason_and_leaves_calc_usable(calc, tmp_path):
    path = tmp_path / "missing.xlsx"
    with pytest.raises(libreoffice.LibreOfficeError, match="LibreOffice: "):
        calc.ask("recalculate", path=path.as_uri())
    assert ask(calc, ("TOK_WEIGHT_GB", [8.0])) == [16.0]


@pytest.mark.libreoffice
@needs_calc
def test_functions_come_and_go_with_the_add_in(tmp_path, monkeypatch):
    # As from a shell with an activated environment, which misled LibreOffice's Python once.
    venv = Path(json.loads(addin.parts()["tokenbook.json"])["paths"][1]).parents[2] / "bin"
    monkeypatch.setenv("PATH", f"{venv}{os.pathsep}{os.environ['PATH']}")
    profile = tmp_path / "profile"

    assert [f.what for f in libreoffice.status(profile) if not f.ok] == ["add-in"]
    assert f"{len(registry)} functions" in libreoffice.install(profile)
    assert all(finding.ok for finding in libreoffice.status(profile))

    monkeypatch.setattr(addin, "fingerprint", lambda: "of another build")
    assert "another build" in libreoffice.status(profile)[-1].told
    monkeypatch.undo()

    assert "removed" in libreoffice.uninstall(profile)
    assert [f.what for f in libreoffice.status(profile) if not f.ok] == ["add-in"]
    assert "nothing to remove" in libreoffice.uninstall(profile)
    with libreoffice.Calc(profile) as calc:
        assert calc.ask("described", prefix="TOK_") == []


@pytest.mark.libreoffice
@needs_calc
def test_install_says_when_calc_does_not_answer_as_python_does(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "registry", {"TOK_WEIGHT_GB": _Wrong()})
    with pytest.raises(libreoffice.LibreOfficeError, match=r"Calc gives 2\.0 for TOK_WEIGHT_GB"):
        libreoffice.install(tmp_path / "profile")


class _Wrong:
    name, plain, required = "TOK_WEIGHT_GB", True, 1

    def __call__(self, *_cells):
        return -1.0


def running_in(folder):
    """Processes whose command line names a folder."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if str(folder) in line]


def ended(folder):
    """Wait until the system has cleared away what was killed; tell whether it has."""
    deadline = time.monotonic() + 30
    while running_in(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not running_in(folder)


@pytest.mark.libreoffice
@needs_calc
def test_time_runs_out_and_nothing_is_left_behind(tmp_path):
    profile = tmp_path / "profile"
    with (
        pytest.raises(libreoffice.LibreOfficeError, match=r"not ready within 0\.2 seconds"),
        libreoffice.Calc(profile, seconds=0.2),
    ):
        pass
    assert ended(profile)


@pytest.mark.libreoffice
@needs_calc
def test_an_exception_in_the_block_ends_calc(tmp_path):
    profile = tmp_path / "profile"

    def interrupted():
        with libreoffice.Calc(profile):
            assert running_in(profile)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended(profile)


@pytest.mark.libreoffice
@needs_calc
def test_a_crash_of_calc_is_told_and_nothing_is_left_behind(tmp_path):
    profile = tmp_path / "profile"

    def crashed():
        with libreoffice.Calc(profile) as calc:
            calc._process.kill()
            calc.ask("version")

    with pytest.raises(libreoffice.LibreOfficeError, match="LibreOffice ended unexpectedly"):
        crashed()
    assert ended(profile)
