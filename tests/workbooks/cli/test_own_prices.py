"""`--prices FILE`: prices of one's own in the commands that look prices up."""

from __future__ import annotations

import os

import pytest
from openpyxl import Workbook, load_workbook

from engine.prices import OWN_FILE

ASKED = ("together", "llama-3.1-70b")


@pytest.fixture
def ours(tmp_path):
    path = tmp_path / "ours.csv"
    path.write_text("provider,model,side,usd_per_mtok\nTogether,Llama 3.1 70B,output,0.5\n")
    return path


def test_call(tokenbook, ours):
    assert tokenbook("call", "market_price", *ASKED)[1].strip() == "0.88"
    assert tokenbook("call", "market_price", *ASKED, "--prices", str(ours))[1].strip() == "0.5"
    # The next command knows nothing of it.
    assert OWN_FILE not in os.environ
    assert tokenbook("call", "market_price", *ASKED)[1].strip() == "0.88"


def test_recalc(tokenbook, ours, tmp_path):
    path = tmp_path / "book.xlsx"
    workbook = Workbook()
    workbook.active["A1"] = '=TOK_MARKET_PRICE("together","llama-3.1-70b")'
    workbook.save(path)
    for options, price in (((), 0.88), (("--prices", str(ours)), 0.5)):
        assert tokenbook("recalc", str(path), *options)[0] == 0
        assert load_workbook(path, data_only=True).active["A1"].value == price


def test_a_file_that_cannot_be_read_is_refused_before_anything_is_done(tokenbook, tmp_path):
    path = tmp_path / "ours.csv"
    path.write_text("a,b\n1,2\n")
    code, _, told = tokenbook("build", "breakeven", "-o", str(tmp_path), "--prices", str(path))
    assert code == 2
    assert "must have the columns" in told
    assert [p.name for p in tmp_path.iterdir()] == ["ours.csv"]
