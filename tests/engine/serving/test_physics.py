"""What the first fit had wrong: formats, nodes, makers, SRAM, and saturated mixtures of experts."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DomainError
from engine.serving.estimates import estimate, max_concurrency, throughput


@pytest.mark.parametrize("accelerator", ["h100_sxm", "b300_sxm", "a100_80gb_sxm", "gaudi3"])
@pytest.mark.parametrize("weights", ["fp8", "int8", "int4", "nvfp4", "mxfp4"])
@pytest.mark.parametrize("model", ["llama-3.1-8b", "qwen3-30b-a3b"])
def test_no_format_is_much_worse_than_bf16(model, accelerator, weights):
    requests, tensor = np.array([[1.0], [8.0], [64.0]]), np.array([1.0, 2.0, 4.0])
    load = (model, accelerator, requests, 1024, 256, tensor, 1, 1)
    assert (throughput(*load, weights) >= throughput(*load, "bf16") * 0.95).all()


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


def test_mi300x_stands_to_h200_as_in_published_runs():
    # MLPerf Inference v4.1 and v5.0, Llama 2 70B, offline: 0.67 to 0.74.
    ratio = np.divide(
        *(
            throughput("llama-3.1-70b", name, 900, 294, 294, 1, 1, 1, "fp8")
            for name in ("mi300x", "h200_sxm")
        )
    )
    assert 0.7 / 1.2 < ratio < 0.7 * 1.2


def test_a_saturated_node_of_deepseek_r1_is_no_longer_several_times_too_fast():
    # About 4,000 output tokens/s of each B200 are published; the first fit gave over 13,000.
    load = ("deepseek-r1", "b200_sxm", 4096, 800, 3880, 1, 8, 8, "nvfp4")
    assert 2600 < throughput(*load) < 5700
