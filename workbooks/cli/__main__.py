"""The command line as `python -m workbooks.cli`."""

from workbooks.cli import start

start()
