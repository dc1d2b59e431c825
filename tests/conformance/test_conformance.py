"""One set of cases, every host: the same values to 1e-9 and the same errors."""

from __future__ import annotations

import os

import pytest
from cases import TYPICAL, as_json, cases, difference, expected
from hosts import HOSTS, present

from udfs import registry

CASES = list(cases())
EXPECTED = expected()


@pytest.fixture(scope="module", params=HOSTS)
def host(request):
    """The name of a host and its answers to all cases, asked once."""
    if not present(request.param):
        assert "CI" not in os.environ, f"{request.param} has to be tested in CI"
        pytest.skip(f"{request.param} is not on this machine")
    answers = HOSTS[request.param](CASES)
    return {name: as_json(answer) for name, answer in answers.items()}


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
        if case.function == function and (told := difference(EXPECTED[case.id], host[case.id]))
    }
    assert not wrong
