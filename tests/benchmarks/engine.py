"""The engine side by side with the usual way, on real CIFAR-10: `python -m tests.benchmarks.engine ...`.

    ... loop --cells deepal:0:reference deepal:0:product --out FOLDER --data FOLDER
    ... rows --out FOLDER --data FOLDER [--names pipeline score-resnet18] [--repeats 5]
    ... report --out FOLDER --write docs/engine.md
    ... renew --out FOLDER --data FOLDER       # half an hour on two idle cores with bf16, twice that without

`--data` holds cifar-10-batches-py, `--out` gets a JSON file for each cell and row; `report` reads them.
Use OMP_NUM_THREADS=1: the figures are processor time on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "engine.md"
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
        facts = row.facts() | {"machine": header()}
        (arguments.out / f"row-{row.name}.json").write_text(json.dumps(facts, indent=1))
        print(line(facts), flush=True)


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


# Two processes at once, so that all of it takes less than 25 minutes; both sides have a neighbour then.
RENEWED = (
    (
        "seed1:0:reference",
        "seed1:0:product",
        *(f"seed1:{seed}:{ours}" for ours in ("fast", "sprint") for seed in range(5)),
    ),
    tuple(f"deepal:{seed}:product" for seed in range(3)),
)


def _renew(arguments: argparse.Namespace) -> None:
    """Measure whole runs in two processes, then two arms alone, and write the page; resumes what is there."""
    from tests.benchmarks.engine_loop import cifar
    from tests.benchmarks.engine_report import keep, page

    arguments.out.mkdir(parents=True, exist_ok=True)
    cifar(arguments.data, arguments.out / "home")  # once, before both begin
    own = ["--out", str(arguments.out), "--data", str(arguments.data)]
    begin = [sys.executable, "-m", "tests.benchmarks.engine"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    both = [subprocess.Popen([*begin, "loop", "--cells", *cells, *own], env=env) for cells in RENEWED]
    if any([process.wait() for process in both]):
        raise SystemExit("a run failed; what is done is kept, and the same command goes on")
    subprocess.run([*begin, "rows", "--names", "two-arms", *own], env=env, check=True)
    PAGE.write_text(page(arguments.out), encoding="utf-8")
    keep(arguments.out)


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
    renew = commands.add_parser("renew", help="what a change of the engine moves, and the page")
    renew.set_defaults(function=_renew)
    report = commands.add_parser("report", help="docs/engine.md from the files of a folder")
    report.add_argument("--write", type=Path)
    report.set_defaults(function=_report)
    for command in (loop, short, report, renew):
        command.add_argument("--out", type=Path, required=True)
    for command in (loop, short, renew):
        command.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
