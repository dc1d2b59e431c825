"""The page's split of loads over offers: that of the engine, to the last digits."""

from __future__ import annotations

import json

import numpy as np
import pytest

from udfs.cells import CellError
from udfs.functions import TOK_ALLOCATE_LOADS
from workbooks.page.bundle import script
from workbooks.page.calculator import PARTS
from workbooks.page.script import Script


@pytest.fixture(scope="module")
def page():
    """Return what computes splits by the page's script, a list of arguments each."""
    run = Script(script(PARTS, {}))
    run.run("""
        const { Block, Fault } = module_values;
        const column = (values) => (values === null ? null : new Block(values.length, 1, values));
        const split = (given) => {
          const found = module_allocation.allocation.TOK_ALLOCATE_LOADS(...given.map(column));
          return found instanceof Fault ? found.error : found.data;
        };""")
    return lambda cases: json.loads(run.run(f"JSON.stringify({json.dumps(cases)}.map(split))"))


def ours(given):
    columns = [None if one is None else [[cell] for cell in one] for one in given]
    found = TOK_ALLOCATE_LOADS(*columns)
    if isinstance(found, CellError):
        return found.code
    return [cell for row in found for cell in row] if isinstance(found, list) else [found]


def drawn(random):
    """Loads and offers with ties, nothing to spare, commitments, and some that do not fit."""
    loads, offers = random.integers(1, 6), random.integers(1, 8)
    capacity = random.choice([random.integers(0, 50, offers).astype(float), random.random(offers)])
    costs = random.choice([random.integers(0, 5, offers).astype(float), random.random(offers)])
    share = random.dirichlet(np.ones(loads)) * (random.random(loads) < 0.9)
    demands = share * capacity.sum() * random.choice([0.3, 0.9, 1.0, 1.1])
    minimum = capacity * random.random(offers) * (random.random(offers) < 0.4)
    limits = random.choice([0.1, 0.25, 0.6], loads if random.random() < 0.8 else 1)
    given = [demands, capacity, costs, minimum, random.choice([0.1, 0.2, 0.5], offers), limits]
    count = random.choice([3, 4, 6])
    return [one.tolist() for one in given[:count]] + [None] * (6 - count)


def test_every_split_is_that_of_the_engine(page):
    random = np.random.default_rng(20261)
    cases = [drawn(random) for _ in range(1500)]
    splits = 0
    for given, theirs in zip(cases, page(cases), strict=True):
        wanted = ours(given)
        if isinstance(wanted, str):
            assert theirs == wanted
        else:
            assert theirs == pytest.approx(wanted, rel=1e-9, abs=1e-9 * max(given[0])), given
            splits += 1
    assert splits > 700


LOADS = [[60.0, 40.0], [50.0, 100.0, 50.0], [1.0, 2.0, 3.0], None, None, None]


@pytest.mark.parametrize(
    "changes",
    [
        {0: [300.0]},
        {0: [-1.0]},
        {3: [60.0, 0.0, 0.0]},
        {3: [6.0]},
        {5: [1.0]},
        {4: [1.0] * 3, 5: [1.0] * 3},
        {2: [1.0, "x", 2.0]},
    ],
)
def test_what_is_refused_is_the_same_error(page, changes):
    given = [changes.get(i, one) for i, one in enumerate(LOADS)]
    assert page([given]) == [ours(given)]
    assert isinstance(ours(given), str)
