"""Workbooks written part by part, as for the tests of recalculation; the command line."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def _of(folder: str):
    path = Path(__file__).parents[1] / folder / "conftest.py"
    spec = importlib.util.spec_from_file_location(f"{folder}_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write, make_parts = _of("recalc").write, _of("recalc").make_parts
tokenbook = _of("cli").tokenbook
