"""Attention that is sparse, linear or coarse: its cache, its reach, its cost."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from engine.catalogue import Model, records
from engine.errors import DomainError
from engine.serving.case import case_of
from engine.serving.constants import calibrated
from engine.serving.estimates import estimate, max_concurrency, tpot
from engine.serving.held import Load, memory

LONG, SHORT = 65536.0, 512.0


def own(model, **changed):
    """The fields of a model of the catalogue, some of them changed."""
    fields = asdict(records(Model)[model])
    del fields["id"], fields["measured"]
    return fields | changed


def held(model, tokens, tensor=1.0, weights="fp8"):
    """The bytes that one sequence keeps on one GPU."""
    case, _ = case_of(model, "b300_sxm", weights, None)
    return memory(case, Load(1.0, tokens, 0.0, tensor, 1.0, 1.0), calibrated()).sequence


def test_selecting_more_entries_than_there_are_is_attending_to_all():
    load = ("h200_sxm", [1.0, 16.0, 256.0], 2048, 512, 4, 1, 1, "fp8")
    plain = estimate(own("llama-3.1-70b"), *load)
    sparse = estimate(own("llama-3.1-70b", sparse_layers=80, selected_entries=10**7), *load)
    # The band knows that the attention differs; the times do not.
    for name in ("tpot", "ttft", "throughput", "running"):
        assert getattr(sparse, name) == pytest.approx(getattr(plain, name), rel=1e-12)


def test_sparse_attention_pays_on_long_contexts_and_costs_on_short_ones():
    load = ("b300_sxm", 32, [SHORT, LONG], 256, 8, 1, 1, "fp8")
    dense, sparse = tpot("deepseek-v3.1", *load), tpot("deepseek-v3.2", *load)
    assert sparse[0] > dense[0]
    assert sparse[1] < dense[1]


def test_keys_of_an_indexer_are_kept_for_every_token_beside_the_cache():
    # 61 layers: 576 elements in 8 bits, and 128 in 8 bits with a scale of 4 bytes.
    assert held("deepseek-v3.2", 1000.0) == pytest.approx(61 * 1000 * (576 + 132))
    assert held("deepseek-v3.1", 1000.0) == pytest.approx(61 * 1000 * 576)
    # Layers that share an indexer's choice keep no keys: 21 of 78 have their own.
    assert held("glm-5", 1000.0) - held("glm-5.2", 1000.0) == pytest.approx(57 * 1000 * 132)
    load = ("b300_sxm", 8192, 1024, 8, 1, 1, "fp8")
    assert max_concurrency("deepseek-v3.2", *load) < max_concurrency("deepseek-v3.1", *load)


def test_the_state_of_linear_layers_does_not_grow():
    # Qwen3.5 397B: 45 linear layers of 64 heads of 128 by 128 in 32 bits, and three inputs of the
    # convolution in 16; 15 layers with a cache of 2 heads of 256 twice, here in 8 bits.
    state = 45 * (64 * 128 * 128 * 4 + 3 * (2 * 16 * 128 + 64 * 128) * 2)
    for tokens in (0.0, SHORT, LONG):
        assert held("qwen3.5-397b-a17b", tokens) == pytest.approx(state + tokens * 15 * 2 * 2 * 256)
    # It is split over the GPUs; a head of the cache is not split further than that.
    assert held("qwen3.5-397b-a17b", 0.0, 4.0) == pytest.approx(state / 4)


def test_linear_layers_make_a_step_depend_less_on_its_context():
    load = ("b300_sxm", 32, [SHORT, LONG], 256, 8, 1, 1, "fp8")
    slope = np.divide(*tpot("qwen3.5-397b-a17b", *load)[::-1])
    dense = np.divide(*tpot("qwen3-235b-a22b", *load[:4], 4, *load[5:])[::-1])
    assert 1.0 < slope < dense


def test_compressed_caches_are_as_large_as_their_entries():
    # DeepSeek-V4-Flash: a window in each of 43 layers, an entry for 4 tokens in 21 of them with a
    # key of the indexer, an entry for 128 in 20; 512 elements each in 8 bits.
    tokens = LONG
    kept = 43 * 128 + 21 * tokens / 4 + 20 * tokens / 128
    assert held("deepseek-v4-flash", tokens) == pytest.approx(kept * 512 + 21 * tokens / 4 * 132)
    # A tenth of V3.2's is claimed for V4-Pro at a million tokens.
    million = 2.0**20
    assert held("deepseek-v4-pro", million) < 0.12 * held("deepseek-v3.2", million)


def test_the_band_is_wider_for_attention_that_was_not_measured():
    plain, other = (
        case_of(model, "h200_sxm", "fp8", None)[0].distance
        for model in ("deepseek-v3.1", "deepseek-v3.2")
    )
    assert other > 2 * plain


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sparse_layers": 80}, "selected_entries"),
        ({"linear_layers": 40}, "linear_parameters"),
        ({"sparse_layers": 60, "selected_entries": 9, "coarse_layers": 40}, "80 layers"),
        ({"entry_tokens": 0}, "entry_tokens"),
        ({"index_layers": 81}, "80 layers"),
    ],
)
def test_layers_that_cannot_be_are_refused(changed, told):
    with pytest.raises(DomainError, match=told):
        tpot(own("llama-3.1-70b", **changed), "h200_sxm")
