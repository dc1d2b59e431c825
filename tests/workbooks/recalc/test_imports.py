"""What a recalculation imports: only what it needs, so that it starts at once."""

import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from workbooks.recalc import recalculate

_SCRIPT = """
import sys
from workbooks.recalc import recalculate
report = recalculate(sys.argv[1], sys.argv[2])
assert report.evaluated == 1 and not report.unevaluated, report
print(report.changed[0].new)
print(*sys.modules)
"""
_NEVER = {
    "openpyxl", "pandas", "scipy", "pydantic", "rich", "docstring_parser", "xlwings", "ssl",
    "numpy.ma", "numpy.polynomial", "concurrent.futures", "statistics",
}  # fmt: skip


def _modules(tmp_path: Path, formula: str) -> tuple[str, set[str]]:
    path = tmp_path / "in.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"], sheet["A3"] = 1, 3, formula
    book.save(path)
    command = [sys.executable, "-c", _SCRIPT, str(path), str(tmp_path / "out.xlsx")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    value, modules = ran.stdout.splitlines()
    return value, set(modules.split())


def test_a_workbook_without_own_functions_does_not_load_the_engine(tmp_path: Path) -> None:
    value, modules = _modules(tmp_path, "=A1+A2")
    assert float(value) == 4
    assert not modules & (_NEVER | {"udfs.functions", "engine.pricing"})


@pytest.mark.parametrize(
    "name", ["TOK_SUBSIDY", "tok_subsidy", "Tok_Subsidy", "_xldudf_TOK_SUBSIDY"]
)
def test_own_functions_are_found_however_they_are_written(tmp_path: Path, name: str) -> None:
    value, modules = _modules(tmp_path, f"={name}(A1,A2)")
    assert float(value) == 2
    assert "udfs.functions" in modules
    assert not modules & _NEVER


def test_a_letter_may_be_a_character_reference(tmp_path: Path) -> None:
    source = tmp_path / "plain.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"], sheet["A3"] = 1, 3, "=TOK_SUBSIDY(A1,A2)"
    book.save(source)
    path = tmp_path / "in.xlsx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for part in old.namelist():
            new.writestr(part, old.read(part).replace(b"TOK_", b"&#84;OK_"))
    report = recalculate(path, tmp_path / "out.xlsx")
    assert [change.new for change in report.changed] == [2]
