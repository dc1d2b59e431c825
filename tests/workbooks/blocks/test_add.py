"""A block added to a workbook: what stands there stays, what clashes is told, values are right."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import load_workbook

from engine.errors import InputError
from workbooks.blocks.add import add
from workbooks.blocks.model import lay_out_model
from workbooks.build import build_book
from workbooks.errors import NotAWorkbookError, RefusedError, UnwritableError
from workbooks.ooxml import publish
from workbooks.ooxml.package import Package
from workbooks.recalc import recalculate
from workbooks.watch import Interrupted

DATA = Path(__file__).parents[2] / "data" / "excel"
FILES = sorted(path for path in DATA.iterdir() if path.suffix in (".xlsx", ".xlsm"))
CHANGED = {"[content_types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
PASSING = "All checks pass"


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def flag(path: Path, sheet: str = "Checks") -> object:
    return load_workbook(path, data_only=True)[sheet]["A3"].value


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """Return a new workbook of prices alone."""
    return build_book(lay_out_model("x", ["prices"]), tmp_path_factory.mktemp("p") / "p.xlsx").path


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_stands_stays_byte_for_byte(path, alone, tmp_path):
    made = add(path, "prices", tmp_path / path.name)
    before, after = parts(path), parts(made.path)
    assert list(after)[: len(before)] == list(before)
    changed = {name for name, data in before.items() if after[name] != data}
    assert {name.lower() for name in changed} <= CHANGED
    assert len(after) == len(before) + len(made.sheets)
    for name in changed - {"xl/styles.xml"}:
        # Nothing is taken away: with what was put in cut out, each part is what it was.
        assert only_grown(before[name], after[name]), name
    assert styles_kept(before["xl/styles.xml"], after["xl/styles.xml"])
    assert made.told == ()
    if path.name == "SimpleStrict.xlsx":
        # openpyxl finds no sheet by a relation of the strict kind.
        return
    # The new sheets are those of a new workbook.
    wanted, found = (load_workbook(one, data_only=True)["Prices"] for one in (alone, made.path))
    assert [cell.value for row in found.iter_rows(min_row=4) for cell in row] == [
        cell.value for row in wanted.iter_rows(min_row=4) for cell in row
    ]
    shown = [(cell.number_format, cell.font.b, cell.fill.fgColor.rgb, cell.protection.locked)
             for row in found.iter_rows() for cell in row]  # fmt: skip
    assert shown == [
        (cell.number_format, cell.font.b, cell.fill.fgColor.rgb, cell.protection.locked)
        for row in wanted.iter_rows() for cell in row
    ]  # fmt: skip


def only_grown(before: bytes, after: bytes) -> bool:
    """Tell whether each tag of a part is in the other, in the same order."""
    there = iter(re.findall(rb"<[^>]*>[^<]*", after))
    return all(tag in there for tag in re.findall(rb"<[^>]*>[^<]*", before))


def styles_kept(before: bytes, after: bytes) -> bool:
    """Tell whether each list of looks begins with what it was."""
    old, new = etree.fromstring(before), etree.fromstring(after)
    for part in old:
        if not isinstance(part.tag, str):
            continue
        grown = new.find(part.tag)
        texts = [[etree.tostring(one, method="c14n") for one in items] for items in (part, grown)]
        if texts[1][: len(part)] != texts[0]:
            return False
        if grown.get("count") and int(grown.get("count")) != len(grown):
            return False
    return True


@pytest.mark.long
def test_the_blocks_one_after_the_other_link_and_the_checks_pass(tmp_path, built):
    path = DATA / "table23.xlsx"
    for block in ("fleet", "prices", "statements", "checks"):
        made = add(path, block, tmp_path / f"{block}.xlsx")
        assert made.told == ()
        path = made.path
    assert flag(path) == PASSING
    assert recalculate(path, dry_run=True).changed_count == 0
    cash = cash_of(path, "Statements")
    assert cash == pytest.approx(cash_of(built("plan").path, "Base"), rel=1e-12)
    # A change in the first block reaches the last.
    recalculate(path, tmp_path / "grown.xlsx", set_values=[("fleet_growth", 0.1)])
    assert cash_of(tmp_path / "grown.xlsx", "Statements")[-1] != cash[-1]
    assert flag(tmp_path / "grown.xlsx") == PASSING
    recalculate(path, tmp_path / "bad.xlsx", set_values=[("fleet_churn", 3.0)], force=True)
    assert "fail" in str(flag(tmp_path / "bad.xlsx"))


def cash_of(path: Path, sheet: str) -> list[float]:
    rows = load_workbook(path, data_only=True)[sheet].iter_rows(max_col=63, values_only=True)
    return next(list(row[3:]) for row in rows if row[0] == "Cash, closing")


def test_a_block_that_comes_after_one_that_needed_it_is_told_and_checked(tmp_path):
    first = add(DATA / "table23.xlsx", "prices", tmp_path / "1.xlsx").path
    made = add(first, "fleet", tmp_path / "2.xlsx")
    assert len([line for line in made.told if "prices keeps a row of its own" in line]) == 4
    # Inputs that both need stand once.
    names = load_workbook(made.path).defined_names
    assert "prices_chat_in" in names
    assert "fleet_chat_in" not in names
    checked = add(made.path, "checks", tmp_path / "3.xlsx").path
    assert re.fullmatch(r"4 of \d+ checks fail", str(flag(checked)))


def test_after_the_checks_a_block_brings_its_own(tmp_path):
    first = add(DATA / "table23.xlsx", "checks", tmp_path / "1.xlsx").path
    made = add(first, "prices", tmp_path / "2.xlsx")
    assert made.sheets == ("Prices inputs", "Prices", "Prices checks")
    assert any("Checks does not cover" in line for line in made.told)
    assert flag(made.path, "Prices") == flag(made.path, "Prices checks") == PASSING


def test_the_checks_find_an_error_on_a_sheet_of_the_users(write, tmp_path):
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="9"><c r="C9"><f>1/0</f></c></row>'
    checked = add(write(rows), "checks", tmp_path / "c.xlsx").path
    assert flag(checked) == "1 of 1 checks fail"


def test_a_workbook_without_styles_gets_them_and_its_cells_stay_plain(write, tmp_path):
    source = write('<row r="1"><c r="A1"><v>45000</v></c></row>')
    assert not any("styles" in name for name in parts(source))
    path = add(source, "prices", tmp_path / "s.xlsx").path
    workbook = load_workbook(path)
    first = workbook.worksheets[0]["A1"]
    assert (first.number_format, first.font.b, first.fill.fill_type) == ("General", False, None)
    assert workbook["Prices"]["A1"].font.b


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_dates_are_the_same_days_where_they_count_from_1904(tmp_path, alone):
    source = DATA / "DateFormatTests.xlsx"
    assert b'date1904="1"' in parts(source)["xl/workbook.xml"]
    path = add(source, "prices", tmp_path / "d.xlsx").path
    ends = [load_workbook(one, data_only=True)["Prices"]["D6"].value for one in (path, alone)]
    assert ends[0] == ends[1]


def test_only_the_sheet_that_was_in_front_is_chosen(tmp_path):
    path = add(DATA / "table23.xlsx", "prices", tmp_path / "c.xlsx").path
    chosen = [name for name, data in parts(path).items() if b'tabSelected="1"' in data]
    assert chosen == ["xl/worksheets/sheet1.xml"]


# --- what is refused ------------------------------------------------------------------------------


def test_a_sheet_of_the_same_name_gives_the_new_one_a_number(write, tmp_path):
    source = write({"prices": '<row r="1"><c r="A1"><v>1</v></c></row>'})
    made = add(source, "prices", tmp_path / "s.xlsx")
    assert made.sheets == ("Prices inputs", "Prices 2")
    again = add(made.path, "statements", tmp_path / "t.xlsx")
    assert "'Prices 2'!" in str(load_workbook(again.path)["Statements"]["D10"].value)


def test_a_name_that_is_taken_is_told_before_anything_is_written(write, tmp_path):
    names = "<definedNames><definedName name='Prices_REVENUE'>1</definedName></definedNames>"
    source = write('<row r="1"><c r="A1"><v>1</v></c></row>', names=names)
    with pytest.raises(InputError, match="has the names prices_revenue already"):
        add(source, "prices", tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


def test_a_block_is_added_once(tmp_path):
    path = add(DATA / "table23.xlsx", "prices", tmp_path / "1.xlsx").path
    with pytest.raises(InputError, match="has the block prices already"):
        add(path, "prices", tmp_path / "2.xlsx")
    path = add(path, "checks", tmp_path / "2.xlsx").path
    with pytest.raises(InputError, match="has the block checks already"):
        add(path, "checks", tmp_path / "3.xlsx")
    assert not (tmp_path / "3.xlsx").exists()


def test_a_name_that_is_gone_or_cut_is_told(tmp_path):
    path = add(DATA / "table23.xlsx", "prices", tmp_path / "1.xlsx").path
    whole = parts(path)["xl/workbook.xml"]

    def with_workbook(data: bytes) -> Path:
        changed = tmp_path / "changed.xlsx"
        with zipfile.ZipFile(changed, "w") as package:
            for name, content in parts(path).items():
                package.writestr(name, data if name == "xl/workbook.xml" else content)
        return changed

    one = rb'(<definedName name="prices_revenue">.Prices.!\$D\$\d+:\$)BK(\$\d+</definedName>)'
    assert re.search(one, whole)
    with pytest.raises(InputError, match="prices_revenue is no row of 60 months any more"):
        add(with_workbook(re.sub(one, rb"\1BJ\2", whole)), "statements", tmp_path / "2.xlsx")
    with pytest.raises(InputError, match="prices_revenue is gone"):
        add(with_workbook(re.sub(one, b"", whole)), "checks", tmp_path / "2.xlsx")
    assert not (tmp_path / "2.xlsx").exists()


def test_what_is_no_workbook_is_refused(tmp_path, tokenbook):
    path = tmp_path / "t.xlsx"
    path.write_text("not a workbook")
    with pytest.raises(NotAWorkbookError):
        add(path, "prices")
    code, _, error = tokenbook("add", path, "prices")
    assert (code, error.count("\n")) == (2, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["t.xlsx"]
    code, _, error = tokenbook("add", path, "price")
    assert code == 2
    assert "prices" in error


def test_a_signed_workbook_is_refused(tmp_path):
    path = tmp_path / "s.xlsx"
    path.write_bytes((DATA / "table23.xlsx").read_bytes())
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("_xmlsignatures/sig1.xml", "<Signature/>")
    with pytest.raises(RefusedError, match="signed"):
        add(path, "prices")


def test_it_goes_beside_the_file_and_over_nothing(tmp_path, tokenbook):
    path = tmp_path / "b.xlsx"
    path.write_bytes((DATA / "table23.xlsx").read_bytes())
    code, out, _ = tokenbook("add", path, "prices")
    copy = tmp_path / "b-with-prices.xlsx"
    assert code == 0
    assert "2 sheets added: Prices inputs, Prices" in out
    assert path.read_bytes() == (DATA / "table23.xlsx").read_bytes()
    first = copy.read_bytes()
    code, _, error = tokenbook("add", path, "prices")
    assert (code, copy.read_bytes()) == (2, first)
    assert "--force" in error
    assert tokenbook("add", path, "prices", "--force")[0] == 0
    assert copy.read_bytes() == first


def test_a_file_that_is_open_elsewhere_is_left_alone(tmp_path):
    out = tmp_path / "o.xlsx"
    (tmp_path / "~$o.xlsx").write_text("")
    with pytest.raises(InputError, match="open in another program"):
        add(DATA / "table23.xlsx", "prices", out)
    (tmp_path / "~$o.xlsx").unlink()
    with publish.claimed(out), pytest.raises(UnwritableError, match="another run"):
        add(DATA / "table23.xlsx", "prices", out)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(publish.files, "may_write", lambda _: False)
    with pytest.raises(UnwritableError, match="no file can be written"):
        add(DATA / "table23.xlsx", "prices", tmp_path / "o.xlsx")
    with pytest.raises(UnwritableError, match="does not exist"):
        add(DATA / "table23.xlsx", "prices", tmp_path / "none" / "o.xlsx")


@pytest.mark.parametrize("call", [1, 2])
def test_an_end_while_it_is_written_leaves_nothing(tmp_path, monkeypatch, call):
    whole, calls = Package.write, []

    def ending(self, target, *arguments, **more):
        calls.append(target)
        if len(calls) == call:
            target.write(b"PK half of it")
            raise Interrupted(15)
        whole(self, target, *arguments, **more)

    monkeypatch.setattr(Package, "write", ending)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with pytest.raises(Interrupted):
        add(DATA / "table23.xlsx", "prices", tmp_path / "o.xlsx")
    assert [one.name for one in tmp_path.rglob("*")] == ["temporary"]


@pytest.mark.ooxml
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_validator_finds_nothing_that_it_did_not_find_before(path, tmp_path):
    made = add(add(path, "fleet", tmp_path / f"1{path.suffix}").path, "checks",
               tmp_path / f"2{path.suffix}").path  # fmt: skip
    found = [
        subprocess.run(["ooxml-validator", one], capture_output=True, text=True, check=False).stdout
        for one in (path, made)
    ]
    assert found[1].count('"description"') == found[0].count('"description"')
