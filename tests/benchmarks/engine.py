"""The engine side by side with the usual way: `python -m tests.benchmarks.engine loop|rows|report`.

python -m tests.benchmarks.engine loop --cells deepal:0:reference ... --out FOLDER --data FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    loop = commands.add_parser("loop", help="whole loops, a cell each")
    loop.add_argument("--cells", nargs="+", required=True, metavar="ROW:SEED:SIDE")
    loop.add_argument("--out", type=Path, required=True)
    loop.add_argument("--data", type=Path, required=True, help="folder that holds cifar-10-batches-py")
    arguments = parser.parse_args()
    if arguments.command == "loop":
        from tests.benchmarks.engine_loop import run_cells

        run_cells(arguments.cells, arguments.out, arguments.data)


if __name__ == "__main__":
    main()
