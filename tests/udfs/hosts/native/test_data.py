"""What native functions look up is worked out only where a formula refers to it."""

from __future__ import annotations

from udfs.hosts.native import data
from udfs.hosts.native.library import library_of


def filled() -> set[str]:
    return {block.name for block in data.blocks() if "rows" in vars(block)}


def test_only_blocks_that_are_looked_up_are_filled(monkeypatch):
    """The prices take longest: a model's estimate asks for none."""
    unfilled = data.blocks.__wrapped__()
    monkeypatch.setattr(data, "blocks", lambda: unfilled)
    library = library_of(["TOK_SERVING_COST"])
    assert {"model", "accelerator"} <= filled()
    assert not filled() & {"price", "spec", "claim"}
    assert library_of(["TOK_MARKET_PRICE"]).data != library.data
    assert "price" in filled()
    top, price = data.place("price")
    assert library_of(["TOK_MARKET_PRICE"]).data[top : top + price.height] == price.rows
