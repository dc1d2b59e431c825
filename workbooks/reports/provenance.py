"""What someone needs who wants the numbers of a simulation again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.uncertainty.digest import RELATIVE_ERROR
from engine.uncertainty.distributions import Truncated
from workbooks.scenarios.simulate import Simulation


def about(simulation: Simulation) -> list[tuple[str, Any]]:
    """Return what someone needs who wants the same numbers again."""
    task = simulation.task
    told: list[tuple[str, Any]] = [
        ("workbook", Path(task.path).name),
        ("draws", simulation.count),
        ("seed", task.seed),
        ("sampling", task.sampling),
        ("random numbers", "Philox-4x64-10 by blocks of 65,536"),
        ("computed", "all draws at once" if not simulation.reason else
         f"one draw after the other: {simulation.reason}"),
    ]  # fmt: skip
    if simulation.summary is not None:
        told.append(("quantiles", f"by classes, each within {RELATIVE_ERROR:.1e} of itself"))
    behind = simulation.sample.inputs.shape[1]
    if behind < simulation.count:
        told.append(("rank correlations and shares of variance", f"of the first {behind:,} draws"))
    if simulation.converged is not None:
        told.append(("precision reached", "yes" if simulation.converged else "no"))
    told += [(name, version(name)) for name in ("tokenbook", "numpy", "formualizer")]
    return told


def described(distribution: Any) -> str:
    """Return a distribution and its parameters in words."""
    if isinstance(distribution, Truncated):
        ends = {name: getattr(distribution, name) for name in ("low", "high")}
        cut = ", ".join(f"{name} {end:.10g}" for name, end in ends.items() if math.isfinite(end))
        return f"{described(distribution.of)}; cut off at {cut}"
    parts = []
    for one in fields(distribution):
        value = getattr(distribution, one.name)
        if isinstance(value, float | int):
            parts.append(f"{one.name} {value:.10g}")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            some = ", ".join(f"{v:.10g}" for v in value[:6])
            parts.append(f"{one.name} {some}" + (f" … ({len(value)})" if len(value) > 6 else ""))
    return f"{type(distribution).__name__.lower()}: {', '.join(parts)}"
