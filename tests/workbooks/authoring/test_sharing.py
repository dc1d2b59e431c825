"""A formula that a row repeats is written once, and stays the same formula in each cell."""

from __future__ import annotations

import re
import zipfile

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula
from shipped import few_first

from workbooks import templates
from workbooks.authoring import mend, sharing, writer
from workbooks.authoring.sharing import share_formulas
from workbooks.recalc import recalculate


def row(*formulas, start=0):
    cells = (
        f'<c r="{chr(65 + start + i)}7" s="1"><f>{text}</f><v></v></c>'
        for i, text in enumerate(formulas)
    )
    return f'<row r="7">{"".join(cells)}</row>'.encode()


def shared(found):
    return re.findall(rb'<f t="shared" ref="([^"]*)" si="(\d+)">([^<]*)</f>', found)


def test_cells_side_by_side_share_what_they_repeat():
    found = share_formulas(row("A1+1", "B1+1", "C1+1", "D1*2"))
    assert shared(found) == [(b"A7:C7", b"0", b"A1+1")]
    assert found.count(b'<f t="shared" si="0"/><v></v></c>') == 2
    assert b"<f>D1*2</f>" in found


@pytest.mark.parametrize(
    "formulas",
    [
        ("A1", "B1"),
        ("A1", "B1", "D1"),
        ("$A1", "$B1", "$C1"),
        # What Excel shares in no file of its own.
        ("Other!A1", "Other!B1", "Other!C1"),
        ("Other!$A$1*A1", "Other!$A$1*B1", "Other!$A$1*C1"),
        ("TOK_SUBSIDY(A1,A2)", "TOK_SUBSIDY(B1,B2)", "TOK_SUBSIDY(C1,C2)"),
        ("_xlfn.LET(_xlpm.a_,A1,_xlpm.a_)",) * 3,
        ("SUM({1,2})",) * 3,
        ("SUM(t[x])",) * 3,
        ("SUM(A1:INDEX(A1:A3,2))", "SUM(B1:INDEX(B1:B3,2))", "SUM(C1:INDEX(C1:C3,2))"),
        ("#REF!+1",) * 3,
    ],
)
def test_other_cells_are_left_alone(formulas):
    assert share_formulas(row(*formulas)) == row(*formulas)


def test_a_gap_ends_the_sharing_and_each_run_has_its_own_number():
    one, other = row("A1", "B1", "C1"), row("E1", "F1", "G1", start=4).replace(b'"7"', b'"8"')
    found = share_formulas(one + other)
    assert [ref for ref, _, _ in shared(found)] == [b"A7:C7", b"E7:G7"]
    assert len({number for _, number, _ in shared(found)}) == 2
    gap = row("A1", "B1").replace(b"</row>", b"") + row("D1", "E1", start=3).partition(b">")[2]
    assert share_formulas(gap) == gap


def test_texts_in_a_formula_stay_escaped():
    formulas = ['IF(A1&gt;0,"&lt;b&gt; &amp;","A1")', 'IF(B1&gt;0,"&lt;b&gt; &amp;","A1")']
    formulas.append(formulas[1].replace("B1", "C1"))
    assert shared(share_formulas(row(*formulas)))[0][2] == formulas[0].encode()


def _formulas(path):
    return {
        (sheet.title, cell.coordinate): (
            cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value
        )
        for sheet in load_workbook(path)
        for cells in sheet.iter_rows()
        for cell in cells
    }


@pytest.mark.parametrize("name", few_first(["breakeven", "applications"]))
def test_every_cell_of_a_template_keeps_its_formula_and_its_value(name, tmp_path, monkeypatch):
    apart, together = tmp_path / "apart.xlsx", tmp_path / "together.xlsx"
    with monkeypatch.context() as patched:
        patched.setattr(mend, "share_formulas", lambda sheet: sheet)
        writer.write(templates.lay_out(name), apart)
    writer.write(templates.lay_out(name), together)
    assert _formulas(apart) == _formulas(together)
    parts = [part for part in zipfile.ZipFile(together).namelist() if "/sheet" in part]
    texts = [zipfile.ZipFile(together).read(part) for part in parts]
    assert not any(sharing._ALONE.search(f[2].decode()) for t in texts for f in shared(t))
    if name == "plan":
        assert sum(len(shared(text)) for text in texts) > 100
    values = []
    for path in (apart, together):
        assert not recalculate(path).unevaluated_count
        book = load_workbook(path, data_only=True)
        values.append({(s.title, c.coordinate): c.value for s in book for r in s for c in r})
    assert values[0] == values[1]
