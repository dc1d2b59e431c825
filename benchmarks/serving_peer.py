"""The serving estimate beside the public estimator, aiconfigurator-core, for each estimate.

The peer looks kernels up in measured tables and interpolates; it answers for one load at a time.
Install it in an environment of its own (`pip install aiconfigurator-core==0.12.0`), since it pins
what it needs, and name that environment's Python:

    python benchmarks/serving_peer.py --peer PATH/TO/python

Both estimate Llama 3.1 70B in fp8 on two H200 under continuous batching at the same loads, each
load once, so that no cache helps; times are of the process, tables loaded and code warm. The two
alternate, and the best round of each counts.
Exit code 1 where the vectorised call is not at least 100 times as fast for each estimate.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from time import process_time

LIMIT = 100
LOADS = 200
VECTOR = 1_000_000
ROUNDS = 3


def loads(start, count):
    """Return batch, prompt and answer of loads that differ from each other."""
    return [(2 + i % 63, 1024 + i, 1024) for i in range(start, start + count)]


def peer():
    """Print the seconds of one estimate of the peer; runs in the peer's environment."""
    from aiconfigurator_core.sdk.backends.factory import get_backend  # noqa: PLC0415
    from aiconfigurator_core.sdk.config import RuntimeConfig  # noqa: PLC0415
    from aiconfigurator_core.sdk.config_builders import build_model_config  # noqa: PLC0415
    from aiconfigurator_core.sdk.models import get_model  # noqa: PLC0415
    from aiconfigurator_core.sdk.perf_database import get_database  # noqa: PLC0415

    tables = get_database("h200_sxm", "vllm", "0.24.0")
    config = build_model_config(2, 1, 1, 1, 1, "fp8", "bfloat16", "bfloat16", "fp8", "half")
    model = get_model("meta-llama/Meta-Llama-3.1-70B", config, "vllm")
    backend = get_backend("vllm")

    def estimate(batch, prompt, answer):
        load = RuntimeConfig(batch_size=batch, isl=prompt, osl=answer)
        return backend.run_agg(model, tables, load, ctx_tokens=prompt)

    assert estimate(64, 1023, 1024).get_summary_df()["tokens/s/gpu"][0] > 0
    start = process_time()
    for load in loads(0, LOADS):
        estimate(*load)
    print((process_time() - start) / LOADS)


def ours():
    """Return the seconds of one estimate, call by call and in one call."""
    import numpy as np  # noqa: PLC0415

    from engine import throughput  # noqa: PLC0415

    def estimate(batch, prompt, answer):
        return throughput("llama-3.1-70b", "h200_sxm", batch, prompt, answer, 2, 1, 1, "fp8")

    estimate(64, 1023, 1024)
    start = process_time()
    for load in loads(0, LOADS):
        estimate(*load)
    alone = (process_time() - start) / LOADS
    many = np.array(loads(0, VECTOR), dtype=float).T
    start = process_time()
    estimate(*many)
    return alone, (process_time() - start) / VECTOR


def main(arguments):
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer", help="Python of the environment that has aiconfigurator-core")
    parser.add_argument("--as-peer", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.as_peer:
        peer()
        return 0
    if not given.peer:
        parser.error("--peer is needed: the Python of an environment with aiconfigurator-core")
    rounds = []
    for _ in range(ROUNDS):
        told = subprocess.run(
            [given.peer, __file__, "--as-peer"], check=True, capture_output=True, text=True
        )
        rounds.append((float(told.stdout.split()[-1]), *ours()))
    theirs, alone, together = (min(times) for times in zip(*rounds, strict=True))
    print(f"aiconfigurator-core   {theirs * 1e6:10.2f} µs an estimate")
    for name, time in (("one call each", alone), (f"{VECTOR:,} in one call", together)):
        print(f"{name:22}{time * 1e6:10.2f} µs, {theirs / time:,.0f} times as fast")
    return int(theirs / together < LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
