"""docs/sherbrooke.md: the report's figures beside ours, and where each difference comes from."""

import textwrap

import numpy as np

from al_core.config import options
from al_core.results import comparison
from al_core.study import StudyConfig
from al_core.study_presets import study_preset

PUBLISHED = {"random": 0.4058, "least_confidence": 0.4511, "margin": 0.4783, "entropy": 0.4449}
"""Final test accuracy in the report (Universite de Sherbrooke, IFT780, 2021), one run each, seed 2021."""
SEED = 2021
SHOWN = (1000, 1500, 2000, 2500, 3000)

DEFECTS = (
    "**It labels other images than it scores.** Positions in the pool are used as ids of the data set, so"
    " that the scored and the labeled image agree in 0.003 % of cases. Its least confidence, margin and "
    "entropy are therefore random sampling with other draws. What follows for its table: {spread}",
    "**It trains in evaluation mode after the first epoch of each round**: its validation switches the "
    "mode and nothing switches it back. SqueezeNet's dropout (0.5) works in one of ten epochs there and "
    "in all of them here. This moves the level of all four rows at once; by how much, these records "
    "cannot tell from the next two points.",
    "**Augmentation.** Both turn by up to 15 degrees, change contrast and hue by up to 0.1 and mirror; "
    "ours also crops, padded by four pixels, as the data set declares. The same option, a little stronger"
    " here.",
    "**Draws.** Its seed fixes the first labels only; splits, weights and order differ from run to run. "
    "Ours fixes all of them, and the strategies of a seed share them: differences here are paired, there "
    "they are not.",
    "**65 % of its first validation set lies in the training pool** (the second split takes positions for"
    " ids). Its curves over epochs are too good; neither the test accuracy nor patience, which looks at "
    "the second validation set, is touched.",
    "Accuracies averaged over batches: no effect here, since 10,000 test images are whole batches of 50. "
    "Results written at the end only, a pool computed anew by membership and settings checked by `assert`"
    " cost it time and runs, not accuracy.",
)
INTRODUCTION = (
    "SqueezeNet 1.1 from scratch on CIFAR-10: 100 labels a class, then 20 queries of 100; ten epochs a "
    "round of Adam at 1e-4, batches of 50, weight decay 0.005, augmented, weights kept from round to "
    "round, patience 3 on a second validation set; 20 % and 20 % of the train split are held out. The "
    "first column is the final test accuracy of its report, one run each."
)


def filled(text, indent=""):
    """A paragraph in lines."""
    return textwrap.fill(text, 130, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def arms_of(result):
    """The study's arms by strategy."""
    return dict(zip(result.strategies, result.arms, strict=True))


def final(arm, seed):
    """Last labels and accuracy of a cell; None where it has none."""
    curve = arm.curves.get(seed)
    return (
        None if curve is None or not len(curve.labels) else (int(curve.labels[-1]), float(curve.values[-1]))
    )


def end_words(reason):
    """Why a cell ended."""
    return "not finished" if reason is None else reason.replace("|", "/").replace("\n", " ")


def figures_table(config, result, ends):
    """A row a strategy: the report's figure, ours with its seed, and ours over the seeds."""
    arms = arms_of(result)
    finished = [final(arm, seed) for arm in arms.values() for seed in arm.curves]
    until = min((labels for labels, _ in filter(None, finished)), default=0)
    head = ("strategy", "its report", f"ours, seed {SEED}, at its end", "difference", "ended at, by",
            f"ours at {until:,} labels, mean of seeds")  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, published in PUBLISHED.items():
        arm = arms.get(name)
        own = None if arm is None else final(arm, SEED)
        values = [] if arm is None else list(arm.values(lambda curve: curve.at(until)).values())
        mean = "–" if not values else interval_words(comparison.mean_interval(values))
        if own is None:
            lines.append(f"| {name} | {published:.4f} | – | – | – | {mean} |")
            continue
        end = end_words(ends.get((arm.name, SEED)))
        figures = f"{published:.4f} | {own[1]:.4f} | {own[1] - published:+.4f}"
        lines.append(f"| {name} | {figures} | {own[0]:,} labels, {end} | {mean} |")
    return "\n".join(lines)


def interval_words(interval):
    """Mean, half width and seeds."""
    half = "" if interval.half is None else f" ± {interval.half:.4f}"
    return f"{interval.mean:.4f}{half} (n = {interval.n})"


def curves_table(result):
    """Mean test accuracy at some numbers of labels."""
    arms = result.measured
    known = comparison.shared_labels(arms)
    places = [n for n in SHOWN if n in known] or known
    lines = [
        f"| strategy | {' | '.join(f'{n:,.0f} labels' for n in places)} |",
        "|---|" + "---|" * len(places),
    ]
    for name, arm in arms_of(result).items():
        if arm in arms:
            cells = ["–" if i is None else interval_words(i) for i in arm.mean_curve(places)]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread_words(result):
    """How its four figures lie within what random sampling alone gives here."""
    published = np.array(list(PUBLISHED.values()))
    text = f"its four figures lie {np.ptp(published):.4f} apart: the spread of one setting, and no ranking."
    random = arms_of(result).get("random")
    ends = [] if random is None else [f for s in random.curves if (f := final(random, s))]
    if len(ends) < 2:
        return text + " (Our random needs two seeds to be set beside it.)"
    values = np.array([value for _, value in ends])
    ours, theirs = float(values.std(ddof=1)), float(published.std(ddof=1))
    text += (
        f" Our random sampling alone, over {len(values)} seeds, ends at {values.mean():.4f} with a deviation "
        f"of {ours:.4f}; that of its four is {theirs:.4f}, "
    )
    return text + (
        "more, for its splits and weights differ too (point 4)." if theirs > 2 * ours else "no more."
    )


def changes(config):
    """Options of the study that are not the preset's, in words."""
    preset = StudyConfig.parse(study_preset("sherbrooke").values)
    found = []
    for option in options():
        ours, theirs = (value_at(of.base, option.path) for of in (config, preset))
        if option.path == "data.dataset":  # the place of the files is nobody's protocol
            ours, theirs = (str(value).partition(":")[0] for value in (ours, theirs))
        if ours != theirs and option.path not in ("name", "oracle", "seed"):
            found.append(f"{option.path} {ours} in place of {theirs}")
    return found


def value_at(config, path):
    """An option's value."""
    place = config
    for part in path.split("."):
        place = getattr(place, part)
    return place


def page(config, result, ends, machine):
    """The page's text. `ends`: why each (arm, seed) ended, None where it has not."""
    different = changes(config)
    protocol = (
        f"A reduced version: {'; '.join(different)}." if different else "All settings are the preset's."
    )
    done = sum(reason is not None for reason in ends.values())
    facts = [f"{name} {machine[name]}" for name in ("askwell", "torch", "device") if machine.get(name)]
    seeds = f"Seeds {', '.join(map(str, config.seeds))}; {done} of {len(ends)} runs finished"
    verdicts = [f"- {verdict.text}" for verdict in result.settled.verdicts]
    if result.settled.num_seeds < comparison.FEW_SEEDS:
        verdicts.append(
            f"- Indicative only: {result.settled.num_seeds} seeds; {comparison.FEW_SEEDS} are the least."
        )
    defects = [
        filled(f"{number}. {text.format(spread=spread_words(result))}", "   ")
        for number, text in enumerate(DEFECTS, 1)
    ]
    parts = [
        "# The first seed's query strategies, repeated", "", filled(INTRODUCTION), "",
        "    python -m tests.benchmarks.sherbrooke run --data FOLDER --out OUT",
        "    python -m tests.benchmarks.sherbrooke report --study OUT --write docs/sherbrooke.md", "",
        filled(f"{protocol} {seeds} ({', '.join([*facts, 'one thread a cell'])})."), "",
        figures_table(config, result, ends), "",
        "± is half the 95 % interval of the mean (Student's t over seeds).", "",
        curves_table(result), "",
        "The strategies here, over the whole curve (paired t on the area under it, Holm):", "",
        *verdicts, "", "## Where the differences come from", "", *defects,
    ]  # fmt: skip
    return "\n".join(parts) + "\n"
