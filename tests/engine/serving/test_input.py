"""What the serving functions refuse, from Python and from cells, and the reason they give."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DomainError, InputError, UnknownIdError
from engine.serving.estimates import estimate, max_concurrency, throughput, ttft
from engine.serving.usd import serving_cost
from udfs import CellError
from udfs.functions import (
    TOK_BREAKDOWN,
    TOK_MAX_CONCURRENCY,
    TOK_PARETO,
    TOK_SERVING_BAND,
    TOK_SERVING_COST,
    TOK_THROUGHPUT,
    TOK_TPOT,
    TOK_WATERFALL,
)

OWN_MODEL = [
    ["layers", 80.0],
    ["hidden", 8192.0],
    ["heads", 64.0],
    ["kv_heads", 8.0],
    ["ffn_dim", 28672.0],
    ["vocab", 128256.0],
]
OWN_ACCELERATOR = [
    ["memory_gb", 85.9],
    ["mem_bw_tb_s", 3.35],
    ["bf16_dense_tflops", 989.0],
    ["fp8_dense_tflops", 1978.0],
    ["scaleup_gb_s_per_direction", 450.0],
]
REST = (64.0, 1024.0, 1024.0, 2.0, 1.0, 1.0, "fp8")


def error(cell, code):
    assert isinstance(cell, CellError), cell
    assert cell.code == code
    return cell.reason


# --- what does not fit ------------------------------------------------------------------------


def test_model_that_does_not_fit_says_what_it_needs_and_what_there_is():
    # 141.1 GB of weights in bf16; an H100 has 80 GiB.
    reason = error(TOK_THROUGHPUT("llama-3.1-70b", "h100_sxm"), "#NUM!")
    assert "needs 141.8 GB" in reason
    assert "141.1 for weights" in reason
    assert "85.9 GB are there" in reason
    assert TOK_MAX_CONCURRENCY("llama-3.1-70b", "h100_sxm") == 0


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (TOK_TPOT, ("llama-3.1-70b", "h100_sxm")),
        (TOK_BREAKDOWN, ("llama-3.1-70b", "h100_sxm")),
        (TOK_SERVING_COST, (2.0, 0.5, "llama-3.1-70b", "h100_sxm")),
        (TOK_SERVING_BAND, (2.0, 0.5, "llama-3.1-70b", "h100_sxm")),
        (TOK_PARETO, (2.0, 0.5, "llama-3.1-70b", "h100_sxm", None, None, None, 1.0)),
        (TOK_WATERFALL, (2.0, "llama-3.1-70b", "h100_sxm", 8.0)),
    ],
    ids=str,
)
def test_no_function_answers_for_what_does_not_fit(function, arguments):
    assert "GB are there" in error(function(*arguments), "#NUM!")


def test_weights_that_fit_without_a_single_cache_do_not_fit():
    # 70.6 GB of weights in fp8 fit in 73.3 GB, but the cache of a million tokens does not.
    assert TOK_MAX_CONCURRENCY("llama-3.1-70b", "h100_sxm", 1e6, 1.0, 1.0, 1.0, 1.0, "fp8") == 0
    reason = error(
        TOK_THROUGHPUT("llama-3.1-70b", "h100_sxm", 1.0, 1e6, 1.0, 1.0, 1.0, 1.0, "fp8"), "#NUM!"
    )
    assert "cache of one sequence" in reason


def test_what_does_not_fit_spoils_its_element_alone():
    tensor = [[1.0], [2.0], [4.0]]
    one, two, four = (
        row[0] for row in TOK_THROUGHPUT("llama-3.1-70b", "h100_sxm", 1, 1024, 1024, tensor)
    )
    assert "141.1 for weights" in error(one, "#NUM!")
    assert two > four > 0
    room = TOK_MAX_CONCURRENCY("llama-3.1-70b", "h100_sxm", 1024, 1024, tensor)
    assert room[0] == [0]
    assert room[1][0] > 0


# --- unknown ids ------------------------------------------------------------------------------


def test_unknown_ids_are_told_with_those_that_look_like_them():
    reason = error(TOK_THROUGHPUT("llama-3.1-70", "h100_sxm"), "#N/A")
    assert "model 'llama-3.1-70' is unknown" in reason
    assert "llama-3.1-70b" in reason
    assert "h100_sxm" in error(TOK_THROUGHPUT("qwen3-8b", "h100"), "#N/A")
    assert "fp8" in error(TOK_THROUGHPUT(*("qwen3-8b", "h100_sxm"), *REST[:-1], "fp9"), "#N/A")


def test_ids_may_be_in_capitals_and_between_blanks():
    usual = throughput("qwen3-8b", "h100_sxm", weight_format="fp8")
    assert throughput(" Qwen3-8B", "H100_SXM ", weight_format=" FP8 ") == usual


def test_unknown_id_in_a_range_of_texts_spoils_its_element_alone():
    good, bad = TOK_THROUGHPUT(
        "qwen3-8b", "h100_sxm", 1, 1024, 1024, 1, 1, 1, [["fp8", "fp9"]]
    )[0]  # fmt: skip
    assert good > 0
    assert "fp9" in error(bad, "#N/A")


def test_unknown_id_in_an_array_is_told():
    with pytest.raises(UnknownIdError, match="qwen3-8c"):
        throughput(["qwen3-8b", "qwen3-8c"], "h100_sxm")
    with pytest.raises(InputError, match="shapes"):
        throughput(["qwen3-8b", "llama-3.1-8b"], ["h100_sxm"] * 3)


# --- parallelism ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "parallelism", "reason"),
    [
        ("llama-3.1-70b", (3, 1, 1), "tensor_parallel is 3; it must divide the 64 heads"),
        ("mixtral-8x22b", (3, 1, 1), "it must divide the 8 key-value heads"),
        ("mixtral-8x22b", (4, 4, 16), "expert_parallel is 16; it must divide the experts"),
        ("gpt-oss-120b", (4, 1, 8), "expert_parallel is 8; it must divide the 4 GPUs"),
        ("qwen3-8b", (2, 1, 2), "be 1 where there are none"),
        ("gpt-oss-120b", (1, 7, 1), "divide its inner width 2880"),
    ],
)
def test_parallelism_that_does_not_divide(model, parallelism, reason):
    with pytest.raises(DomainError, match=reason):
        throughput(model, "b300_sxm", 1, 1024, 1024, *parallelism, "nvfp4")
    with pytest.raises(DomainError, match=reason):
        max_concurrency(model, "b300_sxm", 1024, 1024, *parallelism, "nvfp4")
    arrays = (np.array([float(size)]) for size in parallelism)
    spoilt = throughput(model, "b300_sxm", 1, 1024, 1024, *arrays, "nvfp4")
    assert np.isnan(spoilt).all()


def test_parallelism_that_does_not_divide_spoils_its_element_alone():
    speeds = TOK_THROUGHPUT("qwen3-32b", "h200_sxm", 1, 1024, 1024, [[1.0, 3.0, 4.0]])[0]
    assert speeds[0] > 0
    assert "64 heads" in error(speeds[1], "#NUM!")
    assert speeds[2] > 0


@pytest.mark.parametrize("value", [0.0, -1.0, 1.5, np.nan, np.inf])
def test_parallelism_is_whole(value):
    with pytest.raises(DomainError, match="tensor_parallel"):
        throughput("qwen3-8b", "h100_sxm", tensor_parallel=value)


@pytest.mark.parametrize("name", ["concurrency", "input_tokens", "output_tokens"])
@pytest.mark.parametrize("value", [0.0, 0.5, -3.0, np.nan])
def test_loads_below_one_are_refused(name, value):
    with pytest.raises(DomainError, match=name):
        ttft("qwen3-8b", "h100_sxm", **{name: value})


@pytest.mark.parametrize("utilisation", [0.0, 1.1, -0.5])
def test_utilisation_is_a_share_above_zero(utilisation):
    with pytest.raises(DomainError, match="utilisation"):
        serving_cost(2.0, utilisation, "qwen3-8b", "h100_sxm")


def test_more_requests_than_fit_are_not_refused():
    assert TOK_THROUGHPUT("qwen3-8b", "h100_sxm", 1e6) > 0


def test_one_bad_number_spoils_its_element_alone():
    answer = estimate("qwen3-8b", "h100_sxm", [1.0, -1.0, 4.0]).tpot
    np.testing.assert_array_equal(np.isnan(answer), [False, True, False])


def test_text_where_a_number_belongs():
    assert "concurrency" in error(TOK_TPOT("qwen3-8b", "h100_sxm", "many"), "#VALUE!")
    assert "model" in error(TOK_TPOT(3.0, "h100_sxm"), "#VALUE!")
    assert "blank" in error(TOK_TPOT(None, "h100_sxm"), "#VALUE!")


# --- one's own model and accelerator ----------------------------------------------------------


def test_own_model_and_accelerator_are_as_those_of_the_catalogue():
    catalogue = TOK_THROUGHPUT("llama-3.1-70b", "h100_sxm", *REST)
    assert TOK_THROUGHPUT(OWN_MODEL, "h100_sxm", *REST) == catalogue
    assert TOK_THROUGHPUT(OWN_MODEL, OWN_ACCELERATOR, *REST) == catalogue
    assert throughput(dict(OWN_MODEL), dict(OWN_ACCELERATOR), *REST) == catalogue
    assert TOK_BREAKDOWN(OWN_MODEL, OWN_ACCELERATOR, *REST) == TOK_BREAKDOWN(
        "llama-3.1-70b", "h100_sxm", *REST
    )


def test_blank_rows_and_a_header_are_passed_over_and_a_blank_value_is_the_default():
    told = [["Field", "Value"], *OWN_MODEL, [None, None], ["sliding_window", None], ["", ""]]
    assert TOK_THROUGHPUT(told, "h100_sxm", *REST) == TOK_THROUGHPUT(OWN_MODEL, "h100_sxm", *REST)


def test_field_names_may_be_in_capitals_and_with_blanks():
    told = [[name.replace("_", " ").title(), value] for name, value in OWN_MODEL]
    assert TOK_THROUGHPUT(told, "h100_sxm", *REST) == TOK_THROUGHPUT(OWN_MODEL, "h100_sxm", *REST)


def test_one_broadcasts_over_numbers():
    rows = TOK_THROUGHPUT(OWN_MODEL, "h100_sxm", [[1.0], [64.0]], *REST[1:])
    assert rows[1][0] == pytest.approx(TOK_THROUGHPUT(OWN_MODEL, "h100_sxm", *REST), rel=1e-12)


@pytest.mark.parametrize(
    ("rows", "code", "reason"),
    [
        (OWN_MODEL[1:], "#VALUE!", "own model lacks layers"),
        ([["layers", None], *OWN_MODEL[1:]], "#VALUE!", "own model lacks layers"),
        ([*OWN_MODEL, ["kv_headz", 8.0]], "#N/A", "kv_heads"),
        ([*OWN_MODEL, ["heads", 32.0]], "#VALUE!", "heads is given twice"),
        ([*OWN_MODEL, [None, 32.0]], "#VALUE!", "the value 32.0 has no field"),
        ([["layers", "many"], *OWN_MODEL[1:]], "#VALUE!", "layers must be a number, not 'many'"),
        ([["layers", True], *OWN_MODEL[1:]], "#VALUE!", "layers must be a number, not True"),
        ([["layers", 80.5], *OWN_MODEL[1:]], "#NUM!", "layers is 80.5; it must be whole"),
        ([["layers", -1.0], *OWN_MODEL[1:]], "#NUM!", "layers is -1.0"),
        ([["layers", 0.0], *OWN_MODEL[1:]], "#NUM!", "layers of own model must be more than 0"),
        ([*OWN_MODEL, ["experts", 8.0]], "#NUM!", "experts_per_token"),
        ([*OWN_MODEL, ["dense_layers", 99.0]], "#NUM!", "some kind of them has more"),
        ([*OWN_MODEL, ["sliding_layers", 40.0]], "#NUM!", "sliding_window"),
        ([*OWN_MODEL, ["attention", "MLA"]], "#NUM!", "kv_lora_rank"),
        ([*OWN_MODEL, ["attention", "linear"]], "#NUM!", "GQA or MLA"),
        ([*OWN_MODEL, ["tied_embeddings", "perhaps"]], "#VALUE!", "TRUE or FALSE"),
        ([[*row, None] for row in OWN_MODEL], "#VALUE!", "rows of (field, value)"),
    ],
)
def test_what_is_wrong_with_an_own_model_is_told(rows, code, reason):
    assert reason in error(TOK_THROUGHPUT(rows, "h100_sxm", *REST), code)


@pytest.mark.parametrize(
    ("rows", "code", "reason"),
    [
        (OWN_ACCELERATOR[1:], "#VALUE!", "own accelerator lacks memory_gb"),
        ([["memory_gb", 0.0], *OWN_ACCELERATOR[1:]], "#NUM!", "memory_gb"),
        ([*OWN_ACCELERATOR, ["fp4_dense_tflops", 0.0]], "#NUM!", "fp4_dense_tflops"),
        ([*OWN_ACCELERATOR, ["clock", 2.0]], "#N/A", "clock_ghz"),
        ([["memory_gb", CellError("#REF!")], *OWN_ACCELERATOR[1:]], "#REF!", ""),
    ],
)
def test_what_is_wrong_with_an_own_accelerator_is_told(rows, code, reason):
    assert reason in error(TOK_THROUGHPUT("llama-3.1-70b", rows, *REST), code)


def test_own_model_whose_tokens_take_every_expert():
    # No expert is ever skipped: the expectation has to hold at its limit.
    rows = [*OWN_MODEL, ["experts", 4.0], ["experts_per_token", 4.0], ["moe_ffn_dim", 1024.0]]
    assert TOK_THROUGHPUT(rows, "h200_sxm", *REST) > 0
