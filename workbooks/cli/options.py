"""Options that several commands over workbooks share."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

Baseline = Annotated[
    bool,
    typer.Option(help="First compute the file as it stands, and list what Excel saved otherwise."),
]
Strict = Annotated[bool, typer.Option(help="Exit 1 if a cell does not come out as Excel saved it.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]
Seed = Annotated[int, typer.Option(help="Seed of RAND and its kin.")]
Now = Annotated[
    datetime | None,
    typer.Option(
        metavar="TIME",
        help="What NOW and TODAY give, as 2026-11-21T09:00.",
        formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
    ),
]
Deadline = Annotated[
    float, typer.Option(metavar="SECONDS", help="Give up after this long, reading and writing too.")
]
#: As `workbooks.recalc.DEADLINE`, which loads more than the help of a command needs.
DEADLINE = 600.0
Workers = Annotated[int, typer.Option(metavar="N", min=1, help="Processes.")]
Scheduler = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Have a Dask cluster do it: tcp://10.0.0.5:8786.")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="List everything.")]
