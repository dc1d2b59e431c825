"""Results with a header: what a worksheet shows as a block, and pandas as a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table"]


class Table(NamedTuple):
    """A header and equally long columns below it."""

    header: tuple[str, ...]
    columns: tuple[NDArray[Any], ...]

    @classmethod
    def of(cls, **columns: Any) -> Table:
        """Build a table from its columns; `_` in a name becomes a blank, as a reader wants it."""
        return cls(
            tuple(name.replace("_", " ") for name in columns),
            tuple(np.atleast_1d(np.asarray(column)) for column in columns.values()),
        )

    @classmethod
    def from_rows(cls, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
        """Build a table from rows of mixed text and numbers."""
        columns = zip(*rows, strict=True) if rows else ((),) * len(header)
        return cls(tuple(header), tuple(np.array(list(c), dtype=object) for c in columns))

    def rows(self) -> list[list[Any]]:
        """Return the rows below the header, as plain Python values."""
        return [
            list(row) for row in zip(*(column.tolist() for column in self.columns), strict=True)
        ]

    def column(self, name: str) -> NDArray[Any]:
        """Return one column by its header."""
        return self.columns[self.header.index(name)]

    def frame(self) -> pd.DataFrame:
        """Return the table as a pandas DataFrame."""
        import pandas as pd  # noqa: PLC0415  (heavy, and only wanted here)

        return pd.DataFrame(dict(zip(self.header, self.columns, strict=True)))
