"""What a Windows machine needs for Excel, on a machine made up of a folder and a dictionary."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from udfs.hosts.excel import conf
from udfs.hosts.excel.install import SECURITY, install, uninstall
from udfs.hosts.excel.machine import ENVIRONMENT, Machine, library_name, this_machine
from udfs.hosts.excel.status import status

PYTHON = (ENVIRONMENT, "TOKENBOOK_PYTHON")


@pytest.fixture
def registry():
    return {}


@pytest.fixture
def machine(tmp_path, registry):
    """A Windows machine of Western Europe with Tokenbook in a virtual environment, and no COM."""
    python = tmp_path / "Modèles" / "Scripts" / "python.exe"
    shipped = tmp_path / "shipped.xlam"
    shipped.write_bytes(b"add-in")
    python.parent.mkdir(parents=True)
    (python.parents[1] / library_name()).touch()

    def write(path, name, value):
        if value is None:
            del registry[path, name]
        else:
            registry[path, name] = value

    def run(command):
        assert command[0] == str(python)
        return "tokenbook starts\n"

    return Machine(
        windows=True,
        home=tmp_path,
        startup=tmp_path / "XLSTART",
        python=python,
        prefix=python.parents[1],
        base=Path("C:/Python311"),
        has_pywin32=True,
        encoding="cp1252",
        pip_library=python.parents[1] / library_name(),
        read_registry=lambda path, name: registry.get((path, name)),
        write_registry=write,
        run=run,
        shipped_addin=shipped,
    )


def unmet(machine, *, also_own=False):
    return [
        check.what
        for check in status(machine)
        if check.ok is False or (also_own and check.ok is None)
    ]


def done(steps):
    return {step.what: step.done for step in steps}


def settings(machine):
    return conf.read(machine.settings, machine.encoding)


def test_a_bare_machine_lacks_the_variable_and_for_own_workbooks_more(machine):
    assert unmet(machine) == ["Python for Excel"]
    assert unmet(machine, also_own=True) == [
        "Python for Excel",
        "xlwings settings",
        "xlwings add-in",
        "trust in VBA",
    ]
    assert all(check.remedy for check in status(machine) if not check.ok)


def test_installing_mends_all_but_what_needs_the_users_word(machine, registry):
    assert done(install(machine)) == {
        "Python for Excel": True,
        "xlwings library": True,
        "settings of your own workbooks": True,
        "xlwings add-in": True,
        "trust in VBA": False,
        "functions": False,
        "macros": False,
    }
    assert unmet(machine) == []
    assert unmet(machine, also_own=True) == ["trust in VBA"]
    assert registry == {PYTHON: str(machine.python)}
    assert machine.addin.read_bytes() == b"add-in"


def test_uninstalling_leaves_the_machine_as_it_was(machine, registry, tmp_path):
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    install(machine, trust=True)
    install(machine)
    steps = uninstall(machine)
    assert all(step.done for step in steps), steps
    assert registry == {(SECURITY, "AccessVBOM"): 0}
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    again = uninstall(machine)
    assert not any(step.done for step in again)


def test_trust_is_set_where_the_user_says_so(machine, registry):
    steps = install(machine, trust=True)
    assert registry[SECURITY, "AccessVBOM"] == 1
    assert done(steps)["trust in VBA"]
    assert unmet(machine, also_own=True) == []
    again = install(machine)
    assert next(step for step in again if step.what == "trust in VBA").told == "Was set already"


def test_trust_that_the_user_had_set_before_stays(machine, registry):
    registry[SECURITY, "AccessVBOM"] = 1
    install(machine, trust=True)
    uninstall(machine)
    assert registry == {(SECURITY, "AccessVBOM"): 1}


# --- the user's settings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "theirs",
    [
        b'"INTERPRETER_WIN","C:\\Other\\python.exe"\r\n"LICENSE_KEY","secret"\r\n',
        b'"interpreter_win","C:\\Other\\python.exe"\r\n',
        b'"UDF MODULES","mine;"\r\n"PYTHONPATH","C:\\d\xe9p\xf4t"\r\n',
        b'"INTERPRETER","C:\\Other\\python.exe"\n',
    ],
)
def test_another_projects_settings_are_left_byte_for_byte(machine, theirs):
    machine.settings.parent.mkdir()
    machine.settings.write_bytes(theirs)
    step = next(s for s in install(machine) if s.what == "settings of your own workbooks")
    assert machine.settings.read_bytes() == theirs
    assert not step.done
    assert f"INTERPRETER_WIN | {machine.python}" in step.told
    assert unmet(machine) == []
    assert "xlwings settings" in unmet(machine, also_own=True)
    uninstall(machine)
    assert machine.settings.read_bytes() == theirs


def test_what_the_user_has_beside_is_kept(machine):
    machine.settings.parent.mkdir()
    machine.settings.write_bytes(b'"LICENSE_KEY","cl\xe9"\r\n')
    install(machine)
    assert settings(machine) == {
        "LICENSE_KEY": "clé",
        "INTERPRETER_WIN": str(machine.python),
        "UDF MODULES": "udfs",
        "ADD_WORKBOOK_TO_PYTHONPATH": "false",
    }
    # As Excel reads it: in the code page of Windows.
    assert "Modèles".encode("cp1252") in machine.settings.read_bytes()
    uninstall(machine)
    assert machine.settings.read_bytes() == b'"LICENSE_KEY","cl\xe9"\r\n'


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "cp932"])
def test_settings_in_another_code_page_crash_nothing_and_stay(machine, encoding):
    machine = dataclasses.replace(machine, encoding=encoding)
    machine.settings.parent.mkdir()
    line = b'"LICENSE_KEY","\xe9\x81\xfc"\r\n'
    machine.settings.write_bytes(line)
    status(machine)
    if encoding != "cp932":
        install(machine)
        assert machine.settings.read_bytes().startswith(line)


def test_a_path_that_the_code_page_lacks_is_told(machine, registry):
    python = machine.home / "模型" / "Scripts" / "python.exe"
    python.parent.mkdir(parents=True)
    step, *_ = install(dataclasses.replace(machine, python=python))
    assert not step.done
    assert "'模型'" in step.told
    assert registry == {}
    assert not machine.settings.exists()


def test_settings_are_as_xlwings_reads_them(machine, monkeypatch):
    import xlwings  # noqa: PLC0415
    from xlwings.utils import read_user_config  # noqa: PLC0415

    machine = dataclasses.replace(machine, encoding="utf-8")
    install(machine)
    monkeypatch.setattr(xlwings, "USER_CONFIG_FILE", str(machine.settings))
    assert read_user_config() == {
        "interpreter_win": str(machine.python),
        "udf modules": "udfs",
        "add_workbook_to_pythonpath": "false",
    }


# --- the add-in -----------------------------------------------------------------------------------


def test_another_add_in_is_neither_replaced_nor_removed(machine):
    machine.startup.mkdir()
    machine.addin.write_bytes(b"another project's")
    assert not done(install(machine))["xlwings add-in"]
    uninstall(machine)
    assert machine.addin.read_bytes() == b"another project's"


def test_our_own_add_in_of_an_earlier_version_is_renewed(machine):
    install(machine)
    machine.shipped_addin.write_bytes(b"newer add-in")
    assert "xlwings add-in" in unmet(machine, also_own=True)
    assert done(install(machine))["xlwings add-in"]
    assert machine.addin.read_bytes() == b"newer add-in"


def test_an_add_in_that_excel_holds_open_is_told(machine):
    # A folder in its place refuses to be written, as a file does that Excel holds.
    machine.startup.write_bytes(b"no folder")
    step = next(step for step in install(machine) if step.what == "xlwings add-in")
    assert not step.done
    assert "Close Excel" in step.told


# --- kinds of Python ------------------------------------------------------------------------------


def test_a_user_installation_is_mended_by_a_copy(machine, tmp_path):
    user = tmp_path / "AppData" / library_name()
    user.parent.mkdir()
    user.write_bytes(b"library")
    machine.libraries[1].unlink()
    machine = dataclasses.replace(machine, pip_library=user)
    assert unmet(machine)[0] == "xlwings library"
    assert done(install(machine))["xlwings library"]
    assert machine.libraries[0].read_bytes() == b"library"
    assert unmet(machine) == []
    uninstall(machine)
    assert not machine.libraries[0].exists()


def test_a_user_installation_that_cannot_be_mended_is_explained(machine, tmp_path):
    machine.libraries[1].unlink()
    machine = dataclasses.replace(machine, pip_library=tmp_path / "gone.dll")
    step = next(step for step in install(machine) if step.what == "xlwings library")
    assert not step.done
    assert "not with --user" in step.told
    machine = dataclasses.replace(machine, pip_library=None)
    step = next(step for step in install(machine) if step.what == "xlwings library")
    assert "--force-reinstall" in step.told


def test_the_python_of_the_store_is_refused_with_the_reason(machine, registry):
    base = Path(r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.11_qbz5n2kfra8p0")
    store = dataclasses.replace(machine, base=base)
    (step,) = install(store)
    assert not step.done
    assert "python.org" in step.told
    assert registry == {}
    assert unmet(store) == ["Python"]


def test_a_conda_that_does_not_start_without_its_environment_is_explained(machine):
    (machine.prefix / "conda-meta").mkdir()
    assert "of conda" in status(machine)[1].found
    assert unmet(machine) == ["Python for Excel"]
    said = "Traceback\nImportError: DLL load failed while importing _multiarray_umath"
    broken = dataclasses.replace(machine, run=lambda _: said)
    check = next(check for check in status(broken) if check.what.startswith("Python starts"))
    assert not check.ok
    assert "DLL load failed" in check.found
    assert "--force-reinstall numpy" in check.remedy


def test_a_python_without_pywin32_is_told(machine):
    assert unmet(dataclasses.replace(machine, has_pywin32=False))[0] == "pywin32"


@pytest.mark.parametrize(
    ("value", "fine"), [(None, True), (1, True), (2, True), (3, False), (4, False)]
)
def test_macros_that_cannot_run_are_told(machine, registry, value, fine):
    registry[SECURITY, "VBAWarnings"] = value
    assert ("macros" not in unmet(machine)) == fine


# --- elsewhere ------------------------------------------------------------------------------------


def test_elsewhere_every_step_is_told_and_nothing_is_done(machine, tmp_path):
    def refuse(*arguments):
        raise AssertionError(arguments)

    before = sorted(tmp_path.rglob("*"))
    elsewhere = dataclasses.replace(
        machine, windows=False, run=refuse, read_registry=refuse, write_registry=refuse
    )
    steps = install(elsewhere)
    assert not any(step.done for step in steps)
    assert "TOKENBOOK_PYTHON" in steps[0].told
    assert "XLSTART" in " ".join(step.told for step in steps)
    assert not any(step.done for step in uninstall(elsewhere))
    assert sorted(tmp_path.rglob("*")) == before
    (check,) = status(elsewhere)
    assert check.ok is False


def test_this_machine_is_looked_at():
    here = this_machine()
    assert here.shipped_addin.name == "xlwings.xlam"
    assert here.shipped_addin.exists()
    assert here.run([sys.executable, "-c", "print(1)"]) == "1\n"
    assert status()[0].what == "Windows"


def test_looking_imports_no_xlwings():
    program = (
        "import sys; from udfs.hosts.excel.status import status; status();"
        "print('xlwings' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE)
    assert done.stdout.split() == [b"False"]
