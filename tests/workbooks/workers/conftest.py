"""What the tests of workers share: a scheduler with its workers, on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Workers find there what the tests give them to do.
sys.path.insert(0, str(HERE))


class LocalCluster:
    """A scheduler in a process of its own, and workers in theirs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.workers: list[subprocess.Popen] = []
        told = folder / "scheduler.json"
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(told),
        )  # fmt: skip
        end = time.monotonic() + 60
        while True:
            try:
                self.address = json.loads(told.read_text())["address"]
                return
            except (FileNotFoundError, ValueError):
                assert self.scheduler.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)

    def add(self, *options: str, **environment: str) -> subprocess.Popen:
        found = self._start(
            "dask_worker", self.address, "--nthreads", "1", "--no-dashboard",
            "--local-directory", str(self._folder), *(options or ["--no-nanny"]), **environment,
        )  # fmt: skip
        self.workers.append(found)
        return found

    def _start(self, what: str, *options: str, **environment: str) -> subprocess.Popen:
        path = os.pathsep.join([str(HERE), str(HERE.parents[2]), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{what}", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder,
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(self._folder),
                 "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2", **environment},
        )  # fmt: skip

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.terminate()
        for process in (*self.workers, self.scheduler):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    pytest.importorskip("distributed", reason="the extra `distributed` is not installed")
    folder = tmp_path / "cluster"
    folder.mkdir()
    found = LocalCluster(folder)
    try:
        yield found
    finally:
        found.close()
