"""The most load within limits of time: against every load tried one by one."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DomainError, UnknownIdError
from engine.serving.estimates import max_concurrency, tpot, ttft
from engine.serving.limits import cheapest, max_load
from engine.serving.usd import serving_cost

LLAMA = ("llama-3.1-70b", "h100_sxm")
REST = (1024, 1024, 4, 1, 1, "fp8")


@pytest.mark.parametrize(("each", "first"), [(0.02, None), (0.03, 2.0), (0.05, 0.4), (1.0, None)])
def test_one_request_more_breaks_a_limit(each, first):
    most = max_load(*LLAMA, each, first, *REST)
    assert most % 1 == 0
    fit = max_concurrency(*LLAMA, *REST)
    loads = np.arange(1, fit + 1)
    kept = tpot(*LLAMA, loads, *REST) <= each
    if first is not None:
        kept &= ttft(*LLAMA, loads, *REST) <= first
    assert most == (loads[kept].max() if kept.any() else 0)
    assert most > 0


def test_no_limit_but_memory_is_what_fits():
    assert max_load(*LLAMA, 1000.0, None, *REST) == max_concurrency(*LLAMA, *REST)


def test_zero_where_nothing_keeps_the_limit_or_fits():
    assert max_load(*LLAMA, 1e-6, None, *REST) == 0
    assert max_load(*LLAMA, 1.0) == 0
    with pytest.raises(DomainError, match="tensor_parallel is 3"):
        max_load(*LLAMA, 1.0, tensor_parallel=3)


def test_arrays_equal_single_calls():
    limits, tensor = np.array([[0.001], [0.02], [0.05]]), np.array([2.0, 3.0, 4.0, 8.0])
    together = max_load(*LLAMA, limits, 2.0, 1024, 1024, tensor, 1, 1, "fp8")
    assert together.shape == (3, 4)
    assert np.isnan(together[:, 1]).all()
    for i in range(3):
        for j in (0, 2, 3):
            alone = max_load(*LLAMA, limits[i, 0], 2.0, 1024, 1024, tensor[j], 1, 1, "fp8")
            assert together[i, j] == alone


def test_limits_in_a_range_are_0_too_where_nothing_fits():
    assert max_load(*LLAMA, np.array([0.02, 1.0])).tolist() == [0, 0]


def test_reused_prompts_allow_more():
    plain, reused = (max_load(*LLAMA, 0.02, 0.5, *REST, None, hit) for hit in (0.0, 0.9))
    assert reused > plain


def test_the_cheapest_is_what_single_calls_find():
    found = []
    for tensor in (1, 2, 4, 8):
        for data in (1, 2, 4, 8):
            rest = (1024, 1024, tensor, data, 1, "fp8")
            if tensor * data > 8 or (most := max_load(*LLAMA, 0.03, 2.0, *rest)) < 1:
                continue
            cost = serving_cost(2.0, 0.5, *LLAMA, most, *rest)[2]
            found.append((cost, tensor, data, most))
    row = cheapest(2.0, 0.5, *LLAMA, 0.03, 2.0, weight_format="fp8")
    cost, tensor, data, most = min(found)
    assert row[:4] == (tensor, data, 1, most)
    assert row[6] == pytest.approx(cost, rel=1e-12)
    assert row[4] == pytest.approx(tpot(*LLAMA, most, 1024, 1024, tensor, data, 1, "fp8"))


def test_no_cheapest_where_none_keeps_the_limits():
    with pytest.raises(UnknownIdError, match="no configuration"):
        cheapest(2.0, 0.5, *LLAMA, 1e-6)
    assert cheapest(2.0, 0.5, *LLAMA)[6] < cheapest(2.0, 0.5, *LLAMA, 0.02)[6]
