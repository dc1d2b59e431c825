"""The script of a page out of its parts, each in a scope of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workbooks.page.script import ASSETS

_IMPORT = re.compile(r"^import (\{[^}]*\}) from '\./(\w+)\.js';$", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def script(parts: Sequence[str], made: Mapping[str, str]) -> str:
    """Return parts of the script as one; those that were `made` for a page come last."""
    texts = {name: (ASSETS / name).read_text(encoding="utf-8") for name in parts}
    return "\n".join(_scoped(name, text) for name, text in {**texts, **made}.items())


def _scoped(name: str, text: str) -> str:
    """Return a module as what a name stands for, so that one script holds several."""
    text = _IMPORT.sub(r"const \1 = module_\2;", text)
    exported = ", ".join(match[2] for match in _EXPORT.finditer(text))
    text = _EXPORT.sub(r"\1", text)
    scope = f"(() => {{\n{text}\nreturn {{ {exported} }};\n}})();"
    return f"const module_{name.removesuffix('.js')} = {scope}"
