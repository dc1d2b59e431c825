"""Rent, commit or own an accelerator: three years, break-even hours, energy and carbon."""

from __future__ import annotations

from workbooks.authoring.layout import POSITIVE, SHARE, Book, Input, Limit, Ref, ScenarioInput
from workbooks.templates.ownership.energy import add_energy
from workbooks.templates.ownership.hours import add_hours
from workbooks.templates.ownership.ways import YEARS, add_ways, add_workings
from workbooks.templates.sources import ASSUMED, DEEPSEEK, DGX, EIA, LAYERS, MEASURED, PARADOX, cite

_HOURS = (1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 8760)
_RENTS = (2.0, 3.0, 4.0, 5.12, 8.0)
_CAPEX = (25000, 30000, 35000, 40000, 45000)

# Source of electricity and its CO2 [kg/kWh]; pounds of the source at 0.4536 kg.
_GRIDS = (
    ("Hydro, wind, nuclear", 0.0, "counted as free of CO2 while running"),
    ("Natural gas, US", 0.435, "0.96 pounds a kWh"),
    ("All sources, US", 0.367, "0.81 pounds a kWh"),
    ("Coal, US", 1.048, "2.31 pounds a kWh"),
)


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "ownership",
        "Rent, commit or own?",
        "An accelerator over its years: what each way costs, from which use owning pays, "
        "energy and carbon",
    )
    cite(book, PARADOX, LAYERS, DEEPSEEK, MEASURED, DGX, EIA, ASSUMED)
    case, common = _inputs(book)
    hours, rents, capex, grids = _axes(book)
    work, path = add_workings(book, case, common)
    add_ways(book, case, common, work, path)
    add_hours(book, case, common, (hours, rents, capex))
    add_energy(book, case, common, work, grids)
    return book


def _inputs(book: Book) -> tuple[dict[str, Ref], dict[str, Ref]]:
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "Prices and use in scenarios; the machine, its money and its electricity",
        (34, 16, 16, 16, 16, 16, 20, 56),
    )
    sheet.heading("Price and use of one GPU")
    case = sheet.scenarios(
        ("Steady load", "Office hours", "Cheap rental"),
        [
            ScenarioInput("rent", "Rent on demand", (5.12, 5.12, 2.0), "USD/h", PARADOX,
                          "p5.48xlarge at $40.96 over 8 H100; $2: what DeepSeek assumes", "price"),
            ScenarioInput("discount", "Discount for commitment", (0.4, 0.4, 0.4), "of the rent",
                          ASSUMED, "Over the horizon, paid whether used or not", "percent",
                          limit=SHARE),
            ScenarioInput("committed", "Hours committed", (8760, 8760, 8760), "h/year", ASSUMED,
                          "Reserved capacity runs through the year", "integer"),
            ScenarioInput("used", "Hours used", (7884, 2000, 7884), "h/year", ASSUMED,
                          "90 % of the year; 8 hours on 250 days", "integer"),
        ],
    )  # fmt: skip
    sheet.heading("The machine and its surroundings")
    common = sheet.inputs(
        [
            Input("years", "Horizon", 3, "years", ASSUMED,
                  "Life and commitment; the machine is sold at the end", "integer",
                  '"' + ",".join(str(year) for year in range(1, YEARS + 1)) + '"'),
            Input("gpus", "GPUs", 8, "GPUs", PARADOX, "One server", "integer", limit=POSITIVE),
            Input("capex", "Purchase price of one GPU", 35000, "USD/GPU", ASSUMED,
                  "With its share of server, network and room", "usd"),
            Input("residual", "Left at the end", 0.2, "of the price", ASSUMED, "", "percent",
                  limit=SHARE),
            Input("rate", "Cost of capital", 0.08, "a year", ASSUMED, "Nominal, before tax",
                  "percent", limit=SHARE),
            Input("opex", "Running cost beside energy", 1500, "USD/GPU/year", ASSUMED,
                  "Space, people, repair", "usd"),
            Input("watts", "Power of one GPU", 1275, "W", DGX,
                  "10.2 kW of the server over its 8 GPUs", "integer"),
            Input("pue", "Power of the data centre over that", 1.3, "ratio", ASSUMED,
                  "PUE: cooling and losses",
                  limit=Limit(1.0, 3.0)),
            Input("kwh", "Price of electricity", 0.08, "USD/kWh", ASSUMED, "", "price"),
            Input("carbon", "CO2 of electricity", 0.367, "kg/kWh", EIA,
                  "0.81 pounds a kWh, mean of the US", "ratio"),
            Input("tonne", "Price of CO2", 50, "USD/t", ASSUMED, "0 where none is paid", "usd"),
            Input("throughput", "Output tokens of one GPU", 1098, "tokens/s", MEASURED,
                  "Llama 3.1 70B, FP8, 2 H100, 64 at once", "integer"),
            Input("input_tokens", "Input tokens of a request", 1024, "tokens", MEASURED,
                  "Of the same run; sold too", "integer", limit=POSITIVE),
            Input("output_tokens", "Output tokens of a request", 1024, "tokens", MEASURED, "",
                  "integer", limit=POSITIVE),
            Input("spot", "Spot price of a GPU", 1.8, "USD/h", ASSUMED,
                  "Taken back at any time", "price"),
            Input("interruptions", "Interruptions of it", 0.05, "1/h", ASSUMED,
                  "One in 20 hours"),
            Input("lost", "Work lost in each", 0.5, "h", ASSUMED,
                  "Since the last saved state, and until it runs again"),
            Input("site", "Power of a site", 10, "MW", ASSUMED, "Cooling included", "integer"),
            Input("tenants", "Tenants that share a GPU", 4, "tenants", ASSUMED, "", "integer"),
            Input("overhead", "Capacity that sharing takes", 0.1, "of capacity", ASSUMED, "",
                  "percent"),
            Input("life", "Life for the price floor", 5, "years", PARADOX,
                  "$50B of GPUs cost $10B a year", "integer"),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("What the articles state, and units")
    common |= sheet.inputs(
        [
            Input("performance", "B200: performance over H100", 2.5, "ratio", PARADOX, "",
                  "multiple"),
            Input("unit_cost", "B200: price over H100", 1.3, "ratio", PARADOX, "", "multiple"),
            Input("stated_fall", "B200: change of the cost per token", -0.4, "change", PARADOX,
                  "As stated: roughly 40 % less", "percent"),
            Input("floor_low", "Price that the article expects, low", 0.01, "USD/Mtok",
                  PARADOX, "By 2028: electricity plus hardware", "price"),
            Input("floor_high", "Price that the article expects, high", 0.05, "USD/Mtok",
                  PARADOX, "", "price"),
            Input("rack", "Power of a rack", 100000, "W", LAYERS, "A rack of B200", "integer"),
            Input("b200_watts", "Power of one B200", 1200, "W", LAYERS, "", "integer"),
            Input("fleet_capex", "Hyperscaler's GPUs", 50e9, "USD", PARADOX,
                  "Bought in 2024 and 2025", "busd"),
            Input("stated_depreciation", "Depreciation as stated", 10e9, "USD/year", PARADOX,
                  "", "busd"),
            Input("hours", "Hours in a year", 8760, "h", "Definition", "", "integer"),
            Input("day", "Hours in a day", 24, "h", "Definition", "", "integer"),
            Input("thousand", "Watts in a kW; kg in a tonne", 1000, "ratio", "Definition", "",
                  "integer"),
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("seconds", "Seconds in an hour", 3600, "s", "Definition", "", "integer"),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ],
        aside=6,
    )  # fmt: skip
    return case, common


def _axes(book: Book) -> tuple[Ref, Ref, Ref, Ref]:
    sheet = book.sheet(
        "Data",
        "Data",
        "Axes of curves and grids; CO2 of electricity by source",
        (26, 20, 20, 34, 16),
    )
    sheet.heading("Hours of use a year, for the curve of cost per hour used")
    hours = sheet.table(("Hours used\nh/year",), [(h,) for h in _HOURS], ("input integer",))
    sheet.heading("Axes of the grid of break-even hours")
    axes = sheet.table(
        ("Rent\nUSD/h", "Purchase price\nUSD/GPU"),
        list(zip(_RENTS, _CAPEX, strict=True)),
        ("input price", "input usd"),
    )
    sheet.heading("CO2 of electricity")
    grids = sheet.table(
        ("Source of electricity", "CO2\nkg/kWh", "Source", "Note"),
        [(name, kg, EIA, note) for name, kg, note in _GRIDS],
        ("label", "input ratio", "note", "note"),
    )
    return hours, axes.part(0), axes.part(1), grids
