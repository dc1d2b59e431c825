"""The load that a replica serves within the limits on time, and what its tokens cost by then."""

from __future__ import annotations

from collections.abc import Mapping

from udfs.functions import TOK_MAX_CONCURRENCY, TOK_SERVING_BAND, TOK_THROUGHPUT, TOK_TPOT, TOK_TTFT
from workbooks.authoring.layout import Book, Ref, call

#: What is asked of a model: by which inputs are keyed, and its name.
PRODUCTS = {"chat": "Chat", "agent": "Agents", "batch": "Batch"}
_LOADS = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256)


def add_serving(book: Book, given: Mapping[str, Ref]) -> dict[str, Ref]:
    """Add the sheet that finds the load within the limits; return rate and band by product."""
    sheet = book.sheet(
        "Serving",
        "How many requests a replica serves at once",
        "The highest load that keeps both time limits and fits in memory, and what it costs",
        (40, 18, 18, 20, 20),
    )
    sheet.upright = True
    found: dict[str, Ref] = {}
    machine = (given["replica"], 1, 1, given["weights"])
    ladders: dict[str, tuple[Ref, Ref]] = {}
    sheet.heading("Loads tried")
    loads = sheet.table(("Requests at once",), [(load,) for load in _LOADS], ("input integer",))
    for key, name in PRODUCTS.items():
        sheet.heading(f"Within the limits: {name.lower()}")
        tokens = (given[f"{key}_in"], given[f"{key}_out"])
        who = (given["model"], given["accelerator"])
        room = call(TOK_MAX_CONCURRENCY, *who, *tokens, *machine)
        body = sheet.ref(sheet.row + 1, 1, loads.rows, 4)
        rows = []
        for i in range(loads.rows):
            load, tpot, ttft = (body.at(i, c).local for c in range(3))
            case = (*who, load, *tokens, *machine, None, given[f"{key}_cached"])
            rows.append((
                f"=MIN({loads.at(i)},{room})",
                f"={call(TOK_TPOT, *case)}",
                f"={call(TOK_TTFT, *case)}",
                f"=IF(AND({tpot}<={given[f'{key}_max_tpot']},{ttft}<={given[f'{key}_max_ttft']}),"
                f"{load},0)",
            ))  # fmt: skip
        table = sheet.table(
            ("Requests at once", "A token\ns", "Wait for the first\ns", "Load if within"),
            rows, ("calc integer", "calc ratio", "calc ratio", "output integer"),
        )  # fmt: skip
        ladders[key] = (table.part(3), sheet.ref(sheet.row, 1))
    sheet.heading("What a replica serves")
    body = sheet.ref(sheet.row + 1, 1, len(PRODUCTS), 5)
    served = []
    for i, key in enumerate(PRODUCTS):
        load = body.at(i, 1).local
        case = (given["model"], given["accelerator"], load, given[f"{key}_in"],
                given[f"{key}_out"], *machine, None, given[f"{key}_cached"])  # fmt: skip
        band = call(TOK_SERVING_BAND, 1, 1, *case)
        served.append((
            PRODUCTS[key],
            f"=MAX({ladders[key][0].local})",
            f"={call(TOK_THROUGHPUT, *case)}*{given['replica']}",
            f"=INDEX({band},1,1)/INDEX({band},1,1+1)",
            f"=INDEX({band},1,1+1+1)/INDEX({band},1,1+1)",
        ))  # fmt: skip
    table = sheet.table(
        ("Product", "Requests at once of a replica", "Output tokens/s of a replica",
         "10th percentile of cost over median", "90th percentile of cost over median"),
        served, ("label", "output integer", "output integer", "output ratio", "output ratio"),
    )  # fmt: skip
    for i, key in enumerate(PRODUCTS):
        for c, field in ((2, "rate"), (3, "low"), (4, "high")):
            found[f"{key}_{field}"] = sheet.ref(table.row + i, 1 + c)
    return found
