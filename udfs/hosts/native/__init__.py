"""Excel with nothing installed: the functions as native LAMBDA names.

- `symbols`: what an engine function is run on, so that it remembers its formula
- `writing`: from that expression to the text of a formula
- `helpers`: the few names that all functions share
- `lambdas`: a function's arguments, domains and errors around its body
- `library`: all of them, the data they look up, and which text is ours

A cell's formula stays as it is: `=TOK_SUBSIDY(A1,B1)` finds the add-in's function, or the name.
"""

from __future__ import annotations

from udfs.hosts.native.data import DATA_SHEET
from udfs.hosts.native.library import (
    Library,
    is_ours,
    library_of,
    native_names,
    reasons,
)

__all__ = ["DATA_SHEET", "Library", "is_ours", "library_of", "native_names", "reasons"]
