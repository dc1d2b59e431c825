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


#: Where the start of a constant comes from, where nothing better is known.
_EARLIER = "an earlier fit to the rows of S14, rounded"
_ALIKE = "no difference to vLLM"


def _constant(
    meaning: str, unit: str, start: float, low: float, high: float, source: str = _EARLIER
) -> Any:
    told = {"meaning": meaning, "unit": unit, "start": start, "low": low, "high": high}
    return field(metadata={**told, "source": source})


def _settled(meaning: str, unit: str, value: float) -> Any:
    return field(default=value, metadata={"meaning": meaning, "unit": unit})


@dataclass(frozen=True, slots=True)
class Constants:
    """Constants of the serving formula, the same for every model and accelerator."""

    weight_efficiency: float = _constant(
        "share of the peak bandwidth at which weights are read",
        "-",
        0.85,
        0.3,
        1.0,
        "S60: 92 to 95 % in long copies, less in short ones",
    )
    expert_efficiency: float = _constant("the same for experts", "-", 0.85, 0.3, 1.0)
    kv_efficiency: float = _constant(
        "share of the peak bandwidth at which the KV cache is read",
        "-",
        0.8,
        0.2,
        1.0,
        "S60: 92 to 95 % in long copies, less in short ones",
    )
    latent_efficiency: float = _constant(
        "share of the bf16 peak rate in latent attention of decode",
        "-",
        0.42,
        0.1,
        1.0,
        "S60: 92 to 95 % in long copies, less in short ones",
    )
    kv_surplus: float = _constant(
        "bytes read for one byte of a KV cache in 8 bits, caches left in bf16 included",
        "-",
        1.4,
        0.9,
        2.0,
    )
    decode_efficiency: float = _constant(
        "share of the peak rate in matrix products of decode",
        "-",
        0.7,
        0.1,
        1.0,
        "S60: matrix products of an H100 at 720 of 989 TFLOPS",
    )
    unpacking: float = _constant(
        "time added to reading experts in a format that the tensor cores lack", "-", 0.4, 0, 2
    )
    launch: float = _constant("kernel launches and gaps of a layer", "µs", 40, 1, 100)
    launch_trtllm: float = _constant(
        "the same under TensorRT-LLM, over that under vLLM", "-", 1.0, 0.3, 2.0, _ALIKE
    )
    launch_sglang: float = _constant("the same under SGLang", "-", 1.0, 0.3, 2.0)
    pace_trtllm: float = _constant(
        "time of a step and of a prefill under TensorRT-LLM, over that under vLLM",
        "-",
        1.0,
        0.6,
        1.5,
        _ALIKE,
    )
    pace_sglang: float = _constant("the same under SGLang", "-", 1.0, 0.6, 1.5)
    launch_quantised: float = _constant(
        "the same, added where the weights have fewer than 16 bits", "µs", 20, 0, 100, _ALIKE
    )
    launch_experts: float = _constant("the same, added by a layer of experts", "µs", 20, 0, 200)
    launch_expert_scales: float = _constant(
        "the same, where experts are in 8 bits or in a format that the tensor cores lack",
        "µs",
        20,
        0,
        100,
        _ALIKE,
    )
    launch_latent: float = _constant("the same, added by latent attention", "µs", 40, 0, 200)
    launch_exchange: float = _constant(
        "the same, added by a layer of experts shared between data-parallel ranks", "µs", 80, 0, 300
    )
    routing_skew: float = _constant(
        "power of the batch that real routing touches as many experts with as even routing",
        "-",
        0.9,
        0.5,
        1.0,
    )
    launch_expert: float = _constant(
        "time for each expert that a GPU touches in a layer", "µs", 0.2, 0, 5
    )
    clock_exponent: float = _constant(
        "power with which launches shorten as the clock rises",
        "-",
        1.0,
        0,
        2,
        "launches take a number of cycles",
    )
    exchange_efficiency: float = _constant(
        "share of the link or network bandwidth in the exchange of tokens between ranks",
        "-",
        0.3,
        0.1,
        1.0,
    )
    imbalance: float = _constant(
        "work of the busiest GPU over the mean, where experts are spread", "-", 1.5, 1.0, 3.0
    )
    schedule: float = _constant("scheduling and sampling of one sequence", "µs", 10, 0, 100)
    link_message: float = _constant(
        "latency of an all-reduce for each peer, as kilobytes on its link", "kB", 300, 0, 3000
    )
    link_efficiency: float = _constant(
        "share of the link bandwidth in a decode all-reduce", "-", 0.2, 0.01, 1.0
    )
    prefill_efficiency: float = _constant(
        "share of the peak rate in matrix products of prefill",
        "-",
        0.5,
        0.1,
        1.0,
        "S60, less what is lost between the products",
    )
    attention_efficiency: float = _constant(
        "share of the bf16 peak rate in prefill attention", "-", 0.3, 0.02, 1.0
    )
    activation_traffic: float = _constant(
        "bytes moved for each token, layer and unit of hidden width in prefill", "B", 200, 0, 400
    )
    prefill_link_efficiency: float = _constant(
        "share of the link bandwidth in a prefill all-reduce", "-", 0.3, 0.05, 1.0
    )
    mixing: float = _constant(
        "share of another request's prefill that a running sequence waits for", "-", 0.8, 0.4, 0.95
    )
    stall: float = _constant(
        "share of a prefill on another data-parallel rank that a step waits for",
        "-",
        0.8,
        0.0,
        1.5,
        "chosen: the start of mixing",
    )
    overlap: float = _constant(
        "share of the weights that decode steps read for which a prefill beside them waits not",
        "-",
        0.8,
        0.0,
        1.0,
    )
    queue: float = _constant(
        "prefills that a new request waits for, for each other running sequence", "-", 0.05, 0, 1
    )
    first_steps: float = _constant("decode steps that the first token waits for", "-", 10, 0, 30)
    front_end: float = _constant("time of the front end before the first token", "ms", 2, 0, 200)
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
