"""Pages of templates, exported once for all tests."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path

import pytest

# Tests are no packages: what they share is found by its place.
sys.path.insert(0, str(Path(__file__).parent))

from driven import browser

from workbooks.build import drafted
from workbooks.page.export import Exported, export


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Return what exports a template, once."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def once(name: str) -> Exported:
        with drafted(name) as draft:
            return export(draft, folder / f"{name}.html", name=name)

    return once


@pytest.fixture(scope="session")
def browser_page(tmp_path_factory):
    """Return a page of Chromium with the network off."""
    if not shutil.which("chromium"):
        pytest.skip("Chromium is not installed")
    profile: Path = tmp_path_factory.mktemp("profile")
    with browser(profile) as page:
        page("Network.emulateNetworkConditions", offline=True, latency=0,
             downloadThroughput=-1, uploadThroughput=-1)  # fmt: skip
        yield page
