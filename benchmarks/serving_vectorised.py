"""A million serving estimates in one call, beside what else could compute them.

All in this process, on one thread, in turn; the best of several rounds counts, in time of that
thread, which others on the machine disturb less:

- the vectorised call, with all its checks;
- a Numba kernel fused by hand from the same formula, the limit of one thread: it gets the numbers
  of the case ready-made and checks nothing but that the cache fits. It must give the same numbers;
- a loop over scalar calls of the same function, on a sample.

    python benchmarks/serving_vectorised.py [--estimates N]

Exit code 1 where the call takes more than 3 times as long as the kernel, or needs more memory
beside arguments and result than a hundred blocks.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import namedtuple
from dataclasses import asdict
from time import thread_time

import numba
import numpy as np

from engine.blocks import BLOCK
from engine.serving.case import VOCABULARY_BYTES, case_of
from engine.serving.constants import calibrated
from engine.serving.estimates import throughput

LIMIT = 3.0
CASES = (("llama-3.1-70b", "h200_sxm", "fp8"), ("deepseek-r1", "b300_sxm", "nvfp4"))
SAMPLE = 1000
ROUNDS = 7


@numba.njit(error_model="numpy")
def kernel(concurrency, prompt, answer, tensor, k, c, out):
    """Throughput of each element; one data-parallel rank, experts in one part."""
    weight_rate = 1 / (k.bandwidth * c.weight_efficiency)
    product_rate = 2 / (k.weight_peak * c.decode_efficiency)
    expert_rate = (
        k.expert_bytes * (1 + c.unpacking * k.unpacked) / (k.bandwidth * c.expert_efficiency)
    )
    expert_product = 2 * k.taken / (k.expert_peak * c.decode_efficiency) * c.expert_work
    surplus = c.kv_surplus if k.kv_bytes < 2 else 1.0
    kv_rate = k.kv_elements * k.kv_bytes * surplus / (k.bandwidth * c.kv_efficiency)
    cached = k.layers * k.kv_elements * k.kv_bytes
    launching = k.vllm + k.trtllm * c.launch_trtllm + k.sglang * c.launch_sglang
    pace = k.vllm + k.trtllm * c.pace_trtllm + k.sglang * c.pace_sglang
    layers = k.layers * launching * (c.launch + k.latent * c.launch_latent)
    layers += k.moe_layers * c.launch_experts
    scaling = k.layers * c.launch_quantised * k.quantised
    expert_scaling = k.moe_layers * c.launch_expert_scales * k.scaled
    wider = VOCABULARY_BYTES / (k.expert_bytes * (1 + c.unpacking * k.unpacked))
    wide_product = 2 / (k.peak * c.decode_efficiency)
    scoring_rate = k.latent_work / (k.peak * c.latent_efficiency)
    per_expert = k.moe_layers * c.launch_expert
    slower = 1e-6 * k.clock**-c.clock_exponent * k.launching
    reduce_rate = 4 / c.link_efficiency * k.hidden
    links = 2 * k.layers / k.link
    prefill_read = 1 / (k.bandwidth * c.prefill_weight_efficiency)
    dense_rate = 2 / (k.weight_peak * c.prefill_efficiency)
    experts_rate = 2 * k.taken / (k.expert_peak * c.prefill_efficiency) * c.expert_work
    ordering = k.moe_layers * k.taken * k.expert_hidden * c.expert_traffic / k.bandwidth
    attending = k.full_layers + k.sliding_layers
    attention_rate = 2 * k.heads * k.head_width / (k.peak * c.attention_efficiency)
    traffic = k.layers * k.hidden * c.activation_traffic / k.bandwidth
    reduces = 8 * k.layers * k.hidden / (c.prefill_link_efficiency * k.link)
    log_skipped = math.log(k.skipped) if k.experts > 0 else 0.0
    front_end = c.front_end * 1e-3
    for i in range(out.size):
        tokens_in, tokens_out = prompt[i], answer[i]
        share = 1 / tensor[i]
        peers = tensor[i] - 1
        heads = max(k.kv_heads * share, 1.0)
        dense = k.replicated + k.split * share + k.kv_projection * heads
        held = k.moe_layers * k.expert * share
        wide = k.wide_replicated + k.wide_split * share
        dense_bytes = dense * k.weight_bytes + wide * VOCABULARY_BYTES
        weights = dense_bytes + k.vocabulary * share * VOCABULARY_BYTES
        weights += held * k.experts * k.expert_bytes
        room = (k.memory - weights) * c.memory_share - c.memory_reserve * 1e9
        fitting = math.floor(room / (cached * (tokens_in + tokens_out) * heads))
        if not fitting >= 1:
            out[i] = math.nan
            continue
        wanted = concurrency[i]
        running = min(wanted, fitting)
        head = k.head * share
        reading = (dense_bytes + head * VOCABULARY_BYTES) * weight_rate
        computing = dense * running * product_rate + (head + wide) * running * wide_product
        step = max(computing, reading)
        saved = min(VOCABULARY_BYTES / k.weight_bytes, k.weight_peak / k.peak) - 1
        quantising = min(scaling, dense * k.weight_bytes * weight_rate * saved / slower)
        launch = layers + c.schedule * running + quantising
        idle = step - computing + quantising * slower
        prefill_bytes = dense_bytes
        matrices = dense * dense_rate + wide * 2 / (k.peak * c.prefill_efficiency)
        if k.experts > 0:
            active = k.experts - k.experts * math.exp(log_skipped * running**c.routing_skew)
            reading, computing = held * active * expert_rate, held * running * expert_product
            core = max(reading, computing)
            in_bf16 = max(reading * wider, computing * k.expert_peak / k.peak)
            quantising = min(expert_scaling, max(in_bf16 - core, 0.0) / slower)
            launch += quantising
            step += core + running * ordering
            idle += core - computing + quantising * slower
            launch += per_expert * active
            active = k.experts - k.experts * math.exp(log_skipped * tokens_in)
            prefill_bytes += held * active * k.expert_bytes
            matrices += held * experts_rate
        context = tokens_in + tokens_out / 2
        attended = k.full_layers * context
        self_attended = k.full_layers * tokens_in
        if k.sliding_layers > 0:
            attended += k.sliding_layers * min(context, k.window)
            self_attended += k.sliding_layers * min(tokens_in, 2 * k.window)
        attended += c.cache_overhead * attending
        self_attended += c.attention_overhead * attending
        caching = running * attended * heads * kv_rate
        step += max(caching, running * attended * share * scoring_rate) + launch * slower
        step += peers * (running * share * reduce_rate + c.link_message * 1e3) * links
        alone = max(matrices * tokens_in, prefill_bytes * prefill_read)
        alone += tokens_in * share * (attention_rate * self_attended + traffic + peers * reduces)
        alone += tokens_in * ordering
        others = max(running - 1, 0.0)
        step *= pace
        alone *= pace
        prefills = others / tokens_out
        ridden = idle * pace * c.overlap * min(prefills, 1.0)
        mixed = max(c.mixing * prefills * alone - ridden, 0.0)
        tpot = step + mixed
        started = alone * (1 + c.queue * others)
        first = started + c.first_steps * step + mixed + front_end
        stay = first + tpot * (tokens_out - 1)
        out[i] = running * tokens_out / (stay * tensor[i])


def named(name, values):
    """Return a tuple that Numba can read by name."""
    return namedtuple(name, values)(**values)


def best(functions, rounds=ROUNDS):
    """Return the least time of each function, all taken in turn [s]."""
    times = [math.inf] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            start = thread_time()
            function()
            times[i] = min(times[i], thread_time() - start)
    return times


def loads(count):
    """Return concurrency, prompt, answer and tensor parallelism of random loads."""
    rng = np.random.default_rng(0)
    return (
        rng.integers(1, 257, count).astype(float),
        rng.integers(128, 8193, count).astype(float),
        rng.integers(128, 8193, count).astype(float),
        2.0 ** rng.integers(1, 4, count),
    )


def peak_memory(call):
    """Return the most memory that a call holds beyond what it began with [B]."""
    import tracemalloc  # noqa: PLC0415

    tracemalloc.start()
    result = call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - result.nbytes


def main(arguments):
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--estimates", type=int, default=1_000_000)
    given = parser.parse_args(arguments)
    load = loads(given.estimates)
    constants = named("Constants", asdict(calibrated()))
    within = True
    for model, accelerator, number_format in CASES:
        case = named("Case", case_of(model, accelerator, number_format, None)[0]._asdict())
        out = np.empty(given.estimates)

        def vectorised(model=model, accelerator=accelerator, weights=number_format):
            return throughput(model, accelerator, *load, 1.0, 1.0, weights)

        def fused(case=case, out=out):
            kernel(*load, case, constants, out)

        def loop(model=model, accelerator=accelerator, weights=number_format):
            rows = zip(*(column[:SAMPLE].tolist() for column in load), strict=True)
            return [throughput(model, accelerator, *row, 1.0, 1.0, weights) for row in rows if row]

        fused()
        np.testing.assert_allclose(vectorised(), out, rtol=1e-11)
        ours, limit = best([vectorised, fused])
        fits = not np.isnan(out[:SAMPLE]).any()
        scalar = best([loop], 2)[0] / SAMPLE if fits else math.nan
        extra = peak_memory(vectorised)
        ratio = ours / limit
        within &= ratio <= LIMIT and extra <= 100 * BLOCK * 8
        each = 1e9 / given.estimates
        print(f"{model} on {accelerator}, {given.estimates:,} estimates")
        print(f"  vectorised call   {ours * each:9.1f} ns an estimate, {ours:.3f} s in all")
        print(f"  fused by Numba    {limit * each:9.1f} ns; the call takes {ratio:.2f} times that")
        slower = scalar / ours * given.estimates
        print(
            f"  loop of scalars   {scalar * 1e9:9.0f} ns; {slower:,.0f} times as long as the call"
        )
        print(f"  memory beside arguments and result: {extra / 1e6:.1f} MB")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
