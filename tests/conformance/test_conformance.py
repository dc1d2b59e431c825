"""One set of cases, every host: the same values to 1e-9 and the same errors."""

from __future__ import annotations

import os

import pytest
import report
from cases import TYPICAL, as_json, cases, difference, expected
from hosts import HOSTS, present

from udfs import registry

CASES = list(cases())
EXPECTED = expected()


@pytest.fixture(scope="module", params=HOSTS)
def host_name(request):
    """The name of a host, where the machine has what it needs."""
    if not present(request.param):
        assert "CI" not in os.environ, f"{request.param} has to be tested in CI"
        pytest.skip(f"{request.param} is not on this machine")
    return request.param


@pytest.fixture(scope="module")
def host(host_name):
    """The answers of a host to all cases, asked once."""
    return HOSTS[host_name](CASES)


def test_every_function_has_cases_and_every_case_its_answer():
    assert set(registry) <= set(TYPICAL)
    assert {case.id for case in CASES} == set(EXPECTED)
    assert len(CASES) >= 200


def test_a_typical_call_of_every_function_succeeds():
    failed = [
        case.id
        for case in CASES
        if case.id.endswith("-typical") and "error" in str(EXPECTED[case.id])
    ]
    assert not failed


@pytest.mark.parametrize("function", registry)
def test_host_answers_as_recorded(host, function):
    wrong = {
        case.id: told
        for case in CASES
        if case.function == function
        and (told := difference(EXPECTED[case.id], as_json(host[case.id])))
    }
    assert not wrong


def test_readme_tells_what_this_run_finds(host_name, host):
    count = report.agreed(CASES, host)
    assert f"| {host_name} | {count} of {len(CASES)} cases |\n" in report.shown()
