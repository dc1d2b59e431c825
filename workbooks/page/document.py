"""The HTML file: its template filled, everything in it, nothing fetched."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from workbooks.page.calculator import ASSETS, WASM

#: The parts of the script, each before those that use it.
SCRIPTS = ("format.js", "calculator.js", "entry.js", "charts.js", "app.js")
_IMPORT = re.compile(r"^import (\{[^}]*\}) from './(\w+)\.js';$", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_FIELD = re.compile(r"\{(\w+)\}")


def script() -> str:
    """Return the whole script of a page: each part in a scope of its own."""
    return "\n".join(_scoped(name) for name in SCRIPTS)


def _scoped(name: str) -> str:
    """Return a module as what a name stands for, so that one script holds several."""
    text = _IMPORT.sub(r"const \1 = module_\2;", (ASSETS / name).read_text(encoding="utf-8"))
    exported = ", ".join(match[2] for match in _EXPORT.finditer(text))
    text = _EXPORT.sub(r"\1", text)
    scope = f"(() => {{\n{text}\nreturn {{ {exported} }};\n}})();"
    return f"const module_{name.removesuffix('.js')} = {scope}"


def document(
    *,
    title: str,
    purpose: str,
    basis: str,
    generator: str,
    static: str,
    foot: str,
    data: Mapping[str, Any],
    workbook: bytes,
) -> str:
    """Return a page.

    Parameters
    ----------
    title, purpose, basis, generator : str
        Texts; they are escaped here.
    static, foot : str
        HTML that was escaped already.
    data : mapping
        What the script shows.
    workbook : bytes
        What the calculator computes.
    """
    style, code = (ASSETS / "page.css").read_text(encoding="utf-8"), script()
    policy = (
        "default-src 'none'; "
        f"script-src {_hash(code)} 'wasm-unsafe-eval'; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    given = {
        "policy": escape(policy),
        "generator": escape(generator),
        "title": escape(title),
        "purpose": escape(purpose),
        "basis": escape(basis),
        "style": style,
        "static": static,
        "foot": foot,
        # No text of the workbook can end the element that it stands in.
        "data": json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        .replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        "workbook": _packed(workbook),
        "licence": (ASSETS / "LICENSE-IRONCALC.txt").read_text(encoding="utf-8"),
        "wasm": base64.b64encode(WASM.read_bytes()).decode(),
        "script": code,
    }  # fmt: skip
    template = (ASSETS / "page.html").read_text(encoding="utf-8")
    return _FIELD.sub(lambda match: given[match[1]], template)


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


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
