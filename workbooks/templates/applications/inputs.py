"""What the sheets of applications start from."""

from __future__ import annotations

from workbooks.authoring.layout import Book, Input, Limit, Ref, ScenarioInput
from workbooks.templates.sources import ASSUMED, CATALOGUE, GPT4, PARADOX, RECKONING


def add_inputs(book: Book) -> tuple[dict[str, Ref], dict[str, Ref]]:
    """Add the sheet of inputs; return the live scenario and what all sheets share."""
    sheet = book.sheet(
        "Inputs",
        "Inputs",
        "A subscription in scenarios; an agent, a video, a training run, a demand to be met",
        (38, 16, 16, 16, 16, 16, 20, 58),
        long=True,
    )
    sheet.heading("A subscription")
    case = sheet.scenarios(
        ("Frontier model", "Chat model", "Agents"),
        [
            ScenarioInput("price", "Price of the subscription", (20.0, 20.0, 20.0),
                          "USD/month", ASSUMED, "A usual flat price", "price"),
            ScenarioInput("requests", "Requests of the mean user", (600, 600, 20), "a month",
                          ASSUMED, "Of an agent: sessions", "integer"),
            ScenarioInput("spread", "Spread of the users", (1.0, 1.0, 1.0), "log sd", ASSUMED,
                          "1: one user in six asks e times the median or more"),
            ScenarioInput("cap", "Requests after which a user is stopped", (300, 3000, 10),
                          "a month", ASSUMED, "", "integer"),
            ScenarioInput("free_requests", "Requests of the mean free user", (60, 60, 2),
                          "a month", ASSUMED, "", "integer"),
            ScenarioInput("paying", "Users that pay", (0.05, 0.05, 0.05), "of users", ASSUMED,
                          "", "percent", limit=Limit(0.0, 1.0, high_open=True)),
            ScenarioInput("in_tokens", "Input tokens of a request", (3000, 1500, 400000),
                          "tokens", ASSUMED, "Of an agent: see the sheet Agent", "integer"),
            ScenarioInput("out_tokens", "Output tokens of a request", (1000, 500, 20000),
                          "tokens", ASSUMED, "", "integer"),
            ScenarioInput("in_price", "Price of input tokens", (10.0, 0.2, 3.0), "USD/Mtok",
                          ASSUMED, "A third of the output price; agents: a list price", "price"),
            ScenarioInput("out_price", "Price of output tokens", (30.0, 0.6, 15.0), "USD/Mtok",
                          RECKONING, "$30 at the scale of GPT-4, $0.60 of GPT-3.5; agents assumed",
                          "price"),
        ],
    )  # fmt: skip
    sheet.heading("An agent")
    common = sheet.inputs(
        [
            Input("turns", "Turns of a session", 40, "turns", ASSUMED, "An hour of work",
                  "integer"),
            Input("prompt", "Context before the first turn", 8000, "tokens", ASSUMED,
                  "Instructions, tools, task", "integer"),
            Input("written", "Written in a turn", 800, "tokens", ASSUMED, "", "integer"),
            Input("tool", "Tool results of a turn", 2000, "tokens", ASSUMED,
                  "Added to the context of every later turn", "integer"),
            Input("agent_in", "Price of input tokens", 3.0, "USD/Mtok", ASSUMED, "", "price"),
            Input("agent_out", "Price of output tokens", 15.0, "USD/Mtok", ASSUMED, "",
                  "price"),
            Input("cached", "Price of cached input tokens", 0.3, "USD/Mtok", ASSUMED,
                  "A tenth of the input price", "price"),
            Input("hit", "Served by the cache", 0.9, "of input tokens", ASSUMED, "",
                  "percent"),
            Input("held_model", "Model whose context is held", "llama-3.1-70b", "id", CATALOGUE,
                  "On H100 in fp8", "text"),
            Input("held_gpus", "GPUs that hold it", 2, "GPUs", ASSUMED,
                  "They share each layer", "integer"),
            Input("held", "Hours for which it is held", 1.0, "h", ASSUMED,
                  "Between the turns too"),
            Input("accepted", "Sessions whose result is accepted", 0.7, "of sessions", ASSUMED,
                  "", "percent"),
            Input("review", "Review of a result", 1.5, "USD", ASSUMED,
                  "Two minutes of a person", "price"),
            Input("session_low", "An hour's session, low", 2.0, "USD", RECKONING, "", "price"),
            Input("session_high", "An hour's session, high", 10.0, "USD", RECKONING, "",
                  "price"),
            Input("chat", "Price of chat", 0.6, "USD/Mtok", RECKONING, "Scale of GPT-3.5",
                  "price"),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("A minute of video")
    common |= sheet.inputs(
        [
            Input("length", "Length", 60, "s", RECKONING, "", "integer"),
            Input("fps", "Frames a second", 30, "1/s", RECKONING, "", "integer"),
            Input("frame", "GPU time of a frame", 5.0, "s", ASSUMED,
                  "Several seconds, as for an image of high resolution"),
            Input("gpu_hour", "GPU-hour price", 5.12, "USD/h", PARADOX,
                  "p5.48xlarge at $40.96 an hour, over its 8 H100", "price"),
            Input("video_low", "A minute, low", 15.0, "USD", RECKONING, "", "price"),
            Input("video_high", "A minute, high", 50.0, "USD", RECKONING, "", "price"),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("Training runs")
    common |= sheet.inputs(
        [
            Input("flops_small", "Compute at the scale of GPT-3.5", 3.2e23, "FLOP", RECKONING,
                  "", "scientific"),
            Input("flops", "Compute at the scale of GPT-4", 2.1e25, "FLOP", RECKONING, "",
                  "scientific"),
            Input("gpus", "GPUs of the run", 25000, "GPUs", GPT4, "", "integer"),
            Input("lifetime", "Tokens sold over the model's life", 1e9, "Mtok", ASSUMED,
                  "A trillion a day for nearly three years", "integer"),
            Input("stated_run", "Cost as stated, at least", 100e6, "USD", RECKONING, "", "musd"),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("A broker's demand")
    common |= sheet.inputs(
        [
            Input("demand", "Demand", 900, "GPU-h/day", ASSUMED, "", "integer"),
            Input("latency", "Longest latency allowed", 0.1, "s", ASSUMED,
                  "Slower offers are left out"),
        ],
        aside=6,
    )  # fmt: skip
    sheet.heading("Units and tolerance")
    common |= sheet.inputs(
        [
            Input("million", "Tokens in a million", 1e6, "tokens", "Definition", "", "integer"),
            Input("seconds", "Seconds in an hour", 3600, "s", "Definition", "", "integer"),
            Input("day", "Hours in a day", 24, "h", "Definition", "", "integer"),
            Input("tera", "FLOP in a TFLOP", 1e12, "FLOP", "Definition", "", "scientific"),
            Input("half", "Half, of a variance", 0.5, "ratio", "Definition", ""),
            Input("tolerance", "Tolerance of the checks", 1e-9, "relative", "Convention", "",
                  "scientific"),
        ],
        aside=6,
    )  # fmt: skip
    return case, common
