"""How each claim of the source articles is recomputed, and what becomes of its conclusion.

One entry a claim. Its arguments are inputs of the claim by name (`claims.csv`); where the
arithmetic is that of an engine function, the function itself stands here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from engine import applications, catalogue, energy, market, ownership, pricing, subsidy, tokens
from engine.serving.usd import serving_band


class Conclusion(NamedTuple):
    """What the recomputed figure means for what the article concludes."""

    turns_over: bool
    text: str


def _naive_mtok(weight_gb: float, bandwidth_tbps: float, usd_per_gpu_hour: float) -> float:
    """Return the cost of a million tokens at batch 1 [USD/Mtok]."""
    step = tokens.decode_time(weight_gb, bandwidth_tbps)
    return tokens.cost_per_mtok(usd_per_gpu_hour, 1 / step)  # type: ignore[return-value]


def _training_usd(flops: float, accelerator: str, mfu: float, usd_per_gpu_hour: float) -> Any:
    peak = catalogue.find(catalogue.Accelerator, accelerator).bf16_dense_tflops
    return applications.training_cost(flops, peak, mfu, usd_per_gpu_hour)


def _performance(new: str, old: str) -> Any:
    one, other = (catalogue.find(catalogue.Accelerator, name) for name in (new, old))
    alike = one.bf16_dense_tflops / other.bf16_dense_tflops
    return np.array([alike, one.fp4_dense_tflops / other.fp8_dense_tflops])


def _volume_growth(markets: Any, prices: Any) -> Any:
    volumes: Any = market.market_volume(markets, prices)
    return 1 + market.cagr(volumes[:-1], volumes[1:], 1.0)


#: Claim id → the figure, from inputs of the claim.
RECOMPUTED: Mapping[str, Callable[..., Any]] = {
    "weights_bytes": tokens.weight_gb,
    "decode_step_time": tokens.decode_time,
    "cost_per_token": lambda weight_gb, bandwidth_tbps, usd_per_gpu_hour: (
        _naive_mtok(weight_gb, bandwidth_tbps, usd_per_gpu_hour) / 1e6
    ),
    "cost_per_mtok_naive": _naive_mtok,
    "price_gap": lambda weight_gb, bandwidth_tbps, usd_per_gpu_hour, price: (
        _naive_mtok(weight_gb, bandwidth_tbps, usd_per_gpu_hour) / price
    ),
    "h100_fit": lambda weight_gb, memory_gb: math.ceil(weight_gb / memory_gb),
    "h100_hour_price": lambda instance_usd_per_hour, gpus: ownership.shared_gpu(
        instance_usd_per_hour, gpus, 0.0
    ),
    "specdec_cost_cut": tokens.cost_cut,
    "int4_cost_cut": tokens.cost_cut,
    "batching_cost_cut": tokens.cost_cut,
    "combined_gain": lambda speculation, quantisation, batching: tokens.combined_gain(
        np.array([speculation, quantisation, batching])
    ),
    "combined_cost_cut": tokens.cost_cut,
    "optimised_breakeven": lambda cost, gain: cost * (1 - tokens.cost_cut(gain)),
    "quant_bandwidth": lambda params_b, bits_before, bits: (
        tokens.weight_gb(params_b, bits_before) / tokens.weight_gb(params_b, bits)
    ),
    "moe_ratio": lambda total_b, active_b: tokens.weight_gb(total_b) / tokens.weight_gb(active_b),
    "provider_together": pricing.subsidy_per_mtok,
    "provider_fireworks": pricing.subsidy_per_mtok,
    "provider_groq": pricing.subsidy_per_mtok,
    "provider_aws": pricing.subsidy_per_mtok,
    "provider_google": pricing.subsidy_per_mtok,
    "provider_deepseek": pricing.subsidy_per_mtok,
    "bedrock_premium": lambda price, independent: price / independent,
    "subsidy_daily": lambda tokens_per_day, loss, days: subsidy.subsidy_loss(
        tokens_per_day, 0.0, loss, days
    ),
    "subsidy_annual": lambda tokens_per_day, loss, days: subsidy.subsidy_loss(
        tokens_per_day, 0.0, loss, days
    ),
    "runway": lambda cash, tokens_per_day, loss: (
        subsidy.runway(cash, tokens_per_day, 0.0, loss) / 12
    ),
    "volume_2024": market.market_volume,
    "volume_2025": market.market_volume,
    "volume_2026": market.market_volume,
    "volume_2027": market.market_volume,
    "market_cagr": market.cagr,
    "price_halving": lambda prices: 1 + market.cagr(prices[:-1], prices[1:], 1.0),
    "volume_growth": _volume_growth,
    "price_drop_18m": lambda change, months: -market.annualised(change, months),
    "price_2028": lambda first, last, years: 1 + market.cagr(first, last, years),
    "b200_cost_per_token": lambda performance_ratio, unit_cost_ratio: (
        -energy.upgrade_cost(performance_ratio, unit_cost_ratio)
    ),
    "depreciation": ownership.depreciation,
    "hyperscaler_loss": lambda capex, life_years, revenue: (
        ownership.depreciation(capex, life_years) - revenue
    ),
    "layer_stack": lambda architecture, software, utilisation, data_centre: tokens.stacked_cut(
        np.array([architecture, software, utilisation, data_centre])
    ),
    "cagr_cloud": market.cagr,
    "cagr_onprem": market.cagr,
    "cagr_software": market.cagr,
    "cagr_chips": market.cagr,
    "cloud_growth_conflict": lambda growth_after: growth_after,
    "chip_funding": market.cagr,
    "video_frames": lambda seconds, fps: seconds * fps,
    "video_cost_per_frame": lambda minute_usd, seconds, fps: minute_usd / (seconds * fps),
    "inference_cost_ratio": lambda cost, cost_before: cost / cost_before,
    "training_flops_ratio": lambda flops, flops_before: flops / flops_before,
    "training_cost": _training_usd,
    "agent_vs_chat": pricing.breakeven_volume,
    "rack_gpus": lambda rack_kw, gpu_kw: math.floor(rack_kw / gpu_kw),
    "fraction_of_a_cent": lambda prices: prices.min(),
    "groq_parity": lambda breakeven: breakeven,
    "disinformation_cost": lambda first, last: first / last,
    "electricity_floor": lambda price, watts, tokens_per_second, pue, usd_per_kwh: (
        price / (energy.energy_per_mtok(watts, tokens_per_second, pue) * usd_per_kwh)
    ),
    "b200_performance": _performance,
    "cluster_minimum": lambda usd, capex: math.floor(usd / capex),
    "video_over_text": lambda minute_usd, tokens, price: minute_usd / (tokens * price / 1e6),
}


# --- conclusions --------------------------------------------------------------------------------
# Here a range comes as its two ends, and `stated` is the figure as the article has it.


def _decode_step(
    stated: float, weight_gb: float, bandwidth_tbps: float, usd_per_gpu_hour: float, price: float
) -> Conclusion:
    """Tell that the article reckons on with the right time: the slip changes nothing."""
    as_stated = tokens.cost_per_mtok(usd_per_gpu_hour, 1 / stated)
    recomputed = _naive_mtok(weight_gb, bandwidth_tbps, usd_per_gpu_hour)
    return Conclusion(
        False,
        f"the time as stated would cost {short(as_stated)} USD/Mtok against a price of "
        f"{short(price)}; the article's own {short(recomputed)} rests on milliseconds",
    )


def _hour_price(
    instance_usd_per_hour: float, gpus: float, weight_gb: float, bandwidth_tbps: float, price: float
) -> Conclusion:
    hour = ownership.shared_gpu(instance_usd_per_hour, gpus, 0.0)
    cost = _naive_mtok(weight_gb, bandwidth_tbps, float(hour))
    return Conclusion(
        cost < price,
        f"at {short(hour)} USD an hour batch 1 costs {short(cost)} USD/Mtok, "
        f"{short(cost / price)} times the price",
    )


def _optimised(
    cost: float,
    gain: tuple[float, float],
    instance_usd_per_hour: float,
    gpus: float,
    utilisation: float,
    concurrency: float,
    tensor_parallel: float,
    price: float,
) -> Conclusion:
    """Judge by the serving estimate: the product of the gains is an upper bound alone."""
    hour = float(ownership.shared_gpu(instance_usd_per_hour, gpus, 0.0))
    low, _, high = (
        float(usd)
        for usd in serving_band(
            hour, utilisation, "llama-3.1-70b", "h100_sxm", concurrency,
            tensor_parallel=tensor_parallel, weight_format="fp8",
        )
    )  # fmt: skip
    before = pricing.verdict(price, cost / gain[1], cost / gain[0])
    after = pricing.verdict(price, low, high)
    same = "as before" if before == after else f"instead of {before}"
    return Conclusion(
        before != after,
        f"at {short(hour)} USD an hour the serving estimate puts breakeven at {short(low)} to "
        f"{short(high)} USD/Mtok, and {short(price)} is {after}, {same}",
    )


def _experts(experts: float, experts_per_token: float, batch_tokens: float) -> Conclusion:
    share = tokens.active_experts(experts, experts_per_token, batch_tokens) / experts
    return Conclusion(
        False,
        f"a batch of {short(batch_tokens)} tokens reads {short(100 * share)} % of the experts: "
        "the weights read per token fall with the batch, not with the experts left out",
    )


def _sold(price: float, breakeven: tuple[float, float]) -> Conclusion:
    return Conclusion(False, f"the price is {pricing.verdict(price, *breakeven)}")


def _cash(cash: float, tokens_per_day: float, loss: float, annual_loss_stated: float) -> Conclusion:
    """Tell how long the cash lasts; less than a year is what cannot be borne for long."""
    days = cash / annual_loss_stated * 365
    years = subsidy.runway(cash, tokens_per_day, 0.0, loss) / 12
    return Conclusion(
        bool(days < 365) != bool(years < 1),
        f"{short(days, 2)} days with the loss as stated, {short(years, 2)} years recomputed",
    )


def _training(
    stated: float,
    flops: float,
    accelerator: str,
    mfu: tuple[float, float],
    usd_per_gpu_hour: float,
) -> Conclusion:
    least, most = (stated / _training_usd(flops, accelerator, share, 1.0) for share in mfu)
    return Conclusion(
        False,
        f"holds from {short(least)} to {short(most)} USD an hour upwards; "
        f"{short(usd_per_gpu_hour)} is assumed",
    )


#: Claim id → what its figure, recomputed, means for the conclusion of the article.
CONCLUSIONS: Mapping[str, Callable[..., Conclusion]] = {
    "decode_step_time": _decode_step,
    "h100_hour_price": _hour_price,
    "optimised_breakeven": _optimised,
    "moe_ratio": _experts,
    "provider_together": _sold,
    "provider_fireworks": _sold,
    "provider_groq": _sold,
    "provider_aws": _sold,
    "provider_google": _sold,
    "provider_deepseek": _sold,
    "runway": _cash,
    "training_cost": _training,
}


def short(number: Any, digits: int = 3) -> str:
    """Return a number with a few significant digits and no exponent."""
    return f"{float(f'{number:.{digits}g}'):,.12g}"
