"""Many recalculations in one process: memory, threads and open files stay as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

SCRIPT = """
import json, os, sys, threading
from pathlib import Path
from workbooks.recalc import recalculate

def used():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages, threading.active_count(), len(os.listdir("/proc/self/fd"))

marks = []
for i in range(300):
    recalculate(sys.argv[1])
    if i + 1 in (10, 300):
        marks.append(used())
print(json.dumps(marks))
"""


@pytest.mark.long
@pytest.mark.fault("300 recalculations in one process")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_300_recalculations_in_one_process(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"] = 30, 0.5
    for row in range(1, 40):
        sheet.cell(row, 2, f"=TOK_COST_PER_MTOK(A$1+{row},100,A$2)")
        sheet.cell(row, 3, f'=TEXT(SUM(B$1:B{row}),"0.00E+00")')
    path = tmp_path / "model.xlsx"
    book.save(path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, path], capture_output=True, text=True, check=True
    )
    (first, *handles), (last, *later) = json.loads(done.stdout)
    # Each evaluation that was not let go of cost a quarter of a megabyte.
    assert last <= 1.2 * first
    assert later == handles
