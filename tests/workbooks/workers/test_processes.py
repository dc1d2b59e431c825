"""Tasks done by other processes of this machine: in order, once, and again where one was lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import given
import numpy as np
import pytest

from workbooks.errors import BadInputError, CrashedError
from workbooks.workers import Where, crew
from workbooks.workers.tasks import Job, Lost, as_done, results


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder in which nothing may stay."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def test_results_come_in_order_and_a_bounded_number_waits() -> None:
    pulled = 0

    def tasks() -> Iterator[tuple[float]]:
        nonlocal pulled
        for number in range(20):
            pulled += 1
            yield (float(number),)

    found = []
    with crew(Where(2)) as others:
        for number, one in enumerate(
            results(others, Job(given.itself, 3.0, given.late, "task"), tasks())
        ):
            found.append(one)
            assert pulled - number <= 2 * 2
    assert found == [3.0 * number for number in range(20)]


def test_as_done_yields_each_once_and_not_behind_a_slow_one() -> None:
    with crew(Where(2)) as others:
        job = Job(given.itself, 3.0, given.late, "task")
        found = list(as_done(others, job, ((float(n),) for n in range(8))))
    assert sorted(found) == [(n, 3.0 * n) for n in range(8)]
    assert found != sorted(found)


def test_what_is_shared_is_made_ready_once_by_each(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with crew(Where(2)) as others:
        job = Job(given.noted, told, given.worker, "task")
        workers = set(results(others, job, ((n,) for n in range(20))))
    assert sorted(map(int, told.read_text().split())) == sorted(workers)
    assert os.getpid() not in workers


def test_large_matrices_that_look_alike_are_not_taken_for_each_other() -> None:
    one, other = np.zeros((50, 50)), np.zeros((50, 50))
    other[25, 25] = 1
    assert repr(one) == repr(other)
    with crew(Where(1)) as others:
        found = [
            [*results(others, Job(given.itself, matrix, given.total, "task"), [(1.0,)])]
            for matrix in (one, other, one)
        ]
    assert found == [[0.0], [1.0], [0.0]]


@pytest.mark.parametrize("times", [1, 2])
def test_a_task_is_tried_again(tmp_path: Path, times: int) -> None:
    with crew(Where(2)) as others:
        job = Job(given.itself, tmp_path, given.killed, "block")
        found = list(results(others, job, ((n, 6, times) for n in range(12))))
    assert found == list(range(12))
    assert len((tmp_path / "tries").read_text().split()) == times + 1


def test_a_task_that_is_lost_for_good_is_told(tmp_path: Path) -> None:
    with crew(Where(2)) as others:
        job = Job(given.itself, tmp_path, given.killed, "block")
        with pytest.raises(CrashedError, match=r"^block 7 was lost three times: .* was written$"):
            list(results(others, job, ((n, 6, 99) for n in range(12))))
    assert len((tmp_path / "tries").read_text().split()) == 3


def test_the_others_are_done_beside_one_that_is_lost(tmp_path: Path) -> None:
    with crew(Where(2)) as others:
        job = Job(given.itself, tmp_path, given.killed, "file")
        found = dict(as_done(others, job, ((n, 6, 99) for n in range(12))))
    lost = found.pop(6)
    assert isinstance(lost, Lost)
    assert lost.message.startswith("file 7 was lost three times")
    assert found == {n: n for n in range(12) if n != 6}


def test_a_refusal_is_the_same_elsewhere() -> None:
    with crew(Where(2)) as others, pytest.raises(BadInputError, match=r"^two is refused$"):
        list(results(others, Job(given.itself, 0, given.refused, "task"), ((n,) for n in range(9))))
