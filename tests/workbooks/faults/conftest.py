"""Workbooks written part by part, as for the tests of recalculation."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest

#: What the table stands between.
BEGIN, END = "<!-- made by the tests -->", "<!-- end -->"

_spec = importlib.util.spec_from_file_location(
    "recalc_conftest", Path(__file__).parents[1] / "recalc" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_recalc = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_recalc)
write, values, make_parts = _recalc.write, _recalc.values, _recalc.make_parts


@pytest.fixture
def tried(record_property) -> Callable[[int], None]:
    """Say how many tries a test was made of."""

    def say(count: int) -> None:
        record_property("tried", count)

    return say


@pytest.fixture(autouse=True)
def _fault(request: pytest.FixtureRequest, record_property) -> None:
    """Note which fault a test is about."""
    mark = request.node.get_closest_marker("fault")
    if mark is not None:
        record_property("fault", mark.args[0])


def pytest_terminal_summary(terminalreporter) -> None:
    """Write the table of docs/reliability.md, where TOKENBOOK_RELIABILITY says that path."""
    path = os.environ.get("TOKENBOOK_RELIABILITY")
    if path:
        page = Path(path)
        reports = [
            report
            for outcome in ("passed", "failed")
            for report in terminalreporter.stats.get(outcome, ())
        ]
        text = page.read_text(encoding="utf-8")
        head, _, rest = text.partition(BEGIN)
        page.write_text(f"{head}{BEGIN}\n{table(reports)}\n{END}{rest.partition(END)[2]}")


def table(reports) -> str:
    """Return what was tried and survived, a line a fault."""
    counts: dict[str, list[int]] = {}
    for report in reports:
        properties = dict(report.user_properties)
        if "fault" in properties:
            line = counts.setdefault(properties["fault"], [0, 0])
            count = properties.get("tried", 1)
            line[0] += count
            line[1] += count if report.passed else 0
    lines = [f"| {name} | {n:,} | {s:,} |" for name, (n, s) in sorted(counts.items())]
    return "\n".join(["| fault | tried | survived |", "|---|---:|---:|", *lines])
