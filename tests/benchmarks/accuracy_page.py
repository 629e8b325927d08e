"""Tables of the accuracy study: what was measured, with its spread, and in words what it says."""

import json

import numpy as np

from al_core.results import comparison
from al_core.results.analysis import Curve
from al_core.results.comparison import Arm

SHOWN = (0, 1, 2, 4, 7, 10)  # rounds of a table's columns


def arms_of(result, metric="test_accuracy"):
    curves = {}
    for cell in result["cells"]:
        labels = np.array([r["labels"] for r in cell["curve"]], float)
        values = np.array([r[metric] for r in cell["curve"]], float)
        curves.setdefault(cell["strategy"], {})[cell["seed"]] = Curve(labels, values)
    return [Arm(name, by_seed) for name, by_seed in curves.items()]


def shown(interval):
    return f"{interval.mean:.3f}" + ("" if interval.half is None else f" ± {interval.half:.3f}")


def table(result):
    """One row a strategy, best area first: accuracy at some budgets, area, paired difference to random."""
    arms = arms_of(result)
    labels = comparison.shared_labels(arms)
    columns = [labels[i] for i in np.unique(np.linspace(0, len(labels) - 1, 6).round().astype(int))]
    base = next(arm for arm in arms if arm.name == "random")
    areas = {arm.name: arm.values(comparison.area) for arm in arms}
    others = [arm for arm in arms if arm is not base]
    gaps = {arm.name: comparison.paired(areas[arm.name], areas["random"]) for arm in others}
    adjusted = dict(zip(gaps, comparison.holm([gap.p_value for gap in gaps.values()]), strict=True))
    lines = [
        "| strategy | "
        + " | ".join(f"{int(n)} labels" for n in columns)
        + " | area | log area | area − random, paired | p (Holm) |",
        "|---|" + "---|" * (len(columns) + 4),
    ]
    for arm in sorted(arms, key=lambda arm: -np.mean(list(areas[arm.name].values()))):
        cells = [shown(interval) for interval in arm.mean_curve(columns)]
        log = arm.values(lambda curve: comparison.area(curve, log=True))
        gap = gaps.get(arm.name)
        difference, p = "–", "–"
        if gap is not None:
            difference = f"{gap.interval.mean:+.4f} ± {gap.interval.half:.4f}"
            p = f"{adjusted[arm.name]:.3f}" if adjusted[arm.name] >= 0.001 else "< 0.001"
        mean, log_mean = (comparison.mean_interval(list(v.values())).mean for v in (areas[arm.name], log))
        lines.append(
            f"| {arm.name} | {' | '.join(cells)} | {mean:.4f} | {log_mean:.4f} | {difference} | {p} |"
        )
    return "\n".join(lines)


def verdict(result):
    """Which strategies are clearly above or below random in area, and what cannot be told."""
    arms = arms_of(result)
    areas = {arm.name: arm.values(comparison.area) for arm in arms}
    names = [name for name in areas if name != "random"]
    gaps = [comparison.paired(areas[name], areas["random"]) for name in names]
    adjusted = comparison.holm([gap.p_value for gap in gaps])
    above = [n for n, g, p in zip(names, gaps, adjusted, strict=True) if p < 0.05 and g.interval.mean > 0]
    below = [n for n, g, p in zip(names, gaps, adjusted, strict=True) if p < 0.05 and g.interval.mean < 0]
    rest = [n for n in names if n not in above and n not in below]
    words = []
    for text, group in (
        ("Above random (paired t over seeds, Holm over the strategies, p < .05)", above),
        ("Below random", below),
        ("Not told apart from random", rest),
    ):
        words.append(f"{text}: {', '.join(group) or 'none'}.")
    return " ".join(words)


def parity_table(result):
    """Ours beside the peer's: mean over the curve, deviation over seeds, and where they differ most."""
    lines = [
        "| strategy | ours | peer | largest gap of the mean curves | peer's deviation there | "
        "within one deviation |",
        "|---|---|---|---|---|---|",
    ]
    for name, curves in result["curves"].items():
        own = np.array(curves["ours"])
        cell = f"{own.mean():.4f} ± {own.mean(1).std(ddof=1):.4f}"
        if "theirs" not in curves:
            lines.append(f"| {name} | {cell} | – | – | – | – |")
            continue
        peer = np.array(curves["theirs"])
        gap, spread = np.abs(own.mean(0) - peer.mean(0)), peer.std(0, ddof=1)
        worst = int((gap - spread).argmax())
        means = abs(own.mean() - peer.mean()) <= peer.mean(1).std(ddof=1)
        inside = int((gap <= spread).sum())
        held = f"mean {'yes' if means else 'NO'}; {inside} of {len(gap)} points"
        lines.append(
            f"| {name} | {cell} | {peer.mean():.4f} ± {peer.mean(1).std(ddof=1):.4f} | "
            f"{gap[worst]:.3f} at {result['labels'][worst]} | {spread[worst]:.3f} | {held} |"
        )
    return "\n".join(lines)


def write(out, page):
    """Put the tables between the marks of the page, and all points beside it; the words are a person's."""
    text = page.read_text()
    for path in sorted(out.glob("*.json")):
        result = json.loads(path.read_text())
        body = parity_table(result) if path.stem == "digits" else f"{table(result)}\n\n{verdict(result)}"
        begin, end = f"<!-- table: {path.stem} -->", "<!-- end -->"
        if begin not in text:
            raise SystemExit(f"{page} has no mark {begin}")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{body}\n{end}{after}"
    page.write_text(text)
    page.with_suffix(".csv").write_text(points(out))


def points(out):
    """Every measured point of every cell as CSV."""
    lines = ["study,strategy,seed,labels,test_accuracy"]
    for path in sorted(out.glob("*.json")):
        for cell in json.loads(path.read_text()).get("cells", ()):
            lines += [
                f"{path.stem},{cell['strategy']},{cell['seed']},{r['labels']},{r['test_accuracy']}"
                for r in cell["curve"]
            ]
    return "\n".join(lines) + "\n"
