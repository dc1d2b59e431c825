"""Laws of the serving formula, over models, accelerators, formats and loads of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.catalogue import Accelerator, Model, active_parameters, find, records
from engine.serving.constants import ANY, BACKENDS
from engine.serving.estimates import estimate

#: Machines of SRAM hold no model.
ACCELERATORS = sorted(a.id for a in records(Accelerator).values() if a.memory_gb > 4)
NARROW = ("fp8", "int8", "int4", "nvfp4", "mxfp4")
# Rounding of some hundred operations.
ROUNDING = 1e-9

powers = st.integers(0, 4).map(lambda power: 2.0**power)


@st.composite
def cases(draw, models=None):
    """A model on an accelerator and a load that divides: what `estimate` takes but formats."""
    model = draw(st.sampled_from(models or sorted(records(Model))))
    tensor, data = draw(powers), draw(powers)
    parts = draw(powers) if find(Model, model).experts else 1.0
    assume((tensor * data / parts).is_integer())
    return {
        "model": model,
        "accelerator": draw(st.sampled_from(ACCELERATORS)),
        "concurrency": float(draw(st.integers(1, 4096))),
        # Short and long alike: a prompt of one token, an answer of one token.
        "input_tokens": float(round(2 ** draw(st.floats(0, 17)))),
        "output_tokens": float(round(2 ** draw(st.floats(0, 14)))),
        "tensor_parallel": tensor,
        "data_parallel": data,
        "expert_parallel": parts,
        "cache_hit": draw(st.sampled_from([0.0, 0.0, 0.5, 0.95])),
        "backend": draw(st.sampled_from([ANY, *BACKENDS])),
        "draft_tokens": draw(st.sampled_from([0.0, 0.0, 1.0, 4.0])),
    }


def estimated(case, **changed):
    """Estimate a case; NaN, not an error, where it does not fit or divide."""
    given = {**case, **changed}
    return estimate(**{k: v if isinstance(v, str | None) else np.atleast_1d(v)
                       for k, v in given.items()})  # fmt: skip


@settings(max_examples=3 * settings().max_examples)
@given(cases(), st.sampled_from(NARROW), st.sampled_from([None, "bf16", *NARROW]))
def test_no_format_is_worse_than_bf16(case, weights, experts):
    assume(experts is None or find(Model, case["model"]).experts)
    wide = estimated(case, weight_format="bf16")
    assume(not np.isnan(wide.throughput).any())
    narrow = estimated(case, weight_format=weights, expert_format=experts)
    # It holds at least as many sequences, and serves them at least as fast.
    assert (narrow.running >= wide.running).all()
    assert (narrow.throughput >= wide.throughput * (1 - ROUNDING)).all()
    if (narrow.running == wide.running).all():
        assert (narrow.tpot <= wide.tpot * (1 + ROUNDING)).all()
        assert (narrow.ttft <= wide.ttft * (1 + ROUNDING)).all()


@settings(max_examples=2 * settings().max_examples)
@given(cases(), st.sampled_from(["bf16", *NARROW]), st.integers(1, 4096))
def test_more_requests_never_lower_throughput_nor_shorten_times(case, weights, more):
    requests = np.array([case["concurrency"], case["concurrency"] + more])
    told = estimated(case, concurrency=requests, weight_format=weights)
    assume(not np.isnan(told.throughput).any())
    # Below one request a rank, ranks idle, and a rank's own load is what the times depend on.
    assume(case["concurrency"] >= case["data_parallel"])
    assert told.throughput[1] >= told.throughput[0] * (1 - ROUNDING)
    assert told.tpot[1] >= told.tpot[0] * (1 - ROUNDING)
    assert told.ttft[1] >= told.ttft[0] * (1 - ROUNDING)


@settings(max_examples=2 * settings().max_examples)
@given(cases(), st.sampled_from(["bf16", *NARROW]))
def test_no_load_needs_more_arithmetic_than_the_peak(case, weights):
    told = estimated(case, weight_format=weights, cache_hit=0.0, draft_tokens=0.0)
    assume(not np.isnan(told.throughput).any())
    accelerator = find(Accelerator, case["accelerator"])
    peak = np.nanmax([getattr(accelerator, f"{name}_dense_tflops") for name in ("bf16", "fp8")])
    peak = np.nanmax([peak, accelerator.fp4_dense_tflops, accelerator.int8_dense_tops]) * 1e12
    tokens = told.throughput * (1 + case["input_tokens"] / case["output_tokens"])
    # The output head is needed for each output token only, and the embedding not at all.
    model = find(Model, case["model"])
    needed = 2 * (active_parameters(model) - model.vocab * model.hidden)
    assert (tokens * needed <= peak).all()


@pytest.mark.parametrize("model", ["llama-3.1-8b", "llama-3.1-70b", "qwen3-32b"])
def test_copies_of_a_dense_model_know_nothing_of_each_other(model):
    copies = np.array([1.0, 2.0, 8.0, 64.0])
    told = estimate(model, "h200_sxm", 32 * copies, 1024, 256, 2, copies, 1, "fp8")
    for values in (told.throughput, told.tpot, told.ttft, told.input_share):
        assert values == pytest.approx(values[0], rel=1e-12)


def test_prefills_on_other_ranks_stall_a_mixture_of_experts():
    # Short prompts hardly do; long ones do.
    one, eight = (
        estimate("deepseek-r1", "b300_sxm", 32 * n, 8192, 1024, 8 / n, n, 8, "nvfp4").tpot
        for n in (1.0, 8.0)
    )
    short_one, short_eight = (
        estimate("deepseek-r1", "b300_sxm", 32 * n, 64, 1024, 8 / n, n, 8, "nvfp4").tpot
        for n in (1.0, 8.0)
    )
    assert eight / one > short_eight / short_one


def test_a_first_token_waits_for_the_prefills_of_the_others():
    # Answers of one token: nothing but prefills, which cannot run side by side on a full machine.
    alone, full = estimate("llama-3.1-70b", "h100_sxm", [1.0, 64.0], 8192, 1, 4, 1, 1, "fp8").ttft
    assert full > 30 * alone
