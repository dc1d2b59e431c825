"""Subscription margin and the free tier that it carries."""

from __future__ import annotations

from udfs.functions import (
    TOK_BLENDED_PRICE,
    TOK_SUBSCRIPTION_MARGIN,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, Sheet, call


def add_subscription(
    book: Book, case: dict[str, Ref], common: dict[str, Ref], data: dict[str, Ref]
) -> None:
    """Add the sheet of a subscription and its free tier."""
    sheet = book.sheet(
        "Subscription",
        "Subscription margin and free tier",
        "A flat price, users who ask very differently, and a cap",
        (38, 18, 18, 18, 18, 22),
    )
    sheet.heading("A paying user, a month")
    usual = (case["price"], case["requests"])
    paid = sheet.results(
        [
            Result("cost", "Cost of a request",
                   f"({case['in_tokens']}*{case['in_price']}"
                   f"+{case['out_tokens']}*{case['out_price']})/{common['million']}",
                   "USD", "price4"),
            Result("open", "Margin without a cap",
                   call(TOK_SUBSCRIPTION_MARGIN, *usual, "{cost}", case["spread"]), "USD",
                   "margin"),
            Result("capped", "Margin with the cap of Inputs",
                   call(TOK_SUBSCRIPTION_MARGIN, *usual, "{cost}", case["spread"], case["cap"]),
                   "USD", "margin"),
            Result("share", "the same, of the price", f"{{capped}}/{case['price']}", "",
                   "percent"),
            Result("served", "Requests served to the mean user",
                   f"({case['price']}-{{capped}})/{{cost}}", "a month", "integer",
                   "of those of Inputs that the mean user asks"),
            Result("breakeven", "Requests that the price pays for",
                   f"{case['price']}/{{cost}}", "a month", "integer"),
        ]
    )  # fmt: skip
    book.names["subscription_margin"] = paid["capped"]
    book.headline("Margin of the subscription, no cap", paid["open"], "margin",
                  "USD a user and month")  # fmt: skip
    book.headline("Margin of the subscription, with the cap", paid["capped"], "margin",
                  "USD a user and month")  # fmt: skip
    sheet.heading("Margin by cap and spread of users, USD")
    grid = _margins(sheet, case, paid["cost"], data)
    _free_tier(book, case, common, data, paid)
    blended = call(
        TOK_BLENDED_PRICE, case["in_price"], case["out_price"], case["in_tokens"],
        case["out_tokens"],
    )  # fmt: skip
    sheet.check(
        "Cost of a request by the blended price",
        f"{blended}*({case['in_tokens']}+{case['out_tokens']})/{common['million']}",
        f"{paid['cost']}",
        common["tolerance"],
    )
    ratio = f"LN({case['cap']}/{case['requests']})"
    square = f"{case['spread']}*{case['spread']}*{common['half']}"
    limited = (
        f"{case['requests']}*NORMSDIST(({ratio}-{square})/{case['spread']})"
        f"+{case['cap']}*(1-NORMSDIST(({ratio}+{square})/{case['spread']}))"
    )
    sheet.check(
        "Margin with the cap: limited mean of the lognormal by NORMSDIST",
        f"{paid['capped']}",
        f"{case['price']}-{paid['cost']}"
        f"*IF({case['spread']}>0,{limited},MIN({case['requests']},{case['cap']}))",
        common["tolerance"],
    )
    sheet.check(
        "Margin grid, first corner: users of the first spread",
        f"{grid.at(0, 0)}",
        call(
            TOK_SUBSCRIPTION_MARGIN, case["price"], case["requests"], paid["cost"],
            data["spreads"].at(0), f"{data['caps'].at(0)}*{case['requests']}",
        ),
        common["tolerance"],
    )  # fmt: skip


def _margins(sheet: Sheet, case: dict[str, Ref], cost: Ref, data: dict[str, Ref]) -> Ref:
    """Write and draw the margin of a paying user by cap and spread."""
    caps, spreads = data["caps"], data["spreads"]
    top = sheet.row
    sheet.put(top, 1, "Cap, requests a month", "header")
    for i in range(spreads.rows):
        sheet.put(top, 2 + i, f"={spreads.at(i)}", "link", "spread")
    for i in range(caps.rows):
        sheet.put(top + 1 + i, 1, f"={caps.at(i)}*{case['requests']}", "calc", "integer")
    sheet.row = top + 1
    limits = sheet.ref(top + 1, 1, caps.rows)
    across = sheet.ref(top, 2, 1, spreads.rows)
    grid = sheet.array(
        call(
            TOK_SUBSCRIPTION_MARGIN, case["price"], case["requests"], cost.local,
            across.local, limits.local,
        ),
        caps.rows,
        ("margin",) * spreads.rows,
        header=False,
        column=2,
    )  # fmt: skip
    sheet.chart(
        Chart(
            "scatter",
            "Margin of a paying user by the cap, USD a month",
            tuple(Line(across.at(0, i), grid.part(i), limits) for i in range(spreads.rows)),
            y_title="Margin, USD a month",
            x_title="Requests a month after which a user is stopped (logarithmic)",
            x_logarithmic=True,
            format='"$"0;-"$"0',
            x_format="#,##0",
            width_cm=26,
        )
    )
    return grid


def _free_tier(
    book: Book,
    case: dict[str, Ref],
    common: dict[str, Ref],
    data: dict[str, Ref],
    paid: dict[str, Ref],
) -> None:
    sheet = book.sheets[-1]
    caps = data["caps"]
    asked = (case["free_requests"], paid["cost"].local)
    sheet.heading("The free tier that paying users can carry")
    afford = sheet.results(
        [
            Result("afford", "A free user may cost",
                   f"MAX({paid['capped'].local},0)*{case['paying']}/(1-{case['paying']})",
                   "USD a month", "price4", "margin of the paying users over the free ones"),
            Result("open", "A free user costs without a cap",
                   f"-{call(TOK_SUBSCRIPTION_MARGIN, 0, *asked, case['spread'])}",
                   "USD a month", "price4"),
        ]
    )  # fmt: skip
    body = sheet.ref(sheet.row + 1, 1, caps.rows, 5)
    rows = []
    for i in range(caps.rows):
        cap, loss, left = (body.at(i, c).local for c in range(3))
        cost = call(TOK_SUBSCRIPTION_MARGIN, 0, *asked, case["spread"], cap)
        margin = f"{paid['capped'].local}*{case['paying']}"
        rows.append(
            (
                f"={caps.at(i)}*{case['free_requests']}",
                f"=-{cost}",
                f"={margin}-{loss}*(1-{case['paying']})",
                f'=IF({left}>=0,"carried","not carried")',
                f"=IF({left}>=0,{cap},0)",
            )
        )
    table = sheet.table(
        ("Cap of a free user\nrequests a month", "Cost of a free user\nUSD a month",
         "Left per user\nUSD a month", "Verdict", "Cap if carried"),
        rows,
        ("calc number", "calc price4", "calc margin", "verdict", "calc number"),
    )  # fmt: skip
    sheet.judged.append((table.part(3), {"carried": "good", "not carried": "bad"}))
    best = sheet.results(
        [
            Result("cap", "Largest cap of these that is carried",
                   f"MAX({table.part(4).local})", "requests a month", "number",
                   "0: none of them"),
        ]
    )["cap"]  # fmt: skip
    book.names["free_cap"] = best
    book.headline("Free-tier cap that paying users carry", best, "number",
                  "requests a month and free user")  # fmt: skip
    sheet.check(
        "Left per user is paid margin less free cost, last cap",
        f"{table.at(table.rows - 1, 2)}",
        f"({afford['afford']}-{table.at(table.rows - 1, 1)})*(1-{case['paying']})"
        f"+MIN({paid['capped']},0)*{case['paying']}",
        common["tolerance"],
    )
