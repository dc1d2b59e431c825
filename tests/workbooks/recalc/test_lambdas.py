"""Functions that a workbook defines itself by names that hold a LAMBDA."""

from __future__ import annotations

import pytest

from workbooks.recalc import recalculate

NAMES = (
    '<definedNames><definedName name="Payoff">_xlfn.LAMBDA(_xlpm.kind,_xlpm.spot,_xlpm.strike,'
    '_xlfn.IFS(_xlpm.kind="Call",CallPayoff(_xlpm.spot,_xlpm.strike),TRUE,'
    "MAX(0,_xlpm.strike-_xlpm.spot)))</definedName>"
    '<definedName name="CallPayoff">_xlfn.LAMBDA(_xlpm.s,_xlpm.k,MAX(0,_xlpm.s-_xlpm.k))'
    "</definedName>"
    '<definedName name="Spread">_xlfn.LAMBDA(_xlpm.r,MAX(_xlpm.r)-MIN(_xlpm.r))</definedName>'
    '<definedName name="Grown">_xlfn.LAMBDA(_xlpm.r,_xlpm.r*1.1)</definedName>'
    '<definedName name="TOK_SUBSIDY">_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlpm.a*100+_xlpm.b)'
    "</definedName>"
    '<definedName name="Endless">_xlfn.LAMBDA(_xlpm.n,IF(_xlpm.n=0,0,Endless(_xlpm.n-1)))'
    "</definedName></definedNames>"
)
ROWS = (
    '<row r="1"><c r="A1"><v>12</v></c>'
    '<c r="B1" cm="1"><f t="array" ref="B1">Payoff("Call",A1,10)*2</f><v>0</v></c>'
    '<c r="C1"><f>Payoff("Put",A1,A2+1)</f><v>0</v></c>'
    '<c r="D1"><f>Spread(A1:A3)+1</f><v>0</v></c></row>'
    '<row r="2"><c r="A2"><v>20</v></c>'
    '<c r="B2" cm="1"><f t="array" ref="B2:B4">Grown(A1:A3)</f><v>0</v></c>'
    '<c r="C2"><f>TOK_SUBSIDY(1,2)</f><v>0</v></c>'
    '<c r="D2"><f>Endless(3)</f><v>77</v></c></row>'
    '<row r="3"><c r="A3"><v>5</v></c><c r="B3"><v>0</v></c></row>'
    '<row r="4"><c r="B4"><v>0</v></c></row>'
)


@pytest.mark.parametrize("spot", [12.0, 13.0])
def test_the_functions_of_a_workbook_are_evaluated(write, values, spot: float) -> None:
    path = write(ROWS, names=NAMES)
    report = recalculate(path, set_values=[("S!A1", spot)])
    found = values(path)
    assert (found["B1"], found["C1"], found["D1"]) == (2 * (spot - 10), 21 - spot, 16)
    assert [found[f"B{row}"] for row in (2, 3, 4)] == pytest.approx([1.1 * spot, 22, 5.5])
    # A name of the workbook wins over a function of ours.
    assert found["C2"] == 102
    assert [cell.address for cell in report.unevaluated] == ["S!D2"]
    assert "calls itself" in report.unevaluated[0].reason
    assert found["D2"] == 77
