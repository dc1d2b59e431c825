"""Decode steps and prefills on one's own GPU, beside the estimate: a check, kept out of the fit.

Networks shaped like Llama 3.1 8B, Qwen3 32B and Qwen3 30B-A3B, with random weights, in PyTorch: one
GPU, bf16, and fp8 matrix products where the GPU has them. A decode step is captured in a CUDA graph
and replayed; of several rounds the median counts. What a serving program adds (scheduling,
sampling) is not in it, so it is held against the static step of the estimate.

    python benchmarks/gpu_step.py -o rows.csv [--models M ...] [--batches N ...] [--contexts N ...]
    python benchmarks/gpu_step.py --self-check      # tiny, on the processor: times nothing

Layers are alike, so a network of `--layers` of them is timed and scaled to all; the output head is
timed by itself. Without PyTorch or a GPU it says so in one line and ends with exit code 2.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

from engine.catalogue import Model, find
from engine.serving.case import one_case
from engine.serving.constants import calibrated
from engine.serving.decode import decode_step, total
from engine.serving.held import Load
from engine.serving.prefill import prefill

MODELS = ("llama-3.1-8b", "qwen3-32b", "qwen3-30b-a3b")
BATCHES, CONTEXTS = (1, 8, 32, 128, 512), (1024, 8192, 32768)
FORMATS = ("bf16", "fp8")
ROUNDS, LAYERS = 20, 4
#: Largest share of the GPU's memory that weights and cache of the timed layers may take.
_ROOM = 0.8
HEAD = ("date", "gpu", "torch", "cuda", "model", "format", "what", "batch", "context",
        "measured_ms", "estimated_ms", "estimated_over_measured")  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Dimensions of the network that is timed."""

    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    experts: int
    taken: int
    vocabulary: int


def shape_of(model: Model) -> Shape:
    """Return the dimensions of a model of the catalogue."""
    ffn = model.moe_ffn_dim if model.experts else model.ffn_dim
    return Shape(model.hidden, model.heads, model.kv_heads, model.head_dim, ffn, model.experts,
                 model.experts_per_token, model.vocab)  # fmt: skip


class Layer:
    """One layer: attention with a KV cache, and a feed-forward block or experts."""

    def __init__(self, torch, shape, batch, context, device, dtype, fp8):
        self.torch, self.shape, self.fp8 = torch, shape, fp8
        h, d = shape.hidden, shape.head_dim

        def weights(*size):
            drawn = torch.randn(*size, device=device, dtype=dtype) * 0.02
            return drawn.to(torch.float8_e4m3fn) if fp8 and len(size) == 2 else drawn

        self.query = weights((shape.heads + 2 * shape.kv_heads) * d, h)
        self.out = weights(h, shape.heads * d)
        if shape.experts:
            self.router = torch.randn(shape.experts, h, device=device, dtype=dtype)
            self.up = weights(shape.experts, h, 2 * shape.ffn)
            self.down = weights(shape.experts, shape.ffn, h)
        else:
            self.up, self.down = weights(2 * shape.ffn, h), weights(h, shape.ffn)
        size = (batch, shape.kv_heads, context, d)
        self.keys = torch.randn(*size, device=device, dtype=dtype)
        self.values = torch.randn(*size, device=device, dtype=dtype)
        self.one = torch.ones((), device=device)

    def product(self, x, w):
        """Multiply rows by a matrix, in fp8 where the weights are."""
        if not self.fp8:
            return x @ w.t()
        narrow = x.to(self.torch.float8_e4m3fn)
        return self.torch._scaled_mm(narrow, w.t(), self.one, self.one, out_dtype=x.dtype)

    def attend(self, x, batch, length, keys, values, causal):
        """Attend to a cache, or to the prompt itself."""
        shape = self.shape
        q, k, v = self.product(x, self.query).split(
            [n * shape.head_dim for n in (shape.heads, shape.kv_heads, shape.kv_heads)], dim=-1
        )
        q, k, v = (t.view(batch, length, -1, shape.head_dim).transpose(1, 2) for t in (q, k, v))
        seen = self.torch.nn.functional.scaled_dot_product_attention(
            q, k if keys is None else keys, v if values is None else values, is_causal=causal,
            enable_gqa=True,
        )  # fmt: skip
        return self.product(seen.transpose(1, 2).reshape(x.shape[0], -1), self.out)

    def feed(self, x):
        """Put rows through the block, or through the experts that they are sent to."""
        act = self.torch.nn.functional.silu
        if not self.shape.experts:
            gate, up = self.product(x, self.up).chunk(2, dim=-1)
            return self.product(act(gate) * up, self.down)
        scores, chosen = (x @ self.router.t()).topk(self.shape.taken, dim=-1)
        share = scores.softmax(dim=-1)
        if x.shape[0] * self.shape.taken <= self.shape.experts:
            # Few rows: gather the matrices of their experts.
            gate, up = self.torch.einsum("th,tkhf->tkf", x, self.up[chosen]).chunk(2, dim=-1)
            made = self.torch.einsum("tkf,tkfh->tkh", act(gate) * up, self.down[chosen])
            return (made * share[..., None]).sum(1)
        # Many rows: every expert takes an even part of them, as graphs need fixed sizes.
        even = -(-x.shape[0] * self.shape.taken // self.shape.experts)
        rows = x.repeat_interleave(self.shape.taken, 0)
        rows = self.torch.nn.functional.pad(rows, (0, 0, 0, even * self.shape.experts - len(rows)))
        parts = rows.view(self.shape.experts, even, -1)
        gate, up = self.torch.bmm(parts, self.up).chunk(2, dim=-1)
        made = self.torch.bmm(act(gate) * up, self.down).reshape(-1, x.shape[1])
        made = made[: x.shape[0] * self.shape.taken].view(x.shape[0], self.shape.taken, -1)
        return (made * share[..., None]).sum(1)

    def decode(self, x):
        """Take one token of each sequence through the layer."""
        x = x + self.attend(x, x.shape[0], 1, self.keys, self.values, False)
        return x + self.feed(x)

    def take_in(self, x):
        """Take a prompt through the layer."""
        x = x + self.attend(x, 1, x.shape[0], None, None, True)
        return x + self.feed(x)


def timed(torch, work, rounds, device):
    """Return the median time of one call, replayed from a CUDA graph where there is a GPU [s]."""
    work()
    if device == "cpu":
        from time import perf_counter  # noqa: PLC0415

        times = []
        for _ in range(rounds):
            start = perf_counter()
            work()
            times.append(perf_counter() - start)
        return median(times)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    marks = []
    for _ in range(rounds):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        graph.replay()
        end.record()
        marks.append((begin, end))
    torch.cuda.synchronize()
    return median(begin.elapsed_time(end) for begin, end in marks) / 1e3


def measured(torch, shape, layers, number_format, batch, context, counted, rounds, device):
    """Return the time of a decode step and of a prefill of all layers [s]."""
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    fp8 = number_format == "fp8"
    with torch.no_grad():
        stack = [Layer(torch, shape, batch, context, device, dtype, fp8) for _ in range(counted)]
        head = torch.randn(shape.vocabulary, shape.hidden, device=device, dtype=dtype)
        x = torch.randn(batch, shape.hidden, device=device, dtype=dtype)
        prompt = torch.randn(context, shape.hidden, device=device, dtype=dtype)

        def run(start, name):
            for layer in stack:
                start = getattr(layer, name)(start)
            return start

        step = timed(torch, lambda: run(x, "decode"), rounds, device) * layers / counted
        step += timed(torch, lambda: x @ head.t(), rounds, device)
        whole = timed(torch, lambda: run(prompt, "take_in"), max(rounds // 4, 1), device)
    return step, whole * layers / counted


def estimated(model, accelerator, number_format, batch, context):
    """Return the estimate of the same, static: nothing scheduled, nothing else running [s]."""
    case, c = one_case(model, accelerator, number_format), calibrated()
    load = Load(float(batch), float(context), 1.0, 1.0, 1.0, 1.0)
    terms, _ = decode_step(case, load, c, float(batch))
    return total(terms) - terms.schedule, prefill(case, load, c)


def accelerator_of(name):
    """Return the accelerator of the catalogue that a device's name means."""
    known = {"A100": "a100_80gb_sxm", "H100": "h100_sxm", "H200": "h200_sxm", "B200": "b200_sxm",
             "B300": "b300_sxm", "L40S": "l40s", "L4": "l4"}  # fmt: skip
    return next((known[key] for key in known if key in name), None)


def fits(shape, counted, batch, context, fp8, memory):
    """Tell whether the timed layers fit in memory [B]."""
    h, d = shape.hidden, shape.head_dim
    block = 3 * h * shape.ffn * max(shape.experts, 1)
    weights = h * d * 2 * (shape.heads + shape.kv_heads) + block
    cache = 2 * batch * shape.kv_heads * context * d
    return counted * (weights * (1 if fp8 else 2) + cache * 2) < memory * _ROOM


def self_check(torch):
    """Run every way through the code on tiny networks on the processor."""
    for experts in (0, 8):
        shape = Shape(64, 4, 2, 16, 32, experts, 2 if experts else 0, 100)
        for batch in (1, 16):
            step, whole = measured(torch, shape, 4, "bf16", batch, 32, 2, 3, "cpu")
            if not (step > 0 and whole > 0):
                raise SystemExit("a time of nothing was measured")
    step, whole = estimated("qwen3-30b-a3b", "h200_sxm", "bf16", 8, 1024)
    if not 0 < step < whole * 100:
        raise SystemExit("the estimate is not of this world")
    print("the self-check ran: dense and experts, few rows and many, estimate beside them")
    return 0


def main(arguments):
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, help="CSV file for the rows")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--contexts", nargs="+", type=int, default=CONTEXTS)
    parser.add_argument("--layers", type=int, default=LAYERS, help="layers that are timed")
    parser.add_argument("--self-check", action="store_true", help="tiny, on the processor")
    given = parser.parse_args(arguments)
    try:
        import torch  # noqa: PLC0415  (not needed by anything else)
    except ImportError:
        print("gpu_step needs PyTorch, which is not installed", file=sys.stderr)
        return 2
    if given.self_check:
        return self_check(torch)
    if not torch.cuda.is_available():
        print("gpu_step needs a GPU that PyTorch can use; there is none", file=sys.stderr)
        return 2
    device = torch.cuda.get_device_name()
    accelerator = accelerator_of(device)
    if accelerator is None:
        print(f"gpu_step has no accelerator of the catalogue for {device!r}", file=sys.stderr)
        return 2
    memory = torch.cuda.get_device_properties(0).total_memory
    has_fp8 = torch.cuda.get_device_capability() >= (8, 9)
    rows = []
    for name in given.models:
        model = find(Model, name)
        shape = shape_of(model)
        # Experts are timed in bf16 alone: PyTorch multiplies no stack of fp8 matrices.
        for number_format in FORMATS if has_fp8 and not model.experts else FORMATS[:1]:
            for context in given.contexts:
                for batch in given.batches:
                    if not fits(
                        shape, given.layers, batch, context, number_format == "fp8", memory
                    ):
                        continue
                    times = measured(torch, shape, model.layers, number_format, batch, context,
                                     given.layers, ROUNDS, "cuda")  # fmt: skip
                    told = estimated(name, accelerator, number_format, batch, context)
                    for what, took, guess in zip(("step", "prefill"), times, told, strict=True):
                        rows.append((date.today().isoformat(), device, torch.__version__,
                                     torch.version.cuda, name, number_format, what, batch, context,
                                     f"{took * 1e3:.4f}", f"{guess * 1e3:.4f}",
                                     f"{guess / took:.3f}"))  # fmt: skip
                        print(*rows[-1][4:])
                    torch.cuda.empty_cache()
    if given.output:
        partial = given.output.with_name(given.output.name + ".part")
        with partial.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEAD, *rows])
        partial.replace(given.output)
    for what in ("step", "prefill"):
        ratios = [float(row[-1]) for row in rows if row[6] == what]
        if ratios:
            print(f"{what}: estimate over measured, median {median(ratios):.2f} of {len(ratios)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
