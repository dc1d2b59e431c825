"""A project of xlwings Server, served as `tokenbook excel serve` serves it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from udfs.hosts.officejs.project import write_server_project

STUB = Path(__file__).parents[3] / "data" / "office_stub.js"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    # Found, not imported: the import would make a server of this process.
    found = find_spec("xlwings_server")
    if found is None or found.origin is None:
        pytest.skip("the extra `server` is not installed")
    folder = tmp_path_factory.mktemp("server")
    write_server_project(folder)
    # A project's own files go before those of xlwings Server: here stands Office.js as it is in
    # Excel, because the real one does nothing outside it.
    package = Path(found.origin).parent
    (shipped,) = package.glob("static/vendor/office-js/*/dist")
    static = shipped.relative_to(package)
    (folder / static).mkdir(parents=True)
    shutil.copy(STUB, folder / static / "office.js")
    return folder


@pytest.fixture(scope="module")
def server(project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "XLWINGS_LICENSE_KEY": "noncommercial"}
    with (project / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from workbooks.cli import main; main()",
                "excel",
                "serve",
                str(project),
                "--port",
                str(port),
                "--max-body",
                "1",
            ],
            cwd=project.parent,
            env=environment,
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                try:
                    fetched(address)
                    break
                except urllib.error.URLError:
                    assert process.poll() is None, (project / "log.txt").read_text()
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def fetch():
    """Return what fetches an address."""
    return fetched


def fetched(address, body=None):
    """Return what an address answers, as text."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


@pytest.fixture(scope="session")
def call():
    """Return what makes the body by which Excel calls a function."""
    return called


def called(name, *arguments):
    """Return the body by which Excel calls a function."""
    return {
        "func_name": name,
        "args": [
            argument if isinstance(argument, list) else [[argument]] for argument in arguments
        ],
        "caller_address": "[Book1.xlsx]Sheet1!A1",
        "culture_info_name": "en-US",
        "date_format": "m/d/yyyy",
        "version": version("xlwings"),
        "client": "Office.js",
        "runtime": "1.4",
    }
