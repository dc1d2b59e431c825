"""Memory of a session: reckoned by hand from the dimensions, and its laws."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DomainError, UnknownIdError
from engine.serving.estimates import max_concurrency
from engine.serving.session import session_memory
from udfs.functions import TOK_SESSION_MEMORY


def test_by_hand():
    # Llama 3.1 8B in bf16: 8.03e9 parameters of 2 bytes; 32 layers of 8 heads of 128, keys and
    # values of 2 bytes: 131,072 bytes a token. An H100 has 0.93·(85.9 GB less the weights) − 2 GB.
    left = 0.93 * (85.9e9 - 8.03e9 * 2) - 2e9
    share = 131072 * 32768 / left
    cost = session_memory("llama-3.1-8b", "h100_sxm", 32768.0, 2.0, 2.5)
    assert cost == pytest.approx(share * 2 * 2.5, rel=2e-3)


def test_four_gpus_hold_a_quarter_each():
    # In fp8 the cache has one byte: 163,840 a token over four GPUs with 17.9 GB of weights each.
    left = 0.93 * (85.9e9 - (70.552e9 + 2 * 128256 * 8192) / 4) - 2e9
    share = 163840 * 131072 / 4 / left
    cost = session_memory("llama-3.1-70b", "h100_sxm", 131072.0, 1.0, 2.5, 4.0, "fp8")
    assert cost == pytest.approx(share * 4 * 2.5, rel=2e-3)


def test_it_is_what_one_of_as_many_as_fit_pays():
    tokens, price = 8192.0, 3.0
    places = max_concurrency("llama-3.1-8b", "h200_sxm", tokens - 1, 1.0)
    assert session_memory("llama-3.1-8b", "h200_sxm", tokens, 1.0, price) == pytest.approx(
        price / places, rel=1 / places
    )


def test_shapes():
    cost = session_memory("llama-3.1-8b", "h100_sxm", [[1024.0], [-1.0]], [1.0, 2.0], 2.5)
    assert cost.shape == (2, 2)
    assert cost[0, 1] == pytest.approx(2 * cost[0, 0])
    assert np.isnan(cost[1]).all()
    answers = TOK_SESSION_MEMORY([["llama-3.1-8b"], ["llama-3.1-70b"]], "h100_sxm", 1024, 1, 2.5)
    assert answers[0] == [pytest.approx(cost[0, 0])]
    assert answers[1][0].code == "#NUM!"
    assert "does not fit" in answers[1][0].reason


def test_refusals():
    with pytest.raises(DomainError, match=r"141\.1 for weights"):
        session_memory("llama-3.1-70b", "h100_sxm", 1024.0, 1.0, 2.5)
    with pytest.raises(DomainError, match="does not fit"):
        session_memory("llama-3.1-8b", "h100_sxm", 1e7, 1.0, 2.5)
    with pytest.raises(UnknownIdError):
        session_memory("llama-3.1-8b", "h100", 1024.0, 1.0, 2.5)
