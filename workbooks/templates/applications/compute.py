"""A minute of video, a training run, and a broker of compute."""

from __future__ import annotations

from udfs.functions import (
    TOK_ALLOCATE,
    TOK_AMORTISED_TRAINING,
    TOK_SPEC,
    TOK_TRAINING_COST,
    TOK_VIDEO_COST,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call, shown


def add_video(book: Book, common: dict[str, Ref], data: dict[str, Ref]) -> None:
    """Add the sheet of a minute of video."""
    frames, prices = data["frames"], data["prices"]
    sheet = book.sheet(
        "Video",
        "A minute of video",
        "Frame by frame on rented accelerators",
        (38, 18, 18, 18, 18, 18),
    )
    length = (common["length"], common["fps"])
    sheet.heading("The minute of Inputs")
    found = sheet.results(
        [
            Result("frames", "Frames", f"{common['length']}*{common['fps']}", "frames",
                   "integer"),
            Result("cost", "Cost", call(TOK_VIDEO_COST, *length, common["frame"],
                   common["gpu_hour"]), "USD", "price"),
            Result("frame", "Cost of a frame", "{cost}/{frames}", "USD", "price4"),
            Result("low", "GPU time of a frame at the low figure",
                   f"{common['video_low']}*{common['seconds']}/({{frames}}*{common['gpu_hour']})",
                   "s", "number", "at the GPU-hour price of Inputs"),
            Result("high", "the same, the high figure",
                   f"{common['video_high']}*{common['seconds']}/({{frames}}*{common['gpu_hour']})",
                   "s", "number"),
            Result("gpus", "GPUs that make it while one watches",
                   f"{{frames}}*{common['frame']}/{common['length']}", "GPUs", "integer"),
        ]
    )  # fmt: skip
    book.headline("A minute of video", found["cost"], "price",
                  f'="USD (article: "&{shown(common["video_low"], "usd")}&" to "'
                  f'&{shown(common["video_high"], "usd")}&")"')  # fmt: skip
    sheet.heading("Cost by GPU time of a frame and GPU-hour price, USD")
    top = sheet.row
    sheet.put(top, 1, "GPU time of a frame, s", "header")
    for i in range(prices.rows):
        sheet.put(top, 2 + i, f"={prices.at(i)}", "link", "hourly")
    for i in range(frames.rows):
        sheet.put(top + 1 + i, 1, f"={frames.at(i)}", "link", "number")
    sheet.row = top + 1
    times, across = sheet.ref(top + 1, 1, frames.rows), sheet.ref(top, 2, 1, prices.rows)
    grid = sheet.array(
        call(TOK_VIDEO_COST, *length, times.local, across.local),
        frames.rows,
        ("price",) * prices.rows,
        header=False,
        column=2,
    )
    sheet.chart(
        Chart(
            "scatter",
            "Cost of a minute of video, USD",
            tuple(Line(across.at(0, i), grid.part(i), times) for i in range(prices.rows)),
            x_title="GPU seconds of a frame",
            y_title="USD",
            format='"$"#,##0',
            width_cm=26,
        )
    )
    sheet.check(
        "Cost of the minute by hand",
        f"{found['cost']}",
        f"{found['frames']}*{common['frame']}*{common['gpu_hour']}/{common['seconds']}",
        common["tolerance"],
    )
    sheet.check(
        "Video grid adds up to its edges' products",
        f"SUM({grid})",
        f"SUM({frames})*SUM({prices})*{found['frames']}/{common['seconds']}",
        common["tolerance"],
    )


def add_training(book: Book, common: dict[str, Ref], trainers: Ref) -> None:
    """Add the sheet of a training run."""
    sheet = book.sheet(
        "Training",
        "A training run",
        "The computing of the final run alone: no failed runs, data or people",
        (40, 18, 18, 18, 20, 20, 20),
    )
    sheet.heading("By accelerator")
    body = sheet.ref(sheet.row + 1, 1, trainers.rows, 7)
    rows = []
    for i in range(trainers.rows):
        name, peak, usd, mfu = (body.at(i, c).local for c in range(4))
        rate = (peak, mfu, usd)
        rows.append(
            (
                f"={trainers.at(i, 0)}",
                f"={call(TOK_SPEC, name, _quoted('bf16_dense_tflops'))}",
                f"={trainers.at(i, 1)}",
                f"={trainers.at(i, 2)}",
                f"={call(TOK_TRAINING_COST, common['flops_small'], *rate)}",
                f"={call(TOK_TRAINING_COST, common['flops'], *rate)}",
                f"={common['flops']}/({peak}*{common['tera']}*{mfu})/{common['seconds']}"
                f"/{common['gpus']}/{common['day']}",
            )
        )
    table = sheet.table(
        ("Accelerator", "Peak, bf16\nTFLOP/s", "GPU-hour price\nUSD/h", "Of the peak reached",
         "Scale of GPT-3.5\nUSD", "Scale of GPT-4\nUSD", "Days on the GPUs of Inputs, GPT-4"),
        rows,
        ("name", "calc integer", "link price", "link percent", "output musd", "output musd",
         "calc number"),
    )  # fmt: skip
    sheet.chart(
        Chart(
            "column",
            "Computing of a training run at the scale of GPT-4, USD",
            (Line("Cost", table.part(5)),),
            categories=table.part(0),
            x_title="Accelerator",
            y_title="USD",
            format='"$"#,##0,,"M"',
            width_cm=26,
        )
    )
    sheet.heading("Against the article")
    found = sheet.results(
        [
            Result("stated", "Stated, at least", f"{common['stated_run']}", "USD", "musd",
                   role="link"),
            Result("first", "First accelerator over what is stated",
                   f"{table.at(0, 5).local}/{{stated}}", "", "multiple"),
            Result("token", "On a million tokens sold",
                   call(TOK_AMORTISED_TRAINING, table.at(0, 5).local, common["lifetime"]),
                   "USD/Mtok", "price4", "first accelerator, over the tokens of Inputs"),
            Result("ratio", "GPT-4 over GPT-3.5",
                   f"{common['flops']}/{common['flops_small']}", "times the computing",
                   "integer"),
        ]
    )  # fmt: skip
    book.headline("Computing of GPT-4's run, on A100", table.at(0, 5), "musd",
                  f'="USD (article: over "&{shown(common["stated_run"], "musd")}&")"')  # fmt: skip
    last = trainers.rows - 1
    sheet.check(
        "Cost of the run is GPU-days times the price of a day",
        f"SUM({table.part(5)})",
        f"SUMPRODUCT({table.part(6)},{table.part(2)})*{common['gpus']}*{common['day']}",
        common["tolerance"],
    )
    sheet.check(
        "Cost follows the computing, last accelerator",
        f"{table.at(last, 4)}*{found['ratio']}",
        f"{table.at(last, 5)}",
        common["tolerance"],
    )


def add_broker(book: Book, common: dict[str, Ref], offers: Ref) -> None:
    """Add the sheet of the broker."""
    sheet = book.sheet(
        "Broker",
        "A broker of compute",
        "What is paid whether used or not is used first; the rest at the cheapest fast offer",
        (30, 16, 16, 14, 16, 18, 18, 18, 18),
    )
    sheet.heading("The mix")
    top, count = sheet.row + 1, offers.rows
    columns = [sheet.ref(top, column, count) for column in range(1, 10)]
    _, capacity, price, latency, paid, marginal, taken, bill, _ = columns
    header = ("Offer", "Capacity\nGPU-h/day", "Price\nUSD/GPU-h", "Latency\ns",
              "Paid if unused", "One more hour\nUSD", "Taken\nGPU-h/day", "Bill\nUSD/day",
              "Paid, unused\nGPU-h/day")  # fmt: skip
    for column, text in enumerate(header, start=1):
        sheet.put(sheet.row, column, text, "header")
    kinds = (("name", "text"), ("link", "integer"), ("link", "price"), ("link", "number"),
             ("link", "text"))  # fmt: skip
    for i in range(count):
        for column, (role, number_format) in enumerate(kinds, start=1):
            sheet.put(top + i, column, f"={offers.at(i, column - 1)}", role, number_format)
        fixed = f'{paid.at(i).local}="yes"'
        room, usd, used = (ref.at(i).local for ref in (capacity, price, taken))
        sheet.put(top + i, 6, f"=IF({fixed},0,{usd})", "calc", "price")
        sheet.put(top + i, 8, f"=IF({fixed},{room},{used})*{usd}", "output", "usd")
        sheet.put(top + i, 9, f"=IF({fixed},{room}-{used},0)", "calc", "integer")
    sheet.row = top
    sheet.array(
        call(TOK_ALLOCATE, common["demand"], capacity.local, marginal.local, latency.local,
             common["latency"]),
        count,
        ("integer",),
        header=False,
        column=7,
        role="output",
    )  # fmt: skip
    sheet.chart(
        Chart(
            "column",
            "GPU-hours a day of each offer",
            (Line("Taken", taken), Line("Capacity", capacity)),
            categories=columns[0],
            x_title="Offer",
            y_title="GPU-hours a day",
            format="#,##0",
            width_cm=26,
        )
    )
    sheet.heading("What it costs")
    found = sheet.results(
        [
            Result("cost", "Cost of the mix", f"SUM({bill.local})", "USD/day", "usd",
                   "what is paid whether used or not included"),
            Result("mean", "Mean price", f"{{cost}}/{common['demand']}", "USD/GPU-h", "price",
                   "of an hour that is used"),
            Result("dearest", "All of it from the first offer",
                   f"{common['demand']}*{price.at(0).local}", "USD/day", "usd"),
            Result("saved", "Saved by the mix", "1-{cost}/{dearest}", "", "percent"),
            Result("unused", "Paid and not used",
                   f"SUMPRODUCT({columns[8].local},{price.local})", "USD/day", "usd"),
        ]
    )  # fmt: skip
    book.headline("Saved by the cheapest mix of compute", found["saved"], "percent",
                  "against the first offer alone")  # fmt: skip
    sheet.check("The mix meets the demand", f"SUM({taken})", f"{common['demand']}",
                common["tolerance"])  # fmt: skip
    sheet.check(
        "Bill: capacity that is paid anyway, and the hours taken of the rest",
        f"{found['cost']}",
        f'SUMPRODUCT(({paid}="yes")*{capacity}*{price})'
        f'+SUMPRODUCT(({paid}<>"yes")*{taken}*{price})',
        common["tolerance"],
    )
    # Cheapest first: an offer is taken only once all faster-to-fill cheaper ones are full.
    fast = f"({latency}<={common['latency']})*{capacity}"
    cheaper = "+".join(
        f"{marginal.at(i)}*MAX(0,MIN(({latency.at(i)}<={common['latency']})*{capacity.at(i)},"
        f"{common['demand']}-SUMPRODUCT({fast}*({marginal}<{marginal.at(i)}))))"
        for i in range(count)
    )
    sheet.check("Hours beyond what is paid anyway, by order of price",
                f"SUMPRODUCT({taken},{marginal})", cheaper, common["tolerance"])  # fmt: skip


def _quoted(text: str) -> str:
    return f'"{text}"'
