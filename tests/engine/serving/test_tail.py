"""The arguments that end every serving function: reused prompts, program, drafted tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DomainError, UnknownIdError
from engine.serving.estimates import estimate, max_concurrency, throughput
from engine.serving.front import pareto
from engine.serving.terms import breakdown
from engine.serving.usd import serving_band, serving_cost
from engine.tokens import speculative_tokens

CASES = [
    ("llama-3.1-70b", "h100_sxm", 2.0, 1.0, 1.0, "fp8"),
    ("deepseek-r1", "h200_sxm", 8.0, 1.0, 8.0, "fp8"),
    ("gpt-oss-120b", "h200_sxm", 1.0, 1.0, 1.0, "mxfp4"),
]
any_case = st.sampled_from(CASES)
lengths = st.floats(64, 4096)


def loaded(case, concurrency=16, prompt=1024, answer=1024, **tail):
    model, accelerator, *parallel, weights = case
    return estimate(model, accelerator, concurrency, prompt, answer, *parallel, weights, **tail)


@given(any_case, lengths, lengths, st.floats(0, 0.98), st.floats(0.001, 0.02))
def test_more_of_a_prompt_reused_is_faster(case, prompt, answer, hit, more):
    less = loaded(case, 16, prompt, answer, cache_hit=hit)
    reused = loaded(case, 16, prompt, answer, cache_hit=hit + more)
    assert reused.ttft < less.ttft
    assert reused.tpot <= less.tpot
    assert reused.throughput > less.throughput
    # The cache of the reused prompt is read in every step and held in memory all the same.
    assert reused.decode_step == less.decode_step
    assert reused.running == less.running


@given(any_case, st.floats(0, 0.99), st.integers(1, 8))
def test_drafted_tokens_are_verified_in_one_step_and_some_accepted(case, acceptance, drafts):
    plain, drafted = (
        loaded(case, 1, draft_tokens=count, acceptance=acceptance) for count in (0, drafts)
    )
    gain = plain.decode_step / drafted.decode_step
    assert gain < speculative_tokens(acceptance, drafts)
    # Drafting a token costs a layer and the output head, so little where memory bounds the step.
    assert gain > 0.35 * speculative_tokens(acceptance, drafts)


@given(any_case, st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_better_acceptance_is_faster(case, acceptance, more):
    low, high = (
        loaded(case, 8, draft_tokens=3, acceptance=a) for a in (acceptance, acceptance + more)
    )
    assert high.decode_step < low.decode_step
    assert high.running == low.running


def test_drafting_in_vain_costs_and_no_drafts_ignore_acceptance():
    for case in CASES:
        plain = loaded(case)
        assert loaded(case, acceptance=0.99) == plain
        assert loaded(case, draft_tokens=2, acceptance=0.0).tpot > plain.tpot


def test_drafting_gains_less_in_a_large_batch():
    case = ("llama-3.1-70b", "h200_sxm", 8.0, 1.0, 1.0, "fp8")
    gains = [
        loaded(case, requests).tpot / loaded(case, requests, draft_tokens=4).tpot
        for requests in (1, 512)
    ]
    assert gains[0] > 1.1 * gains[1]


def test_arrays_of_the_tail_equal_single_calls():
    case = CASES[0]
    hit, drafts, chance = (
        np.array([0.0, 0.5, 1.0]),
        np.array([0.0, 2.0, 4.0]),
        np.array([[0.6], [0.9]]),
    )
    together = loaded(case, cache_hit=hit, draft_tokens=drafts, acceptance=chance)
    assert together.throughput.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            alone = loaded(case, cache_hit=hit[j], draft_tokens=drafts[j], acceptance=chance[i, 0])
            np.testing.assert_allclose(
                [part[i, j] for part in np.broadcast_arrays(*together)], alone, rtol=1e-12
            )


def test_arrays_of_backends_equal_single_calls():
    names = np.array(["vllm", "any", "trtllm", "sglang"])
    together = loaded(CASES[0], backend=names).throughput
    alone = [loaded(CASES[0], backend=name).throughput for name in names.tolist()]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_tail_reaches_every_function(case):
    model, accelerator, *parallel, weights = case
    load = (model, accelerator, 16, 2048, 512, *parallel, weights, None)
    tail = (0.5, "vllm", 2, 0.8)
    told = estimate(*load, *tail)
    assert throughput(*load, *tail) == told.throughput
    blended = 512 / told.throughput / 2560
    assert serving_cost(3.6, 1.0, *load, *tail)[2] == pytest.approx(blended * 1000)
    low, _, high = serving_band(3.6, 1.0, *load, *tail)
    assert low < blended * 1000 < high
    seconds = breakdown(*load, *tail).column("seconds").sum()
    assert seconds == pytest.approx((told.ttft + told.tpot * 511) / 512, rel=1e-9)


def test_front_takes_the_tail():
    plain, reused = (
        pareto(2.0, 1.0, "llama-3.1-70b", "h200_sxm", 4096, 256, "fp8", 8, hit) for hit in (0, 0.9)
    )
    assert reused.column("USD/Mtok blended").min() < 0.9 * plain.column("USD/Mtok blended").min()


def test_memory_does_not_know_the_tail():
    # The reused prompt is held all the same, so the count has no argument for it.
    assert max_concurrency("llama-3.1-8b", "h100_sxm", 4096, 1024) > 10
    with pytest.raises(TypeError):
        max_concurrency("llama-3.1-8b", "h100_sxm", cache_hit=0.5)


def test_what_the_tail_refuses():
    with pytest.raises(UnknownIdError, match=r"backend 'vlm' is unknown; did you mean vllm"):
        throughput("qwen3-8b", "h100_sxm", backend="vlm")
    with pytest.raises(DomainError, match="cache_hit is 50"):
        throughput("qwen3-8b", "h100_sxm", cache_hit=50)
    with pytest.raises(DomainError, match="acceptance is 1"):
        throughput("qwen3-8b", "h100_sxm", acceptance=1)
    with pytest.raises(DomainError, match="draft_tokens is -1"):
        throughput("qwen3-8b", "h100_sxm", draft_tokens=-1)
