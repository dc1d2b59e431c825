"""Tasks done elsewhere: by other processes of this machine, or by the workers of a cluster.

Both are reached through the interface of `concurrent.futures`, and give the same results.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from workbooks.workers.crew import Crew
from workbooks.workers.processes import Processes


class Where(NamedTuple):
    """Who does the tasks.

    `workers` processes of this machine, or those of the Dask cluster whose `scheduler` listens at
    this address, as tcp://10.0.0.5:8786.
    """

    workers: int = 1
    scheduler: str = ""

    @property
    def here(self) -> bool:
        """Whether this process does them itself."""
        return self.workers <= 1 and not self.scheduler


@contextmanager
def crew(where: Where) -> Iterator[Crew]:
    """Have those who do tasks ready; what they have not done at the end is left."""
    found: Crew
    if where.scheduler:
        # The extra `distributed`, which nobody else needs.
        from workbooks.workers.cluster import Cluster  # noqa: PLC0415

        found = Cluster(where.scheduler)
    else:
        found = Processes(where.workers)
    try:
        yield found
    finally:
        found.close()
