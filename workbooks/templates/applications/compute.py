"""A minute of video, a training run, and a broker of compute."""

from __future__ import annotations

from udfs.functions import (
    TOK_ALLOCATE,
    TOK_SPEC,
    TOK_TRAINING_COST,
    TOK_VIDEO_COST,
)
from workbooks.authoring.layout import Book, Chart, Line, Ref, Result, call


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
                   common["gpu_hour"]), "USD", "price", "article: 15 to 50"),
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
    book.headline("A minute of video", found["cost"], "price", "USD (article: 15-50)")
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
         "Scale of GPT-3.5\nUSD", "Scale of GPT-4\nUSD", "Days on the GPUs\nof Inputs, GPT-4"),
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
            Result("ratio", "GPT-4 over GPT-3.5",
                   f"{common['flops']}/{common['flops_small']}", "times the computing",
                   "integer"),
        ]
    )  # fmt: skip
    book.headline("Computing of GPT-4's run, on A100", table.at(0, 5), "musd",
                  "USD (article: over $100M)")  # fmt: skip
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
        "The cheapest mix of offers that meets the demand and is fast enough",
        (30, 18, 18, 16, 20, 20, 20),
    )
    sheet.heading("The mix")
    top, count = sheet.row + 1, offers.rows
    columns = [sheet.ref(top, column, count) for column in range(1, 8)]
    _, capacity, price, latency = (ref.local for ref in columns[:4])
    header = ("Offer", "Capacity\nGPU-h/day", "Price\nUSD/GPU-h", "Latency\ns",
              "Taken\nGPU-h/day", "Cost\nUSD/day", "Taken, of capacity")  # fmt: skip
    for column, text in enumerate(header, start=1):
        sheet.put(sheet.row, column, text, "header")
    for i in range(count):
        kinds = (("name", "text"), ("link", "integer"), ("link", "price"), ("link", "number"))
        for column, (role, number_format) in enumerate(kinds, start=1):
            sheet.put(top + i, column, f"={offers.at(i, column - 1)}", role, number_format)
        taken, usd = columns[4].at(i).local, columns[2].at(i).local
        sheet.put(top + i, 6, f"={taken}*{usd}", "calc", "usd")
        sheet.put(top + i, 7, f"={taken}/{columns[1].at(i).local}", "calc", "percent")
    sheet.row = top
    sheet.array(
        call(TOK_ALLOCATE, common["demand"], capacity, price, latency, common["latency"]),
        count,
        ("integer",),
        header=False,
        column=5,
        role="output",
    )
    sheet.chart(
        Chart(
            "column",
            "Taken from each offer, GPU-hours a day",
            (Line("Taken", columns[4]),),
            categories=columns[0],
            format="#,##0",
            width_cm=26,
        )
    )
    sheet.heading("What it costs")
    found = sheet.results(
        [
            Result("cost", "Cost of the mix", f"SUM({columns[5].local})", "USD/day", "usd"),
            Result("mean", "Mean price", f"{{cost}}/{common['demand']}", "USD/GPU-h", "price"),
            Result("dearest", "All of it from the first offer",
                   f"{common['demand']}*{columns[2].at(0).local}", "USD/day", "usd"),
            Result("saved", "Saved by the mix", "1-{cost}/{dearest}", "", "percent"),
        ]
    )  # fmt: skip
    book.headline("Saved by the cheapest mix of compute", found["saved"], "percent",
                  "against the first offer alone")  # fmt: skip
    sheet.check("The mix meets the demand", f"SUM({columns[4]})", f"{common['demand']}",
                common["tolerance"])  # fmt: skip
    fast = f"({columns[3]}<={common['latency']})*{columns[1]}"
    cheaper = " + ".join(
        f"{columns[2].at(i)}*MAX(0,MIN(({columns[3].at(i)}<={common['latency']})"
        f"*{columns[1].at(i)},{common['demand']}"
        f"-SUMPRODUCT({fast}*({columns[2]}<{columns[2].at(i)}))))"
        for i in range(count)
    )
    sheet.check("Cost of the mix by order of price", f"{found['cost']}", cheaper.replace(" ", ""),
                common["tolerance"])  # fmt: skip


def _quoted(text: str) -> str:
    return f'"{text}"'
