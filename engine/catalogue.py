"""Catalogues: CSV tables in `engine/data`, read once into typed records.

A record is a frozen dataclass. Its class names the table (`kind`); its fields name the columns
that the engine uses. Where an id is expected, a user's own record may stand instead: a mapping,
or a two-column range of (field, value).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, ClassVar, Protocol, TypeAlias, TypeVar, cast

import numpy as np

from engine.errors import DomainError, InputError, UnknownIdError
from engine.ids import match

__all__ = ["Accelerator", "Model"]


class Record(Protocol):
    """What a class needs so that its table can be read: `kind`, and an `id` as first field."""

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def id(self) -> str:
        """The id, unique in its table."""


R = TypeVar("R", bound=Record)


#: Stands where no tensor core multiplies a format.
NO_CORE = "none"


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator, dense peak rates (never the sparse figures of a data sheet).

    Blank peak rates mean that the device has no such tensor core: weights in that format then
    save memory, and arithmetic runs at the rate of bf16.
    """

    kind: ClassVar[str] = "accelerators"
    #: Boost clock of the H100; the default where none is published [GHz]
    reference_clock_ghz: ClassVar[float] = 1.98

    id: str
    memory_gb: float
    mem_bw_tb_s: float
    bf16_dense_tflops: float
    fp8_dense_tflops: float = math.nan
    fp4_dense_tflops: float = math.nan
    int8_dense_tops: float = math.nan
    scaleup_gb_s_per_direction: float = 64.0
    clock_ghz: float = 1.98
    #: Accelerators that the fast link joins, and the network beyond it [-, GB/s in one direction]
    scaleup_domain_size: float = 8.0
    scaleout_gb_s_per_direction: float = 50.0
    #: What the maker's software reaches of the peak rates, and how long its launches take, against
    #: NVIDIA's; and how uncertain that is: a standard deviation of the logarithm of the cost [-]
    compute_share: float = 1.0
    bandwidth_share: float = 1.0
    launch_ratio: float = 1.0
    spread: float = 0.35
    #: Whether runs on it were measured for the calibration
    measured: bool = False

    def __post_init__(self) -> None:
        for name in ("memory_gb", "mem_bw_tb_s", "bf16_dense_tflops", "clock_ghz"):
            _above_zero(self, name)
        _above_zero(self, "scaleup_gb_s_per_direction")
        _above_zero(self, "scaleup_domain_size")
        for name in ("scaleout_gb_s_per_direction", "compute_share", "bandwidth_share"):
            _above_zero(self, name)
        for name in ("fp8_dense_tflops", "fp4_dense_tflops", "int8_dense_tops"):
            if not np.isnan(getattr(self, name)):
                _above_zero(self, name)

    def peak(self, field: str) -> float:
        """Return a peak rate by the name of its field; NaN for `NO_CORE`."""
        return math.nan if field == NO_CORE else float(getattr(self, field))


@dataclass(frozen=True, slots=True)
class Model:
    """Dimensions of a transformer as its configuration file gives them.

    `attention` is GQA (multi-head and multi-query are its limits) or MLA. A dense model has no
    experts; in a mixture of experts the first `dense_layers` layers have an ordinary block.
    Layers that neither slide nor are linear, sparse or coarse attend to the whole context.
    """

    kind: ClassVar[str] = "models"

    id: str
    layers: int
    hidden: int
    heads: int
    vocab: int
    ffn_dim: int = 0
    attention: str = "GQA"
    kv_heads: int = 0
    head_dim: int = 0
    tied_embeddings: bool = False
    experts: int = 0
    experts_per_token: int = 0
    shared_experts: int = 0
    moe_ffn_dim: int = 0
    dense_layers: int = 0
    q_lora_rank: int = 0
    kv_lora_rank: int = 0
    qk_nope_dim: int = 0
    qk_rope_dim: int = 0
    v_head_dim: int = 0
    sliding_window: int = 0
    sliding_layers: int = 0
    #: Layers with a state of constant size in place of a cache; each one's parameters and state [B]
    linear_layers: int = 0
    linear_parameters: int = 0
    state_bytes: int = 0
    #: Layers that attend to entries of the cache which an indexer selects; how many, and how many
    #: tokens make an entry. Layers with an indexer of their own, its heads, and its width.
    sparse_layers: int = 0
    selected_entries: int = 0
    entry_tokens: int = 1
    index_layers: int = 0
    index_heads: int = 0
    index_dim: int = 0
    #: Layers that attend to all entries of a cache in which one stands for so many tokens
    coarse_layers: int = 0
    coarse_tokens: int = 1
    #: Parameters of an attention block, where they do not follow from the dimensions; and all
    #: others that do not: gates, indexers, projections around experts
    attention_parameters: int = 0
    other_parameters: int = 0
    #: Width that enters an expert, where it is not that of the residual stream; its matrices
    expert_hidden: int = 0
    expert_matrices: int = 3
    #: Whether runs of it were measured for the calibration
    measured: bool = False

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "vocab", "expert_matrices"):
            _above_zero(self, name)
        for name in ("entry_tokens", "coarse_tokens"):
            _above_zero(self, name)
        # Whole numbers: these are 0 where something needs them.
        for name, needed in (
            ("selected_entries", self.sparse_layers),
            ("linear_parameters", self.linear_layers),
        ):
            if np.minimum(needed, 1) > getattr(self, name):
                raise DomainError(f"{name} of {self.id} must be more than 0")
        most = np.maximum(self.dense_layers, np.maximum(self.sliding_layers, self.index_layers))
        mixers = self.linear_layers + self.sparse_layers + self.coarse_layers
        if np.maximum(most, mixers) > self.layers:
            raise DomainError(f"{self.id} has {self.layers} layers; some kind of them has more")
        set_blank = object.__setattr__  # the one way to finish a frozen record
        if not self.kv_heads:
            set_blank(self, "kv_heads", self.heads)
        if not self.head_dim:
            set_blank(self, "head_dim", self.hidden // self.heads)
        set_blank(self, "attention", self.attention.strip().upper())
        if self.attention not in ("GQA", "MLA"):
            raise DomainError(f"attention of {self.id} is {self.attention!r}; it is GQA or MLA")
        if self.attention == "MLA":
            for name in ("kv_lora_rank", "qk_nope_dim", "v_head_dim"):
                _above_zero(self, name)
        if self.experts:
            _above_zero(self, "experts_per_token")
            _above_zero(self, "moe_ffn_dim")
        if self.experts_per_token > self.experts:
            raise DomainError(f"experts_per_token of {self.id} is more than its experts")
        # Where mixers and blocks of experts alternate, there are layers without feed-forward block.
        if not self.experts or self.dense_layers > self.linear_layers:
            _above_zero(self, "ffn_dim")
        if self.sliding_layers:
            _above_zero(self, "sliding_window")


@dataclass(frozen=True, slots=True)
class Format:
    """One number format of weights: its bytes, the tensor core that it needs, and its peak rate.

    The rate is that with the activations which serving programs multiply it with.
    """

    kind: ClassVar[str] = "formats"

    id: str
    bytes_per_parameter: float
    #: `NO_CORE` where weights alone are stored in it
    core_field: str
    peak_field: str
    #: Whether runs in it were measured for the calibration
    measured: bool = False

    def peak_tflops(self, accelerator: Accelerator) -> float:
        """Return the dense peak rate; that of bf16 where weights are unpacked to it."""
        bf16 = accelerator.bf16_dense_tflops
        best = np.fmax(accelerator.peak(self.peak_field), bf16)
        # A choice between numbers, not of the way on: a formula grows with each way.
        return cast(float, np.where(accelerator.peak(self.core_field) >= bf16, best, bf16))

    def is_unpacked(self, accelerator: Accelerator) -> bool:
        """Tell whether weights in this format are unpacked to bf16 to be multiplied.

        They are where no tensor core multiplies the format, the device lacks it, or has one that is
        slower than bf16.
        """
        return bool(not accelerator.peak(self.core_field) >= accelerator.bf16_dense_tflops)


BF16_BYTES = 2.0
_TRUE, _FALSE = ("true", "yes", "1", "1.0"), ("false", "no", "0", "0.0")

#: An id of the catalogue, or one's own (field, value) rows.
ModelLike: TypeAlias = Annotated[str | Model | Mapping[str, Any] | Iterable[Any], "model"]
AcceleratorLike: TypeAlias = Annotated[
    str | Accelerator | Mapping[str, Any] | Iterable[Any], "accelerator"
]


@cache
def table(kind: str) -> tuple[Mapping[str, str], ...]:
    """Return the rows of a catalogue as text, columns in the order of the file."""
    source = files("engine") / "data" / f"{kind}.csv"
    header, *rows = csv.reader(source.read_text(encoding="utf-8").splitlines())
    return tuple(dict(zip(header, row, strict=True)) for row in rows)


@cache
def records(cls: type[R]) -> Mapping[str, R]:
    """Return the records of a catalogue by id, in the order of the file."""
    return {row["id"]: _record(cls, row, f"{cls.kind}.csv") for row in table(cls.kind)}


def find(cls: type[R], given: str) -> R:
    """Return the record with this id; an unknown id is told with those that look like it."""
    if (traced := getattr(type(given), "__record__", None)) is not None:
        return cast(R, traced(cls, given))
    known: Mapping[str, R] = records(cls)
    return known[match(cls.kind.removesuffix("s"), given, known)]


def resolve(cls: type[R], given: Any) -> R:
    """Return the record that an argument means: an id, a record, or (field, value) rows."""
    if isinstance(given, cls):
        return given
    if isinstance(given, str):
        return find(cls, given)
    if not isinstance(given, Mapping | Iterable):
        raise InputError(f"{cls.kind.removesuffix('s')} must be an id, not {given!r}")
    own = f"own {cls.kind.removesuffix('s')}"
    return _record(cls, {"id": own, **_named(cls, _pairs(cls, given))}, own)


#: What may be an id or a record of one's own, by the kind of the argument.
KINDS: Mapping[str, type[Accelerator] | type[Model]] = {"model": Model, "accelerator": Accelerator}


def is_own_record(kind: str, rows: Sequence[Sequence[Any]]) -> bool:
    """Tell the rows of a user's own model or accelerator from a range of ids.

    Two columns are a record where the first holds only field names; and a range with numbers in it
    can only be meant as one, since no number is an id.

    Parameters
    ----------
    kind : str
        "model" or "accelerator" [text].
    rows : sequence of rows
        The range.
    """
    if any(isinstance(cell, int | float) for row in rows for cell in row):
        return True
    known = _columns(KINDS[kind]) | {"field"}
    named = [_field_name(row[0]) in known for row in rows if not _is_blank(row[0])]
    return len(rows[0]) == 2 and bool(named) and all(named)


def _columns(cls: Any) -> set[str]:
    return {f.name for f in fields(cls)}.union(*table(cls.kind)[:1])


def _field_name(cell: Any) -> str:
    return str(cell).strip().lower().replace(" ", "_")


def _pairs(cls: type[R], given: Any) -> list[tuple[Any, Any]]:
    """Return the (field, value) pairs of a user's own record, blank rows and a header left out."""
    rows = given.items() if isinstance(given, Mapping) else given
    try:
        pairs = [(field, value) for field, value in rows]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{cls.kind.removesuffix('s')} must be an id or rows of (field, value), not {given!r}"
        ) from error
    if pairs and [str(cell).strip().lower() for cell in pairs[0]] == ["field", "value"]:
        pairs = pairs[1:]
    return [pair for pair in pairs if not (_is_blank(pair[0]) and _is_blank(pair[1]))]


def _named(cls: type[R], pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """Check the field names of a user's own record; columns the engine does not use may stay."""
    kind = cls.kind.removesuffix("s")
    known = {f.name for f in fields(cls)}
    columns = _columns(cls)
    named: dict[str, Any] = {}
    for given, value in pairs:
        if _is_blank(given):
            raise InputError(f"own {kind}: the value {value!r} has no field beside it")
        name = _field_name(given)
        if name not in columns:
            raise UnknownIdError.of(f"{kind} field", str(given), known)
        if name in named:
            raise InputError(f"own {kind}: {name} is given twice")
        named[name] = value
    return named


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _record(cls: type[R], row: Mapping[str, Any], origin: str) -> R:
    given: dict[str, Any] = {}
    for field in fields(cls):
        value = row.get(field.name)
        if _is_blank(value):
            if field.default is MISSING:
                who = origin if row.get("id") == origin else f"{origin}: {row.get('id')!r}"
                raise InputError(f"{who} lacks {field.name}")
            continue
        given[field.name] = _converted(value, str(field.type), f"{origin}: {field.name}")
    return cls(**given)


def _converted(value: Any, wanted: str, what: str) -> Any:
    if wanted == "str":
        return str(value)
    if wanted == "bool":
        told = str(value).strip().lower()
        if told not in _TRUE + _FALSE:
            raise InputError(f"{what} must be TRUE or FALSE, not {value!r}")
        return told in _TRUE
    try:
        if isinstance(value, bool):
            raise TypeError("a truth value")
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be a number, not {value!r}") from error
    if not math.isfinite(number) or number < 0:
        raise DomainError(f"{what} is {value}; it must be 0 or more")
    if wanted == "float":
        return number
    if number % 1:
        raise DomainError(f"{what} is {value}; it must be whole")
    return int(number)


def _above_zero(record: Record, name: str) -> None:
    if not getattr(record, name) > 0:
        raise DomainError(f"{name} of {record.id} must be more than 0")


# --- what follows from the dimensions ---------------------------------------------------------


def attention_parameters(model: Model) -> int:
    """Return the parameters of one attention block [-]."""
    if model.attention_parameters:
        return model.attention_parameters
    if model.attention == "GQA":
        return model.hidden * model.head_dim * (2 * model.heads + 2 * model.kv_heads)
    query = model.qk_nope_dim + model.qk_rope_dim
    down = model.hidden * (model.q_lora_rank + model.kv_lora_rank + model.qk_rope_dim)
    query_up = (model.q_lora_rank or model.hidden) * model.heads * query
    up = model.kv_lora_rank * model.heads * (model.qk_nope_dim + model.v_head_dim)
    return down + query_up + up + model.heads * model.v_head_dim * model.hidden


def total_parameters(model: Model) -> int:
    """Return all parameters in matrices; norms and biases, below 0.1 %, are left out [-]."""
    return _parameters(model, model.experts, 1 if model.tied_embeddings else 2)


def active_parameters(model: Model) -> int:
    """Return the parameters that one token is multiplied with; the embedding is looked up [-]."""
    return _parameters(model, model.experts_per_token, 1)


def kv_elements_per_token(model: Model) -> float:
    """Return the elements of one token in the KV cache, over all layers, indexers left out [-]."""
    whole = model.layers - model.linear_layers - model.sparse_layers - model.coarse_layers
    entries = whole + model.sparse_layers / model.entry_tokens
    entries += model.coarse_layers / model.coarse_tokens
    if model.attention == "MLA":
        return entries * (model.kv_lora_rank + model.qk_rope_dim)
    return entries * 2 * model.kv_heads * model.head_dim


def _parameters(model: Model, experts: int, vocabulary_matrices: int) -> int:
    moe_layers = model.layers - model.dense_layers if model.experts else 0
    inner = model.expert_matrices * model.moe_ffn_dim
    routed = experts * inner * (model.expert_hidden or model.hidden)
    shared = model.shared_experts * inner * model.hidden
    return (
        (model.layers - model.linear_layers) * attention_parameters(model)
        + model.linear_layers * model.linear_parameters
        + (model.layers - moe_layers) * 3 * model.hidden * model.ffn_dim
        + moe_layers * (routed + shared + model.hidden * model.experts)
        + model.other_parameters
        + vocabulary_matrices * model.vocab * model.hidden
    )
