"""`import engine` offers every function under its own name, in alphabetical order."""

from __future__ import annotations

import subprocess
import sys

import pytest

import engine
from udfs import registry


def test_every_worksheet_function_is_there():
    for function in registry.values():
        name, module = function.engine.__name__, function.engine.__module__
        assert name in engine.__all__, (
            f"{name} is not in __all__ of {module}, or that module is not in engine/__init__.py"
        )
        assert getattr(engine, name) is function.engine


def test_names_are_sorted_and_unique():
    assert list(engine.__all__) == sorted(set(engine.__all__))
    assert set(engine.__all__) <= set(dir(engine))


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = engine.nonsense


def test_importing_the_package_imports_no_module_of_it():
    program = "import engine, sys; sys.exit(any(m.startswith('engine.') for m in sys.modules))"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_one_module_imports_no_other():
    program = (
        "from engine import errors, tokens; import sys;"
        "sys.exit(any(m in sys.modules for m in ('engine.market', 'engine.serving.estimates')))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
