"""The choices that the workbook is built with, and how long its tables then are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udfs import CellError, Function
from workbooks.authoring.layout import Value

#: What Inputs holds when the workbook is built, by the keys of the inputs.
DEFAULTS: Mapping[str, Value] = {
    "model": "llama-3.1-70b",
    "accelerator": "h100_sxm",
    "concurrency": 64,
    "input_tokens": 1024,
    "output_tokens": 1024,
    "utilisation": 0.6,
    "tensor": 2,
    "data": 1,
    "expert": 1,
    "format": "fp8",
    "expert_format": "fp8",
    "price": 5.12,
    "chain_gpus": 2,
    "acceptance": 0.8,
    "draft_tokens": 4,
    "draft_model": "llama-3.1-8b",
    "quantised": "int4",
    "max_gpus": 8,
}


def rows_of(function: Function, keys: Sequence[str]) -> int:
    """Return the rows below the header that a table has with the choices of the built file."""
    table = function(*(DEFAULTS[key] for key in keys))
    if isinstance(table, CellError):
        raise ValueError(f"{function.name} cannot size its table: {table.reason}")
    return len(table) - 1
