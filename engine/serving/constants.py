"""The constants of the serving formula: name, meaning, unit, and the range the fit may use.

Their values are fitted by `engine.serving.calibration` and read from `data/calibration.json`. To
override one, use `dataclasses.replace(CALIBRATED, launch=30.0)`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["Constants", "calibrated"]

#: Serving programs; each has rows in the calibration.
BACKENDS = ("vllm", "trtllm", "sglang")
#: Where none is named: a mixture of them.
ANY = "any"
#: Shares of the programs in that mixture: those of the measured configurations, rounded.
MIXTURE = {"vllm": 0.4, "trtllm": 0.5, "sglang": 0.1}
#: Quantiles of the error that TOK_SERVING_BAND gives.
BAND = ("0.1", "0.5", "0.9")


#: The start of what differs between programs.
_NEUTRAL = "no difference"


def _constant(meaning: str, unit: str, start: float, low: float, high: float, source: str) -> Any:
    told = {"meaning": meaning, "unit": unit, "start": start, "low": low, "high": high}
    return field(metadata={**told, "source": source})


def _settled(meaning: str, unit: str, value: float) -> Any:
    return field(default=value, metadata={"meaning": meaning, "unit": unit})


@dataclass(frozen=True, slots=True)
class Constants:
    """Constants of the serving formula, the same for every model and accelerator."""

    weight_efficiency: float = _constant(
        "share of the peak bandwidth at which weights are read",
        "-", 0.8, 0.3, 1.0, "S85: products in bf16 and fp8, 0.68 to 0.84",
    )  # fmt: skip
    expert_efficiency: float = _constant(
        "the same for experts",
        "-", 0.85, 0.3, 1.0, "S85: layers of experts, 0.7 to 1.1",
    )  # fmt: skip
    kv_efficiency: float = _constant(
        "share of the peak bandwidth at which the KV cache is read",
        "-", 0.9, 0.2, 1.0, "S85: attention of decode in bf16, 0.7 to 1.0",
    )  # fmt: skip
    latent_efficiency: float = _constant(
        "share of the bf16 peak rate in latent attention of decode",
        "-", 0.5, 0.1, 1.0, "S85: 0.36 to 0.59",
    )  # fmt: skip
    kv_surplus: float = _constant(
        "bytes read for one byte of a KV cache in 8 bits, caches left in bf16 included",
        "-", 1.25, 0.9, 2.0, "S85: attention in decode, bf16 over fp8, 1.0 to 1.8",
    )  # fmt: skip
    decode_efficiency: float = _constant(
        "share of the peak rate in matrix products of decode",
        "-", 0.7, 0.1, 1.0, "S60: an H100 at 720 of 989 TFLOPS; S85: 0.64 to 0.80 in bf16",
    )  # fmt: skip
    unpacking: float = _constant(
        "time added to reading experts in a format that the tensor cores lack",
        "-", 0.5, 0, 2, "S85: experts in mxfp4 on Hopper over bf16, 0.1 to 1.0",
    )  # fmt: skip
    launch: float = _constant(
        "kernel launches and gaps of a layer",
        "µs", 40, 1, 100, "S85: products of 4 µs, attention of 11; as much for small kernels",
    )  # fmt: skip
    launch_trtllm: float = _constant(
        "the same under TensorRT-LLM, over that under vLLM",
        "-", 1.0, 0.3, 2.0, _NEUTRAL,
    )  # fmt: skip
    launch_sglang: float = _constant(
        "the same under SGLang",
        "-", 1.0, 0.3, 2.0, _NEUTRAL,
    )  # fmt: skip
    pace_trtllm: float = _constant(
        "time of a step and of a prefill under TensorRT-LLM, over that under vLLM",
        "-", 1.0, 0.6, 1.5, _NEUTRAL,
    )  # fmt: skip
    pace_sglang: float = _constant(
        "the same under SGLang",
        "-", 1.0, 0.6, 1.5, _NEUTRAL,
    )  # fmt: skip
    launch_quantised: float = _constant(
        "the same, added where the weights have fewer than 16 bits",
        "µs", 20, 0, 100, "S85: four products, each 4 to 12 µs longer in fp8",
    )  # fmt: skip
    launch_experts: float = _constant(
        "the same, added by a layer of experts",
        "µs", 20, 0, 200, "S85: 16 to 40 µs at the least, less two products",
    )  # fmt: skip
    launch_expert_scales: float = _constant(
        "the same, where experts are in 8 bits or in a format that the tensor cores lack",
        "µs", 20, 0, 100, "S85: experts in blocks of fp8 over bf16, 2 to 54 µs",
    )  # fmt: skip
    launch_latent: float = _constant(
        "the same, added by latent attention",
        "µs", 40, 0, 200, "S85: four products more, of 4 to 14 µs",
    )  # fmt: skip
    launch_exchange: float = _constant(
        "the same, added by a layer of experts shared between data-parallel ranks",
        "µs", 100, 0, 300, "S85: sending out 70 µs, taking back 30 to 67 µs",
    )  # fmt: skip
    routing_skew: float = _constant(
        "power of the batch that real routing touches as many experts with as even routing",
        "-", 0.92, 0.5, 1.0, "S85: a power law against even routing, 0.91 to 1.0",
    )  # fmt: skip
    launch_expert: float = _constant(
        "time for each expert that a GPU touches in a layer",
        "µs", 0.2, 0, 5, "S85: 0 to 0.4; 0.2 in nvfp4 under TensorRT-LLM",
    )  # fmt: skip
    clock_exponent: float = _constant(
        "power with which launches shorten as the clock rises",
        "-", 1.0, 0, 2, "launches take a number of cycles",
    )  # fmt: skip
    exchange_efficiency: float = _constant(
        "share of the link or network bandwidth in the exchange of tokens between ranks",
        "-", 0.33, 0.1, 1.0, "S85: 0.46 for even loads in bf16, over the imbalance",
    )  # fmt: skip
    imbalance: float = _constant(
        "work of the busiest GPU over the mean, where experts are spread",
        "-", 1.4, 1.0, 3.0, "S85: a power law over eight GPUs, 1.28 and 1.51",
    )  # fmt: skip
    schedule: float = _constant(
        "scheduling and sampling of one sequence",
        "µs", 10, 0, 100, "assumed: some microseconds of the host",
    )  # fmt: skip
    link_message: float = _constant(
        "latency of an all-reduce for each peer, as kilobytes on its link",
        "kB", 500, 0, 3000, "S85: 1.1 µs on H100 and H200 under TensorRT-LLM",
    )  # fmt: skip
    link_efficiency: float = _constant(
        "share of the link bandwidth in a decode all-reduce",
        "-", 0.2, 0.01, 1.0, "S85: messages up to a megabyte, 0.05 to 0.41",
    )  # fmt: skip
    prefill_efficiency: float = _constant(
        "share of the peak rate in matrix products of prefill",
        "-", 0.5, 0.1, 1.0, "S85: products in fp8, 0.39 to 0.58",
    )  # fmt: skip
    expert_traffic: float = _constant(
        "bytes moved to order a token for each of its experts, by unit of width",
        "B", 20, 0, 200, "S85: 4 to 57, mostly 18 to 30 under TensorRT-LLM",
    )  # fmt: skip
    activation_traffic: float = _constant(
        "bytes moved for each token, layer and unit of hidden width in prefill",
        "B", 150, 0, 400, "S85: 67 to quantise the inputs of four products; as many for the rest",
    )  # fmt: skip
    prefill_link_efficiency: float = _constant(
        "share of the link bandwidth in a prefill all-reduce",
        "-", 0.65, 0.05, 1.0, "S85: messages of more than 4 MB, 0.57 to 0.74",
    )  # fmt: skip
    mixing: float = _constant(
        "share of another request's prefill that a running sequence waits for",
        "-", 1.0, 0.4, 1.0, "all of it",
    )  # fmt: skip
    stall: float = _constant(
        "share of a prefill on another data-parallel rank that a step waits for",
        "-", 1.0, 0.0, 1.5, "all of it",
    )  # fmt: skip
    overlap: float = _constant(
        "share of the weights that decode steps read for which a prefill beside them waits not",
        "-", 0.5, 0.0, 1.0, "assumed: the middle",
    )  # fmt: skip
    queue: float = _constant(
        "prefills that a new request waits for, for each other running sequence",
        "-", 0.05, 0, 1, "half of the others in the first of ten rounds of such a benchmark",
    )  # fmt: skip
    first_steps: float = _constant(
        "decode steps that the first token waits for",
        "-", 5, 0, 30, "assumed: the step that runs, and a few until the prompt has its turn",
    )  # fmt: skip
    front_end: float = _constant(
        "time of the front end before the first token",
        "ms", 5, 0, 200, "assumed: some milliseconds of the host",
    )  # fmt: skip
    expert_work: float = _settled(
        "arithmetic of experts, over that of other products (S85)", "-", 1.25
    )
    attention_efficiency: float = _settled(
        "share of the bf16 peak rate in prefill attention of a long prompt (S85)", "-", 0.65
    )
    attention_overhead: float = _settled(
        "tokens by which prefill attention takes longer, whatever it attends to (S85)", "-", 3000.0
    )
    cache_overhead: float = _settled(
        "tokens by which decode attention takes longer, whatever the cache holds (S85)", "-", 200.0
    )
    memory_share: float = _settled("share of the memory that weights and cache may take", "-", 0.93)
    memory_reserve: float = _settled("memory of buffers and graphs on each GPU", "GB", 2.0)
    network_latency: float = _settled("time of a message between nodes", "µs", 15.0)
    network_efficiency: float = _settled(
        "share of the network bandwidth in the exchange of tokens between nodes (S65)", "-", 0.9
    )
    prefill_weight_efficiency: float = _settled(
        "share of the peak bandwidth at which prefill reads the weights", "-", 0.8
    )


@cache
def calibration() -> Mapping[str, Any]:
    """Return the calibration as it was written: constants, errors and provenance."""
    source = files("engine") / "data" / "calibration.json"
    read: Mapping[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return read


@cache
def calibrated() -> Constants:
    """Return the constants of the calibration in `data/calibration.json`."""
    return Constants(**{name: entry["value"] for name, entry in calibration()["constants"].items()})


def fitted() -> tuple[Field[Any], ...]:
    """Return the constants that the calibration fits, in order."""
    return tuple(f for f in fields(Constants) if "low" in f.metadata)


def error_quantiles(kind: str) -> Mapping[str, float]:
    """Return quantiles of measured over estimated cost, by their probability as text.

    Parameters
    ----------
    kind : str
        "dense" or "moe" [-].
    """
    quantiles: Mapping[str, float] = calibration()["cost_ratio_quantiles"][kind]
    return quantiles


def ttft_quantiles(kind: str) -> Mapping[str, float]:
    """Return quantiles of measured over estimated time to the first token, by probability as text.

    Parameters
    ----------
    kind : str
        "dense" or "moe" [-].
    """
    quantiles: Mapping[str, float] = calibration()["ttft_ratio_quantiles"][kind]
    return quantiles
