"""The normal distribution against SciPy."""

from __future__ import annotations

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
