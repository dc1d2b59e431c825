"""The sources that templates cite: a short name for the Source columns, told on the cover."""

from __future__ import annotations

from workbooks.authoring.layout import Book

PARADOX = "AINews, June 2026"
RECKONING = "AINews, April 2026"
LAYERS = "AINews, layers"
DEEPSEEK = "DeepSeek, 2025"
MEASURED = "aiconfigurator 0.12"
GPT4 = "SemiAnalysis, 2023"
DGX = "NVIDIA DGX H100"
DEEPSEEK_V2 = "DeepSeek-V2"
EIA = "EIA, 2023"
CATALOGUE = "Tokenbook catalogue"
SNAPSHOT = "genai-prices"
AMAZON = "Amazon, 2024"
GROQ_ROUND = "TechCrunch, 2026"
RENTS = "GPU-hour table"
CALIBRATION = "Tokenbook calibration"
ASSUMED = "Assumption"

_TOLD = {
    PARADOX: "AINews, The Great AI Cloud Paradox: GPU Scarcity Meets Token Fire Sale",
    RECKONING: "AINews, The Great AI Compute Reckoning",
    LAYERS: "AINews, Das Paradoxon der Recheninflation",
    DEEPSEEK: "DeepSeek-V3/R1 Inference System Overview: $2 an H800-hour",
    DEEPSEEK_V2: "arXiv 2405.04434 and the model's configuration file: dimensions",
    MEASURED: "aiconfigurator-core 0.12.0, measured serving runs (NVIDIA, Apache-2.0)",
    GPT4: "SemiAnalysis, GPT-4 Architecture, Infrastructure, Training Dataset, Costs",
    DGX: "Data sheet: 8 H100, 10.2 kW at most",
    EIA: "US Energy Information Administration, CO2 of electricity generation",
    CATALOGUE: "TOK_LIST and TOK_SPEC; the source of each row in engine/data/SOURCES.md",
    SNAPSHOT: 'Pydantic\'s genai-prices (MIT), the dated snapshot of TOK_LIST("prices")',
    AMAZON: "Form 10-K, 31 December 2024: sec.gov/Archives/edgar/data/1018724/000101872425000004",
    GROQ_ROUND: "AI chipmaker Groq confirms $650M raise, re-staffs after Nvidia's deal, June 2026",
    RENTS: "TOK_GPU_PRICE: dated prices of GPU-hours, each row with its address",
    CALIBRATION: "The serving model, fitted to measured runs; see engine/data/SOURCES.md",
    ASSUMED: "Ours, to be changed: blue cells on yellow",
}


def cite(book: Book, *names: str) -> None:
    """Tell on the cover what short names stand for."""
    book.sources += [(name, _TOLD[name]) for name in names]
