"""Chromium, driven through a pipe by its DevTools protocol: no network, no other package."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SECONDS = 60
_FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip


class Page:
    """One page of a browser."""

    def __init__(self, to: int, answers: int) -> None:
        self._to, self._answers = to, os.fdopen(answers, "rb", buffering=0)
        self._number, self._buffer, self._session = 0, b"", ""
        #: What the browser told of itself: requests, the console, exceptions.
        self.events: list[dict[str, Any]] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser something and return its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = self._answers.read(1 << 20)
            assert piece, "the browser has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def close(self) -> None:
        """End the browser, and what leads to it."""
        self("Browser.close")
        self._answers.close()
        os.close(self._to)

    def run(self, expression: str) -> Any:
        """Return what a piece of JavaScript gives in the page."""
        found = self(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Return what a piece of JavaScript gives once it is true."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            found = self.run(expression)
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{expression} did not come true")

    def open(self, path: Path, hash: str = "") -> None:
        """Open a page and wait until it computes, or says that it cannot."""
        # Another fragment alone would not load the page again.
        self("Page.navigate", url="about:blank")
        self("Page.navigate", url=f"{path.as_uri()}{hash}")
        self.wait("document.body && (document.body.dataset.ready || document.body.dataset.failed)")

    def enter(self, label: str, text: str) -> None:
        """Type a text into the field of a label, and leave it."""
        self.run(
            f"""(() => {{
              const field = {_field(label)};
              field.focus(); field.value = {json.dumps(text)};
              field.dispatchEvent(new Event('change', {{bubbles: true}}));
            }})()"""
        )

    def field(self, label: str) -> dict[str, Any]:
        """Return what a field holds, and what stands beside it."""
        return self.run(
            f"""(() => {{
              const field = {_field(label)};
              return {{
                value: field.value, invalid: field.getAttribute('aria-invalid'),
                message: field.closest('.field').querySelector('.wrong').textContent,
                changed: field.closest('.field').classList.contains('changed'),
              }};
            }})()"""
        )

    def picture(self, path: Path, width: int, height: int, *, dark: bool = False) -> Path:
        """Take a picture of the whole page."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=height,
             deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", features=[scheme])
        found = self("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))
        return path

    def requests(self) -> list[str]:
        """Return the addresses that were asked for, but for the page itself."""
        self.run("1")
        return [
            e["params"]["request"]["url"] for e in self.events
            if e.get("method") == "Network.requestWillBeSent"
            and e["params"].get("type") != "Document"
        ]  # fmt: skip

    def complaints(self) -> list[str]:
        """Return errors of the console, the log and the script."""
        self.run("1")
        told = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                told.append(str(parameters["exceptionDetails"]))
            elif event.get("method") == "Runtime.consoleAPICalled":
                if parameters["type"] in ("error", "warning", "assert"):
                    told.append(str(parameters["args"]))
            elif (
                event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error"
            ):
                told.append(parameters["entry"]["text"])
        return told


def _field(label: str) -> str:
    """Return JavaScript for the field of a label."""
    return (
        "[...document.querySelectorAll('.field')].find(f => "
        f"f.querySelector('label').firstChild.textContent === {json.dumps(label)})"
        ".querySelector('input, select')"
    )


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Run Chromium, and open a page in it."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()

    # The shell puts the pipes where the protocol wants them: 3 to be asked, 4 to answer.
    wired = f'exec "$@" 3<&{to_read} 4>&{from_write}'
    command = ["bash", "-c", wired, "bash", "chromium", *_FLAGS, f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        # Chromium refuses its sandbox to root, which a container's user often is.
        command.append("--no-sandbox")
    process = subprocess.Popen(
        command, pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(to_read)
    os.close(from_write)
    page = Page(to_write, from_read)
    try:
        yield page
    finally:
        page.close()
        process.wait(timeout=_SECONDS)
