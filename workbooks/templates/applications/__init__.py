"""What applications cost: subscriptions and free tiers, agents, video, training, a broker."""

from __future__ import annotations

from workbooks.authoring.layout import Book, Ref
from workbooks.templates.applications.agent import add_agent
from workbooks.templates.applications.compute import add_broker, add_training, add_video
from workbooks.templates.applications.inputs import add_inputs
from workbooks.templates.applications.subscription import add_subscription
from workbooks.templates.sources import ASSUMED, CATALOGUE, GPT4, PARADOX, RECKONING, cite

_CAPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_SPREADS = (0.0, 0.5, 1.0, 1.5)
_FRAME_SECONDS = (1.0, 2.0, 5.0, 10.0, 20.0)
_GPU_PRICES = (2.0, 5.12, 10.0, 30.0)

# Accelerator, price of an hour (none: that of Inputs), share of the peak reached, where
# the two are from.
_TRAINERS = (
    ("a100_80gb_sxm", 2.0, 0.34, GPT4, "32 to 36 % reached; the price is an assumption"),
    ("h100_sxm", None, 0.40, PARADOX, "the GPU-hour price of Inputs; the share is assumed"),
    ("b200_sxm", 8.0, 0.40, ASSUMED, "price and share"),
)

# Offer, capacity [GPU-h/day], price [USD/GPU-h] (none: that of Inputs), latency [s], whether it
# is paid if unused, source, note.
_OFFERS = (
    ("Cloud on demand", 1000, None, 0.05, "no", PARADOX, "the GPU-hour price of Inputs"),
    ("Cloud, committed", 480, 3.07, 0.05, "yes", ASSUMED, "40 % below on demand"),
    ("Private data centre", 192, 1.61, 0.03, "yes", ASSUMED, "8 GPUs; see the ownership workbook"),
    ("GPU marketplace", 400, 1.80, 0.40, "no", ASSUMED, "cheap and far away"),
)


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "applications",
        "What do AI applications cost?",
        "Subscription margin and free tier, agent sessions, a minute of video, a training run, "
        "a broker of compute",
    )
    cite(book, RECKONING, PARADOX, GPT4, CATALOGUE, ASSUMED)
    case, common = add_inputs(book)
    data = _data(book, common["gpu_hour"])
    add_subscription(book, case, common, data)
    add_agent(book, common)
    add_video(book, common, data)
    add_training(book, common, data["trainers"])
    add_broker(book, common, data["offers"])
    return book


def _data(book: Book, gpu_hour: Ref) -> dict[str, Ref]:
    hour = f"={gpu_hour}"
    sheet = book.sheet(
        "Data",
        "Data",
        "Axes of grids; accelerators that train; offers of compute",
        (28, 20, 20, 20, 22, 22, 46),
    )
    sheet.heading("Caps, as multiples of the mean user's requests, and spreads of users")
    caps = sheet.table(("Cap over the mean",), [(cap,) for cap in _CAPS], ("input multiple",))
    spreads = sheet.table(("Spread\nlog sd",), [(s,) for s in _SPREADS], ("input number",))
    sheet.heading("Axes of the video grid")
    frames = sheet.table(
        ("GPU time of a frame\ns",), [(seconds,) for seconds in _FRAME_SECONDS], ("input number",)
    )
    prices = sheet.table(
        ("GPU-hour price\nUSD/h",), [(price,) for price in _GPU_PRICES], ("input price",)
    )
    sheet.heading("Accelerators that train")
    trainers = sheet.table(
        ("Accelerator", "GPU-hour price\nUSD/h", "Of the peak reached\nMFU", "", "", "Source",
         "Note"),
        [
            (name, usd or hour, mfu, None, None, source, note)
            for name, usd, mfu, source, note in _TRAINERS
        ],
        ("label", "input price", "input percent", "note", "note", "note", "note"),
    )  # fmt: skip
    sheet.heading("Offers of compute")
    offers = sheet.table(
        ("Offer", "Capacity\nGPU-h/day", "Price\nUSD/GPU-h", "Latency\ns", "Paid if unused",
         "Source", "Note"),
        [
            (name, room, usd or hour, wait, paid, source, note)
            for name, room, usd, wait, paid, source, note in _OFFERS
        ],
        ("label", "input integer", "input price", "input number", "input", "note", "note"),
    )  # fmt: skip
    sheet.choices.append((offers.part(4), '"yes,no"'))
    return {
        "caps": caps.part(0), "spreads": spreads.part(0), "frames": frames.part(0),
        "prices": prices.part(0), "trainers": trainers, "offers": offers,
    }  # fmt: skip
