"""README keeps its word: its commands run as they stand, and CI calls its very test command."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from udfs import registry
from workbooks import templates
from workbooks.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_ci_calls_the_test_command():
    (command,) = (line for block in blocks("sh") for line in block.splitlines() if "pytest" in line)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert command in ci
    assert "scripts/check --style" in ci
    # What a developer runs without installing anything is the same.
    check = (ROOT / "scripts" / "check").read_text(encoding="utf-8")
    assert f'"") {command.rpartition("&& ")[2]} ;;' in check
    for tool in ("ruff check .", "ruff format --check .", "mypy"):
        assert f".venv/bin/{tool}\n" in check


def test_commands_run_as_they_stand(monkeypatch, tmp_path, capsys):
    lines = [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("tokenbook ") and "excel" not in line
    ]
    assert len(lines) >= 8
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios.csv").write_text("Inputs!C12\n0.5\n1.5\n")
    for line in lines:
        monkeypatch.setattr(sys, "argv", shlex.split(line, comments=True))
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code, f"{line}: {capsys.readouterr().err}"
    monkeypatch.setattr(sys, "argv", shlex.split(lines[0], comments=True))
    with pytest.raises(SystemExit):
        main()
    assert "10950000" in capsys.readouterr().out


def test_python_runs_as_it_stands():
    (program,) = blocks("python")
    names: dict[str, object] = {}
    exec(program, names)


@pytest.mark.parametrize("name", templates.NAMES)
def test_every_template_is_told(name):
    assert f"| `{name}` |" in README


def test_every_function_that_is_named_exists():
    assert set(re.findall(r"TOK_[A-Z_0-9]+", README)) <= set(registry)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / target).exists(), target
