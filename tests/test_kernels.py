"""The regression of kernels that were timed apart finds what a table was made with."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.catalogue import Accelerator, find

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kernels import attention_of_decode, attention_of_prefill, experts, fitted, products

H200 = find(Accelerator, "h200_sxm")
SIZES = 2 ** np.arange(15)


def _table(**columns):
    batch = np.resize([1, 16, 128], SIZES.size)
    return pd.DataFrame({"batch_size": batch, "isl": SIZES, "step": 0, "window_size": 0, **columns})


@pytest.mark.parametrize(
    ("terms", "rows", "wanted"),
    [
        (products, _table(gemm_dtype="fp8", m=SIZES, n=4096, k=8192), [0.8, 0.5, 9e-6]),
        (experts, _table(moe_dtype="bfloat16", num_tokens=SIZES, hidden_size=2048, inter_size=768,
                         topk=8, num_experts=128, moe_tp_size=1), [0.9, 0.7, 3e-5, 20.0]),
        (attention_of_prefill, _table(num_heads=64, head_dim=128), [0.65, 3000.0]),
        (attention_of_decode, _table(num_key_value_heads=8, head_dim=128, kv_cache_dtype="fp8"),
         [0.9, 200.0, 1e-5]),
    ],
)  # fmt: skip
def test_values_are_found_again(terms, rows, wanted):
    def time(values):
        return terms(rows, H200, values)

    found, error = fitted(time, time(wanted), [2.0 * value for value in wanted])
    assert found == pytest.approx(wanted, rel=1e-3)
    assert error < 1e-6
