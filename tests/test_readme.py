"""README keeps its word: its commands run as they stand, and CI calls its very test command."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
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


@pytest.mark.parametrize("all_templates", [False, pytest.param(True, marks=pytest.mark.long)])
def test_commands_run_as_they_stand(all_templates, built, monkeypatch, tmp_path, capsys):
    lines = [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("tokenbook ") and "excel" not in line
    ]
    assert len(lines) >= 15
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"```csv (\S+)\n(.*?)```", README, re.DOTALL):
        (tmp_path / name).write_text(text)
    told = 0
    if not all_templates:
        lines.remove(
            next(line for line in lines if line.startswith("tokenbook build all -o models"))
        )
        (tmp_path / "models").mkdir()
        for name in ("market", "breakeven"):
            shutil.copy(built(name).path, tmp_path / "models")
    for line in lines:
        monkeypatch.setattr(sys, "argv", shlex.split(line, comments=True))
        with pytest.raises(SystemExit) as stop:
            main()
        output = capsys.readouterr()
        assert not stop.value.code, f"{line}: {output.err}"
        # What README says that it prints.
        for figure in re.findall(r"# ([0-9.]+):", line):
            assert re.search(rf"(?<![0-9.]){re.escape(figure)}", output.out), line
            told += 1
    assert told >= 6
    # The API costs the same whatever the rent; rented GPUs do not.
    rows = list(csv.DictReader((tmp_path / "three.csv").read_text().splitlines()))
    assert len({row["Result!B11"] for row in rows}) == 1
    rents = [float(row["Result!B12"]) for row in rows]
    assert rents == sorted(rents)
    assert len(set(rents)) == len(rents) == 3


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
