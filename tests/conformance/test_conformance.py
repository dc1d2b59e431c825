"""One set of cases, every host: the same values to 1e-9 and the same errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import inside
import pytest
import report
from cases import FOLDER, TYPICAL, as_json, cases, difference, expected, recorded
from hosted import packed
from hosts import HOSTS, missing

from udfs import registry

CASES = list(cases())
EXPECTED = expected()
#: Its packages come from a server that not every machine reaches.
OPTIONAL = ("Pyodide in Node",)
#: What takes longer to start than all of the rest.
LONG = ("Pyodide in Node", "LibreOffice Calc")
RECORD = "python tests/conformance/record.py"


@pytest.fixture(
    scope="module",
    params=[pytest.param(h, marks=pytest.mark.long) if h in LONG else h for h in HOSTS],
)
def host_name(request):
    """The name of a host, where the machine has what it needs."""
    if why := missing(request.param):
        assert request.param in OPTIONAL or "CI" not in os.environ, (
            f"{request.param} has to be tested in CI"
        )
        pytest.skip(f"{request.param}: {why}")
    return request.param


@pytest.fixture(scope="module")
def host(host_name):
    """The answers of a host to all cases, asked once."""
    return HOSTS[host_name](CASES)


@pytest.mark.parametrize("function", registry)
def test_every_function_has_its_file_of_cases(function):
    place = f"tests/data/conformance/{function}.json"
    assert TYPICAL in recorded(function)["calls"], f"{place} is missing: `{RECORD} {function}`"
    wanted = {case.id for case in CASES if case.function == function}
    assert wanted == {f"{function}-{what}" for what in recorded(function)["answers"]}, (
        f"{place} is not what its calls make: `{RECORD} {function}`, and look at what changed"
    )


def test_every_file_is_of_a_function():
    assert {path.stem for path in FOLDER.iterdir()} <= set(registry)


def test_a_typical_call_of_every_function_succeeds():
    failed = [
        case.id
        for case in CASES
        if case.id.endswith(f"-{TYPICAL}") and "error" in str(EXPECTED[case.id])
    ]
    assert not failed


@pytest.mark.parametrize("function", registry)
def test_host_answers_as_recorded(host, function):
    if not report.has(CASES, host, function):
        pytest.skip(f"the host has no {function}")
    assert not report.wrong(CASES, host, function)


def test_the_page_of_what_is_verified_holds(host_name, host):
    """What the page claims is so today; a function that is newer than its last run, it lacks."""
    claims = report.claims().get(host_name, {})
    if host_name in OPTIONAL and not claims:
        pytest.skip(f"the page was written on a machine without {host_name}")
    assert claims
    gone = set(claims) - set(registry)
    assert not gone, f"docs/verified.md tells of {sorted(gone)}: `{report.COMMAND}`"
    for function, claim in claims.items():
        assert claim == report.verdict(CASES, host, function), function


def test_readme_tells_which_hosts_agree():
    for host_name, claims in report.claims().items():
        said = "not all cases alike" if "differs" in claims.values() else "all cases alike"
        assert f"| {host_name} | {said} |\n" in report.README.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wanted", "got", "differs"),
    [
        (1.0, 1.0 + 1e-10, False),
        (1.0, 1.0 + 1e-8, True),
        (1.0, "1", True),
        (None, 0.0, True),
        ([[1.0]], 1.0, True),
        ([[1.0, 2.0]], [[1.0]], True),
        ([[1.0, {"error": "#N/A"}]], [[1.0, {"error": "#NUM!"}]], True),
    ],
)
def test_a_difference_is_seen(wanted, got, differs):
    assert bool(difference(wanted, as_json(got))) == differs


def test_the_program_for_pyodide_answers_as_recorded():
    """The program itself, in this Python; it says whether Pyodide alone would be to blame."""
    asked = [[case.id, case.function, [packed(cell) for cell in case.cells]] for case in CASES]
    found = json.loads(inside.answers(json.dumps(asked)))
    assert len(found) == len(CASES)
    assert not [told for name in found if (told := difference(EXPECTED[name], found[name]))]


_WITHOUT_SCIPY = f"""
import sys
sys.modules["scipy"] = None
sys.path.insert(0, {str(Path(__file__).parent)!r})
from cases import as_json, cases, difference, expected
from udfs import registry
wanted = expected()
asked = list(cases())
wrong = {{
    case.id: told
    for case in asked
    if (told := difference(wanted[case.id], as_json(registry[case.function](*case.cells))))
}}
print(len(asked), wrong)
"""


def test_all_answer_as_recorded_without_scipy():
    """Hosts such as a bare Pyodide have none; the functions do not even ask for it."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_SCIPY], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{len(CASES)} {{}}\n"
