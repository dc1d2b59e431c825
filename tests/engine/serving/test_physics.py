"""What the first fit had wrong: formats, nodes, makers, SRAM, and saturated mixtures of experts."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from engine.catalogue import Accelerator, Format, Model, records
from engine.errors import DomainError
from engine.serving.calibration import predicted
from engine.serving.case import case_of
from engine.serving.constants import calibrated
from engine.serving.decode import decode_step, total
from engine.serving.estimates import estimate, max_concurrency, throughput
from engine.serving.held import Load
from engine.serving.prefill import prefill
from engine.serving.runs import SOURCES, check

NARROW = sorted(set(records(Format)) - {"bf16"})
#: Dense, experts, latent attention, sliding windows, linear and sparse attention.
SWEPT = (
    "llama-3.1-8b",
    "qwen3-30b-a3b",
    "deepseek-r1",
    "gpt-oss-120b",
    "qwen3.5-27b",
    "minimax-m3",
)


def swept(model, accelerator, weights, experts=None):
    """Estimates of 120 loads, from one request of a few tokens to thousands of long ones."""
    rng = np.random.default_rng(3)
    requests, prompt, answer = (np.round(2.0 ** rng.uniform(0, most, 120)) for most in (12, 15, 13))
    tensor, data, parts = (2.0 ** rng.integers(0, most, 120) for most in (5, 4, 4))
    if not records(Model)[model].experts:
        parts = 1.0
    cached, drafts = rng.choice([0.0, 0.9], 120), rng.choice([0.0, 3.0], 120)
    load = (requests, prompt, answer, tensor, data, parts)
    return estimate(model, accelerator, *load, weights, experts, cached, "any", drafts)


@pytest.mark.parametrize("model", SWEPT)
@pytest.mark.parametrize(
    "accelerator", [a.id for a in records(Accelerator).values() if a.memory_gb > 4]
)
def test_no_format_is_worse_than_bf16_on_any_accelerator(model, accelerator):
    # A server would multiply in bf16 where that is faster: what is slower is no format's doing.
    wide = swept(model, accelerator, "bf16")
    fits = ~np.isnan(wide.throughput)
    experts = [None, "bf16", *NARROW] if records(Model)[model].experts else [None]
    for weights, expert in product(NARROW, experts):
        narrow = swept(model, accelerator, weights, expert)
        better = narrow.throughput[fits] >= wide.throughput[fits] * (1 - 1e-9)
        assert better.all(), (weights, expert)
        alike = fits & (narrow.running == wide.running)
        assert (narrow.tpot[alike] <= wide.tpot[alike] * (1 + 1e-9)).all(), (weights, expert)
        assert (narrow.ttft[alike] <= wide.ttft[alike] * (1 + 1e-9)).all(), (weights, expert)


def test_tensor_parallel_over_nodes_pays_the_network():
    inside, across = (
        estimate("llama-3.1-405b", "h100_sxm", 32, 1024, 1024, gpus, 1, 1, "fp8").tpot
        for gpus in (8, 64)
    )
    rack = estimate("llama-3.1-405b", "gb200", 32, 1024, 1024, 64, 1, 1, "fp8").tpot
    assert across > inside
    assert rack < across


def test_machines_of_sram_are_refused_in_words():
    with pytest.raises(DomainError, match="SRAM"):
        throughput("llama-3.1-8b", "groq_lpu")
    assert max_concurrency("llama-3.1-8b", "groq_lpu") == 0


def test_a_wafer_of_sram_is_refused_although_a_model_would_fit():
    wafer = {"memory_gb": 44, "mem_bw_tb_s": 21_000, "bf16_dense_tflops": 10_000}
    with pytest.raises(DomainError, match=r"44 GB of SRAM.*hundreds of chips"):
        throughput("llama-3.1-8b", wafer)
    assert max_concurrency("llama-3.1-8b", wafer) == 0
    # The same amount of memory at the pace of HBM holds the model.
    assert throughput("llama-3.1-8b", wafer | {"mem_bw_tb_s": 3.35}) > 0


def test_mi300x_stands_to_h200_as_in_published_runs():
    # MLPerf Inference v4.1 and v5.0, Llama 2 70B, offline: 0.67 to 0.74.
    ratio = np.divide(
        *(
            throughput("llama-3.1-70b", name, 900, 294, 294, 1, 1, 1, "fp8")
            for name in ("mi300x", "h200_sxm")
        )
    )
    assert 0.7 / 1.2 < ratio < 0.7 * 1.2


def test_ranks_that_prefill_together_do_not_stall_each_other():
    # Long prompts on eight ranks: what a prefill adds to a token, over that on one rank.
    def stalled(backend):
        one, eight = (
            estimate("qwen3-235b-a22b", "b200_sxm", 32 * n, 8192, 1024, 8 / n, n, 8, "nvfp4", None,
                     0.0, backend)
            for n in (1.0, 8.0)
        )  # fmt: skip
        return eight.tpot / one.tpot

    assert stalled("vllm") > 1.2 * stalled("trtllm")
    # A mixture of programs lies between them.
    assert stalled("trtllm") < stalled("any") < stalled("vllm")


@pytest.mark.parametrize(("model", "share"), [("deepseek-r1", 0.75), ("qwen3-235b-a22b", 0.6)])
def test_saturated_nodes_that_no_fit_has_seen_are_within_35_percent(model, share):
    runs = check()
    rows = runs.column("model_id") == model
    errors = np.expm1(predicted(runs, calibrated())[0] - runs.throughput)[rows]
    assert np.abs(np.median(errors)) < 0.2
    assert (np.abs(errors) < 0.35).mean() >= share


def test_the_check_is_no_part_of_the_fit():
    assert not {"serving_check"} & set(SOURCES)


def test_a_saturated_node_of_deepseek_r1_is_no_longer_several_times_too_fast():
    # About 4,000 output tokens/s of each B200 are published; the first fit gave over 13,000.
    load = ("deepseek-r1", "b200_sxm", 4096, 800, 3880, 1, 8, 8, "nvfp4")
    assert 2600 < throughput(*load) < 5700


def test_long_prompts_are_not_dearer_than_measured():
    # Attention of prefill reaches twice the rate on long prompts that it has on those fitted.
    runs = check()
    long = runs.column("input_tokens") == "32768"
    errors = np.expm1(predicted(runs, calibrated())[0] - runs.throughput)[long]
    assert long.sum() == 20
    assert np.median(np.abs(errors)) < 0.15


def test_attention_costs_every_layer_something_whatever_it_attends_to():
    c = calibrated()
    case = case_of("gpt-oss-120b", "h200_sxm", "bf16", "mxfp4")[0]
    load = Load(64.0, 1024.0, 1024.0, 1.0, 1.0, 1.0)
    free = replace(c, cache_overhead=0.0, attention_overhead=0.0)
    read = [decode_step(case, load, each, 64.0)[0].kv_cache for each in (c, free)]
    # 18 layers read all of 1,536 tokens, 18 a window of 128: 200 more in each of 36.
    assert read[0] / read[1] == pytest.approx(1 + 36 * 200 / (18 * (1536 + 128)))
    assert prefill(case, load, c) > prefill(case, load, free)


def test_tokens_are_ordered_for_their_experts():
    c = calibrated()
    free = replace(c, expert_traffic=0.0)
    case = case_of("qwen3-30b-a3b", "h200_sxm", "fp8", None, None, "vllm")[0]
    load = Load(512.0, 1024.0, 1024.0, 1.0, 1.0, 1.0)
    moved = 48 * 8 * 2048 * c.expert_traffic / 4.8e12
    steps = [total(decode_step(case, load, each, 512.0)[0]) for each in (c, free)]
    assert steps[0] - steps[1] == pytest.approx(512 * moved)
    assert prefill(case, load, c) - prefill(case, load, free) == pytest.approx(1024 * moved)


def test_mxfp4_is_multiplied_with_activations_in_8_bits():
    b200, h200 = (records(Accelerator)[name] for name in ("b200_sxm", "h200_sxm"))
    mxfp4, nvfp4 = (records(Format)[name] for name in ("mxfp4", "nvfp4"))
    assert mxfp4.peak_tflops(b200) == b200.fp8_dense_tflops < nvfp4.peak_tflops(b200)
    # Without the tensor core it is unpacked, although there is one for fp8.
    assert mxfp4.is_unpacked(h200)
    assert mxfp4.peak_tflops(h200) == h200.bf16_dense_tflops
