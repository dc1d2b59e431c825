"""How long a template's page takes to be ready, and to show an input everywhere.

    python benchmarks/page.py plan risk

For each template that is named, or for all: its size, the time from opening until it computes, and
for each number that can be changed the time from its entry until every figure and chart is drawn
again, laid out by the browser too. Chromium, the network off. Exit code 1 where a page is not ready
within a second, or where an input takes more than 50 ms.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "workbooks" / "page"))

from driven import browser

from workbooks import templates
from workbooks.pages import export_template

READY_S, INPUT_MS = 1.0, 50.0
#: An entry that is taken: the smallest step away from what the field holds.
_EACH = """(() => {
  const fields = [...document.querySelectorAll('.field')].filter((f) => f.querySelector('input'));
  return fields.map((field) => {
    const control = field.querySelector('input');
    const kept = control.value;
    const number = Number(kept.replace(/,/g, ''));
    if (!Number.isFinite(number) || kept === '') return null;
    const times = [];
    for (const by of [1.01, 0.99, 1.02]) {
      const whole = Number.isInteger(number) && number < 1000;
      control.value = String(whole ? number + Math.sign(by - 1) : number * by);
      const start = performance.now();
      control.dispatchEvent(new Event('change', { bubbles: true }));
      document.body.getBoundingClientRect();
      times.push(performance.now() - start);
      if (control.getAttribute('aria-invalid') === 'true') times.pop();
    }
    control.value = kept;
    control.dispatchEvent(new Event('change', { bubbles: true }));
    const label = field.querySelector('label').firstChild.textContent;
    return times.length ? [label, times.sort((a, b) => a - b)[Math.floor(times.length / 2)]] : null;
  }).filter(Boolean);
})()"""


def main(names: list[str]) -> int:
    """Time the pages of some templates."""
    late = False
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder) / "profile") as page:
        page("Network.emulateNetworkConditions", offline=True, latency=0,
             downloadThroughput=-1, uploadThroughput=-1)  # fmt: skip
        page("Emulation.setDeviceMetricsOverride", width=1240, height=900,
             deviceScaleFactor=1, mobile=False)  # fmt: skip
        for name in names:
            path = Path(folder) / f"{name}.html"
            export_template(name, path)
            start = perf_counter()
            page.open(path)
            ready = perf_counter() - start
            page.run(_EACH)
            timed = sorted(page.run(_EACH), key=lambda one: -one[1])
            slow = [one for one in timed if one[1] > INPUT_MS]
            late |= ready > READY_S or bool(slow)
            print(
                f"{name}: {path.stat().st_size / 1e6:.2f} MB, ready in {ready:.2f} s; "
                f"{len(timed)} inputs, median {median(ms for _, ms in timed):.0f} ms, "
                f"{len(slow)} over {INPUT_MS:.0f} ms; slowest: "
                + "; ".join(f"{label} {ms:.0f} ms" for label, ms in timed[:5])
            )
    return int(late)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(templates.NAMES)))
