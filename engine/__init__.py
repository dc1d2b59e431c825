"""The cost model of Tokenbook: NumPy in, NumPy out. It knows no spreadsheet.

Every function stands here under its own name, and is read from its module when it is first used:
`engine.cost_per_mtok(2.0, 1000.0)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "allocation": ("allocate",),
    "applications": (
        "agent_session",
        "subscription_margin",
        "training_cost",
        "video_cost",
    ),
    "catalogue": (
        "Accelerator",
        "Model",
    ),
    "claims": ("claim",),
    "energy": (
        "carbon_per_mtok",
        "energy_per_mtok",
        "price_floor",
        "upgrade_cost",
    ),
    "errors": (
        "DomainError",
        "InputError",
        "TokenbookError",
        "UnknownIdError",
    ),
    "listing": (
        "list_catalogue",
        "spec",
    ),
    "market": (
        "annualised",
        "cagr",
        "demand",
        "market_path",
        "market_size",
        "market_volume",
        "volume_multiple",
    ),
    "ownership": (
        "commitment",
        "depreciation",
        "own_breakeven_hours",
        "owned_gpu_hour",
        "rent_vs_own",
        "shared_gpu",
    ),
    "prices": ("market_price",),
    "pricing": (
        "blended_price",
        "breakeven_price",
        "breakeven_utilisation",
        "breakeven_volume",
        "subsidy_per_mtok",
        "verdict",
    ),
    "serving.estimates": (
        "estimate",
        "max_concurrency",
        "throughput",
        "tpot",
        "ttft",
    ),
    "serving.constants": (
        "Constants",
        "calibrated",
    ),
    "serving.usd": (
        "serving_band",
        "serving_cost",
    ),
    "serving.front": ("pareto",),
    "serving.techniques": ("waterfall",),
    "serving.terms": ("breakdown",),
    "subsidy": (
        "runway",
        "subsidy_loss",
        "subsidy_path",
    ),
    "tables": ("Table",),
    "tokens": (
        "active_experts",
        "combined_gain",
        "cost_cut",
        "cost_per_mtok",
        "decode_time",
        "speculative_tokens",
        "stacked_cut",
        "weight_gb",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  (the names are those above)


def __getattr__(name: str) -> Any:
    """Read a name from its module; importing one module must not import all."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(f"engine.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    """Return what `import engine` offers."""
    return [*globals(), *__all__]
