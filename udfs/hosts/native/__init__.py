"""Excel with nothing installed: the functions as native LAMBDA names.

- `symbols`, `texts`: what an engine function is run on, so that it remembers its formula
- `numpy_rules`: what NumPy's functions make of symbols
- `ways`, `branches`: a body that branches, followed down every branch
- `writing`: from that expression to the text of a formula
- `helpers`, `records`: the names that all functions share
- `data`, `lookups`: what they look up, on a hidden sheet
- `lambdas`: a function's arguments, domains and errors around its body
- `library`: all of them, and which text is ours

A cell's formula stays as it is: `=TOK_SUBSIDY(A1,B1)` finds the add-in's function, or the name.
"""

from __future__ import annotations

import udfs.hosts.native.numpy_rules  # noqa: F401  (tells symbols NumPy's functions)
from udfs.hosts.native.data import DATA_SHEET
from udfs.hosts.native.library import (
    Library,
    library_of,
    native_names,
    reason,
    reasons,
)

__all__ = ["DATA_SHEET", "Library", "library_of", "native_names", "reason", "reasons"]
