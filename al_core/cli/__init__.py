"""The command line: the same verbs without a browser. `python -m al_core --help` lists them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from al_core import own_files
from al_core.cli import (
    check_strategy,
    cost,
    curves,
    delete,
    export,
    export_model,
    fork,
    image_map,
    import_data,
    import_labels,
    listing,
    log,
    predict,
    preview,
    report,
    run,
    study,
    test,
    train,
    verify,
)
from al_core.errors import ALError, ConfigError
from al_core.settings import own_paths

_COMMANDS = (
    run, fork, study, report, curves, listing, cost, check_strategy, export, export_model, test, predict,
    train, log, verify, delete, preview, image_map, import_data, import_labels,
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Exit status: 0 done, 1 found something wrong (verify), 2 refused, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m al_core", description="Deep active learning on images, without a browser."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    arguments = parser.parse_args(argv)
    try:
        own_files.add_to_environment(getattr(arguments, "strategy_files", ()))
        own_files.load(own_paths(os.environ))
        return int(arguments.function(arguments))
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"error: {problem}\n")
        return 2
    except ALError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt as interrupt:  # a command that can go on raises it anew and says how
        sys.stderr.write("; ".join(["interrupted", *map(str, interrupt.args)]) + "\n")
        return 130
    except BrokenPipeError:  # `| head` closed the pipe
        return 0
