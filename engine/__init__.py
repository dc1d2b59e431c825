"""The cost model of Tokenbook: NumPy in, NumPy out. It knows no spreadsheet.

Every function stands here under its own name, and is read from its module when it is first used:
`engine.cost_per_mtok(2.0, 1000.0)`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

#: The release; the package's metadata is made from it, and takes longer to read than all this.
__version__ = "0.2.0"

#: The modules whose `__all__` stands here. A function of one of them needs no mention in this file.
_MODULES = (
    "allocation",
    "applications",
    "capacity",
    "cash",
    "catalogue",
    "claims",
    "energy",
    "errors",
    "growth",
    "income",
    "listing",
    "market",
    "ownership",
    "prices",
    "pricing",
    "rental",
    "serving.constants",
    "serving.disaggregation",
    "serving.estimates",
    "serving.front",
    "serving.limits",
    "serving.session",
    "serving.techniques",
    "serving.terms",
    "serving.usd",
    "subsidy",
    "tables",
    "tokens",
    "uncertainty.monte_carlo",
    "uncertainty.tornado",
)


@cache
def _parts() -> frozenset[str]:
    """Return the names of the modules and folders, which `from engine import ...` finds itself."""
    return frozenset(part.name for part in iter_modules(__path__))


@cache
def _homes() -> dict[str, str]:
    """Return the module of each name; the modules are imported here, and nowhere before."""
    return {
        name: module for module in _MODULES for name in import_module(f"engine.{module}").__all__
    }


def __getattr__(name: str) -> Any:
    """Read a name from its module; importing the package must not import all of them."""
    if name == "__all__":
        return sorted(_homes())
    if name.startswith("__") or name in _parts() or name not in _homes():
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(f"engine.{_homes()[name]}"), name)


def __dir__() -> list[str]:
    """Return what `import engine` offers."""
    return [*globals(), "__all__", *_homes()]
