"""Tasks done by the workers of a Dask cluster: the same results, whoever ends half-way."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import given
import openpyxl
import pytest
from typer.testing import CliRunner

from engine.uncertainty.draws import BLOCK
from workbooks.cli import app
from workbooks.errors import BadInputError, CrashedError
from workbooks.recalc.many import Options, recalculate_many
from workbooks.scenarios.risks import read_risks
from workbooks.scenarios.simulate import simulate
from workbooks.scenarios.sweep import sweep
from workbooks.workers import Where, crew
from workbooks.workers.tasks import Job, results

pytest.importorskip("distributed", reason="the extra `distributed` is not installed")

from workbooks.workers import cluster as module


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, Path]:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    sheet["A1"], sheet["A2"] = 1, 2
    sheet["B1"], sheet["B2"] = "=EXP(A1)*A2+TOK_SUBSIDY(A1,A2)", '=IF(A1>1,"much",LN(A2))'
    path = tmp_path / "model.xlsx"
    book.save(path)
    risks = tmp_path / "risks.csv"
    risks.write_text("cell,distribution,low,high\nM!A1,uniform,0.5,2\nM!A2,uniform,1,3\n")
    return path, risks


@pytest.mark.long
def test_a_cluster_gives_the_same_to_the_byte_though_a_worker_is_killed(model, cluster) -> None:
    path, risks = model
    outputs, draws = ["M!B1", "M!B2"], 8 * BLOCK
    given_risks = read_risks(path, risks)
    alone = simulate(path, given_risks, outputs, draws, seed=3)
    assert not alone.reason
    cluster.add()
    cluster.add()
    killed = []

    def kill(_stage: str, done: int, _total: int) -> None:
        if done >= 3 * BLOCK and not killed:
            killed.append(cluster.workers[0])
            cluster.workers[0].send_signal(signal.SIGKILL)

    for where in (Where(2), Where(scheduler=cluster.address)):
        found = simulate(
            path, given_risks, outputs, draws, seed=3, where=where,
            progress=kill if where.scheduler else None,
        )  # fmt: skip
        assert found.draws.labels == alone.draws.labels == ("much",)
        for name in ("inputs", "outputs", "codes"):
            assert getattr(found.draws, name).tobytes() == getattr(alone.draws, name).tobytes()
    assert killed[0].wait(10) == -signal.SIGKILL


def test_a_sweep_gives_the_same_to_the_byte_whoever_evaluates(
    model, tmp_path: Path, cluster
) -> None:
    path, _ = model
    cluster.add()
    # A few are evaluated one by one; one has no result, and one is refused.
    lines = [f"{0.1 * i},{i - 3}" for i in range(1, 20)] + ["much,1"]
    (tmp_path / "scenarios.csv").write_text("\n".join(["M!A1,M!A2", *lines]) + "\n")
    written = []
    for name, where in (("a", Where()), ("b", Where(2)), ("c", Where(scheduler=cluster.address))):
        out = tmp_path / f"{name}.csv"
        report = sweep(path, tmp_path / "scenarios.csv", ["M!B1:B2"], out, where=where)
        assert (report.done, report.bad, report.reason) == (20, 1, "")
        written.append(out.read_bytes())
    assert written[0] == written[1] == written[2]
    assert b"#NUM!" in written[0]
    assert b"holds a number; 'much' is none" in written[0]


def test_a_cluster_recalculates_the_same_files(model, tmp_path: Path, cluster) -> None:
    path, _ = model
    cluster.add()
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder, where in zip(folders, (Where(1), Where(scheduler=cluster.address)), strict=True):
        batch = recalculate_many([path], folder, Options((("M!A1", 0.75),)), where=where)
        assert not batch.failed
    here, there = ((folder / "model.xlsx").read_bytes() for folder in folders)
    assert here == there != path.read_bytes()


@pytest.mark.long
def test_a_task_that_kills_its_workers_is_told(tmp_path: Path, cluster) -> None:
    # What watches over a worker starts another in its place.
    cluster.add("--nanny")
    with crew(Where(scheduler=cluster.address)) as others:
        job = Job(given.itself, tmp_path, given.killed, "block")
        with pytest.raises(CrashedError, match="block 3 was lost three times"):
            list(results(others, job, ((n, 2, 99) for n in range(4))))
    # The scheduler does not count a worker that ended before it was told that the task had begun.
    assert len((tmp_path / "tries").read_text().split()) >= 3


def test_a_scheduler_that_ends_is_told(tmp_path: Path, cluster) -> None:
    cluster.add()
    with crew(Where(scheduler=cluster.address)) as others:
        found = results(others, Job(given.itself, 1.0, given.late, "task"), ((3.0,),) * 100)
        assert next(found) == 3.0
        cluster.scheduler.kill()
        with pytest.raises(CrashedError, match="no longer there; nothing was written"):
            list(found)


@pytest.mark.long
def test_no_workers_for_long_is_told(cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NOBODY", 0.1)
    with (
        crew(Where(scheduler=cluster.address)) as others,
        pytest.raises(CrashedError, match="no workers for"),
    ):
        list(results(others, Job(given.itself, 1.0, given.product, "task"), [(1.0,)]))


@pytest.mark.parametrize("name", ["tokenbook", "numpy", "own prices"])
def test_a_worker_that_would_compute_otherwise_is_told(
    cluster, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    cluster.add()
    mine = {**module.versions(), name: "9.9"}
    monkeypatch.setattr(module, "versions", lambda: mine)
    with (
        crew(Where(scheduler=cluster.address)) as others,
        pytest.raises(BadInputError, match=f"would compute otherwise: {name} is .* of 9.9"),
    ):
        list(results(others, Job(given.itself, 1.0, given.product, "task"), [(1.0,)]))


@pytest.mark.parametrize("kind", ["closed", "silent", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_one_line(
    model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(module, "ANSWER", 1.0)
    path, risks = model
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if kind == "silent":
            listening.listen()
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        if kind == "nonsense":
            address = "carrier-pigeon://roof"
        done = CliRunner().invoke(
            app,
            ["simulate", str(path), "--inputs", str(risks), "--outputs", "M!B1", "--scheduler",
             address, "-o", str(tmp_path / "out.csv")],
        )  # fmt: skip
    assert isinstance(done.exception, BadInputError)
    assert f"the scheduler at {address} does not answer" in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (tmp_path / "out.csv").exists()
