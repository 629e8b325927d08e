"""`preview`: what is in a data set, and what augmentation does to its images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from al_core.cli.flags import parsed
from al_core.data.changes import augmented_sheet, words
from al_core.data.dataset import Dataset
from al_core.data.images import encode
from al_core.data.prepare import prepare
from al_core.errors import ConfigError, Problem
from al_core.settings import Settings


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "preview",
        help="what is in a data set: images of each class, refused files, how augmentation changes them",
        description="Prepares the data set if it is not, and prints its classes with their numbers of images "
        "and the files that were left out, with reasons. --out writes a picture: a row an image, first as it "
        "is, then as epochs of training may see it with --augment.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("-d", "--dataset", default="digits", help="a data set's name, or folder:PATH")
    parser.add_argument("--image-size", type=int, help="side in pixels at which photos are read")
    parser.add_argument("-s", "--seed", type=int, default=0, help="of the pictures and the changes")
    parser.add_argument("--pictures", type=int, default=6, help="rows")
    parser.add_argument("--epochs", type=int, default=7, help="columns beside the first")
    parser.add_argument("--download", action="store_true", help="allow the data set to be downloaded")
    parser.add_argument("--out", type=Path, help="FILE.png, of augmented images")


def main(arguments: argparse.Namespace) -> int:
    """Print what there is, and write the picture where one is wanted."""
    out: Path | None = arguments.out
    problems = []
    if out is not None and out.suffix.lower() != ".png":
        problems.append(Problem("--out", str(out), "must be a .png file"))
    for name in ("pictures", "epochs"):
        if not 1 <= getattr(arguments, name) <= 50:
            problems.append(Problem(f"--{name}", getattr(arguments, name), "must lie between 1 and 50"))
    if problems:
        raise ConfigError(problems)
    config = parsed(
        {
            "seed": arguments.seed,
            "data": {"dataset": arguments.dataset, "image_size": arguments.image_size},
        }
    )
    dataset = prepare(Settings.from_env(), config.data, download=arguments.download, trusted=True)
    sys.stdout.write(_content(dataset))
    if out is None:
        return 0
    sheet = augmented_sheet(
        dataset.at(arguments.image_size), seed=arguments.seed, pictures=arguments.pictures,
        epochs=arguments.epochs,
    )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(encode(Image.fromarray(sheet), None, lossless=True)[0])
    sys.stdout.write(f"written: {out}\n")
    return 0


def _content(dataset: Dataset) -> str:
    """Counts, classes, augmentation and refused files; a line each."""
    train, test = dataset.class_counts("train"), dataset.class_counts("test")
    width = max(5, *(len(name) for name in dataset.classes))
    lines = [
        f"{dataset.title}: {len(dataset.train):,} images to learn from, {len(dataset.test):,} to test on, "
        f"{dataset.image_size} x {dataset.image_size} pixels",
        *dataset.notes,
        f"augmentation: {words(dataset.augmentation)}",
        f"{'class':{width}}  {'train':>9}  {'test':>9}",
        *(
            f"{name:{width}}  {train[i]:>9,}  {test[i]:>9,}"
            for i, name in enumerate(dataset.classes)
        ),
        *(f"left out: {refusal.name}: {refusal.reason}" for refusal in dataset.refused),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
