"""What tests of the engine share."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DomainError


@pytest.fixture
def check_shapes():
    """Return a check of one function: scalar, array, grid, one bad element, NaN in each place."""

    def check(function, arguments, bad):
        alone = function(*arguments)
        assert isinstance(alone, float)
        assert function(*(np.full(3, a) for a in arguments)) == pytest.approx(np.full(3, alone))
        grid = function(np.full((2, 1), arguments[0]), *(np.full(3, a) for a in arguments[1:]))
        assert grid.shape == (2, 3)
        with pytest.raises(DomainError):
            function(*bad)
        both = function(*(np.array(pair) for pair in zip(arguments, bad, strict=True)))
        assert both[0] == pytest.approx(alone)
        assert np.isnan(both[1])
        for place in range(len(arguments)):
            values = list(arguments)
            values[place] = np.array([arguments[place], np.nan])
            spoilt = function(*values)
            assert spoilt[0] == pytest.approx(alone)
            assert np.isnan(spoilt[1])

    return check
