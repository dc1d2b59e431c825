"""The xlwings Server project, served on loopback, and its task pane in a real browser."""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tomllib
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.errors import InputError, TokenbookError
from udfs import registry
from udfs.hosts.officejs import project as server_project
from udfs.hosts.officejs.project import Site, serve, task_pane, write_server_project

STUB = Path(__file__).parents[3] / "data" / "office_stub.js"
# Found, not imported: the import would make a server of this process.
SERVER = find_spec("xlwings_server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="the extra `server` is not installed")


def test_a_second_run_keeps_what_excel_knows_the_add_in_by(tmp_path):
    first = write_server_project(tmp_path)
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["xlwings_server"]
    ids = {name: value for name, value in settings.items() if name.startswith("manifest_id")}
    assert len(set(ids.values())) == 5
    before = {path: path.read_bytes() for path in first}
    assert write_server_project(tmp_path) == first
    assert {path: path.read_bytes() for path in first} == before


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


TLS = {"certificate": Path("cert.pem"), "key": Path("key.pem")}


@pytest.mark.parametrize(
    ("options", "site", "told"),
    [
        ({"host": "0.0.0.0"}, {}, "can be reached by others"),
        ({"host": "0.0.0.0", **TLS}, {}, "can be reached by others"),
        ({"host": "::"}, {"entra_tenant": "t", "entra_client": "c"}, "can be reached by others"),
        ({"host": "excel.example.com"}, {}, "can be reached by others"),
        ({"certificate": Path("cert.pem")}, {}, "the certificate and its key"),
        ({}, {}, "XLWINGS_LICENSE_KEY"),
        ({"host": "::1"}, {}, "XLWINGS_LICENSE_KEY"),
        ({"host": "0.0.0.0", "behind_proxy": True}, {}, "XLWINGS_LICENSE_KEY"),
        ({"host": "0.0.0.0", **TLS}, {"entra_tenant": "t", "entra_client": "c"}, "LICENSE_KEY"),
    ],
)
def test_others_reach_it_only_by_tls_and_after_telling_who_they_are(
    tmp_path, monkeypatch, options, site, told
):
    monkeypatch.delenv("XLWINGS_LICENSE_KEY", raising=False)
    write_server_project(tmp_path, site=Site(**site))
    # The key is looked for last: what asks for it alone would have been served.
    with pytest.raises(InputError, match=told):
        serve(tmp_path, **options)


def test_what_is_no_project_is_not_served(tmp_path):
    with pytest.raises(InputError, match="tokenbook excel server"):
        serve(tmp_path)


def test_host_name_and_who_may_call_stand_in_the_settings(tmp_path):
    site = Site("excel.example.com:8443", "tenant", "client")
    write_server_project(tmp_path, site=site)
    told = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["xlwings_server"]
    assert told["hostname"] == "excel.example.com:8443"
    assert told["auth_providers"] == ["entraid"]
    assert (told["auth_entraid_tenant_id"], told["auth_entraid_client_id"]) == ("tenant", "client")
    for wrong in (Site("https://excel.example.com"), Site(None, "tenant")):
        with pytest.raises(InputError):
            write_server_project(tmp_path, site=wrong)


def test_excel_can_fetch_functions_and_code(server, fetch):
    metadata = json.loads(fetch(f"{server}/xlwings/custom-functions-meta.json"))
    assert [function["name"] for function in metadata["functions"]] == sorted(registry)
    code = fetch(f"{server}/xlwings/custom-functions-code.js")
    associated = re.findall(r'CustomFunctions\.associate\("(\w+)"', code)
    assert sorted(associated) == sorted(registry)


def test_the_manifest_has_no_namespace_so_names_are_plain(server, fetch):
    manifest = fetch(f"{server}/manifest.xml")
    assert "Tokenbook" in manifest
    assert "Functions.Namespace" not in manifest


def test_the_manifest_is_ours_and_complete(server, fetch):
    manifest = fetch(f"{server}/manifest.xml")
    assert not re.search("Hello|MyGroup|MyFunctionButton", manifest)
    root = ElementTree.fromstring(manifest.encode())
    texts = {element.get("id") for element in root.iter() if element.get("DefaultValue")}
    asked = {element.get("resid") for element in root.iter() if element.get("resid")}
    assert asked <= texts


def test_nothing_of_the_manifest_lies_elsewhere_and_the_icons_are_there(server, fetch):
    manifest = fetch(f"{server}/manifest.xml")
    assert "<ProviderName>Tokenbook</ProviderName>" in manifest
    addresses = re.findall(r'="(https?://[^"]+)"', manifest)
    own = [a for a in addresses if not a.startswith(("http://schemas.", "http://www.w3.org/"))]
    assert own
    assert all(address.startswith(server) for address in own), own
    icons = sorted({address for address in own if "icons" in address})
    assert len(icons) == 4
    for address in icons:
        with urllib.request.urlopen(address, timeout=30) as answer:
            content = answer.read()
        size = int(re.search(r"(\d+)\.png", address)[1])
        assert content.startswith(b"\x89PNG")
        assert content[16:24] == size.to_bytes(4) * 2


def test_answers_are_kept_by_the_add_in_but_those_of_a_file_that_changes(server, fetch):
    code = fetch(f"{server}/xlwings/custom-functions-code.js")
    kept = dict(re.findall(r'funcName: "(\w+)",\s+isStreaming: false,\s+isCached: (\w+)', code))
    assert set(kept) == set(registry)
    asked = {name for name, cached in kept.items() if cached == "false"}
    assert asked == {"TOK_MARKET_PRICE", "TOK_GPU_PRICE"}


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_before_it_is_read(server, chunked):
    """Of 1 MB here; in chunks, no header tells how long it will be."""
    host, _, port = server.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    body = [b" " * 65_536] * 17 if chunked else b" " * (17 * 65_536)
    headers = {"Content-Type": "application/json"}
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request(
            "POST", "/xlwings/custom-functions-call", body, headers, encode_chunked=chunked
        )
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"larger than 1 MB" in answer.read()
    connection.close()


def test_large_and_small_calls_of_many_clients_all_get_their_own_answers(server, fetch, call):
    address = f"{server}/xlwings/custom-functions-call"

    def ask(number):
        rows = 6_000 if number % 20 == 0 else 1
        answer = json.loads(fetch(address, call("TOK_SUBSIDY", [[number]] * rows, 3 * number)))
        return answer["result"] == [[2 * number]] * rows

    with ThreadPoolExecutor(40) as clients:
        assert all(clients.map(ask, range(1, 241)))


def test_what_fails_is_told_and_the_next_call_is_answered(server, fetch, call):
    address = f"{server}/xlwings/custom-functions-call"
    for body in (b"no json", call("TOK_NOTHING", 1), {}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(address, body)
        assert refused.value.code in (422, 500)
        refused.value.close()
    assert json.loads(fetch(address, call("TOK_SUBSIDY", 1, 3))) == {"result": [[2.0]]}


def test_it_listens_on_this_machine_alone(server):
    port = int(server.rpartition(":")[2])
    with pytest.raises(OSError), socket.create_connection((own_address(), port), timeout=2):  # noqa: PT011
        pass


def own_address():
    """Return an address of this machine that others would use."""
    found = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    others = [address for address in found if not address.startswith("127.")]
    if not others:
        pytest.skip("this machine has no address but loopback")
    return others[0]


def test_the_task_pane_is_served_whole_from_loopback(server, fetch):
    pane = fetch(f"{server}/taskpane.html")
    assert all(f'<details id="{name}">' in pane for name in registry)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', pane)
    assert loaded
    assert all(address.startswith("/") for address in loaded)


def test_a_call_over_http_answers_with_real_errors(server, fetch, call):
    body = call("TOK_SUBSIDY", [[-1, 1]], [[3]])
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
