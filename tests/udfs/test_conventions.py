"""The house style, held by every function that is declared."""

from __future__ import annotations

import re

import pytest

from udfs import registry
from udfs.declare import LONGEST_HELP

every_function = pytest.mark.parametrize("function", registry.values(), ids=list(registry))


@every_function
def test_name_is_the_engines_and_legal_in_vba(function):
    assert re.fullmatch(r"TOK_[A-Z0-9_]{1,60}", function.name)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in function.parameters)
    # xlwings hands its own object to a parameter of this name.
    assert "caller" not in function.parameters


@every_function
def test_help_is_there_and_fits_the_function_wizard(function):
    assert function.group
    assert 10 < len(function.summary) <= LONGEST_HELP
    assert function.returns
    assert function.unit
    for argument in function.arguments:
        assert argument.help, argument.name
        assert argument.unit, f"{argument.name} has no unit in brackets"
        assert len(argument.text) <= LONGEST_HELP


@every_function
def test_documentation_names_equation_range_and_source(function):
    for heading in ("Equation:", "Range:", "Source:"):
        assert heading in function.notes
    assert ">>>" in function.engine.__doc__


@every_function
def test_documented_arguments_are_those_of_the_signature(function):
    documented = [p.arg_name for p in function._doc.params]
    assert documented == list(function.parameters)


@every_function
def test_optional_arguments_follow_required_ones(function):
    optional = [argument.optional for argument in function.arguments]
    assert optional == sorted(optional)


@every_function
def test_every_number_has_a_domain(function):
    for argument in function.arguments:
        if argument.kind in ("number", "scalar", "series"):
            assert argument.allowed, f"{argument.name} has no domain"
