"""The class radar: how many images one asks for until a rare class shows, against chance.

    python -m tests.benchmarks.radar [--seeds 5] [--rare 10] [--data FOLDER]   # FOLDER holds clothing/

Of each class in turn all but RARE images are left out of the pool; two of every other class are labeled. Then
the first group that the radar names is asked for as the page does, four images, and so on until one
of the missing class is among them. Beside it k-center on features, in queries of four from the same
labels. Random: the mean that combinatorics gives, (n + 1) / (RARE + 1).
The features are those of Explore's map, which no round trains; with clothing/ and SqueezeNet's ImageNet
weights (TORCH_HOME) also those of photos.
"""

import argparse
import os
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np

from al_core.cli import main
from al_core.cli.models import open_run
from al_core.query.geometry import unit_rows
from al_core.query.radar import examples, group_images, promising
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.results.image_map import ImageMap, MapRequest
from al_core.settings import Settings
from al_core.store import open_store

ASKED = 4
LABELED = 2  # of every class but the rare one
PEERS = ("k_center_features",)


def frozen_map(flags, home):
    """Explore's map of a data set and the labels of its images."""
    os.environ["AL_HOME"] = str(home)
    out = home / "run"
    begin = ["run", "--quiet", *flags, "--n-rounds", "1", "--epochs", "1", "--out", str(out)]
    if main(begin) or main(["map", str(out), "--frozen", "--quiet", "--out", str(home / "map.csv")]):
        raise SystemExit("no map")
    settings = Settings.from_env()
    with closing(open_store(settings)) as store:
        experiment = open_run(store, settings, str(out))
        found = ImageMap.read(MapRequest(experiment.id, None).path(experiment))
        return found, np.asarray(experiment.dataset.train.labels)[found.ids]


def radar(points, crowd, labels, first, seed, num_classes):
    """Batches of positions as the page would ask for them."""
    groups = group_images(points, num_classes, np.random.default_rng(seed))
    width = float(np.sqrt(2 * np.median(crowd)))
    known = first
    while True:
        free = np.setdiff1d(np.arange(len(points)), known)
        seen = len(np.unique(labels[known]))
        ranked = promising(
            points, groups, known, free, seen=seen, num_classes=num_classes, width=width
        )  # fmt: skip
        batch = examples(points, ranked[0], known, ASKED) if ranked else free[:ASKED]
        yield batch
        known = np.concatenate([known, batch])


def strategy_batches(name, points, first, seed):
    """The same of a strategy on the same features."""
    strategy, known = STRATEGIES.get(name), first
    for number in range(len(points)):
        free = np.setdiff1d(np.arange(len(points)), known)
        found = select(
            strategy,
            {"features": points[free], "labeled_features": points[known]},
            num_candidates=len(free), k=min(ASKED, len(free)), rng=np.random.default_rng([seed, number]),
        )  # fmt: skip
        yield free[found.positions]
        known = np.concatenate([known, free[found.positions]])


def asked_until(batches, labels, rare):
    """How many images are asked for until one of the rare class is."""
    count = 0
    for batch in batches:
        hits = np.flatnonzero(labels[batch] == rare)
        if len(hits):
            return count + int(hits[0]) + 1
        count += len(batch)
    raise AssertionError("the pool has none")


def compare(name, found, labels, arguments):
    """A line for each way: images asked for until the rare class shows, over classes and seeds."""
    num_classes = int(labels.max()) + 1
    points, counts, chance = unit_rows(found.features), {"radar": []}, []
    for seed in range(arguments.seeds):
        for rare in range(num_classes):
            rng = np.random.default_rng([seed, rare])
            members = np.flatnonzero(labels == rare)
            gone = rng.permutation(members)[arguments.rare :]
            kept = np.setdiff1d(np.arange(len(labels)), gone)
            here, known = points[kept], labels[kept]
            first = np.concatenate(
                [rng.choice(np.flatnonzero(known == c), LABELED, replace=False)
                 for c in range(num_classes) if c != rare]
            )  # fmt: skip
            ways = {"radar": radar(here, found.crowd[kept], known, first, seed, num_classes)}
            ways |= {peer: strategy_batches(peer, here, first, seed) for peer in PEERS}
            for way, batches in ways.items():
                counts.setdefault(way, []).append(asked_until(batches, known, rare))
            chance.append((len(kept) - len(first) + 1) / (min(arguments.rare, len(members)) + 1))
    print(f"\n{name}: {len(labels)} images, {num_classes} classes, {arguments.seeds} seeds each, "
          f"{arguments.rare} images of the rare one")  # fmt: skip
    print("| way | mean | median | 90 % within | against chance |\n|---|---|---|---|---|")
    for way, values in counts.items():
        mean = np.mean(values)
        print(f"| {way} | {mean:.1f} | {np.median(values):.0f} | {np.quantile(values, 0.9):.0f} | "
              f"{np.mean(chance) / mean:.1f} times fewer |")  # fmt: skip
    print(f"| random (expected) | {np.mean(chance):.1f} | | | |")


def run(arguments):
    """Digits, and photos where they are."""
    sets = {"digits": ["--dataset", "digits", "--model", "small_cnn"]}
    if arguments.data:
        photos = ["--dataset", f"folder:{arguments.data / 'clothing'}", "--model", "squeezenet1_1"]
        sets["clothing photos"] = [*photos, "--pretrained", "--frozen"]
        os.environ["AL_DATA_ROOTS"] = str(arguments.data)
    for name, flags in sets.items():
        with tempfile.TemporaryDirectory() as home:
            compare(name, *frozen_map(flags, Path(home)), arguments)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rare", type=int, default=10)
    parser.add_argument("--data", type=Path)
    run(parser.parse_args())
