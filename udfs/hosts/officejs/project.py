"""A project folder for xlwings Server that serves the functions to Excel by Office.js.

xlwings Server is free for noncommercial use only (PolyForm Noncommercial) and otherwise paid; the
key goes into the environment as XLWINGS_LICENSE_KEY and never into the project.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from ipaddress import ip_address
from itertools import groupby
from pathlib import Path
from uuid import uuid4

from engine.errors import InputError, TokenbookError
from udfs.declare import Function, registry
from udfs.hosts.officejs.app import LIMIT, LIMIT_VARIABLE
from udfs.hosts.officejs.icon import icon

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
_LABELS = {
    "MyGroup": "Token economics",
    "Show Taskpane": "Functions",
    # The name, the address for help and the icons are ours, and nothing comes from elsewhere.
    "https://www.xlwings.org/xlwings-32.png": "{{ base_url }}{{ settings.static_url_path }}/"
    "images/icons/tokenbook-32.png",
    "https://www.xlwings.org/xlwings-64.png": "{{ base_url }}{{ settings.static_url_path }}/"
    "images/icons/tokenbook-64.png",
    "https://www.xlwings.org/contact": "{{ base_url_with_app_path }}/taskpane.html",
}
_ICONS = (16, 32, 64, 80)


@dataclass(frozen=True, slots=True)
class Site:
    """Where the server is reached, and who may call it."""

    #: The name under which Excel reaches it, with the port where that is not 443.
    hostname: str | None = None
    #: Directory and application of Microsoft Entra ID whose users may call; nobody asks without.
    entra_tenant: str | None = None
    entra_client: str | None = None

    def settings(self) -> str:
        """Return the lines of the settings."""
        if (self.entra_tenant is None) != (self.entra_client is None):
            raise InputError("Entra ID needs both, the tenant's id and the client's")
        lines = []
        if self.hostname:
            if "/" in self.hostname:
                raise InputError(f"hostname is {self.hostname!r}; give a name without https://")
            lines.append(f"hostname = {json.dumps(self.hostname)}")
        if self.entra_tenant:
            lines.append('auth_providers = ["entraid"]')
            lines.append(f"auth_entraid_tenant_id = {json.dumps(self.entra_tenant)}")
            lines.append(f"auth_entraid_client_id = {json.dumps(self.entra_client)}")
        return "".join(f"{line}\n" for line in lines)


def write_server_project(
    folder: str | os.PathLike[str],
    functions: Mapping[str, Function] = registry,
    site: Site = Site(),
) -> list[Path]:
    """Write the project; `serve` or `tokenbook excel serve` serves it.

    A second run renews what is written here, and keeps the identity by which Excel knows the
    add-in.

    Parameters
    ----------
    folder : path
        Where to write; it is made where it does not exist.
    functions : Mapping
        The functions to show in the task pane.
    site : Site
        Where it is reached, and who may call it.

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
    contents: dict[str, str] = {
        "custom_functions/__init__.py": FUNCTIONS,
        "custom_scripts/__init__.py": '"""Tokenbook has no scripts; xlwings wants the module."""\n',
        "templates/taskpane.html": task_pane(functions),
        "pyproject.toml": _SETTINGS + site.settings() + _manifest_ids(folder / "pyproject.toml"),
        "templates/manifest.xml": _manifest(),
    }
    icons = {f"static/images/icons/tokenbook-{size}.png": icon(size) for size in _ICONS}
    written = []
    whole = {name: content.encode() for name, content in contents.items()} | icons
    for name, content in whole.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def serve(
    folder: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    certificate: Path | None = None,
    key: Path | None = None,
    behind_proxy: bool = False,
    max_body: int = LIMIT,
) -> None:
    """Serve a project until it is interrupted.

    Parameters
    ----------
    folder : path
        The project.
    host, port : str, int
        Where to listen; on this machine alone where left out.
    certificate, key : Path
        Of TLS, as PEM files; plain http without.
    behind_proxy : bool
        Whether a proxy before it does TLS and asks who calls.
    max_body : int
        The largest request [bytes].

    Raises
    ------
    InputError
        Where others could reach it in the clear or without being asked who they are, or it is no
        project, or there is no key of xlwings.
    """
    folder = Path(folder).resolve()
    settings = folder / "pyproject.toml"
    told = tomllib.loads(settings.read_text("utf-8")) if settings.exists() else {}
    project = told.get("tool", {}).get("xlwings_server")
    if project is None:
        raise InputError(f"{folder} is no server project. Run: tokenbook excel server {folder}")
    if (certificate is None) != (key is None):
        raise InputError("TLS needs both, the certificate and its key")
    alone = host == "localhost" or _is_loopback(host)
    if not alone and not behind_proxy and (not project.get("auth_providers") or not certificate):
        raise InputError(
            f"{host} can be reached by others: give a certificate and write the project with "
            "--entra-tenant and --entra-client, or put a proxy before it that does both and say "
            "--behind-proxy"
        )
    if not os.environ.get("XLWINGS_LICENSE_KEY") and not (folder / ".env").exists():
        raise InputError("xlwings Server wants its key in the environment: XLWINGS_LICENSE_KEY")
    import uvicorn  # noqa: PLC0415  (comes with xlwings Server)

    os.environ["XLWINGS_PROJECT_DIR"] = str(folder)
    os.environ[LIMIT_VARIABLE] = str(max_body)
    uvicorn.run(
        "udfs.hosts.officejs.app:application",
        factory=True,
        host=host,
        port=port,
        proxy_headers=behind_proxy,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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
    manifest = manifest.replace("icons/xlwings-", "icons/tokenbook-")
    return manifest.replace("<ProviderName>xlwings<", "<ProviderName>Tokenbook<")


def _manifest_ids(settings: Path) -> str:
    """Return the lines that identify the add-in to Excel: those that stand already, or new ones."""
    known: dict[str, str] = {}
    if settings.exists():
        tool = tomllib.loads(settings.read_text(encoding="utf-8")).get("tool", {})
        known = tool.get("xlwings_server", {})
    keys = [f"manifest_id_{environment}" for environment in _ENVIRONMENTS]
    return "".join(f'{key} = "{known.get(key) or uuid4()}"\n' for key in keys)
