"""The engine side by side with the usual way, on real CIFAR-10: `python -m tests.benchmarks.engine ...`.

    ... loop --cells deepal:0:reference deepal:0:product --out FOLDER --data FOLDER
    ... rows --out FOLDER --data FOLDER [--names pipeline score-resnet18] [--repeats 5]
    ... report --out FOLDER --write docs/engine.md

`--data` holds cifar-10-batches-py, `--out` gets a JSON file for each cell and row; `report` reads them.
Use OMP_NUM_THREADS=1: the figures are processor time on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path

NAMES = (
    "pipeline", "step-squeezenet1_1", "step-resnet18", "score-squeezenet1_1", "score-resnet18", "mc-dropout",
    "instant", "two-arms", "gpu",
)  # fmt: skip


def rows(names, bench, data: Path | None):
    """Each row that was asked for, one after another."""
    from tests.benchmarks import engine_modes as modes
    from tests.benchmarks import engine_rows as short

    known = {
        "pipeline": short.pipeline,
        "step-squeezenet1_1": partial(short.step, model="squeezenet1_1", floor=1.8, aim=2.3),
        "step-resnet18": partial(short.step, model="resnet18", floor=1.25, aim=1.45),
        "score-squeezenet1_1": partial(short.score, model="squeezenet1_1", floor=4, aim=6),
        "score-resnet18": partial(short.score, model="resnet18", floor=1.8, aim=2.4),
        "mc-dropout": short.dropout,
        "instant": modes.instant,
        "two-arms": partial(modes.two_arms, data=data),
        "gpu": modes.on_gpu,
    }
    for name in names:
        found = known[name](bench)
        yield from found if isinstance(found, list) else [found]


def _rows(arguments: argparse.Namespace) -> None:
    import torch

    from tests.benchmarks.engine_loop import cifar
    from tests.benchmarks.engine_report import header, line
    from tests.benchmarks.engine_rows import Bench

    torch.set_num_threads(1)
    home = arguments.out / "home"
    bench = Bench(cifar(arguments.data, home), home, arguments.repeats, arguments.images, arguments.pool)
    print(f"{header()}, {torch.get_num_threads()} thread, load {os.getloadavg()[0]:.1f}")
    if "gpu" in arguments.names and not torch.cuda.is_available():
        print("no GPU here")
    for row in rows(arguments.names, bench, arguments.data):
        (arguments.out / f"row-{row.name}.json").write_text(json.dumps(row.facts(), indent=1))
        print(line(row.facts()), flush=True)


def _loop(arguments: argparse.Namespace) -> None:
    from tests.benchmarks.engine_loop import run_cells

    run_cells(arguments.cells, arguments.out, arguments.data)


def _report(arguments: argparse.Namespace) -> None:
    from tests.benchmarks.engine_report import page

    text = page(arguments.out)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")
    else:
        print(text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    loop = commands.add_parser("loop", help="whole loops, a cell each")
    loop.add_argument("--cells", nargs="+", required=True, metavar="ROW:SEED:SIDE")
    loop.set_defaults(function=_loop)
    short = commands.add_parser("rows", help="the short comparisons")
    short.add_argument("--names", nargs="+", choices=NAMES, default=NAMES)
    short.add_argument("--repeats", type=int, default=5)
    short.add_argument("--images", type=int, default=4000)
    short.add_argument("--pool", type=int, default=20_000)
    short.set_defaults(function=_rows)
    report = commands.add_parser("report", help="docs/engine.md from the files of a folder")
    report.add_argument("--write", type=Path)
    report.set_defaults(function=_report)
    for command in (loop, short, report):
        command.add_argument("--out", type=Path, required=True)
    for command in (loop, short):
        command.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
