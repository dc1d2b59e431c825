"""An agent session, turn by turn."""

from __future__ import annotations

from udfs.functions import (
    TOK_AGENT_SESSION,
    TOK_COST_PER_ACCEPTED,
    TOK_SESSION_MEMORY,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call, shown

_TURNS = 50


def add_agent(book: Book, common: dict[str, Ref]) -> None:
    """Add the sheet of an agent session."""
    sheet = book.sheet(
        "Agent",
        "An agent session",
        "Every turn reads the whole context again: its cost grows with the square of the turns",
        (38, 18, 20, 20, 20, 20),
        long=True,
    )
    prices = (common["agent_in"], common["agent_out"])
    tokens = (common["prompt"], common["written"], common["tool"])
    cache = (common["hit"], common["cached"])
    turns = common["turns"]
    sheet.heading("The session of Inputs")
    top = sheet.row
    sheet.row += 15
    sheet.heading("Turn by turn")
    chart_row = sheet.row
    sheet.row += 18
    body = sheet.ref(sheet.row + 1, 1, _TURNS, 6)
    rows = []
    for i in range(_TURNS):
        turn, context = (body.at(i, c).local for c in (0, 1))
        added = f"({common['written']}+{common['tool']})"
        rows.append(
            (
                f"=N({sheet.ref(body.row - 1 + i, 1).plain})+1",
                f"={common['prompt']}+({turn}-1)*{added}",
                f"=({context}*{common['agent_in']}+{common['written']}*{common['agent_out']})"
                f"/{common['million']}",
                f"={call(TOK_AGENT_SESSION, turn, *prices, *tokens)}",
                f"={call(TOK_AGENT_SESSION, turn, *prices, *tokens, *cache)}",
                f"={turn}*{sheet.ref(body.row, 3).local}",
            )
        )
    table = sheet.table(
        ("Turn", "Context read\ntokens", "Cost of the turn\nUSD, no cache",
         "So far, no cache\nUSD", "So far, cached\nUSD", "Context not growing\nUSD"),
        rows,
        ("calc integer", "calc integer", "calc price4", "output price", "output price",
         "calc price"),
    )  # fmt: skip
    after, sheet.row = sheet.row, chart_row
    names = ("Whole context read again", "the same with a prompt cache", "Context not growing")
    sheet.chart(
        Chart(
            "scatter",
            "Cost of the session so far, USD",
            tuple(
                Line(name, table.part(column), table.part(0))
                for column, name in enumerate(names, start=3)
            ),
            x_title="Turn",
            y_title="USD so far",
            format='"$"0',
            x_unit=10,
            x_max=_TURNS,
            markers=False,
            width_cm=26,
        )
    )
    sheet.row = top

    def reached(column: int, limit: str) -> str:
        place = table.part(column).local
        below = f'COUNTIF({place},"<"&{common[limit]})'
        return f'IF({below}<ROWS({place}),{below}+1,"more than "&ROWS({place}))'

    found = sheet.results(
        [
            Result("plain", "Cost without a cache", call(TOK_AGENT_SESSION, turns, *prices,
                   *tokens), "USD", "price"),
            Result("cached", "Cost with a cache", call(TOK_AGENT_SESSION, turns, *prices,
                   *tokens, *cache), "USD", "price"),
            Result("saved", "Saved by the cache", "1-{cached}/{plain}", "", "percent"),
            Result("low", "Turn at which it has cost the low figure", reached(3, "session_low"),
                   "without a cache", "integer", "the article's hour of an agent, low"),
            Result("high", "the same, the high figure", reached(3, "session_high"),
                   "without a cache", "integer"),
            Result("low_cached", "the same with a cache, low", reached(4, "session_low"), "",
                   "integer"),
            Result("high_cached", "the same with a cache, high", reached(4, "session_high"),
                   "", "integer"),
            Result("context", "Context at its end",
                   f"{common['prompt']}+{turns}*({common['written']}+{common['tool']})",
                   "tokens", "integer"),
            Result("memory", "Holding that context in memory",
                   call(TOK_SESSION_MEMORY, common["held_model"], '"h100_sxm"', "{context}",
                        common["held"], common["gpu_hour"], common["held_gpus"], '"fp8"'),
                   "USD", "price4", "its share of the memory of the GPUs, for the hours of Inputs"),
            Result("accepted", "An accepted result, with a cache",
                   call(TOK_COST_PER_ACCEPTED, "{cached}", common["accepted"], common["review"]),
                   "USD", "price", "what is not accepted, and every review, is paid for too"),
            Result("mtok", "Chat for the same money", f"{{plain}}/{common['chat']}", "Mtok",
                   "number", "at the price of chat in Inputs"),
        ]
    )  # fmt: skip
    sheet.row = after
    book.names["agent_session"] = found["plain"]
    book.headline("The agent session, no cache", found["plain"], "price",
                  f'="USD (article: "&{shown(common["session_low"], "usd")}&" to "'
                  f'&{shown(common["session_high"], "usd")}&" an hour)"')  # fmt: skip
    book.headline("The agent session, with a prompt cache", found["cached"], "price", "USD")
    sheet.check(
        "Accepted result by hand",
        f"{found['accepted']}",
        f"({found['cached']}+{common['review']})/{common['accepted']}",
        common["tolerance"],
    )
    place = table.part(2)
    sheet.check(
        "Session without a cache is the sum of its turns",
        f"{found['plain']}",
        f'IF({turns}<=ROWS({place}),SUMIF({table.part(0)},"<="&{turns},{place}),{found["plain"]})',
        common["tolerance"],
    )
    sheet.check(
        "A cache that costs as much as reading saves nothing",
        call(TOK_AGENT_SESSION, turns, *prices, *tokens, common["hit"], common["agent_in"]),
        f"{found['plain']}",
        common["tolerance"],
    )
