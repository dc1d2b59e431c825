"""What must hold of a fleet, its revenue and its statements, wherever their rows stand."""

from __future__ import annotations

from collections.abc import Callable

from workbooks.authoring.layout import Ref, Sheet
from workbooks.templates.load import PRODUCTS
from workbooks.templates.plan.operations import COSTS, REVENUES, TEAM

#: Where a row or an input stands, by its key.
Places = Callable[[str], Ref]


def check_fleet(sheet: Sheet, before: str, ref: Places) -> None:
    """Check that the GPUs suffice in every month, all together and by product."""
    slack = ref("tolerance")
    there = "+".join(str(ref(key)) for key in ("owned", "reserved", "on_demand"))
    sheet.check(f"{before}the fleet serves the peak in every month",
                f"SUMPRODUCT(({there}<{ref('gpus')})*1)", "0", slack)  # fmt: skip
    for key, name in PRODUCTS.items():
        # A peak of next to nothing needs no replica.
        served = f"({ref(key + '_gpus')}/{ref('replica')}+{slack})*{ref(key + '_replica')}"
        sheet.check(f"{before}{name.lower()} is served at its peak",
                    f"SUMPRODUCT(({served}<{ref(key + '_peak')})*1)", "0", slack)  # fmt: skip


def check_revenue(sheet: Sheet, before: str, ref: Places) -> None:
    """Check that the products add up."""
    sheet.check(f"{before}products add up to revenue", f"SUM({ref('revenue')})",
                "+".join(f"SUM({ref(key)})" for key in REVENUES), ref("tolerance"))  # fmt: skip


def check_statements(sheet: Sheet, before: str, ref: Places) -> None:
    """Check that the balance sheet balances, cash, EBITDA and the present value."""
    slack = ref("tolerance")
    # The gap itself is noise of the last digits, and another in each program.
    wide = f"{_size(ref('gap'))}>{slack}*(1+{_size(ref('assets'))})"
    sheet.check(f"{before}months in which the balance sheet does not balance",
                f"SUMPRODUCT(({wide})*1)", "0", slack)  # fmt: skip
    cash = ref("cash")
    sheet.check(f"{before}cash is what the flows leave", f"INDEX({cash},COLUMNS({cash}))",
                f"{ref('cash_start')}+SUM({ref('net_flow')})", slack)  # fmt: skip
    sheet.check(f"{before}costs and team add up to EBITDA", f"SUM({ref('ebitda')})",
                f"SUM({ref('revenue')})-" + "-".join(f"SUM({ref(k)})" for k in (*COSTS, *TEAM))
                + f"+SUM({ref('depreciation')})", slack)  # fmt: skip
    sheet.check(f"{before}present value by NPV", f"SUM({ref('present')})",
                f"NPV((1+{ref('discount')})^(1/{ref('year_months')})-1,{ref('flow_to_value')})",
                slack)  # fmt: skip


def _size(cells: object) -> str:
    """Return each cell without its sign: ABS of a range gives an array in some programs only."""
    return f"{cells}*(({cells}>=0)-({cells}<0))"
