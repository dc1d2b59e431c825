"""Native functions at the edges of their arguments, and with one's own records: as the engine."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from cases import Case, as_json, cases, difference
from hosts import native, python

from engine import catalogue
from engine.elementwise import domains_of
from udfs import CellError, registry
from udfs.hosts.native import native_names

TYPICAL = {case.function: case.cells for case in cases() if case.id.endswith("-typical")}


def _edges(domain):
    """Yield numbers at, inside and outside the ends of a domain."""
    for end, outside in ((domain.low, -1.0), (domain.high, 1.0)):
        if abs(end) < 1e300:
            shown = 0.0 if abs(end) < 1e-300 else float(f"{end:.12g}")
            yield from (shown, shown + outside, shown - outside * 0.5)
    yield 1e-9


def _cases():
    for name in native_names():
        function, typical = registry[name], TYPICAL[name]
        for i, argument in enumerate(function.parameters):
            domain = domains_of(function.engine).get(argument)
            given = [*typical, *[None] * (i + 1 - len(typical))]
            if i >= function.required:
                yield Case(f"{name}-{argument}-blank", name, (*given[:i], None, *given[i + 1 :]))
            if domain is None or function.kinds[i] not in ("number", "scalar"):
                continue
            for edge in dict.fromkeys(_edges(domain)):
                cells = (*given[:i], edge, *given[i + 1 :])
                yield Case(f"{name}-{argument}-{edge:g}", name, cells)


def _wrong(asked, tolerance=1e-9):
    wanted, got = python(asked), native(asked)
    return {
        case.id: told
        for case in asked
        if (told := difference(as_json(wanted[case.id]), as_json(got[case.id]), tolerance))
    }


def test_native_functions_answer_at_the_edges_as_the_engine_does():
    asked = list(_cases())
    assert len(asked) > 1000
    assert not _wrong(asked)


# --- a user's own records ------------------------------------------------------------------------

_GPU = [
    ["Field", "Value"],
    ["memory_gb", 80.0],
    ["mem_bw_tb_s", 3.35],
    ["bf16_dense_tflops", 989.5],
    ["fp8_dense_tflops", 1979.0],
    ["scaleup_gb_s_per_direction", 450.0],
]
_DENSE = [
    ["layers", 32.0],
    ["hidden", 4096.0],
    ["heads", 32.0],
    ["vocab", 128256.0],
    ["FFN dim", 14336.0],
    ["kv_heads", 8.0],
    ["tied embeddings", False],
]
_EXPERTS = [
    *(["layers", 61.0], ["hidden", 7168.0], ["heads", 128.0], ["vocab", 129280.0]),
    *(["ffn_dim", 18432.0], ["attention", "mla"], ["experts", 256.0], ["experts_per_token", 8.0]),
    *(["shared_experts", 1.0], ["moe_ffn_dim", 2048.0], ["dense_layers", 3.0]),
    *(["q_lora_rank", 1536.0], ["kv_lora_rank", 512.0], ["qk_nope_dim", 128.0]),
    *(["qk_rope_dim", 64.0], ["v_head_dim", 128.0]),
]
_LLAMA, _H100 = "llama-3.1-8b", "h100_sxm"
_OWN = {
    "dense": (_DENSE, _H100, 8.0),
    "gpu": (_LLAMA, _GPU, 8.0),
    "both": (_DENSE, _GPU, 8.0, 2000.0, 100.0, 2.0),
    "experts": (_EXPERTS, "b200_sxm", 64.0, 1024.0, 1024.0, 8.0),
    "experts, does not fit": (_EXPERTS, _GPU, 64.0, 1024.0, 1024.0, 8.0),
    "field missing": (_DENSE[:3], _H100, 8.0),
    "field unknown": ([*_DENSE, ["nosuch", 3.0]], _H100, 8.0),
    "half a mixture": ([*_DENSE, ["experts", 8.0]], _H100, 8.0),
    "below 0": ([["layers", -1.0], *_DENSE[1:]], _H100, 8.0),
    "not whole": ([["layers", 31.5], *_DENSE[1:]], _H100, 8.0),
    "text": ([["layers", "many"], *_DENSE[1:]], _H100, 8.0),
    "neither GQA nor MLA": ([*_DENSE, ["attention", "linear"]], _H100, 8.0),
    "ids": ([["Llama 3.1 8B"], ["llama-3.1-70b"], ["nosuch"]], "H100 SXM", 8.0, 999.0, 99.0, 4.0),
    "does not divide": (_LLAMA, _H100, 8.0, 1024.0, 1024.0, 3.0),
    "format unknown": (_LLAMA, _H100, 8.0, 1024.0, 1024.0, 1.0, 1.0, 1.0, "fp99"),
    "tail": (_LLAMA, _H100, 8.0, 999.0, 99.0, 1.0, 1.0, 1.0, "FP8", "int8", 0.5, "vLLM", 3.0, 0.7),
    "backend unknown": (
        *(_LLAMA, _H100, 8.0, 1024.0, 1024.0, 1.0, 1.0, 1.0),
        *("fp8", "fp8", 0.0, "nosuch"),
    ),
}


def test_records_of_ones_own_are_read_as_the_engine_reads_them():
    if "TOK_THROUGHPUT" not in native_names():
        pytest.skip("no serving estimate is native")
    asked = [Case(what, "TOK_THROUGHPUT", cells) for what, cells in _OWN.items()]
    assert not _wrong(asked)


# --- rents at a day ------------------------------------------------------------------------------

_DAYS = [
    *("2026-13-01", "2026-00-10", "2026-02-29", "2028-02-29", "2100-02-29", "2000-02-29"),
    *("0000-01-01", "0001-01-01", "1899-12-31", "1900-03-01", "9999-12-31", " 2026-11-21 "),
    *("2026-11-1", "2026-1e-01", "-026-11-21", "2026/11/21", "", "46300"),
    *(2958466.0, 2958465.5, -693594.0, -693593.5, 46300.999, True, CellError("#DIV/0!")),
]


def test_rents_at_each_day_on_which_one_changes():
    rows = catalogue.table("gpu_hour_prices")
    changes = sorted({date.fromisoformat(row["date"]) for row in rows})
    days = [[(day + timedelta(by)).isoformat()] for day in changes for by in (-1, 0)]
    asked = [
        Case(f"{accelerator} {term} {measure}", "TOK_GPU_PRICE", (accelerator, term, measure, days))
        for accelerator, term in sorted({(row["accelerator"], row["term"]) for row in rows})
        for measure in ("low", "median", "high")
    ]
    assert not _wrong(asked)


def test_a_day_is_read_as_the_engine_reads_it():
    known = ("h100_sxm", "on demand", "median")
    assert not _wrong([Case(f"{day!r}", "TOK_GPU_PRICE", (*known, day)) for day in _DAYS])
    assert not _wrong([Case("all", "TOK_GPU_PRICE", (*known, [[day] for day in _DAYS]))])


# --- searches ------------------------------------------------------------------------------------

_SEARCHED = [
    ("deepseek-r1", "h200_sxm", 0.05, 2.0, 1024.0, 200.0, "fp8", 8.0),
    ("gpt-oss-120b", "b200_sxm", 0.01, None, 128.0, 1.0, "mxfp4", 3.0, 0.5, "sglang", 3.0),
    ("qwen3-32b", "l40s", None, 0.3, 8000.0, 1024.0, "bf16", 16.0, 0.0, "vllm"),
    ("kimi-k2", "h100_sxm", 0.02),
    (_DENSE, _GPU, 0.02, 2.0),
    (_EXPERTS, "b200_sxm", None, None, 1024.0, 1024.0, "fp8", 8.0),
    (_DENSE[:3], _GPU),
]


def test_searches_find_what_the_engine_finds():
    """The most load, the cheapest configuration and the front, each in dozens of configurations."""
    asked = []
    for i, (model, accelerator, *rest) in enumerate(_SEARCHED):
        each, first, *load = (*rest, *[None] * (2 - len(rest)))
        asked += [
            Case(f"{i} most", "TOK_MAX_LOAD", (model, accelerator, each or 1.0, first, *load[:2])),
            Case(
                f"{i} cheapest", "TOK_CHEAPEST", (2.0, 0.5, model, accelerator, each, first, *load)
            ),
            Case(f"{i} front", "TOK_PARETO", (2.0, 0.5, model, accelerator, *load)),
        ]
    split = [[1.0], [2.0], [3.0], [4.0], [8.0]]
    limits = [[0.001, 0.02, 0.05]]
    most = (_LLAMA.replace("8b", "70b"), _H100, limits, 2.0, 1024.0, 1024.0, split)
    asked.append(Case("grid", "TOK_MAX_LOAD", (*most, 1.0, 1.0, "fp8")))
    assert not _wrong(asked)
