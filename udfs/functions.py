"""The worksheet functions: one line each."""

from __future__ import annotations

from engine import (
    allocation,
    applications,
    capacity,
    cash,
    claims,
    energy,
    growth,
    income,
    listing,
    market,
    ownership,
    prices,
    pricing,
    rental,
    subsidy,
    tokens,
)
from engine.serving import (
    disaggregation,
    estimates,
    front,
    limits,
    session,
    techniques,
    terms,
    usd,
)
from engine.uncertainty import monte_carlo, tornado
from udfs.declare import declare, group

with group("Token arithmetic"):
    TOK_WEIGHT_GB = declare(tokens.weight_gb)
    TOK_DECODE_TIME = declare(tokens.decode_time)
    TOK_COST_PER_MTOK = declare(tokens.cost_per_mtok)
    TOK_COST_CUT = declare(tokens.cost_cut)
    TOK_COMBINED_GAIN = declare(tokens.combined_gain)
    TOK_STACKED_CUT = declare(tokens.stacked_cut)
    TOK_SPECULATIVE_TOKENS = declare(tokens.speculative_tokens)
    TOK_ACTIVE_EXPERTS = declare(tokens.active_experts)

with group("Serving estimate"):
    TOK_THROUGHPUT = declare(estimates.throughput, expensive=True)
    TOK_TPOT = declare(estimates.tpot, expensive=True)
    TOK_TTFT = declare(estimates.ttft, expensive=True)
    TOK_SERVING_COST = declare(usd.serving_cost, expensive=True)
    TOK_SERVING_BAND = declare(usd.serving_band, expensive=True)
    TOK_MAX_CONCURRENCY = declare(estimates.max_concurrency, expensive=True)
    TOK_MAX_LOAD = declare(limits.max_load, expensive=True)
    TOK_CHEAPEST = declare(limits.cheapest)
    TOK_DISAGGREGATED = declare(disaggregation.disaggregated, expensive=True)
    TOK_BREAKDOWN = declare(terms.breakdown)
    TOK_PARETO = declare(front.pareto)
    TOK_WATERFALL = declare(techniques.waterfall)

with group("Price and breakeven"):
    TOK_BREAKEVEN_PRICE = declare(pricing.breakeven_price)
    TOK_BREAKEVEN_UTILISATION = declare(pricing.breakeven_utilisation)
    TOK_BREAKEVEN_VOLUME = declare(pricing.breakeven_volume)
    TOK_BLENDED_PRICE = declare(pricing.blended_price)
    TOK_SUBSIDY = declare(pricing.subsidy_per_mtok, name="subsidy")
    TOK_VERDICT = declare(pricing.verdict)

with group("Subsidy loss"):
    TOK_SUBSIDY_LOSS = declare(subsidy.subsidy_loss)
    TOK_RUNWAY = declare(subsidy.runway, expensive=True)
    TOK_SUBSIDY_PATH = declare(subsidy.subsidy_path)

with group("Market volume"):
    TOK_MARKET_VOLUME = declare(market.market_volume)
    TOK_MARKET_SIZE = declare(market.market_size)
    TOK_CAGR = declare(market.cagr)
    TOK_ANNUALISED = declare(market.annualised)
    TOK_VOLUME_MULTIPLE = declare(market.volume_multiple)
    TOK_DEMAND = declare(market.demand)
    TOK_MARKET_PATH = declare(market.market_path)

with group("Ownership, energy, commitment"):
    TOK_OWNED_GPU_HOUR = declare(ownership.owned_gpu_hour, expensive=True)
    TOK_RENT_VS_OWN = declare(ownership.rent_vs_own)
    TOK_OWN_BREAKEVEN_HOURS = declare(ownership.own_breakeven_hours, expensive=True)
    TOK_COMMITMENT = declare(ownership.commitment)
    TOK_SHARED_GPU = declare(ownership.shared_gpu)
    TOK_DEPRECIATION = declare(ownership.depreciation)
    TOK_ENERGY_PER_MTOK = declare(energy.energy_per_mtok)
    TOK_CARBON_PER_MTOK = declare(energy.carbon_per_mtok)
    TOK_PRICE_FLOOR = declare(energy.price_floor, expensive=True)
    TOK_UPGRADE_COST = declare(energy.upgrade_cost)

with group("Applications"):
    TOK_AGENT_SESSION = declare(applications.agent_session)
    TOK_VIDEO_COST = declare(applications.video_cost)
    TOK_TRAINING_COST = declare(applications.training_cost)
    TOK_SUBSCRIPTION_MARGIN = declare(applications.subscription_margin, expensive=True)
    TOK_ALLOCATE = declare(allocation.allocate)
    TOK_ALLOCATE_LOADS = declare(allocation.allocate_loads)

with group("Load, fleet and price tiers"):
    TOK_PEAK_RATE = declare(capacity.peak_rate)
    TOK_FLEET = declare(capacity.fleet)
    TOK_FLEET_COST = declare(capacity.fleet_cost)
    TOK_UTILISATION = declare(capacity.utilisation)
    TOK_TOKENS_SERVED = declare(capacity.tokens_served)
    TOK_REVENUE = declare(income.revenue)
    TOK_TIERED_CHARGE = declare(income.tiered_charge)
    TOK_GROSS_MARGIN = declare(income.gross_margin)
    TOK_COST_PER_ACCEPTED = declare(income.cost_per_accepted)
    TOK_SELF_HOST_VOLUME = declare(income.self_host_volume)
    TOK_SPOT_COST = declare(capacity.spot_cost)
    TOK_SITE_TOKENS = declare(capacity.site_tokens)
    TOK_SESSION_MEMORY = declare(session.session_memory, expensive=True)

with group("Growth, cash and time"):
    TOK_RAMP = declare(growth.ramp)
    TOK_SCURVE = declare(growth.scurve)
    TOK_RUNWAY_FLOWS = declare(cash.runway_flows)
    TOK_PARITY_MONTHS = declare(growth.parity_months)
    TOK_AMORTISED_TRAINING = declare(growth.amortised_training)

with group("Scenarios"):
    TOK_TORNADO = declare(tornado.tornado)
    TOK_MONTE_CARLO = declare(monte_carlo.monte_carlo)

with group("Catalogue and claims"):
    TOK_SPEC = declare(listing.spec)
    TOK_LIST = declare(listing.list_catalogue, name="list")
    TOK_MARKET_PRICE = declare(prices.market_price)
    TOK_GPU_PRICE = declare(rental.gpu_price)
    TOK_CLAIM = declare(claims.claim)
