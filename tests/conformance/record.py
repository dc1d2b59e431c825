"""Write what the engine answers to every case, for review: `python tests/conformance/record.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cases import EXPECTED, as_json, cases

from udfs import registry


def main() -> None:
    """Record the answers, one case a line."""
    answers = {case.id: as_json(registry[case.function](*case.cells)) for case in cases()}
    lines = (f"{json.dumps(i)}: {json.dumps(a, ensure_ascii=False)}" for i, a in answers.items())
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(answers)} cases in {EXPECTED}")


if __name__ == "__main__":
    main()
