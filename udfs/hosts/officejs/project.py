"""A project folder for xlwings Server that serves the functions to Excel by Office.js.

xlwings Server is free for noncommercial use only (PolyForm Noncommercial) and otherwise paid; the
key goes into the environment as XLWINGS_LICENSE_KEY and never into the project.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from html import escape
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from uuid import uuid4

from engine.errors import TokenbookError
from udfs.declare import Function, registry

#: All that a server project, or the main.py of an xlwings Lite workbook, needs.
FUNCTIONS = "from udfs import *\n"
_ENVIRONMENTS = ("dev", "qa", "uat", "staging", "prod")
# The namespace is empty and the environment "prod" because xlwings puts both before each function's
# name, and the workbooks are written for the plain names. The rest is not used by the task pane.
_SETTINGS = """\
[tool.xlwings_server]
project_name = "Tokenbook"
functions_namespace = ""
environment = "prod"
enable_socketio = false
enable_htmx = false
enable_alpinejs_csp = false
"""
# The control, and the texts that only it shows.
_EXAMPLE = re.compile(
    r"\s*<!-- Ribbon button that calls a function -->"
    r'|\s*<Control [^>]*id="MyFunctionButton">.*?</Control>'
    r'|\s*<bt:String id="MyFunctionButton[^>]*/>',
    re.DOTALL,
)
_LABELS = {"MyGroup": "Token economics", "Show Taskpane": "Functions"}


def write_server_project(
    folder: str | os.PathLike[str], functions: Mapping[str, Function] = registry
) -> list[Path]:
    """Write the project; start it with `xlwings-server run` in the folder.

    A second run renews what is written here, and keeps the identity by which Excel knows the
    add-in.

    Parameters
    ----------
    folder : path
        Where to write; it is made where it does not exist.
    functions : Mapping
        The functions to show in the task pane.

    Returns
    -------
    list[Path]
        The files that were written.

    Raises
    ------
    TokenbookError
        Where xlwings Server is not installed.
    """
    folder = Path(folder)
    contents = {
        "custom_functions/__init__.py": FUNCTIONS,
        "custom_scripts/__init__.py": '"""Tokenbook has no scripts; xlwings wants the module."""\n',
        "templates/taskpane.html": task_pane(functions),
        "pyproject.toml": _SETTINGS + _manifest_ids(folder / "pyproject.toml"),
        "templates/manifest.xml": _manifest(),
    }
    written = []
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written


def task_pane(functions: Mapping[str, Function] = registry) -> str:
    """Return the template of the task pane: every function with its arguments, under headings."""
    lines = []
    for group, members in groupby(functions.values(), key=lambda function: function.group):
        lines.append(f'<h2 class="h6 mt-3">{escape(group)}</h2>')
        for function in members:
            arguments = "".join(
                f"<dt>{escape(argument.name)}</dt><dd>{escape(argument.text)}</dd>"
                for argument in function.arguments
            )
            lines.append(
                f'<details id="{function.name}"><summary><code>{function.name}</code></summary>'
                f"<p>{escape(function.summary)}</p><p><code>={escape(function.usage)}</code></p>"
                f"<dl>{arguments}</dl></details>"
            )
    # Help texts may hold braces, which are the template's own.
    listed = "\n".join(lines)
    return (
        '{% extends "base.html" %}\n{% block content %}\n<main class="container-fluid pt-3">\n'
        "<h1>{{ settings.project_name }}</h1>\n"
        f"{{% raw %}}\n{listed}\n{{% endraw %}}\n</main>\n{{% endblock content %}}\n"
    )


def _manifest() -> str:
    """Return xlwings Server's manifest without its example: a button that says Hello World."""
    spec = find_spec("xlwings_server")
    if spec is None or spec.origin is None:
        raise TokenbookError("xlwings Server is not installed. Run: pip install xlwings-server")
    shipped = (Path(spec.origin).parent / "templates" / "manifest.xml").read_text(encoding="utf-8")
    manifest = _EXAMPLE.sub("", shipped)
    for shown, wanted in _LABELS.items():
        manifest = manifest.replace(f'DefaultValue="{shown}"', f'DefaultValue="{wanted}"')
    return manifest


def _manifest_ids(settings: Path) -> str:
    """Return the lines that identify the add-in to Excel: those that stand already, or new ones."""
    known: dict[str, str] = {}
    if settings.exists():
        tool = tomllib.loads(settings.read_text(encoding="utf-8")).get("tool", {})
        known = tool.get("xlwings_server", {})
    keys = [f"manifest_id_{environment}" for environment in _ENVIRONMENTS]
    return "".join(f'{key} = "{known.get(key) or uuid4()}"\n' for key in keys)
