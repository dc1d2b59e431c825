"""Workbooks written part by part, as for the tests of recalculation."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "recalc_conftest", Path(__file__).parents[1] / "recalc" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_recalc = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_recalc)
write, values, make_parts = _recalc.write, _recalc.values, _recalc.make_parts
