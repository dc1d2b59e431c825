"""Breakdown, Pareto front and waterfall of the serving estimate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DomainError, InputError, UnknownIdError
from engine.serving.decode import Step
from engine.serving.estimates import estimate, max_concurrency, throughput, tpot
from engine.serving.front import pareto
from engine.serving.techniques import waterfall
from engine.serving.terms import RESOURCES, breakdown
from engine.serving.usd import serving_cost

LLAMA = ("llama-3.1-70b", "h100_sxm")
LOADS = [
    (*LLAMA, 64.0, 1024.0, 1024.0, 2.0, 1.0, 1.0, "fp8"),
    (*LLAMA, 1.0, 1024.0, 1.0, 4.0, 2.0, 1.0, "bf16"),
    ("deepseek-r1", "h200_sxm", 256.0, 8192.0, 512.0, 8.0, 1.0, 8.0, "fp8"),
    ("gpt-oss-120b", "b200_sxm", 64.0, 1024.0, 4096.0, 1.0, 1.0, 1.0, "bf16", "mxfp4"),
    ("llama-3.1-8b", "a100_80gb_sxm", 2000.0, 1024.0, 1024.0),
]
GPUS = [2, 8, 8, 1, 1]


def rows(table):
    """The rows of a table by what stands first in them."""
    return {row[0]: row[1:] for row in table.rows()}


# --- breakdown --------------------------------------------------------------------------------


@pytest.mark.parametrize(("load", "gpus"), list(zip(LOADS, GPUS, strict=True)))
def test_terms_make_the_time_of_a_token(load, gpus):
    table = breakdown(*load)
    seconds = table.column("seconds")
    assert table.header == ("term", "seconds", "share", "binding")
    assert (seconds >= 0).all()
    assert seconds.sum() == pytest.approx(load[2] / (throughput(*load) * gpus), rel=1e-9)
    assert table.column("share").sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(table.column("share"), seconds / seconds.sum())


def test_every_term_of_a_step_names_its_resource():
    assert set(RESOURCES) == set(Step._fields)


@pytest.mark.parametrize(
    ("load", "term", "resource"),
    [
        # One request: all of the weights for one token.
        ((*LLAMA, 1, 1024, 1024, 4), "weights", "memory bandwidth"),
        # Long contexts of many requests.
        (("qwen3-8b", "h200_sxm", 40, 16000, 2000), "KV cache", "memory bandwidth"),
        # Long prompts, short answers.
        (("llama-3.1-8b", "h100_sxm", 48, 8192, 64), "prefill of others", "compute"),
        # A small model: its kernels are launched longer than they run.
        (("gpt-oss-20b", "b200_sxm", 1), "launch", "latency"),
    ],
)
def test_largest_term_says_what_binds(load, term, resource):
    found = rows(breakdown(*load))
    assert found[term][2] == resource
    assert found[term][0] == max(seconds for seconds, *_ in found.values())
    assert [told for *_, told in found.values() if told] == [resource]


def test_more_requests_than_fit_are_queued_and_marked():
    load = ["qwen3-8b", "h100_sxm", 1000.0]
    fit = max_concurrency("qwen3-8b", "h100_sxm")
    queue = rows(breakdown(*load))["queue"]
    assert queue[2] == f"queue: {1000 - fit:.0f} of 1000 requests wait"
    # As many of the paid seconds of a request as requests wait.
    assert queue[1] == pytest.approx((1000 - fit) / 1000, rel=1e-9)
    load[2] = fit
    assert rows(breakdown(*load))["queue"] == [0.0, 0.0, ""]


def test_breakdown_has_the_same_rows_for_every_load():
    terms = {tuple(breakdown(*load).column("term").tolist()) for load in LOADS}
    assert len(terms) == 1


def test_breakdown_refuses_what_does_not_fit_and_ranges():
    with pytest.raises(DomainError, match="does not fit"):
        breakdown(*LLAMA)
    with pytest.raises(InputError, match="single"):
        breakdown(["qwen3-8b", "llama-3.1-8b"], "h100_sxm")
    with pytest.raises(InputError, match="single number"):
        breakdown("qwen3-8b", "h100_sxm", [1, 2])


# --- Pareto front -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "accelerator", "weights"),
    [(*LLAMA, "fp8"), ("deepseek-r1", "b200_sxm", "nvfp4"), ("qwen3-30b-a3b", "l40s", "bf16")],
)
def test_no_configuration_of_the_front_beats_another(model, accelerator, weights):
    front = pareto(2.0, 0.5, model, accelerator, 1024, 1024, weights)
    assert front.header == (
        "gpus",
        "concurrency",
        "tokens/s per user",
        "tokens/s per GPU",
        "USD/Mtok blended",
    )
    assert (np.diff(front.column("tokens/s per user")) > 0).all()
    assert (np.diff(front.column("tokens/s per GPU")) < 0).all()
    assert (np.diff(front.column("USD/Mtok blended")) > 0).all()
    assert len(front.rows()) > 3


def test_front_is_what_single_calls_find():
    # Every configuration by a call of its own, none of the front's arrays.
    found = []
    for tensor in (1, 2, 4, 8):
        for data in (1, 2, 4, 8):
            for doublings in range(12):
                load = (*LLAMA, 2**doublings, 1024, 1024, tensor, data, 1, "fp8")
                if tensor * data > 8 or 2**doublings < data:
                    continue
                if 2**doublings > max_concurrency(*LLAMA, 1024, 1024, tensor, data, 1, "fp8"):
                    continue
                cost = serving_cost(2.0, 0.5, *load)[2]
                found.append((tensor * data, 2**doublings, 1 / tpot(*load), cost))
    best = [
        row
        for row in found
        if not any(
            (other[2] >= row[2] and other[3] < row[3]) or (other[2] > row[2] and other[3] <= row[3])
            for other in found
        )
    ]
    front = pareto(2.0, 0.5, *LLAMA, weight_format="fp8")
    expected = sorted({(round(speed, 6), round(cost, 6)) for *_, speed, cost in best})
    given_ = [(round(row[2], 6), round(row[4], 6)) for row in front.rows()]
    assert given_ == expected
    assert {tuple(row[:2]) for row in front.rows()} <= {(g, c) for g, c, *_ in best}


def test_front_costs_what_its_throughput_says():
    front = pareto(3.6, 0.5, *LLAMA, 3000, 1000, "fp8")
    np.testing.assert_allclose(
        front.column("USD/Mtok blended"), 2000 / (4 * front.column("tokens/s per GPU")), rtol=1e-12
    )


def test_front_of_fewer_gpus_is_beaten_by_that_of_more():
    few = pareto(2.0, 1.0, *LLAMA, weight_format="fp8", max_gpus=4)
    many = pareto(2.0, 1.0, *LLAMA, weight_format="fp8", max_gpus=8)
    assert few.column("gpus").max() == 4
    assert many.column("gpus").max() == 8
    assert many.column("tokens/s per user").max() > few.column("tokens/s per user").max()


def test_front_spreads_experts():
    front = pareto(2.0, 1.0, "deepseek-r1", "h200_sxm", weight_format="fp8")
    fastest = front.rows()[-1]
    together, spread = (
        1 / tpot("deepseek-r1", "h200_sxm", fastest[1], 1024, 1024, 8, 1, parts, "fp8")
        for parts in (1, 8)
    )
    assert fastest[2] == pytest.approx(max(together, spread), rel=1e-12)


def test_front_of_what_fits_nowhere_says_what_lacks():
    with pytest.raises(DomainError, match=r"each of 8 GPUs needs \d+\.\d GB.*85\.9 GB are there"):
        pareto(2.0, 1.0, "kimi-k2", "h100_sxm")
    with pytest.raises(DomainError, match=r"the GPU needs"):
        pareto(2.0, 1.0, *LLAMA, max_gpus=1)


def test_front_without_queue():
    for gpus, concurrency, *_ in pareto(2.0, 1.0, "qwen3-32b", "l40s").rows():
        fits = [
            max_concurrency("qwen3-32b", "l40s", 1024, 1024, gpus / data, data)
            for data in (1, 2, 4, 8)
            if data <= gpus
        ]
        assert concurrency <= max(fits)


# --- waterfall --------------------------------------------------------------------------------


def test_speculation_gains_less_at_128_than_at_1():
    gains = [
        waterfall(2.5, *LLAMA, concurrency, tensor_parallel=4).rows()[-1][2]
        for concurrency in (1, 8, 32, 64, 128)
    ]
    assert gains == sorted(gains, reverse=True)
    assert 1.4 < gains[0] < 2.2
    assert gains[-1] < 0.8 * gains[0]


def test_steps_are_priced_as_serving_cost_prices_output():
    table = waterfall(2.5, *LLAMA, 32, tensor_parallel=4)
    assert table.header == ("step", "USD/Mtok output", "gain over the step before")
    for row, concurrency, weights in zip(
        table.rows(), (1, 1, 32), ("bf16", "fp8", "fp8"), strict=False
    ):
        cost = serving_cost(2.5, 1.0, *LLAMA, concurrency, 1024, 1024, 4, 1, 1, weights)[1]
        assert row[1] == pytest.approx(cost, rel=1e-9)
    assert [row[0] for row in table.rows()] == [
        "BF16, batch 1",
        "FP8, batch 1",
        "FP8, batch 32",
        "speculative decoding, batch 32",
    ]


def test_gains_multiply_to_that_of_all_steps():
    table = waterfall(2.5, *LLAMA, 32, tensor_parallel=4)
    costs, gains = table.column("USD/Mtok output"), table.column("gain over the step before")
    assert gains[0] == 1
    assert gains.prod() == pytest.approx(costs[0] / costs[-1], rel=1e-12)


@given(st.floats(0, 0.98), st.floats(0.001, 0.019), st.sampled_from([1, 16, 64]))
def test_better_acceptance_gains_more(acceptance, more, concurrency):
    low, high = (
        waterfall(2.5, *LLAMA, concurrency, a, tensor_parallel=4).rows()[-1][2]
        for a in (acceptance, acceptance + more)
    )
    assert low < high


def test_drafting_in_vain_costs():
    assert waterfall(2.5, *LLAMA, 8, acceptance=0.0, tensor_parallel=4).rows()[-1][2] < 1
    free = waterfall(2.5, *LLAMA, 8, draft_tokens=0, tensor_parallel=4).rows()[-1][2]
    assert free == pytest.approx(1, rel=1e-12)


def test_smaller_draft_model_gains_more():
    small, large = (
        waterfall(2.5, *LLAMA, 8, draft_model=draft, tensor_parallel=4).rows()[-1][2]
        for draft in ("llama-3.1-8b", "qwen3-32b")
    )
    assert small > large


def test_batch_stops_where_the_cache_does():
    # The draft model needs room, too: fewer requests run beside it.
    fit = max_concurrency(*LLAMA, tensor_parallel=2, weight_format="fp8")
    table = waterfall(2.5, *LLAMA, 100_000, tensor_parallel=2)
    assert table.rows()[2][0] == f"FP8, batch {fit:g}"
    beside = float(table.rows()[3][0].rpartition(" ")[2])
    assert 1 <= beside < fit


def test_waterfall_says_which_gpus_would_do():
    with pytest.raises(DomainError, match=r"BF16: does not fit.*tensor_parallel 2 would do"):
        waterfall(2.5, *LLAMA, 128)
    with pytest.raises(
        DomainError, match=r"BF16: does not fit.*0\.23 GB of SRAM.*hundreds of chips"
    ):
        waterfall(2.5, "kimi-k2", "groq_lpu", 8)
    with pytest.raises(DomainError, match=r"INT4 beside the draft model: does not fit"):
        waterfall(2.5, "llama-3.1-8b", "h100_sxm", 8, draft_model="llama-3.1-405b",
                  quantised_format="int4")  # fmt: skip
    with pytest.raises(DomainError, match="tensor_parallel is 3; it must divide the 64 heads"):
        waterfall(2.5, *LLAMA, 8, tensor_parallel=3)


def test_waterfall_refuses_unknown_ids_and_certain_acceptance():
    with pytest.raises(UnknownIdError, match=r"llama-3\.1-8b"):
        waterfall(2.5, *LLAMA, 8, draft_model="llama-3.1-8")
    with pytest.raises(UnknownIdError, match="format 'fp9'"):
        waterfall(2.5, *LLAMA, 8, tensor_parallel=4, quantised_format="fp9")
    with pytest.raises(DomainError, match="acceptance"):
        waterfall(2.5, *LLAMA, 8, acceptance=1.0, tensor_parallel=4)


def test_input_is_cheaper_than_output_where_prompts_are_batched():
    assert 0 < estimate(*LOADS[0]).input_share < 0.5
