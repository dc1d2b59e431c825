"""The normal distribution against SciPy, and what imports SciPy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr as of_scipy

from engine.normal import ndtr


@given(st.floats(-37, 37))
def test_it_is_scipys(x):
    assert float(ndtr(x)) == pytest.approx(float(of_scipy(x)), rel=1e-12, abs=0)


def test_it_is_scipys_at_the_seams_and_the_ends():
    seams = np.array([0.46875, 4.0]) * np.sqrt(2)
    near = np.concatenate([s + np.array([-1e-12, 0, 1e-12]) for s in (*seams, *-seams)])
    ends = np.array([-np.inf, -1e300, -50.0, 0.0, 50.0, 1e300, np.inf])
    np.testing.assert_allclose(ndtr(near), of_scipy(near), rtol=1e-13)
    np.testing.assert_array_equal(ndtr(ends), [0, 0, 0, 0.5, 1, 1, 1])
    assert np.isnan(ndtr(np.nan))


def test_no_function_but_the_broker_imports_scipy():
    program = """
import json, sys
from pathlib import Path
from udfs import registry
for path in sorted(Path("tests/data/conformance").glob("TOK_*.json")):
    if path.stem != "TOK_ALLOCATE_LOADS":
        registry[path.stem](*json.loads(path.read_text())["calls"]["typical"])
sys.exit(sorted(name for name in sys.modules if name.partition(".")[0] == "scipy")[:1] or 0)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
