"""Write the figures of the serving estimate into docs/accuracy.md and README.md.

`python scripts/accuracy.py`. The figures are those of engine/data/calibration.json, which
`python -m engine.serving.calibration` writes; tests/test_accuracy_page.py says when the pages are
no longer up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.serving.constants import calibration

_ROOT = Path(__file__).parents[1]
PAGES = {name: _ROOT / name for name in ("docs/accuracy.md", "README.md")}

_KINDS = ("dense", "moe", "all")
#: Lines of the table: what stands in calibration.json, and how the page names it.
_LINES = {
    "throughput, configuration held out": "configurations left out",
    "throughput, family held out": "families left out (model, accelerator, program, format)",
    "throughput, family held out, backend not known": "families left out, program not named",
    "throughput, model held out": "models left out",
    "throughput, accelerator held out": "accelerators left out",
    "throughput, on the rows that aiconfigurator has": (
        "configurations left out, on the rows that aiconfigurator has"
    ),
    "aiconfigurator, on the same rows": "aiconfigurator 0.12, on the same rows",
    "throughput of saturated runs, fitted": (
        "saturated runs of TensorRT-LLM v0.14 ({rows}, in the fit with little weight)"
    ),
    "saturated runs of a newer program, not in the fit": (
        "saturated runs of TensorRT-LLM 1.x ({rows}, never in a fit)"
    ),
    "the same, prompts of at most 8,192 tokens": "of these, prompts of at most 8,192 tokens",
    "decode step of static estimates, fitted": (
        "decode step of another estimator's tables ({rows}, in the fit)"
    ),
}
_PROGRAMS = {"vllm": "vLLM", "trtllm": "TensorRT-LLM", "sglang": "SGLang"}
_TTFT = "time to the first token, "


def texts() -> dict[str, str]:
    """Return the text of each place in the pages, by its name."""
    held = calibration()
    return {"errors": _errors(held), "first token": _first_token(held), "coverage": _coverage(held),
            "headline": _headline(held)}  # fmt: skip


def filled(page: str) -> str:
    """Return a page with the figures in their places, each between two comments."""
    for name, text in texts().items():
        begin, end = f"<!-- {name} -->", "<!-- end -->"
        before, found, rest = page.partition(begin)
        if found:
            page = f"{before}{begin}{text}{end}{rest.partition(end)[2]}"
    return page


def _errors(held: Mapping[str, Any]) -> str:
    rows = [_row("throughput", "dense", "mixture of experts", "all"), _row(*["---"] * 4)]
    for name, told in _LINES.items():
        error = held["error"][name]
        rows.append(
            _row(told.format(rows=error["all"]["rows"]), *(_told(error[kind]) for kind in _KINDS))
        )
    return "\n" + "\n".join(rows) + "\n"


def _first_token(held: Mapping[str, Any]) -> str:
    rows = [_row("time to the first token (in the fit)", "error"), _row("---", "---")]
    by_program, by_kind = held["error"][f"{_TTFT}by backend"], held["error"][f"{_TTFT}fitted"]
    for name, told in _PROGRAMS.items():
        rows.append(_row(told, _told(by_program[name])))
    rows.append(_row("dense", _told(by_kind["dense"])))
    rows.append(_row("mixture of experts", _told(by_kind["moe"])))
    rows.append(_row("all", _told(by_kind["all"])))
    return "\n" + "\n".join(rows) + "\n"


def _coverage(held: Mapping[str, Any]) -> str:
    families = held["coverage_of_the_10_90_band"]
    alone = held["coverage, configuration held out"]
    rows = [_row("share of rows in the band", "families left out", "configurations left out")]
    rows.append(_row("---", "---:", "---:"))
    rows += [_row(name, _percent(families[name]), _percent(alone[name])) for name in families]
    return "\n" + "\n".join(rows) + "\n"


def _headline(held: Mapping[str, Any]) -> str:
    error = held["error"]
    one = error["throughput, configuration held out"]["all"]
    family = error["throughput, family held out"]["all"]
    first = error[f"{_TTFT}fitted"]["all"]
    return (
        f"{one['median'] * 100:.1f} % off in the median, {one['p90'] * 100:.1f} % at the 90th "
        f"percentile, on {one['rows']} measured runs that the fit had not seen; "
        f"{family['median'] * 100:.1f} and {family['p90'] * 100:.1f} % on families left out. "
        f"The time to the first token is off by {first['median'] * 100:.0f} % and is a range"
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _told(error: Mapping[str, float]) -> str:
    return f"{error['median'] * 100:.1f} / {error['p90'] * 100:.1f} %"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


if __name__ == "__main__":
    for path in PAGES.values():
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
