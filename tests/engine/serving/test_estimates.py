"""The serving estimate: against what was measured, by the laws of physics, and by its shapes."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.blocks import BLOCK, of_whole
from engine.catalogue import Accelerator, Model, records
from engine.serving.case import case_of
from engine.serving.constants import calibrated
from engine.serving.decode import Step, decode_step, total
from engine.serving.estimates import estimate, max_concurrency, throughput, tpot, ttft
from engine.serving.held import Load, memory
from engine.serving.load import divided, fitting
from engine.serving.usd import serving_band, serving_cost

# Model, accelerator, tensor, data and expert parallelism, formats of weights and experts: dense,
# experts, latent attention, sliding windows, and what the tensor cores lack.
CASES = [
    ("llama-3.1-70b", "h100_sxm", 2.0, 1.0, 1.0, "fp8", None),
    ("llama-3.1-8b", "a100_80gb_sxm", 1.0, 1.0, 1.0, "bf16", None),
    ("qwen3-32b", "l40s", 4.0, 2.0, 1.0, "int4", None),
    ("qwen3-30b-a3b", "mi300x", 1.0, 1.0, 1.0, "bf16", None),
    ("deepseek-r1", "h200_sxm", 8.0, 1.0, 8.0, "fp8", None),
    ("deepseek-r1", "b200_sxm", 1.0, 8.0, 8.0, "fp8", "nvfp4"),
    ("gpt-oss-120b", "h100_sxm", 2.0, 1.0, 2.0, "bf16", "mxfp4"),
]
ONE, MOE = CASES[0], CASES[4]

any_case = st.sampled_from(CASES)
requests = st.floats(8, 4096)
few_requests = st.floats(8, 24)
tokens = st.floats(16, 8192)
factor = st.floats(1.01, 4)


def given_load(case, concurrency, prompt, answer):
    """The arguments of a serving function for a case, from the model on."""
    model, accelerator, tensor, data, expert, weights, experts = case
    return (
        *(model, accelerator, concurrency, prompt, answer),
        *(tensor, data, expert, weights, experts),
    )


def with_hardware(accelerator, **factors):
    """The fields of an accelerator, some of them multiplied."""
    fields = asdict(records(Accelerator)[accelerator])
    known = {name: value for name, value in fields.items() if value == value}  # noqa: PLR0124
    del known["id"]
    return known | {name: known[name] * times for name, times in factors.items() if name in known}


# --- against what was measured ----------------------------------------------------------------


def test_llama_70b_on_two_h100_is_within_15_percent_of_the_measured_run():
    # 1,098 output tokens/s/GPU measured: Llama 3.1 70B in fp8, tensor parallel 2, concurrency 64,
    # 1,024 tokens in and out.
    assert throughput("llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8") == pytest.approx(
        1098, rel=0.15
    )


@pytest.mark.parametrize(
    ("model", "tensor", "measured"),
    # engine/data/serving_measured.csv, vLLM on H100, fp8, concurrency 64, 1,024 in and out.
    [("llama-3.1-70b", 4, 810.29), ("llama-3.1-70b", 8, 512.15)],
)
def test_more_gpus_are_as_measured(model, tensor, measured):
    estimated = throughput(model, "h100_sxm", 64, 1024, 1024, tensor, 1, 1, "fp8")
    assert estimated == pytest.approx(measured, rel=0.15)


def test_weights_take_the_memory_that_their_parameters_need():
    # Llama 3.1 70B: 70.55e9 parameters of 2 bytes, split in two.
    case, _ = case_of("llama-3.1-70b", "h100_sxm", "bf16", None)
    held = memory(case, Load(1.0, 1024.0, 1024.0, 2.0, 1.0, 1.0), calibrated())
    assert held.weights == pytest.approx(70.552e9, rel=1e-4)


def test_cache_of_a_sequence_is_that_of_its_tokens():
    # Llama 3.1 70B keeps 327,680 bytes a token in bf16.
    case, _ = case_of("llama-3.1-70b", "h200_sxm", "bf16", None)
    held = memory(case, Load(1.0, 1000.0, 24.0, 1.0, 1.0, 1.0), calibrated())
    assert held.sequence == pytest.approx(327680 * 1024)


def test_weights_are_not_read_faster_than_memory_allows():
    times = [tpot(*given_load(case, 8, 16, 1024)) for case in CASES]
    for case, time in zip(CASES, times, strict=True):
        numbers, _ = case_of(case[0], case[1], case[5], case[6])
        # Even a single expert a layer and the rest of the model take this long.
        least = (numbers.replicated + numbers.split / case[2]) * numbers.weight_bytes
        assert time > least / numbers.bandwidth


# --- laws -------------------------------------------------------------------------------------


@given(any_case, requests, tokens, tokens, factor)
def test_throughput_rises_with_bandwidth(case, concurrency, prompt, answer, times):
    arguments = list(given_load(case, concurrency, prompt, answer))
    slow = throughput(*arguments)
    arguments[1] = with_hardware(case[1], mem_bw_tb_s=times)
    assert throughput(*arguments) > slow


@given(case=any_case, concurrency=requests, prompt=tokens, answer=tokens, times=factor)
@pytest.mark.parametrize(
    "field", ["bf16_dense_tflops", "fp8_dense_tflops", "scaleup_gb_s_per_direction"]
)
def test_no_better_hardware_slows(case, concurrency, prompt, answer, times, field):
    arguments = list(given_load(case, concurrency, prompt, answer))
    slow = throughput(*arguments)
    if field == "bf16_dense_tflops":
        # Beyond the rate of fp8, weights would be unpacked to bf16, which takes time of its own.
        times = min(times, 2.0)
    arguments[1] = with_hardware(case[1], **{field: times})
    assert throughput(*arguments) >= slow * (1 - 1e-12)


@given(any_case, requests, tokens, tokens, st.floats(0.01, 0.5), st.floats(1.01, 2))
def test_cost_falls_as_utilisation_rises_and_is_proportional_to_price(
    case, concurrency, prompt, answer, utilisation, times
):
    load = given_load(case, concurrency, prompt, answer)
    low = serving_cost(2.0, utilisation, *load)
    np.testing.assert_allclose(
        serving_cost(2.0, utilisation * times, *load), np.divide(low, times), rtol=1e-12
    )
    np.testing.assert_allclose(
        serving_cost(6.0, utilisation, *load), np.multiply(low, 3), rtol=1e-12
    )


@given(any_case, requests, tokens, tokens)
def test_input_and_output_make_the_blended_cost(case, concurrency, prompt, answer):
    per_input, per_output, blended = serving_cost(
        2.0, 0.5, *given_load(case, concurrency, prompt, answer)
    )
    assert per_input > 0
    together = (per_input * prompt + per_output * answer) / (prompt + answer)
    assert together == pytest.approx(blended, rel=1e-9)


@given(any_case, requests, tokens, tokens)
def test_blended_cost_is_that_of_the_throughput(case, concurrency, prompt, answer):
    load = given_load(case, concurrency, prompt, answer)
    seconds = answer / (throughput(*load) * (prompt + answer))
    assert serving_cost(3.6, 0.5, *load)[2] == pytest.approx(seconds * 2000, rel=1e-12)


@given(any_case, requests, tokens, tokens)
def test_band_is_the_blended_cost_times_the_errors_measured(case, concurrency, prompt, answer):
    load = given_load(case, concurrency, prompt, answer)
    low, middle, high = serving_band(2.0, 0.5, *load)
    blended = serving_cost(2.0, 0.5, *load)[2]
    assert low < blended < high
    assert middle == pytest.approx(blended, rel=0.05)
    assert low < middle < high


def test_band_is_wider_for_mixtures_of_experts():
    dense = serving_band(2.0, 1.0, *given_load(ONE, 32, 1024, 1024))
    experts = serving_band(2.0, 1.0, *given_load(MOE, 32, 1024, 1024))
    assert experts[2] / experts[0] > dense[2] / dense[0]


@given(any_case, few_requests, tokens, tokens, factor)
def test_more_requests_slow_each_but_serve_more_together(case, few, prompt, answer, times):
    # While all of them run at once: a longer batch is slower for each, cheaper for all.
    alone = estimate(*given_load(case, few, prompt, answer))
    more = estimate(*given_load(case, few * times, prompt, answer))
    assert more.tpot >= alone.tpot
    assert more.ttft >= alone.ttft
    if more.running == few * times:
        assert more.throughput > alone.throughput


@given(any_case, st.floats(8, 16), st.floats(16, 2048), st.floats(16, 2048), factor)
def test_longer_prompts_take_longer(case, few, prompt, answer, times):
    short = given_load(case, few, prompt, answer)
    long = given_load(case, few, prompt * times, answer)
    assert ttft(*long) > ttft(*short)
    assert tpot(*long) > tpot(*short)
    assert throughput(*long) < throughput(*short)


@given(any_case, tokens, tokens, factor)
def test_memory_is_monotone(case, prompt, answer, times):
    model, accelerator, tensor, data, expert, weights, experts = case
    rest = (tensor, data, expert, weights, experts)
    most = max_concurrency(model, accelerator, prompt, answer, *rest)
    assert most % data == 0
    assert max_concurrency(model, accelerator, prompt * times, answer, *rest) <= most
    assert max_concurrency(model, accelerator, prompt, answer * times, *rest) <= most
    larger = with_hardware(accelerator, memory_gb=times)
    assert max_concurrency(model, larger, prompt, answer, *rest) >= most


@given(tokens, tokens, st.sampled_from(["llama-3.1-8b", "qwen3-30b-a3b", "gpt-oss-20b"]))
def test_fewer_bytes_of_weights_leave_room_for_more(prompt, answer, model):
    room = [
        max_concurrency(model, "h200_sxm", prompt, answer, weight_format=name)
        for name in ("bf16", "fp8", "nvfp4", "mxfp4", "int4")
    ]
    assert room == sorted(room)


@given(any_case, tokens, tokens)
def test_requests_beyond_the_cache_wait_and_add_nothing(case, prompt, answer):
    model, accelerator, *rest = case
    most = max_concurrency(model, accelerator, prompt, answer, *rest)
    full = estimate(*given_load(case, most, prompt, answer))
    beyond = estimate(*given_load(case, most * 2, prompt, answer))
    assert full.running == beyond.running == most
    assert beyond.throughput == pytest.approx(full.throughput, rel=1e-12)
    assert beyond.tpot == full.tpot
    assert beyond.ttft > full.ttft


@given(any_case, few_requests, tokens, tokens)
def test_throughput_is_that_of_a_closed_loop(case, few, prompt, answer):
    load = given_load(case, few, prompt, answer)
    stay = ttft(*load) + tpot(*load) * (answer - 1)
    gpus = case[2] * case[3]
    assert throughput(*load) == pytest.approx(few * answer / stay / gpus, rel=1e-9)


@given(any_case, few_requests, tokens, tokens)
def test_verifying_more_positions_takes_less_than_one_by_one(case, few, prompt, answer):
    numbers, _ = case_of(case[0], case[1], case[5], case[6])
    load = Load(few, prompt, answer, *case[2:5])
    one, five = (
        total(decode_step(numbers, load, calibrated(), few, positions)[0])
        for positions in (1.0, 5.0)
    )
    # Where memory bounds the step and nothing is shared, added positions are free.
    assert one <= five < 5 * one


@given(any_case, few_requests, tokens, tokens)
def test_terms_of_a_step_are_its_time_and_none_is_negative(case, few, prompt, answer):
    numbers, _ = case_of(case[0], case[1], case[5], case[6])
    terms, _ = decode_step(numbers, Load(few, prompt, answer, *case[2:5]), calibrated(), few)
    assert min(terms) >= 0
    assert sum(terms) == pytest.approx(total(terms), rel=1e-12)
    assert len(terms) == len(Step._fields)


def test_hopper_unpacks_four_bit_experts_and_blackwell_does_not():
    hopper, blackwell = (
        case_of("gpt-oss-120b", id, "bf16", "mxfp4")[0] for id in ("h100_sxm", "b200_sxm")
    )
    assert (hopper.unpacked, blackwell.unpacked) == (1.0, 0.0)
    assert hopper.expert_peak == hopper.peak
    assert blackwell.expert_peak > blackwell.peak


def test_a_tensor_core_that_is_no_faster_is_a_tensor_core():
    # Gaudi 3 multiplies fp8 at the rate of bf16; the A100 has to unpack it.
    gaudi, a100 = (
        case_of("qwen3-30b-a3b", id, "fp8", None)[0] for id in ("gaudi3", "a100_80gb_sxm")
    )
    assert (gaudi.unpacked, a100.unpacked) == (0.0, 1.0)


def test_other_constants_and_another_cache_are_taken():
    load = given_load(ONE, 32, 1024, 1024)
    usual = estimate(*load)
    slower = estimate(*load, constants=replace(calibrated(), schedule=100.0))
    assert slower.tpot > usual.tpot
    assert estimate(*load, kv_format="bf16").tpot != usual.tpot
    assert estimate(*load, kv_format="fp8") == usual


# --- shapes -----------------------------------------------------------------------------------

FUNCTIONS = [throughput, tpot, ttft, lambda *load: serving_cost(2.0, 0.5, *load)[2]]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_array_element_equals_scalar(function, case):
    concurrency, prompt = np.array([8.0, 100.0, 5000.0]), np.array([16.0, 1000.0, 4000.0])
    together = function(*given_load(case, concurrency, prompt, 512.0))
    alone = [
        function(*given_load(case, c, p, 512.0))
        for c, p in zip(concurrency.tolist(), prompt.tolist(), strict=True)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_leave_no_seam(count):
    rng = np.random.default_rng(count)
    concurrency, prompt = rng.uniform(8, 512, count), rng.uniform(16, 8192, count)
    whole = throughput(*given_load(MOE, concurrency, prompt, 1024.0))
    assert whole.shape == (count,)
    halves = [
        throughput(*given_load(MOE, c, p, 1024.0))
        for c, p in zip(np.array_split(concurrency, 7), np.array_split(prompt, 7), strict=True)
    ]
    np.testing.assert_allclose(whole, np.concatenate(halves), rtol=1e-14)


def test_answers_to_whole_numbers_are_those_of_the_function():
    def slow(values):
        return np.exp(np.log(values) * 0.9)

    rng = np.random.default_rng(1)
    few = rng.integers(1, 50, 1000).astype(float)
    for values in (few, few + 0.5, few - 1.0, np.append(few, np.nan), np.append(few, 1e9)):
        with np.errstate(divide="ignore"):
            np.testing.assert_array_equal(of_whole(slow, values), slow(values))
    assert of_whole(slow, np.array([])).shape == (0,)
    assert of_whole(slow, 3.0) == slow(3.0)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_many_loads_are_each_what_they_are_alone(case):
    # Requests are looked up where many are alike, and computed where they are not.
    rng = np.random.default_rng(2)
    alike = rng.integers(8, 40, 500).astype(float)
    for concurrency in (alike, alike + 0.25):
        together = throughput(*given_load(case, concurrency, 700.0, 300.0))
        alone = [throughput(*given_load(case, c, 700.0, 300.0)) for c in concurrency[:40].tolist()]
        np.testing.assert_allclose(together[:40], alone, rtol=1e-13)


def test_column_against_row_is_a_grid():
    column, row = np.array([[8.0], [64.0]]), np.array([[128.0, 1024.0, 8192.0]])
    grid = throughput(*given_load(ONE, column, row, 1024.0))
    assert grid.shape == (2, 3)
    alone = throughput(*given_load(ONE, 64.0, 8192.0, 1024.0))
    assert grid[1, 2] == pytest.approx(alone, rel=1e-12)
    costs = serving_cost(np.array([[2.0], [3.0]]), 0.5, *given_load(ONE, 8.0, row, 1024.0))
    assert [part.shape for part in costs] == [(2, 3)] * 3


def test_arrays_of_ids_equal_single_calls():
    models = np.array([case[0] for case in CASES])
    accelerators = [case[1] for case in CASES]
    tensor, data, expert = (np.array([case[i] for case in CASES]) for i in (2, 3, 4))
    weights = np.array([case[5] for case in CASES])
    experts = np.array([case[6] or case[5] for case in CASES], dtype=object)
    load = (models, accelerators, 32, 1024, 512, tensor, data, expert, weights, experts)
    together = throughput(*load)
    alone = [throughput(*given_load(case, 32, 1024, 512)) for case in CASES]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    np.testing.assert_allclose(
        serving_cost(2.0, 0.5, *load)[1],
        [serving_cost(2.0, 0.5, *given_load(case, 32, 1024, 512))[1] for case in CASES],
        rtol=1e-12,
    )
    np.testing.assert_allclose(estimate(*load).throughput, together, rtol=1e-14)


def test_ids_against_numbers_are_a_grid():
    models = np.array([["llama-3.1-8b"], ["qwen3-8b"]])
    grid = throughput(models, "h100_sxm", np.array([[1.0, 8.0, 64.0]]))
    assert grid.shape == (2, 3)
    assert grid[1, 2] == pytest.approx(throughput("qwen3-8b", "h100_sxm", 64.0), rel=1e-12)


def test_pandas_keeps_its_index():
    concurrency = pd.Series([8.0, 64.0], index=["few", "many"])
    answer = throughput(*given_load(ONE, concurrency, 1024, 1024))
    assert isinstance(answer, pd.Series)
    assert answer["many"] == pytest.approx(throughput(*given_load(ONE, 64.0, 1024, 1024)))
    assert list(serving_cost(2.0, 0.5, *given_load(ONE, concurrency, 1024, 1024))[0].index) == [
        "few",
        "many",
    ]


def test_parallelism_that_divides_is_handed_on_as_it_was():
    case, _ = case_of("llama-3.1-8b", "h100_sxm", "bf16", None)
    load = Load(1.0, 1024.0, 1024.0, 1.0, 1.0, 1.0)
    assert divided(case, load) is load
    assert fitting(load, memory(case, load, calibrated())) == max_concurrency(
        "llama-3.1-8b", "h100_sxm"
    )


@pytest.mark.parametrize("model", records(Model))
def test_every_model_of_the_catalogue_is_served_somewhere(model):
    # The largest fits on one node in four bits only.
    speed = throughput(model, "mi355x", 8, 1024, 1024, 8, 1, 1, "mxfp4")
    assert 1 < speed < 1e4
