"""What a Windows machine needs for Excel, on a machine made up of a folder and a dictionary."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from udfs.hosts.excel import install as excel_install
from udfs.hosts.excel.install import SECURITY, Machine, install, read_settings, status


@pytest.fixture
def registry():
    return {}


@pytest.fixture
def machine(tmp_path, registry):
    """A Windows machine on which `xlwings addin install` does what it does."""
    startup, python = tmp_path / "XLSTART", tmp_path / "venv" / "Scripts" / "python.exe"
    shipped = tmp_path / "shipped.xlam"
    startup.mkdir()
    shipped.write_bytes(b"add-in")
    python.parent.mkdir(parents=True)
    (tmp_path / "venv" / f"xlwings64-{version('xlwings')}.dll").touch()

    def run(command):
        assert command[0] == str(python)
        assert command[-2:] == ["addin", "install"]
        (startup / "xlwings.xlam").write_bytes(shipped.read_bytes())
        return "Successfully installed the xlwings add-in! Please restart Excel.\n"

    return Machine(
        windows=True,
        home=tmp_path,
        startup=startup,
        python=python,
        has_pywin32=True,
        read_registry=lambda path, name: registry.get((path, name)),
        write_registry=lambda path, name, value: registry.update({(path, name): value}),
        run=run,
        shipped_addin=shipped,
    )


def missing(machine):
    return [check.what for check in status(machine) if not check.ok]


def test_a_bare_machine_lacks_settings_add_in_and_trust(machine):
    assert missing(machine) == [
        "Python for Excel",
        "module for Import Functions",
        "xlwings add-in",
        "trust in VBA",
    ]
    assert all(check.remedy for check in status(machine) if not check.ok)


def test_installing_mends_all_but_what_needs_the_users_word(machine, registry):
    steps = install(machine)
    assert {step.what: step.done for step in steps} == {
        "xlwings settings": True,
        "xlwings add-in": True,
        "trust in VBA": False,
        "functions": False,
        "macros": False,
    }
    assert missing(machine) == ["trust in VBA"]
    assert registry == {}


def test_trust_is_set_where_the_user_says_so(machine, registry):
    steps = install(machine, trust=True)
    assert registry == {(SECURITY, "AccessVBOM"): 1}
    assert next(step for step in steps if step.what == "trust in VBA").done
    assert missing(machine) == []
    again = install(machine)
    assert next(step for step in again if step.what == "trust in VBA").told == "Was set already"


def test_the_users_own_settings_are_kept(machine):
    machine.settings.parent.mkdir()
    machine.settings.write_text('"LICENSE_KEY","secret"\n"UDF MODULES","mine;"\n')
    install(machine)
    install(machine)
    assert read_settings(machine.settings) == {
        "LICENSE_KEY": "secret",
        "UDF MODULES": "mine;udfs",
        "INTERPRETER_WIN": str(machine.python),
    }


def test_settings_are_as_xlwings_reads_them(machine, monkeypatch):
    import xlwings  # noqa: PLC0415
    from xlwings.utils import read_user_config  # noqa: PLC0415

    install(machine)
    monkeypatch.setattr(xlwings, "USER_CONFIG_FILE", str(machine.settings))
    assert read_user_config() == {"interpreter_win": str(machine.python), "udf modules": "udfs"}


def test_the_add_in_of_another_version_is_told(machine):
    install(machine, trust=True)
    machine.addin.write_bytes(b"older add-in")
    assert missing(machine) == ["xlwings add-in"]


def test_a_failed_add_in_is_told_in_xlwings_words(machine):
    refused = dataclasses.replace(machine, run=lambda _: "Error: quit Excel and try again\n")
    step = install(refused)[1]
    assert not step.done
    assert step.told == "Error: quit Excel and try again"


@pytest.mark.parametrize(
    ("value", "fine"), [(None, True), (1, True), (2, True), (3, False), (4, False)]
)
def test_macros_that_cannot_run_are_told(machine, registry, value, fine):
    registry[SECURITY, "VBAWarnings"] = value
    assert ("macros" not in missing(machine)) == fine


def test_a_python_without_the_library_or_pywin32_is_told(machine):
    machine.libraries[1].unlink()
    bare = dataclasses.replace(machine, has_pywin32=False)
    assert missing(bare)[:2] == ["pywin32", "xlwings library"]


def test_elsewhere_every_step_is_told_and_nothing_is_done(tmp_path):
    def run(command):
        raise AssertionError(command)

    elsewhere = Machine(False, tmp_path, tmp_path, Path("/usr/bin/python"), False, run=run)
    steps = install(elsewhere)
    assert not any(step.done for step in steps)
    assert "xlwings addin install" in steps[1].told
    assert '"UDF MODULES","udfs"' in steps[0].told
    assert list(tmp_path.iterdir()) == []
    (check,) = status(elsewhere)
    assert check.ok is False


def test_this_machine_is_looked_at():
    here = excel_install.this_machine()
    assert here.shipped_addin.name == "xlwings.xlam"
    assert here.shipped_addin.exists()
    assert status()[0].what == "Windows"


def test_looking_imports_no_xlwings():
    program = (
        "import sys; from udfs.hosts.excel.install import status; status();"
        "print('xlwings' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE)
    assert done.stdout.split() == [b"False"]
