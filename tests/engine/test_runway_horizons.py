"""Looking at few months first gives the number that looking at all of them gives."""

from __future__ import annotations

import numpy as np
import pytest

from engine import runway, subsidy


def test_looking_at_few_months_first_changes_no_number():
    chance = np.random.default_rng(4)
    size = 2_000
    cash = chance.lognormal(19, 2, size)
    columns = [
        cash, chance.lognormal(23, 1, size), chance.uniform(0, 3, size),
        chance.uniform(0, 5, size), chance.uniform(-0.9, 3, size),
        chance.uniform(-0.9, 0.5, size), chance.uniform(-0.9, 0.5, size),
    ]  # fmt: skip
    columns[0][::97] = np.nan
    for place, column in enumerate(columns[4:]):
        column[place::101] = -1.0
    found = np.asarray(runway(*columns))
    whole = subsidy._months_of_cash(*(column[:, None] for column in columns)).ravel()
    assert np.array_equal(np.isfinite(found), np.isfinite(whole))
    assert found == pytest.approx(whole, rel=1e-11, nan_ok=True)
    # Some of each kind: gone soon, late, never, and no number.
    for low, high in ((0, 36), (36, 90), (90, 200), (200, 600)):
        assert ((found > low) & (found < high)).any()
    assert np.isinf(found).any()
    assert np.isnan(found).any()
