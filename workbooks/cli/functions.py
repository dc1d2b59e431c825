"""`tokenbook call` and `tokenbook list`: the functions without a workbook."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

import typer

from engine.errors import InputError, UnknownIdError
from workbooks.cli import show
from workbooks.cli.prices import OwnPrices

_CALL_HELP = """Call a worksheet function and print its value, or a table.

Arguments are numbers, texts, TRUE and FALSE, error values such as #N/A, and JSON arrays for
ranges: [1,2] is a row, [[1],[2]] a column. null is a blank cell, and so is an empty argument.

[bold]Examples[/bold]

tokenbook call TOK_COST_PER_MTOK 30 23.93

tokenbook call TOK_SUBSIDY 0.88 "[[3],[5]]"

tokenbook call TOK_THROUGHPUT llama-3.1-70b h100_sxm 64
"""
_LIST_HELP = """List the functions by group, with arguments, units, defaults and help.

[bold]Examples[/bold]

tokenbook list

tokenbook list runway

tokenbook list --json
"""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    # A negative number is an argument here, not an option.
    app.command(help=_CALL_HELP, context_settings={"ignore_unknown_options": True})(call)
    app.command("list", help=_LIST_HELP)(list_functions)


def call(
    function: Annotated[str, typer.Argument(help="Name, with or without TOK_.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="The arguments, in order.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    prices: OwnPrices = None,  # noqa: ARG001  (its callback puts it to use)
) -> None:
    """Call a worksheet function."""
    from udfs import CellError, registry  # noqa: PLC0415

    name = function.upper()
    name = name if name.startswith("TOK_") else f"TOK_{name}"
    if name not in registry:
        raise UnknownIdError.of("function", name, registry)
    declared = registry[name]
    cells = [cell_of(text) for text in arguments or ()]
    if not declared.required <= len(cells) <= len(declared.parameters):
        raise InputError(declared(*cells).reason)
    answer = declared(*cells)
    rows = answer if isinstance(answer, list) else [[answer]]
    errors = [cell for row in rows for cell in row if isinstance(cell, CellError)]
    if as_json:
        plain = [[str(c) if isinstance(c, CellError) else c for c in row] for row in rows]
        typer.echo(json.dumps(plain if isinstance(answer, list) else plain[0][0]))
    elif not isinstance(answer, list):
        typer.echo(show.value(answer))
    elif declared.result == "table":
        numbers = [i for i, cell in enumerate(answer[1]) if not isinstance(cell, str)]
        show.table([str(c) for c in answer[0]], answer[1:], numbers=numbers)
    else:
        for row in rows:
            typer.echo("\t".join(show.value(cell) for cell in row))
    for reason in dict.fromkeys(f"{error}: {error.reason}" for error in errors if error.reason):
        typer.secho(reason, err=True, fg="red")
    if errors:
        raise typer.Exit(1)


def cell_of(text: str) -> Any:
    """Turn what was typed into a cell or a range: JSON where it is JSON, otherwise text."""
    from udfs.cells import CODES, CellError  # noqa: PLC0415

    def cell(value: Any) -> Any:
        if isinstance(value, list):
            return [cell(item) for item in value]
        if isinstance(value, dict):
            raise InputError(f"{text!r} is a JSON object; a range is an array")
        if isinstance(value, str) and value.upper() in CODES:
            return CellError(value.upper(), "an error value given as argument")
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    if not text:
        return None
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    try:
        return cell(json.loads(text, parse_constant=str, parse_int=_whole))
    except json.JSONDecodeError as error:
        if text.startswith("["):
            raise InputError(f"{text!r} looks like a range but is not JSON: {error}") from None
    # JSON knows no "+5", ".5" or "1_000"; a number may be written so that Python reads it.
    try:
        return float(text) if text.lower().lstrip("+-")[:1] in "0123456789." else cell(text)
    except ValueError:
        return cell(text)


def _whole(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise InputError(f"a number of {len(digits):,} digits is larger than a cell can hold")
    return number


def list_functions(
    pattern: Annotated[str, typer.Argument(help="Show only names or groups with this.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the functions."""
    from udfs import registry  # noqa: PLC0415

    # A whole name means that function, though others begin with it.
    exact = registry.get(pattern.upper()) or registry.get(f"TOK_{pattern.upper()}")
    found = [f for f in registry.values() if pattern.lower() in f"{f.name} {f.group}".lower()]
    chosen = [exact] if exact else found
    if not chosen:
        raise UnknownIdError.of("function", pattern.upper(), registry)
    if as_json:
        typer.echo(json.dumps([described(f) for f in chosen], indent=2, ensure_ascii=False))
        return
    heading = ""
    for function in chosen:
        if function.group != heading:
            heading = function.group
            typer.secho(f"\n{heading}", bold=True)
        typer.secho(f"\n  {function.usage}", fg="blue")
        typer.echo(f"    {function.summary}")
        for argument in function.arguments:
            typer.echo(f"      {argument.name:<18} {argument.text}")
        typer.echo(f"      {'→':<18} {function.returns} [{function.unit}]")
        if len(chosen) == 1:
            typer.echo("\n" + "\n".join(f"    {line}" for line in function.notes.splitlines()))


def described(function: Any) -> dict[str, Any]:
    """Return what is known of a function, for JSON."""
    return {
        "name": function.name,
        "group": function.group,
        "usage": function.usage,
        "summary": function.summary,
        "arguments": [
            {
                "name": a.name,
                "help": a.help,
                "unit": a.unit,
                "kind": a.kind,
                "optional": a.optional,
                "default": a.same_as or a.default,
                "allowed": a.allowed,
            }
            for a in function.arguments
        ],
        "returns": function.returns,
        "unit": function.unit,
        "result": function.result,
        "notes": function.notes,
    }
