"""docs/strategies: a page for each strategy and an index, from the registry. `make readme` writes them."""

import re
from pathlib import Path
from typing import get_args

from al_core.query.evidence import KINDS
from al_core.query.strategies import STRATEGIES, Family

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "strategies"
SOURCE = "../../al_core/query/strategies"
NEEDS = {
    "": "nothing",
    "model": "a trained model",
    "dropout": "a model with dropout",
    "committee": "a committee of trained models",
    "gradients": "gradients with respect to the pixels",
}
FAMILIES = {
    "baseline": "What every comparison needs.",
    "uncertainty": "Ask where one prediction of the network is unsure. Cheap: one pass over the pool.",
    "bayesian": "Ask where passes of the network with dropout differ.",
    "committee": "Ask where several trained networks differ.",
    "diversity": "Ask for images that differ from each other and from what is labeled.",
    "hybrid": "Uncertain and different at once: for queries of many images.",
    "expected change": "Ask for what would change the network most.",
    "adversarial": "Ask for images close to a border of the network, in pixels.",
}
INTRODUCTION = """\
Which images to ask for. Each name below is a page with the formula, the cost, and when it helps and
hurts with the published evidence. The pages are made from the files in
[al_core/query/strategies](../../al_core/query/strategies) by `make readme`."""
LETTERS = """\
Letters: n candidates, m labeled images, k images asked for, C classes, D features, T dropout passes, M
committee members; p(x) probabilities, h(x) what the last layer sees, f(x) frozen features, H entropy,
e_y a one at y."""
LEFT_OUT = """\
Strategies that train a second network beside the first. VAAL stays below random where the recipe is
strong (Munjal et al., CVPR 2022, arXiv 2002.09564); learning loss (LL4AL) leads early and ends near
random, 92.6 against 92.1 where others reach 93.7 to 94.6 (CIFAR-10 with 25,000 labels, Ji et al., WACV
2023); a graph network (CoreGCN) ranks 6.5 where random ranks 7.0 and margin 3.5 (Werner et al., 2024,
arXiv 2408.00426)."""


def pages():
    """Name of each file, and its Markdown."""
    found = {f"{strategy.name}.md": _page(strategy) for strategy in STRATEGIES}
    return {"README.md": _index()} | found


def write():
    """Write all pages, and remove those of strategies that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _index():
    lines = ["# Query strategies", INTRODUCTION, LETTERS]
    for family in get_args(Family):
        members = sorted((s for s in STRATEGIES if s.family == family), key=lambda s: s.title.lower())
        if members:
            rows = [f"- [{s.title}]({s.name}.md) (`{s.name}`): {s.idea}" for s in members]
            lines += [f"## {family.capitalize()}", FAMILIES[family], "\n".join(rows)]
    lines += ["## Left out on purpose", LEFT_OUT]
    return _linked("\n\n".join(lines)) + "\n"


def _page(strategy):
    aliases = ", ".join(f"`{alias}`" for alias in strategy.aliases)
    kind = "It chooses a whole query at once." if strategy.is_selector else "It scores each image by itself."
    lines = [
        f"# {strategy.title}",
        f"**{strategy.idea}**",
        f"`{strategy.name}`, family [{strategy.family}](README.md)"
        + (f"; also called {aliases}." if aliases else ".")
        + f" {kind}",
        "## Formula",
        f"```\n{_wrapped(strategy.formula)}\n```",
        *strategy.remarks,
        "## The number beside each pick",
        _sentence(strategy.score) + "." if strategy.score else "None.",
        "## Helps",
        _sentence(strategy.helps),
        "## Hurts",
        _sentence(strategy.hurts),
        "## Cost",
        _cost(strategy),
        "## Evidence it needs",
        _evidence(strategy),
        "## Options",
        _options(strategy),
    ]
    if strategy.deviation:
        lines += ["## Deviation from the paper", _sentence(strategy.deviation)]
    source = f"Source: [{strategy.name}.py]({SOURCE}/{strategy.name}.py)"
    lines += ["## Paper", strategy.paper, source]
    return _linked("\n\n".join(lines)) + "\n"


def _cost(strategy):
    time, memory = strategy.growth
    more = strategy.cost.partition(". ")[2]
    return (
        f"Time grows as `{time.text}`, memory as `{memory.text}` numbers, beside the evidence. {more}".strip()
        + "\n\n`python -m al_core cost` predicts the seconds on your machine."
    )


def _evidence(strategy):
    rows = [
        f"| `{name}` | {KINDS[name].shape} | {KINDS[name].meaning} | {NEEDS[KINDS[name].needs]} |"
        for name in strategy.evidence
    ]
    return "\n".join(["| name | shape | what | needs |", "|---|---|---|---|", *rows])


def _options(strategy):
    if not strategy.options:
        return "None."
    rows = [
        f"| `{option.name}` | `{option.default}` | {option.bounds.help} | {option.allowed} |"
        for option in strategy.options
    ]
    return "\n".join(["| name | default | what | allowed |", "|---|---|---|---|", *rows])


def _sentence(text):
    return text[:1].upper() + text[1:]


def _wrapped(text):
    return re.sub(r"(.{60,100}?)(?<=[;,]) ", r"\1\n", text)


def _linked(text):
    return re.sub(r"arXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)
