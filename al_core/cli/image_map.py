"""`map`: a run's images on a plane or in space, as a figure or a table, coloured by what one wants to see."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from al_core.cli.bars import bar
from al_core.cli.models import open_run
from al_core.errors import ConfigError, Problem
from al_core.experiment import Experiment
from al_core.results.figures.image_map import map_figure
from al_core.results.figures.sheets import standing_alone
from al_core.results.image_map import ImageMap, MapRequest, map_frame
from al_core.results.rendering import FORMATS, write_figures
from al_core.results.study_tables import frame_csv
from al_core.settings import Settings
from al_core.store import open_store

_LAYOUTS: Final = ("pca", "tsne", "umap")
_COLOURS: Final = ("label", "prediction", "uncertainty", "round")
_CSV: Final = "csv"


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "map",
        help="a run's images on a map (PCA, t-SNE, UMAP), as a figure or a table",
        description="Images that the network sees alike lie near each other; those that the run asked for "
        "are told by --colour round. The same map as the Explore page's, and kept for it.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("run", metavar="RUN", help="experiment id, or the --out folder of a run")
    parser.add_argument("--round", type=int, help="whose network and labels (default: the last)")
    parser.add_argument("--frozen", action="store_true", help="by features that no round trains")
    parser.add_argument("--layout", choices=_LAYOUTS, default="pca")
    parser.add_argument("--dims", type=int, choices=(2, 3), default=2)
    parser.add_argument("--colour", choices=_COLOURS, default="label")
    parser.add_argument(
        "--out", type=Path, required=True,
        help=f"FILE.{_CSV} (ids, places, labels, predictions, rounds), or a figure: {', '.join(FORMATS)}",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments: argparse.Namespace) -> int:
    """Make the map, unless it is there, and write it."""
    out: Path = arguments.out
    if out.suffix.lower().lstrip(".") not in (_CSV, *FORMATS):
        allowed = f"must end in one of {', '.join((_CSV, *FORMATS))}"
        raise ConfigError([Problem("--out", str(out), allowed)])
    if arguments.frozen and arguments.colour in ("prediction", "uncertainty"):
        raise ConfigError([Problem("--colour", arguments.colour, "needs a network: leave out --frozen")])
    settings = Settings.from_env()
    with closing(open_store(settings)) as store:
        experiment = open_run(store, settings, arguments.run)
        last = len(store.rounds(experiment.id)) - 1
        number = last if arguments.round is None else arguments.round
        if last < 0 and not arguments.frozen:
            allowed = "has trained no round yet; --frozen needs none"
            raise ConfigError([Problem("RUN", arguments.run, allowed)])
        if not arguments.frozen and not 0 <= number <= last:
            raise ConfigError([Problem("--round", number, f"there are the rounds 0 to {last}")])
        request = MapRequest(
            experiment.id, None if arguments.frozen else number, arguments.layout, arguments.dims
        )
        found = _made(experiment, request, quiet=arguments.quiet)
        frame = map_frame(experiment, found, number if 0 <= number <= last else None)
        classes = experiment.dataset.classes
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == f".{_CSV}":
        out.write_text(frame_csv(frame), encoding="utf-8", newline="")
    else:
        write_figures({out: _figure(found, frame, arguments.colour, classes, experiment.record.name)})
    sys.stdout.write(f"{len(frame):,} images\nwritten: {out}\n")
    return 0


class _Terminal:
    """What the map's job asks of its worker, where there is a terminal in its place."""

    def __init__(self, show: Callable[[int, int], None]) -> None:
        self._show = show

    def __call__(self) -> None:
        """Nobody asks it to pause."""

    def progress(self, phase: str, done: int, total: int, **_: Any) -> None:
        """Each phase fills the bar anew."""
        del phase
        self._show(done, total)


def _made(experiment: Experiment, request: MapRequest, *, quiet: bool) -> ImageMap:
    from al_core.worker.image_map import make_map  # noqa: PLC0415 - torch: only where it is wanted

    control: Any = None
    with bar("map", quiet=quiet) as show:
        control = _Terminal(show)
        make_map(experiment, request, control)
    return ImageMap.read(request.path(experiment))


def _figure(found: ImageMap, frame: pd.DataFrame, colour: str, classes: tuple[str, ...], name: str) -> Any:
    if colour == "uncertainty":
        values, names = frame["uncertainty"].to_numpy(float), None
    else:
        if colour == "round":
            kinds = sorted(int(n) for n in frame["round"].dropna().unique())
            names = ["initial set" if n < 0 else f"after round {n}" for n in kinds]
        else:
            kinds = names = list(classes)
        place = {kind: n for n, kind in enumerate(kinds)}
        values = np.array([-1 if pd.isna(v) else place[v] for v in frame[colour]])
    hover = [f"#{i} {file}" for i, file in zip(frame["sample_id"], frame["file"], strict=True)]
    figure = map_figure(
        found.places, found.ids, values, names, title=colour.capitalize(), hover=hover
    )  # fmt: skip
    return standing_alone(figure, f"Images by {colour}", name)
