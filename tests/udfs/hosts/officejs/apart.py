"""What another process calls in the tests of the guard; it is imported there by its name."""

from __future__ import annotations

import os


def die(scope, body):
    """End the process, as the system does to one that takes too much memory."""
    os._exit(1)


def count(scope, body):
    """Answer with the length of the body."""
    start = {"type": "http.response.start", "status": 200, "headers": []}
    return [start, {"type": "http.response.body", "body": str(len(body)).encode()}], None
