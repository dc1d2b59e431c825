"""`tokenbook excel` and `tokenbook libreoffice`: the functions in a spreadsheet program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_EXCEL_HELP = "The functions in Excel: by classic xlwings on Windows, or by Office.js."
_EXCEL_INSTALL_HELP = """Set up classic xlwings for Excel on Windows; elsewhere, print every step.

[bold]Examples[/bold]

tokenbook excel install
"""
_EXCEL_SERVER_HELP = """Write a project for xlwings Server, which serves the functions by Office.js.

[bold]Examples[/bold]

tokenbook excel server my-server

tokenbook excel server my-server --hostname excel.example.com
"""
_EXCEL_SERVE_HELP = """Serve such a project, to this machine alone unless --host says otherwise.

[bold]Examples[/bold]

tokenbook excel serve my-server

tokenbook excel serve my-server --certificate cert.pem --key key.pem
"""
_LIBREOFFICE_HELP = "The functions in LibreOffice Calc, as an add-in."
_OK = {True: "ok", False: "missing", None: "only workbooks of your own need it"}


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    excel = typer.Typer(help=_EXCEL_HELP, no_args_is_help=True)
    excel.command("install", help=_EXCEL_INSTALL_HELP)(install_excel)
    excel.command("uninstall", help="Take away what install has written.")(uninstall_excel)
    excel.command("status", help="Tell what Excel with classic xlwings needs.")(excel_status)
    excel.command("server", help=_EXCEL_SERVER_HELP)(server)
    excel.command("serve", help=_EXCEL_SERVE_HELP)(serve)
    app.add_typer(excel, name="excel")
    office = typer.Typer(help=_LIBREOFFICE_HELP, no_args_is_help=True)
    office.command("install", help="Build the add-in and register it.")(install_libreoffice)
    office.command("uninstall", help="Take the add-in out.")(uninstall_libreoffice)
    office.command("status", help="Tell what the add-in needs.")(libreoffice_status)
    app.add_typer(office, name="libreoffice")


def install_excel(
    trust: Annotated[
        bool, typer.Option("--trust", help="Also let programs change macros (see the step).")
    ] = False,
) -> None:
    """Set up Excel."""
    from udfs.hosts.excel.install import install  # noqa: PLC0415

    for number, step in enumerate(install(trust=trust), start=1):
        typer.echo(f"{number}. {step.what}: {'done. ' if step.done else ''}{step.told}")


def uninstall_excel() -> None:
    """Take Excel's settings and add-in away."""
    from udfs.hosts.excel.install import uninstall  # noqa: PLC0415

    for step in uninstall():
        typer.echo(f"{step.what}: {'done. ' if step.done else ''}{step.told}")


def excel_status() -> None:
    """Tell how Excel stands."""
    from udfs.hosts.excel.status import status  # noqa: PLC0415

    checks = status()
    for check in checks:
        typer.echo(f"{check.what}: {_OK[check.ok]}. {check.found}")
        if check.ok is not True and check.remedy:
            typer.echo(f"    {check.remedy}")
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)


def server(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    hostname: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name under which Excel reaches it.")
    ] = None,
    entra_tenant: Annotated[
        str | None, typer.Option(metavar="ID", help="Entra ID: the directory whose users may call.")
    ] = None,
    entra_client: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Entra ID: the registered application."),
    ] = None,
) -> None:
    """Write a server project."""
    from udfs.hosts.officejs.project import Site, write_server_project  # noqa: PLC0415

    site = Site(hostname, entra_tenant, entra_client)
    for path in write_server_project(folder, site=site):
        typer.echo(path)
    typer.echo(f"Start it with: tokenbook excel serve {folder}")


def serve(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TLS: the certificate (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="TLS: its key (PEM).")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy does TLS and asks who calls.")
    ] = False,
    max_body: Annotated[int, typer.Option(metavar="MB", min=1, help="The largest request.")] = 16,
) -> None:
    """Serve a project."""
    from udfs.hosts.officejs.project import serve as run  # noqa: PLC0415

    run(
        folder,
        host=host,
        port=port,
        certificate=certificate,
        key=key,
        behind_proxy=behind_proxy,
        max_body=max_body * 2**20,
    )


def install_libreoffice() -> None:
    """Register the add-in."""
    from udfs.hosts.libreoffice import install  # noqa: PLC0415

    typer.echo(install())


def uninstall_libreoffice() -> None:
    """Take the add-in out."""
    from udfs.hosts.libreoffice import uninstall  # noqa: PLC0415

    typer.echo(uninstall())


def libreoffice_status() -> None:
    """Tell how LibreOffice stands."""
    from udfs.hosts.libreoffice import status  # noqa: PLC0415

    findings = status()
    for finding in findings:
        typer.echo(f"{finding.what}: {_OK[finding.ok]}. {finding.told}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
