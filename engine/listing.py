"""Catalogues as tables: every model, accelerator, seller, price and claim, and one field of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine import catalogue, claims, pricing
from engine.errors import UnknownIdError
from engine.ids import match
from engine.tables import Table

__all__ = ["list_catalogue", "spec"]


def spec(id: str, field: str) -> float | str | bool:
    """One field of a model or an accelerator of the catalogue.

    Parameters
    ----------
    id : str
        Id of a model or an accelerator, such as llama-3.1-70b or h100_sxm [id].
    field : str
        Name of the field, a column of TOK_LIST, such as memory_gb or params_total_b [text].

    Returns
    -------
    float, str or bool
        The field; `#N/A` where the catalogue leaves it blank [as the name says].

    Notes
    -----
    Equation: none, a look-up.
    Range: the ids and columns of TOK_LIST("models") and TOK_LIST("accelerators").
    Source: named in the column source_id; data sheets and configuration files.

    Examples
    --------
    >>> spec("h100_sxm", "mem_bw_tb_s")
    3.35
    """
    rows = {row["id"]: row for kind in ("models", "accelerators") for row in catalogue.table(kind)}
    row = rows[match("model or accelerator", id, rows)]
    name = match(f"field of {row['id']}", field, row)
    value: float | str | bool | None = _typed(row[name])
    if value is None:
        raise UnknownIdError(f"the catalogue has no {name} of {row['id']}")
    return value


def list_catalogue(kind: str) -> Table:
    """Table of a catalogue.

    Parameters
    ----------
    kind : str
        "models", "accelerators", "formats", "providers" (those of the articles), "prices" (the
        market snapshot), "gpu_hours" (rents, dated and cited) or "claims" [text].

    Returns
    -------
    Table
        A row for each entry, units in the headers [as the header says].

    Notes
    -----
    Equation: none; of providers the verdict is that of TOK_VERDICT, of claims that of TOK_CLAIM.
    Range: the kinds named.
    Source: column source_id, explained in engine/data/SOURCES.md.

    Examples
    --------
    >>> list_catalogue("providers").column("provider")[2]
    'Groq'
    """
    wanted = match("catalogue", kind, KINDS)
    return KINDS[wanted](wanted)


def _catalogue(kind: str) -> Table:
    rows = catalogue.table(kind)
    return Table.from_rows(
        tuple(rows[0]), [[_typed(text) for text in row.values()] for row in rows]
    )


def _providers(_: str) -> Table:
    rows: list[dict[str, Any]] = []
    for row in catalogue.table("provider_prices"):
        entry = {name: _typed(text) for name, text in row.items()}
        sources = {name: entry.pop(name) for name in ("source_id", "checked")}
        price, low, high = (
            entry[f"{name}_usd_per_mtok"] for name in ("price", "breakeven_low", "breakeven_high")
        )
        rows.append({**entry, "verdict": pricing.verdict(price, low, high), **sources})
    return _table(rows)


def _claims(_: str) -> Table:
    return _table([claims.shown(found) for found in claims.audit().values()])


def _table(rows: list[dict[str, Any]]) -> Table:
    return Table.from_rows(tuple(rows[0]), [list(row.values()) for row in rows])


#: What TOK_LIST can list, and how.
KINDS: Mapping[str, Callable[[str], Table]] = {
    "models": _catalogue,
    "accelerators": _catalogue,
    "formats": _catalogue,
    "providers": _providers,
    "prices": _catalogue,
    "gpu_hours": lambda _: _catalogue("gpu_hour_prices"),
    "claims": _claims,
}


def _typed(text: str) -> Any:
    """Return a field of a CSV file as number, truth value or text; None where it is blank."""
    if text in ("True", "False"):
        return text == "True"
    try:
        return float(text)
    except ValueError:
        return text or None
