"""The guides keep their word: every command in them runs as it stands, in the order it stands."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from venv import create

import pytest

from workbooks import templates
from workbooks.cli import main

ROOT = Path(__file__).parents[1]
GUIDES = ("excel", "libreoffice")
#: What a machine does once, with pip; and what needs an administrator, or minutes.
_SETTING_UP = ("pip ", "/usr/bin/python3 ")
_LEFT_OUT = ("sudo ", "python ")
_ASSIGNED = re.compile(r"^((?:[A-Z_]+=\S+ )*)(\S.*)$")


def text_of(guide):
    return (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")


def commands(guide):
    """Return the commands of the blocks and those in the sentences, as they stand."""
    found = re.findall(
        r"```sh\n(.*?)```|`((?:tokenbook [a-z]|pip install \.)[^`\n]*)`", text_of(guide), re.DOTALL
    )
    lines = [line for block, inline in found for line in (block or inline).splitlines()]
    return [line for line in lines if not line.startswith(_LEFT_OUT)]


@pytest.mark.libreoffice
@pytest.mark.parametrize("guide", GUIDES)
def test_commands_run_as_they_stand(guide, monkeypatch, tmp_path, capsys):
    served = []
    if guide == "excel":
        uvicorn = pytest.importorskip("uvicorn", reason="the extra `server` is not installed")
        # Serving ends only when it is interrupted; its own test serves.
        monkeypatch.setattr(uvicorn, "run", lambda *_, **options: served.append(options))
    # A LibreOffice of the test, and no user's.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("XLWINGS_PROJECT_DIR", "TOKENBOOK_MAX_BODY", "XLWINGS_LICENSE_KEY"):
        monkeypatch.setenv(name, "")
    books = tmp_path / "books"
    books.mkdir()
    monkeypatch.chdir(books)
    run("tokenbook build breakeven -o model.xlsx", monkeypatch)
    lines = [line for line in commands(guide) if not line.startswith(_SETTING_UP)]
    assert len(lines) >= 5
    for line in lines:
        assigned, command = _ASSIGNED.fullmatch(line).groups()
        for name, _, value in (each.partition("=") for each in assigned.split()):
            monkeypatch.setenv(name, value)
        # A Linux is no place for classic xlwings, and its status says so.
        wanted = 1 if command == "tokenbook excel status" and sys.platform != "win32" else 0
        assert run(command, monkeypatch) == wanted, f"{line}: {capsys.readouterr().err}"
        # The next command may build the same workbook.
        for path in books.glob("breakeven*"):
            path.unlink()
    if guide == "excel":
        assert [options["host"] for options in served] == ["127.0.0.1", "127.0.0.1", "0.0.0.0"]


@pytest.mark.long
@pytest.mark.parametrize("guide", GUIDES)
def test_what_is_set_up_runs_as_it_stands(guide, tmp_path):
    """In a copy of the project, by pip."""
    project, environment = tmp_path / "project", tmp_path / "environment"
    shutil.copytree(
        ROOT, project, ignore=shutil.ignore_patterns(".*", "tests", "build", "*.egg-info", "*.png")
    )
    create(environment, with_pip=True)
    told = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PYTHONPATH": ""}
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    lines = [line for line in commands(guide) if line.startswith(_SETTING_UP)]
    assert lines
    for line in lines:
        if line.startswith("/usr/bin/python3") and not Path("/usr/bin/python3").exists():
            pytest.skip("the system has no Python of its own")
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=project,
            env={**os.environ, **told, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
    (made,) = {"excel": environment, "libreoffice": project / ".venv"}[guide].glob("bin/tokenbook")
    asked = [made, "call", "TOK_SUBSIDY", "0.88", "3"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "2.12\n"


def test_no_command_stands_where_the_tests_do_not_look():
    for guide in GUIDES:
        assert not re.findall(r"^ {4,}(?:tokenbook|pip|python) .*$", text_of(guide), re.MULTILINE)


def run(command, monkeypatch):
    monkeypatch.setattr(sys, "argv", shlex.split(command, comments=True))
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


@pytest.mark.parametrize("guide", GUIDES)
def test_what_they_name_is_there(guide):
    text = text_of(guide)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(re.findall(r"\.\[(\w+)\]", text)) <= set(extras)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / "docs" / target).exists(), target
    for program in re.findall(r"python ((?:benchmarks|docs)/\w+\.py)", text):
        assert (ROOT / program).exists(), program
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_a_finance_user_is_led_by_situation():
    """Each situation in five lines, before anything else."""
    first = text_of("excel").partition("\n# Reference\n")[0]
    situations = re.split(r"^## ", first, flags=re.MULTILINE)[1:]
    names = [part.partition("\n")[0] for part in situations]
    assert names == ["Nothing may be installed", "Mac or web", "Python is there", "LibreOffice"]
    for part in situations:
        lines = re.findall(r"^(\d)\. (.*)$", part, re.MULTILINE)
        assert [number for number, _ in lines] == list("12345")
        assert lines[3][1].startswith("Verified")
        assert lines[4][1].startswith("Not verified")
    asked = re.findall(r"`tokenbook build (\w+)", first)
    assert set(asked) <= set(templates.NAMES)
