"""Options that several commands over workbooks share."""

from __future__ import annotations

from typing import Annotated

import typer

Baseline = Annotated[
    bool,
    typer.Option(help="First compute the file as it stands, and list what Excel saved otherwise."),
]
Strict = Annotated[bool, typer.Option(help="Exit 1 if a cell does not come out as Excel saved it.")]
