"""Pages as a reader meets them: opened in Chromium, with the network off."""

from __future__ import annotations

import json
import re

import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName

from workbooks.page.export import export
from workbooks.recalc import recalculate

pytestmark = pytest.mark.chromium


#: All but the broker's, whose figures hang on a linear program.
TEMPLATES = (
    "applications", "audit", "buyer", "market", "ownership", "plan", "risk", "serving",
)  # fmt: skip


@pytest.fixture
def breakeven(exported, browser_page):
    browser_page.events.clear()
    browser_page.open(exported("breakeven").path)
    return browser_page


def headline(page, label):
    """Return the value of a headline figure, and what it was."""
    return page.run(
        f"""(() => {{
          const card = [...document.querySelectorAll('#headlines .figure')]
            .find(c => c.querySelector('.label').textContent.startsWith({json.dumps(label)}));
          return [card.querySelector('.value').textContent, card.querySelector('.was').textContent];
        }})()"""
    )


def test_a_page_opens_with_the_network_off_and_asks_for_nothing(breakeven):
    assert breakeven.run("document.body.dataset.failed") is None
    assert breakeven.requests() == []
    assert breakeven.complaints() == []


def test_a_page_may_ask_for_nothing_even_if_its_script_wanted_to(breakeven):
    asked = breakeven.run(
        "fetch('https://example.invalid/').then(() => 'sent', error => error.message)"
    )
    assert "fetch" in asked
    told = " ".join(breakeven.complaints())
    assert "Content Security Policy" in told
    breakeven.run("document.body.append(Object.assign(document.createElement('img'), "
                  "{src: 'https://example.invalid/a.png'}))")  # fmt: skip
    assert not [a for a in breakeven.requests() if a.startswith("https") and "invalid" not in a]


def test_an_input_changes_the_figures_as_recalculation_does(breakeven, tmp_path):
    from workbooks.build import build  # noqa: PLC0415  (only here)

    breakeven.enter("Price", "0.59")
    value, was = headline(breakeven, "Loss a year")
    build("breakeven", tmp_path)
    path = tmp_path / "breakeven.xlsx"
    recalculate(path, set_values=[("price_steady", 0.59)])
    from openpyxl import load_workbook  # noqa: PLC0415

    expected = load_workbook(path, data_only=True)["Cover"]["B12"].value
    assert value == f"${expected:,.0f}"
    assert was == "was $10,950,000"
    assert breakeven.run("document.getElementById('changes').textContent") == (
        "Price (Steady): $0.88 → $0.59"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,5", "two ways"),
        ("cheap", "not a number"),
        ("", "needed"),
        ("-1", "at least $0"),
        ("50%", "percent"),
        ("€1", "does not belong"),
        ("1e999", "too large"),
    ],
)
def test_a_wrong_input_gets_a_message_and_changes_nothing(breakeven, text, says):
    before = breakeven.run("document.getElementById('headlines').textContent")
    breakeven.enter("Price", text)
    field = breakeven.field("Price")
    assert says in field["message"]
    assert field["invalid"] == "true"
    assert breakeven.run("document.getElementById('headlines').textContent") == before
    assert breakeven.run("location.hash") == ""


@pytest.mark.parametrize(
    ("label", "text", "shown", "hash"),
    [
        ("Price", "$1.20", "1.2", "price%40Steady=1.2"),
        ("Price", " 0.59 ", "0.59", "price%40Steady=0.59"),
        ("Cash raised", "1,200", "1,200", "cash%40Steady=1200"),
        ("Volume growth", "50%", "50", "volume_growth%40Steady=0.5"),
        ("Volume growth", "50", "50", "volume_growth%40Steady=0.5"),
        ("First day of the paths", "2027-01-31", "2027-01-31", "start=46418"),
    ],
)
def test_an_input_is_written_as_its_format_says(breakeven, label, text, shown, hash):
    group = "[...document.querySelectorAll('#inputs details')].forEach(d => d.open = true)"
    breakeven.run(group)
    breakeven.enter(label, text)
    assert breakeven.field(label)["message"] == ""
    assert breakeven.field(label)["value"] == shown
    assert breakeven.run("location.hash") == f"#{hash}"


def test_a_scenario_is_chosen(breakeven):
    breakeven.run(
        "(() => { const s = document.getElementById('scenario'); s.value = 'Price war'; "
        "s.dispatchEvent(new Event('change')); })()"
    )
    assert breakeven.field("Price change")["value"] == "-50"
    assert headline(breakeven, "Runway")[1].startswith("was")
    assert breakeven.run("location.hash") == "#scenario=Price%20war"


def test_a_link_carries_the_inputs_and_reset_takes_them_back(exported, browser_page):
    path = exported("breakeven").path
    browser_page.open(path, "#price=0.59&cash=1e9")
    assert browser_page.field("Price")["value"] == "0.59"
    assert browser_page.field("Price")["changed"]
    assert headline(browser_page, "Runway on $1")[0]
    browser_page.run("document.getElementById('reset').click()")
    assert browser_page.field("Price")["value"] == "0.88"
    assert browser_page.run("document.getElementById('changed').hidden")
    assert browser_page.run("location.hash") == ""


def test_a_link_that_carries_nonsense_says_so_and_changes_nothing(exported, browser_page):
    browser_page.open(exported("breakeven").path, "#price=-4&nothing=1&cash=%zz&scenario=Boom")
    notice = browser_page.run("document.getElementById('notice').textContent")
    for part in ("price=-4", "nothing=1", "cash=%zz", "scenario=Boom"):
        assert part in notice
    assert browser_page.field("Price")["value"] == "0.88"
    assert browser_page.run("document.getElementById('changed').hidden")


def test_each_field_has_a_label_and_can_be_reached_by_keyboard(breakeven):
    assert breakeven.run(
        "[...document.querySelectorAll('input, select')].every(c => c.labels.length === 1 "
        "&& c.tabIndex === 0)"
    )
    assert breakeven.run(
        "[...document.querySelectorAll('svg')].every(s => s.getAttribute('role') === 'img' "
        "&& s.querySelector('title').textContent.length > 10)"
    )
    # The keyboard itself: into the first field, type, Enter.
    breakeven.run("document.querySelector('#inputs input').focus()")
    for key in "20000000000":
        breakeven("Input.dispatchKeyEvent", type="char", text=key)
    breakeven("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r",
              windowsVirtualKeyCode=13)  # fmt: skip
    assert headline(breakeven, "Loss a year")[0] == "$21,900,000"


def contrast(page, scheme):
    page("Emulation.setEmulatedMedia",
         features=[{"name": "prefers-color-scheme", "value": scheme}])  # fmt: skip
    return page.run(
        """(() => {
          const luminance = (rgb) => {
            const [r, g, b] = rgb.match(/[0-9.]+/g).map(Number).map(v => v / 255)
              .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const behind = (element) => {
            for (let e = element; e; e = e.parentElement) {
              const colour = getComputedStyle(e).backgroundColor;
              if (!/rgba\\(.*, 0\\)/.test(colour)) return colour;
            }
            return 'rgb(255,255,255)';
          };
          let least = 99, where = '';
          for (const e of document.querySelectorAll('body *')) {
            if (!e.textContent.trim() || e.disabled) continue;
            if (e.closest('svg, script, .static, option')) continue;
            const [a, b] = [luminance(getComputedStyle(e).color), luminance(behind(e))].sort();
            const found = (b + 0.05) / (a + 0.05);
            const told = e.className + ' ' + e.textContent.slice(0, 40);
            if (found < least) [least, where] = [found, told];
          }
          return [least, where];
        })()"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(breakeven, scheme):
    breakeven.enter("Price", "x")
    least, where = contrast(breakeven, scheme)
    assert least >= 4.5, where


@pytest.mark.parametrize("width", [340, 420, 800, 1280])
def test_a_page_fits_its_width(breakeven, width):
    breakeven("Emulation.setDeviceMetricsOverride", width=width, height=800,
              deviceScaleFactor=1, mobile=False)  # fmt: skip
    assert breakeven.run("document.documentElement.scrollWidth") <= width
    breakeven("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("name", ["breakeven", "serving", "applications"])
def test_a_page_prints_on_one_sheet(name, exported, browser_page):
    import base64  # noqa: PLC0415

    browser_page.open(exported(name).path)
    if name == "breakeven":
        browser_page.enter("Price", "0.59")
    printed = browser_page("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed))) == 1


@pytest.fixture
def hostile(tmp_path):
    """A workbook whose texts try to be markup."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "</script><b>"[:31].replace("/", "-")
    texts = ("<script>window.bad=1</script>", "<img src=x onerror=window.bad=2>", "</script>&amp;")
    for row, text in enumerate(texts, start=1):
        sheet.cell(row, 1, text)
        sheet.cell(row, 2, row * 1.5)
        sheet.cell(row, 3, "</style><script>window.bad=3</script>")
    sheet["A4"], sheet["B4"] = "Sum of </script><script>window.bad=4</script>", "=SUM(B1:B3)"
    sheet["B5"] = '=A1&" "&TEXT(B1,"0")'
    sheet["A5"] = "'\"><svg onload=window.bad=5>"
    for name, cell in (("one", "B1"), ("two", "B2"), ("three", "B3"), ("total", "B4"),
                       ("said", "B5")):  # fmt: skip
        place = f"'{sheet.title}'!${cell[0]}${cell[1]}"
        workbook.defined_names[name] = DefinedName(name, attr_text=place)
    workbook.properties.title = "<title></title><script>window.bad=6</script>"
    workbook.properties.description = "<iframe srcdoc='<script>parent.bad=7</script>'></iframe>"
    path = tmp_path / "hostile.xlsx"
    workbook.save(path)
    return path


def test_texts_of_a_workbook_are_never_markup(hostile, browser_page, tmp_path):
    done = export(hostile, tmp_path / "hostile.html")
    assert done.figures == 2
    browser_page.events.clear()
    browser_page.open(done.path, "#one=4&%3Cscript%3Ewindow.bad=8%3C/script%3E=1")
    assert browser_page.run("document.body.dataset.failed") is None
    assert browser_page.run("window.bad === undefined")
    # The page's own script and its two blocks of data.
    assert browser_page.run("document.scripts.length") == 3
    assert browser_page.run("document.querySelectorAll('img, iframe, svg[onload]').length") == 0
    assert "<script>window.bad=1" in browser_page.run("document.getElementById('inputs').innerText")
    assert "<script>window.bad=8" in browser_page.run("document.getElementById('notice').innerText")


def test_without_its_script_a_page_still_shows_the_figures(exported, browser_page):
    browser_page("Emulation.setScriptExecutionDisabled", value=True)
    browser_page("Page.navigate", url=exported("breakeven").path.as_uri())
    import time  # noqa: PLC0415

    time.sleep(1.0)
    browser_page("Emulation.setScriptExecutionDisabled", value=False)
    text = browser_page.run("document.body.innerText")
    assert "$10,950,000" in text
    assert "Cash raised" in text


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_template_opens_and_computes_what_the_file_says(name, exported, browser_page):
    browser_page.events.clear()
    browser_page.open(exported(name).path)
    # The page itself compares all that it shows with the file before it lets anything be changed.
    assert browser_page.run("document.body.dataset.failed") is None
    assert browser_page.complaints() == []
    assert browser_page.requests() == []
    assert exported(name).refused == ()


@pytest.mark.parametrize("name", ["applications", "breakeven", "market", "ownership", "serving"])
def test_no_two_marks_of_an_axis_are_written_alike(name, exported, browser_page):
    browser_page.open(exported(name).path)
    marks = browser_page.run(
        "[...document.querySelectorAll('svg.chart')].map(s => "
        "[...s.querySelectorAll('line.grid, line.zero')].map(l => l.nextSibling.textContent))"
    )
    assert sum(map(len, marks)) > 8
    assert [found for found in marks if len(set(found)) < len(found)] == []


def test_a_chart_s_table_and_names_have_the_digits_of_their_cells(exported, browser_page):
    """The axis rounds: a loss of $146,000 would be $0M, and a series of $5.12 an hour 5.12."""
    browser_page.open(exported("breakeven").path)
    browser_page.run("document.querySelectorAll('.numbers').forEach(d => { d.open = true; })")
    cells = browser_page.wait(
        "(() => { const found = [...document.querySelectorAll('.numbers td')]"
        ".map(c => c.textContent); return found.length && found; })()"
    )
    assert "$146,000" in cells
    assert "$0M" not in cells
    browser_page.open(exported("applications").path)
    names = browser_page.run(
        "[...document.querySelectorAll('svg.chart .key')].map(k => k.textContent)"
    )
    assert {"at $5.12 an hour", "spread 0.5"} <= set(names)


@pytest.mark.parametrize(
    ("width", "name"),
    [(1240, "audit"), (1240, "risk"), (1240, "serving"), (400, "audit"), (400, "breakeven")],
)
def test_no_number_is_cut_off_and_no_name_of_a_bar_hides_another(
    width, name, exported, browser_page
):
    browser_page("Emulation.setDeviceMetricsOverride", width=width, height=1000,
                 deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
    browser_page.open(exported(name).path)
    browser_page.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    cut = browser_page.run(
        "[...document.querySelectorAll('.field input')]"
        ".filter(i => i.scrollWidth > i.clientWidth).map(i => i.value)"
    )
    over = browser_page.run("""[...document.querySelectorAll('svg.chart')].flatMap((chart) => {
      const names = [...chart.querySelectorAll('text.tick')]
        .filter((text) => !text.hasAttribute('transform'))
        .map((text) => text.getBoundingClientRect());
      const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
        && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      return names.filter((a, i) => names.some((b, j) => i < j && meet(a, b))).length || [];
    })""")
    beyond = browser_page.run("""[...document.querySelectorAll('svg.chart')].flatMap((chart) => {
      const frame = chart.getBoundingClientRect();
      return [...chart.querySelectorAll('text')]
        .filter((text) => text.getBoundingClientRect().right > frame.right + 1
          || text.getBoundingClientRect().left < frame.left - 1)
        .map((text) => text.textContent);
    })""")
    browser_page("Emulation.clearDeviceMetricsOverride")
    assert cut == []
    assert beyond == []
    assert over == []


def test_a_bar_that_floats_is_told_by_its_ends(exported, browser_page):
    """Its length, in a table beside a price, would read as a breakeven."""
    browser_page.open(exported("breakeven").path)
    browser_page.run("document.querySelectorAll('.numbers').forEach(d => { d.open = true; })")
    row = browser_page.wait(
        "(() => { const row = document.querySelector('.numbers tbody tr');"
        " return row && [...row.children].map(c => c.textContent); })()"
    )
    assert row == ["Together AI", "$3.00 to $5.00", "$0.88"]
    hints = browser_page.run(
        "[...document.querySelector('svg.chart').querySelectorAll('rect > title')]"
        ".map(t => t.textContent)"
    )
    assert "Breakeven range, Groq: $0.50 to $1.00" in hints


def test_marks_of_an_axis_are_no_closer_than_the_file_has_them(exported, browser_page):
    browser_page.open(exported("ownership").path)
    marks = browser_page.run(
        "[...document.querySelector('svg.chart').querySelectorAll('text.tick')]"
        ".filter(t => t.getAttribute('text-anchor') === 'middle').map(t => t.textContent)"
    )
    assert marks == ["0", "1", "2", "3"]
