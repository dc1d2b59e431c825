"""What tests of the command line share."""

from __future__ import annotations

import sys

import pytest

from workbooks.cli import main


@pytest.fixture
def tokenbook(monkeypatch, capsys):
    """Run the command line in this process; returns exit code, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tokenbook", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return run
