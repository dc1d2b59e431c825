"""Pages that lie ready: the very ones that would be written, and never others."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from math import isclose

import pytest
from typer.testing import CliRunner

from workbooks import pages, templates
from workbooks.build import drafted
from workbooks.cli import app
from workbooks.page.export import prepared

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?")


@pytest.fixture(scope="module")
def market():
    """The page of a small template, computed and compared here."""
    with drafted("market") as draft:
        return prepared(draft, "market")


@pytest.fixture
def kept(market, tmp_path, monkeypatch):
    """A release that carries this page alone."""
    monkeypatch.setattr(pages, "PAGES", tmp_path / "pages")
    pages.keep({"market": market})
    return tmp_path / "pages"


@pytest.fixture
def anew(monkeypatch):
    """Whatever is written anew is not written, but told here."""
    told = []
    monkeypatch.setattr(pages, "export", lambda _, out, **options: told.append((out, options)))
    return told


def test_a_ready_page_is_what_would_be_written(kept, market, tmp_path):
    ready = pages.export_template("market", tmp_path / "ready.html")
    written = pages.export_template("market", tmp_path / "written.html", anew=True)
    assert ready.ready
    assert not written.ready
    assert ready.path.read_bytes() == written.path.read_bytes()
    assert replace(ready, path=written.path, ready=False) == written


def test_it_is_told_when_the_page_was_compared(kept, tmp_path):
    done = CliRunner().invoke(app, ["export", "market", "-o", str(tmp_path / "page.html")])
    assert "compared when this release was made" in " ".join(done.output.split())


@pytest.mark.parametrize(
    "options", [{"anew": True}, {"inputs": ["market_price"]}, {"outputs": ["Volume!B9"]}]
)
def test_what_is_asked_for_otherwise_is_made_anew(kept, anew, tmp_path, options):
    pages.export_template("market", tmp_path / "page.html", **options)
    ((_, given),) = anew
    assert given.get("inputs", ()) == options.get("inputs", ())
    assert given.get("outputs", ()) == options.get("outputs", ())


def test_prices_of_ones_own_are_not_those_of_a_ready_page(kept, anew, tmp_path, monkeypatch):
    prices = tmp_path / "prices.csv"
    with prices.open("w", newline="") as file:
        csv.writer(file).writerow(["provider", "model", "side", "usd_per_mtok"])
    monkeypatch.setenv(pages.OWN_FILE, str(prices))
    pages.export_template("market", tmp_path / "page.html")
    assert len(anew) == 1


def _other_source(folder, monkeypatch):
    monkeypatch.setattr(pages, "sources_digest", lambda: "another")


def _other_page(folder, _):
    path = folder / "market.json.gz"
    path.write_bytes(path.read_bytes()[:-30] + bytes(30))


def _cut_off(folder, _):
    path = folder / "market.json.gz"
    path.write_bytes(path.read_bytes()[:1000])


def _gone(folder, _):
    (folder / "market.json.gz").unlink()


def _none_at_all(folder, _):
    (folder / pages.DIGESTS).unlink()


def _no_digests(folder, _):
    (folder / pages.DIGESTS).write_text("{")


@pytest.mark.parametrize(
    "harm", [_other_source, _other_page, _cut_off, _gone, _none_at_all, _no_digests]
)
def test_a_page_that_is_out_of_date_or_not_whole_is_made_anew(
    kept, anew, tmp_path, monkeypatch, harm
):
    harm(kept, monkeypatch)
    pages.export_template("market", tmp_path / "page.html")
    assert len(anew) == 1


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda root: (root / "a.py").write_text("x = 2"), True),
        (lambda root: (root / "data" / "b.csv").unlink(), True),
        (lambda root: (root / "data" / "b.csv").rename(root / "b.csv"), True),
        (lambda root: (root / "new.js").write_text(""), True),
        (lambda root: (root / "__pycache__" / "a.py").write_text("x"), False),
        (lambda root: (root / "a.py~").write_text("x"), False),
    ],
)
def test_the_digest_is_that_of_every_source(tmp_path, change, counts):
    root = tmp_path / "package"
    (root / "data").mkdir(parents=True)
    (root / "__pycache__").mkdir()
    (root / "a.py").write_text("x = 1")
    (root / "data" / "b.csv").write_text("1,2")
    before = pages.digest_of([root])
    change(root)
    assert (pages.digest_of([root]) != before) is counts


def test_each_template_has_a_ready_page():
    told = json.loads((pages.PAGES / pages.DIGESTS).read_text())
    assert told.keys() == {"sources", *templates.NAMES}


@pytest.mark.long
@pytest.mark.parametrize("name", templates.NAMES)
def test_the_pages_of_the_release_are_what_would_be_written(name):
    """They may be out of date, and are then not used; else they are right to the last figure."""
    ready = pages.ready_page(name)
    if ready is None:
        pytest.skip("out of date, and not used; python scripts/pages.py makes them anew")
    with drafted(name) as draft:
        page, exported = prepared(draft, name)
    assert replace(ready[1], ready=False) == exported
    for ours, theirs in zip(_parts(ready[0]), _parts(page), strict=True):
        # Another processor may add up in another order.
        assert ours == theirs or _close(ours, theirs)


def _close(ours, theirs):
    both = _NUMBER.fullmatch(ours) and _NUMBER.fullmatch(theirs)
    return bool(both) and isclose(float(ours), float(theirs), rel_tol=1e-9)


def _parts(page):
    """Return the texts and numbers that a page consists of."""
    text = json.dumps(vars(page), ensure_ascii=False)
    return [part for pair in zip(_NUMBER.split(text), [*_NUMBER.findall(text), ""], strict=True)
            for part in pair]  # fmt: skip
