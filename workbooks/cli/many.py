"""`tokenbook recalc` of many workbooks into a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from workbooks.cli import show
from workbooks.watch import Interrupted

if TYPE_CHECKING:
    from workbooks.recalc.many import Options

_INTERRUPTED = 128
_SHOWN = 20


def are_many(files: Sequence[Path], output: Path | None, jobs: int | None, scheduler: str) -> bool:
    """Tell whether results go to a folder, with a manifest."""
    # A name that is too long for the system is no folder, and told of where it is opened.
    folder = os.path.isdir(files[0]) or (output is not None and os.path.isdir(output))
    return len(files) > 1 or folder or jobs is not None or bool(scheduler)


def recalc_many(
    files: Sequence[Path],
    output: Path | None,
    options: Options,
    *,
    scheduler: str,
    strict: bool,
    dry_run: bool,
    verbose: bool,
) -> None:
    """Recalculate them, or list what would be done; exit code 1 where one failed."""
    from workbooks.errors import BadInputError  # noqa: PLC0415
    from workbooks.recalc.many import recalculate_many  # noqa: PLC0415
    from workbooks.workers import Where  # noqa: PLC0415

    if output is None:
        raise BadInputError("many workbooks are recalculated into a folder: give it with -o OUTDIR")
    if dry_run:
        _list(files, output, options)
        return
    done = [0, 0]

    def advance(step: str, count: int, total: int) -> None:
        done[:] = count, total
        if progress is not None:
            progress(step, count, total)

    with show.progress() as progress:
        try:
            batch = recalculate_many(
                files, output, options, where=Where(options.jobs, scheduler), progress=advance
            )
        except Interrupted as stop:
            typer.secho(
                f"tokenbook: interrupted; {done[0]} of {done[1] or 'the'} files are done, and the "
                "same command goes on",
                err=True, fg="red",
            )  # fmt: skip
            raise typer.Exit(_INTERRUPTED + stop.number) from None
    failed = batch.failed
    if failed:
        shown = failed if verbose else failed[:_SHOWN]
        show.table(("failed", "why"), [(row.file, row.message) for row in shown])
        if len(shown) < len(failed):
            typer.echo(f"… and {len(failed) - len(shown)} more failed; the manifest lists them")
    unclean = sum(bool(r.in_error or r.not_evaluated or r.not_reproduced) for r in batch.rows)
    typer.echo(
        f"{output}: {len(batch.rows) - batch.skipped - len(failed)} files recalculated, "
        f"{batch.skipped} were done before, {len(failed)} failed, {unclean} with cells in error, "
        "not evaluated or not reproduced (see manifest.csv)"
    )
    if failed or (strict and unclean):
        raise typer.Exit(1)


def _list(files: Sequence[Path], output: Path, options: Options) -> None:
    from workbooks.recalc.manifest import Manifest  # noqa: PLC0415
    from workbooks.recalc.many import planned, to_do  # noqa: PLC0415

    manifest = Manifest.of(output)
    manifest.read()
    plan = planned(files, output)
    left, done = to_do(plan, manifest, options.mark())
    show.table(
        ("file", "goes to", "what"),
        [(one.source, one.target, "to do" if one in left else "done before") for one in plan],
    )
    typer.echo(f"{output} (dry run, not written): {len(left)} to do, {len(done)} done before")
