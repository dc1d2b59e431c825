"""The xlwings Server project, served on loopback, and its task pane in a real browser."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.errors import TokenbookError
from udfs import registry
from udfs.hosts.officejs import project as server_project
from udfs.hosts.officejs.project import task_pane, write_server_project

STUB = Path(__file__).parents[3] / "data" / "office_stub.js"
# Found, not imported: the import would make a server of this process.
SERVER = find_spec("xlwings_server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="the extra `server` is not installed")


def test_a_second_run_keeps_what_excel_knows_the_add_in_by(tmp_path):
    first = write_server_project(tmp_path)
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["xlwings_server"]
    ids = {name: value for name, value in settings.items() if name.startswith("manifest_id")}
    assert len(set(ids.values())) == 5
    before = {path: path.read_text() for path in first}
    assert write_server_project(tmp_path) == first
    assert {path: path.read_text() for path in first} == before


def test_the_task_pane_lists_every_function_with_its_arguments():
    pane = task_pane()
    for function in registry.values():
        (entry,) = re.findall(rf'<details id="{function.name}">.*?</details>', pane)
        assert html.escape(function.usage) in entry
        assert entry.count("<dt>") == len(function.arguments)
        for argument in function.arguments:
            assert html.escape(argument.text) in entry


def test_without_xlwings_server_it_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(server_project, "find_spec", lambda _: None)
    with pytest.raises(TokenbookError, match="pip install xlwings-server"):
        write_server_project(tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    write_server_project(folder)
    # A project's own files go before those of xlwings Server: here stands Office.js as it is in
    # Excel, because the real one does nothing outside it.
    package = Path(SERVER.origin).parent
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
    environment = {
        **os.environ,
        "XLWINGS_PROJECT_DIR": str(project),
        "XLWINGS_LICENSE_KEY": "noncommercial",
    }
    with (project / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "xlwings_server.main:main_app", "--port", str(port)],
            cwd=project,
            env=environment,
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                try:
                    fetch(address)
                    break
                except urllib.error.URLError:
                    assert process.poll() is None, (project / "log.txt").read_text()
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def fetch(address, body=None):
    """Return what an address answers, as text."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def test_excel_can_fetch_functions_and_code(server):
    metadata = json.loads(fetch(f"{server}/xlwings/custom-functions-meta.json"))
    assert [function["name"] for function in metadata["functions"]] == sorted(registry)
    code = fetch(f"{server}/xlwings/custom-functions-code.js")
    associated = re.findall(r'CustomFunctions\.associate\("(\w+)"', code)
    assert sorted(associated) == sorted(registry)


def test_the_manifest_has_no_namespace_so_names_are_plain(server):
    manifest = fetch(f"{server}/manifest.xml")
    assert "Tokenbook" in manifest
    assert "Functions.Namespace" not in manifest


def test_the_manifest_is_ours_and_complete(server):
    manifest = fetch(f"{server}/manifest.xml")
    assert not re.search("Hello|MyGroup|MyFunctionButton", manifest)
    root = ElementTree.fromstring(manifest.encode())
    texts = {element.get("id") for element in root.iter() if element.get("DefaultValue")}
    asked = {element.get("resid") for element in root.iter() if element.get("resid")}
    assert asked <= texts


def test_the_task_pane_is_served_whole_from_loopback(server):
    pane = fetch(f"{server}/taskpane.html")
    assert all(f'<details id="{name}">' in pane for name in registry)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', pane)
    assert loaded
    assert all(address.startswith("/") for address in loaded)


def test_a_call_over_http_answers_with_real_errors(server):
    body = {
        "func_name": "TOK_SUBSIDY",
        "args": [[[-1, 1]], [[3]]],
        "caller_address": "[Book1.xlsx]Sheet1!A1",
        "culture_info_name": "en-US",
        "date_format": "m/d/yyyy",
        "version": version("xlwings"),
        "client": "Office.js",
        "runtime": "1.4",
    }
    answer = json.loads(fetch(f"{server}/xlwings/custom-functions-call", body))
    assert answer == {"result": [[{"type": "Error", "errorType": "Num"}, 2.0]]}


@pytest.mark.chromium
@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed")
def test_a_browser_opens_the_pane_and_calls_through_it(server, tmp_path):
    """xlwings' own JavaScript, in Chromium, calls Python; nothing in the console is an error."""
    command = [
        "chromium",
        "--headless",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--enable-logging=stderr",
        "--virtual-time-budget=20000",
        "--dump-dom",
        f"{server}/taskpane.html",
    ]
    if os.name == "posix" and os.geteuid() == 0:
        # Chromium refuses its sandbox to root, which a container's user often is.
        command.insert(1, "--no-sandbox")
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    kept = re.search(r'data-answers="([^"]*)"', done.stdout)
    assert kept, done.stderr
    page = json.loads(html.unescape(kept[1]))
    assert page["faults"] == []
    assert not re.search(r"CONSOLE.*(Uncaught|Failed to load|Refused)", done.stderr)
    error = {"type": "Error"}
    assert page["answers"] == {
        "functions": len(registry),
        "scalar": [[2]],
        "grid": [[2, 3], [1, 2]],
        "omitted": [[365]],
        "outside": [[error | {"errorType": "Num"}]],
        "error": [[error | {"errorType": "NotAvailable"}, 2]],
        "empty": [[error | {"errorType": "Value"}]],
    }
