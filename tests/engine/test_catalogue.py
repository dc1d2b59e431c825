"""Catalogues: what the columns say of themselves, what was published, and sources."""

from __future__ import annotations

import math
import re
from importlib.resources import files
from pathlib import Path

import pytest

from engine import catalogue
from engine.catalogue import (
    Accelerator,
    Format,
    Model,
    active_parameters,
    find,
    kv_elements_per_token,
    records,
    resolve,
    table,
    total_parameters,
)
from engine.errors import InputError, UnknownIdError
from engine.ids import match
from engine.serving.estimates import throughput

DATA = files("engine") / "data"
MODELS = [pytest.param(row, id=row["id"]) for row in table("models")]
ACCELERATORS = [pytest.param(row, id=row["id"]) for row in table("accelerators")]
_SCALES = {"T": 1e12, "B": 1e9}


def published(text):
    """Total and active parameters as their makers give them: 671B/37B, 1.03T/32B, 70.6B."""
    return [float(n) * _SCALES[s] for n, s in re.findall(r"([\d.]+)([TB])(?=/|$|\s)", text)]


def last_digit(text):
    """Half a unit of the last digit of the total that is published."""
    number, scale = re.match(r"([\d.]+)([TB])", text).groups()
    return 0.5 * 10.0 ** -len(number.partition(".")[2]) * _SCALES[scale]


@pytest.mark.parametrize("row", MODELS)
def test_parameters_and_cache_follow_from_the_dimensions(row):
    model = records(Model)[row["id"]]
    # Printed to a thousandth of a billion.
    assert total_parameters(model) / 1e9 == pytest.approx(float(row["params_total_b"]), abs=5.1e-4)
    assert active_parameters(model) / 1e9 == pytest.approx(
        float(row["params_active_b"]), abs=5.1e-4
    )
    assert 2 * kv_elements_per_token(model) == float(row["kv_bytes_per_token_bf16"])


@pytest.mark.parametrize("row", MODELS)
def test_parameters_are_those_published(row):
    model = records(Model)[row["id"]]
    total, *active = published(row["published_params"])
    # Models that see are published with their eye, which is not served here.
    near = max(0.012 * total, last_digit(row["published_params"]))
    assert total_parameters(model) == pytest.approx(total, abs=near)
    if model.experts:
        # Some makers count the embedding, too, some do not; some do not even count the output head.
        embedding = model.vocab * model.hidden
        without = active_parameters(model)
        # To the digit printed: the last is a whole or a tenth of a billion.
        assert without - embedding - 0.6e9 <= active[0] <= without + embedding + 0.6e9


@pytest.mark.parametrize("row", ACCELERATORS)
def test_memory_in_both_units_agrees(row):
    gb, gib = float(row["memory_gb"]), float(row["memory_gib"])
    # Stacks of memory hold powers of two, whatever the data sheet calls them: 192 "GB" are 206.2.
    assert gb == pytest.approx(gib * 1.024**3, rel=1e-3)


#: Memory as it is printed on data sheets, and which of the two units is meant by it there.
PRINTED = {
    "gib": {
        "a100_80gb_sxm": 80, "h100_sxm": 80, "h100_pcie": 80, "h200_sxm": 141, "b200_sxm": 180,
        "h800_sxm": 80, "mi300x": 192, "mi325x": 256, "tpu_v5p": 95, "tpu_v6e": 32, "tpu_v7x": 192,
        "gaudi3": 128, "l4": 24, "trainium2": 96, "trainium3": 144, "rtx_pro_6000": 96,
        "gb200": 186, "mi355x": 288, "a10": 24,
        # As the device reports it.
        "gb300": 277.5,
    },
    # Boards whose printed figure is in thousands of millions of bytes.
    "gb": {"b300_sxm": 288, "l40s": 48, "groq_lpu": 0.23},
}  # fmt: skip


@pytest.mark.parametrize("row", ACCELERATORS)
def test_memory_is_what_the_data_sheet_prints_in_its_unit(row):
    ((unit, printed),) = [
        (unit, known[row["id"]]) for unit, known in PRINTED.items() if row["id"] in known
    ]
    assert float(row[f"memory_{unit}"]) == pytest.approx(printed, rel=0.01)


@pytest.mark.parametrize("row", ACCELERATORS)
def test_peak_rates_are_dense(row):
    accelerator = records(Accelerator)[row["id"]]
    fp8, fp4 = accelerator.fp8_dense_tflops, accelerator.fp4_dense_tflops
    # A sparse figure among dense ones would be twice as large again.
    # Trainium3 multiplies MXFP8 four times as fast as bf16 (S68).
    most = 4 if accelerator.id == "trainium3" else 2.1
    assert math.isnan(fp8) or fp8 <= accelerator.bf16_dense_tflops * most
    assert math.isnan(fp4) or fp4 <= accelerator.bf16_dense_tflops * 7


@pytest.mark.parametrize("kind", ["models", "accelerators", "formats"])
def test_every_row_has_its_sources_and_its_own_id(kind):
    known = set(re.findall(r"\[(S\d+)\]", (DATA / "SOURCES.md").read_text(encoding="utf-8")))
    rows = table(kind)
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["id"] == row["id"].strip().lower()
        assert set(row["source_id"].split()) <= known, row["id"]
        assert row["source_id"]
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["checked"])


def test_formats_are_those_of_the_contract():
    assert set(records(Format)) == {"bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4"}


@pytest.fixture
def another_catalogue(tmp_path, monkeypatch):
    """A copy of the data whose files may change, read in place of the project's."""
    folder = tmp_path / "data"
    folder.mkdir()
    for kind in ("models", "accelerators", "formats"):
        (folder / f"{kind}.csv").write_text((DATA / f"{kind}.csv").read_text(encoding="utf-8"))
    monkeypatch.setattr(catalogue, "files", lambda _: tmp_path)
    table.cache_clear()
    records.cache_clear()
    yield folder
    table.cache_clear()
    records.cache_clear()


def test_a_row_in_a_file_is_all_it_takes_to_add_a_model(another_catalogue):
    path = another_catalogue / "models.csv"
    row = next(line for line in path.read_text().splitlines() if line.startswith("qwen3-32b,"))
    with path.open("a", encoding="utf-8") as file:
        file.write(row.replace("qwen3-32b", "qwen9-32b", 1) + "\n")
    args = ("h200_sxm", 16, 1024, 1024)
    assert throughput("qwen9-32b", *args) == throughput("qwen3-32b", *args)


def test_a_faulty_row_is_told_with_its_file(another_catalogue):
    path = another_catalogue / "accelerators.csv"
    path.write_text(path.read_text().replace(",0.864,", ",fast,"), encoding="utf-8")
    with pytest.raises(InputError, match=r"accelerators\.csv: mem_bw_tb_s must be a number"):
        find(Accelerator, "l40s")
    path.write_text(path.read_text().replace(",fast,", ",,"), encoding="utf-8")
    table.cache_clear()
    with pytest.raises(InputError, match=r"accelerators\.csv: 'l40s' lacks mem_bw_tb_s"):
        find(Accelerator, "l40s")


def test_a_record_stands_for_itself():
    model = find(Model, "qwen3-8b")
    assert resolve(Model, model) is model
    assert resolve(Model, "QWEN3-8B ") is model


def test_multi_head_attention_is_what_blanks_mean():
    own = resolve(Model, {"layers": 2, "hidden": 64, "heads": 4, "vocab": 100, "ffn_dim": 128})
    assert (own.kv_heads, own.head_dim) == (4, 16)


@pytest.mark.parametrize(
    ("given", "near"), [("llama-3.1-70", "llama-3.1-70b"), ("Deepsek r1", "deepseek-r1")]
)
def test_unknown_ids_name_what_is_near(given, near):
    with pytest.raises(UnknownIdError, match=near):
        find(Model, given)


@pytest.mark.parametrize(
    ("given", "id"),
    [
        ("Llama 3.1 70B", "llama-3.1-70b"),
        ("llama_3.1_70b", "llama-3.1-70b"),
        ("DeepSeekR1", "deepseek-r1"),
        (" gpt-oss 120b ", "gpt-oss-120b"),
    ],
)
def test_ids_ignore_case_blanks_hyphens_and_underscores(given, id):
    assert find(Model, given).id == id


def test_dots_of_an_id_count():
    # Else 3.18b and 31.8b would be one model.
    with pytest.raises(UnknownIdError, match=r"llama-3\.1-8b"):
        find(Model, "llama-31-8b")


def test_a_text_that_names_two_ids_is_told_with_both():
    with pytest.raises(UnknownIdError, match="may be a-b or a_b"):
        match("model", "A B", ("a-b", "a_b"))
    assert match("model", "a_b", ("a-b", "a_b")) == "a_b"


def test_power_of_a_server_is_more_than_that_of_its_accelerators():
    told = [row for row in table("accelerators") if row["server_watts"]]
    assert len(told) >= 5
    for row in told:
        assert 1.2 <= float(row["server_watts"]) / float(row["tdp_w"]) <= 2.2, row["id"]


def test_sources_named_in_the_engine_exist():
    known = set(re.findall(r"\[(S\d+)\]", (DATA / "SOURCES.md").read_text(encoding="utf-8")))
    named = set()
    for module in Path(catalogue.__file__).parent.rglob("*.py"):
        named |= set(re.findall(r"\b(S\d{1,2})\b(?!\w)", module.read_text(encoding="utf-8")))
    assert "S14" in named
    assert named <= known
