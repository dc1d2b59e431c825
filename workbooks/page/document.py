"""The HTML file: its template filled, everything in it, nothing fetched."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from workbooks.page.bundle import script
from workbooks.page.calculator import PARTS
from workbooks.page.script import ASSETS

#: The parts of the script that show, each before those that use it; they follow those that compute.
SCRIPTS = ("entry.js", "charts.js", "app.js")
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Page:
    """What a page is made of, beside the style and script that all pages share."""

    #: Texts; they are escaped when the page is put together.
    title: str
    purpose: str
    basis: str
    generator: str
    #: HTML that was escaped already.
    static: str
    foot: str
    #: What the script shows.
    data: Mapping[str, Any]
    #: What the calculator computes: its formulas as a script, and the cells that they read.
    formulas: str
    workbook: Mapping[str, Any]


def document(page: Page) -> str:
    """Return the text of a page."""
    style = (ASSETS / "page.css").read_text(encoding="utf-8")
    code = script(PARTS, {"formulas.js": page.formulas}) + "\n" + script(SCRIPTS, {})
    policy = (
        "default-src 'none'; "
        f"script-src {_hash(code)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    given = {
        "policy": escape(policy),
        "generator": escape(page.generator),
        "title": escape(page.title),
        "purpose": escape(page.purpose),
        "basis": escape(page.basis),
        "style": style,
        "static": page.static,
        "foot": page.foot,
        # No text of the workbook can end the element that it stands in.
        "data": json.dumps(page.data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        .replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        "workbook": _packed(json.dumps(page.workbook, ensure_ascii=False, separators=(",", ":"))),
        "script": code,
    }  # fmt: skip
    template = (ASSETS / "page.html").read_text(encoding="utf-8")
    return _FIELD.sub(lambda match: given[match[1]], template)


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    """Return rows of texts as an HTML table."""
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        "<tr>"
        + f'<th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(text)}</td>" for text in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def definitions(pairs: Sequence[tuple[str, str]]) -> str:
    """Return pairs of texts as an HTML list."""
    items = "".join(
        f"<div><dt>{escape(term)}</dt> <dd>{escape(text)}</dd></div>" for term, text in pairs
    )
    return f"<dl>{items}</dl>"
