"""`check-strategy`: the conformance kit over a strategy of one's own, or a registered one."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from al_core.cli.bars import bar, say
from al_core.errors import ALError
from al_core.query.own import load_strategy
from al_core.query.strategies import Strategy
from al_core.testing import CHECKS, Check


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "check-strategy",
        help="hold a strategy of your own to what every strategy promises",
        description="Run every check of the conformance kit. The file is run as Python: check only what you "
        "trust. Exit status 1 where a promise is broken.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("strategy", help="FILE.py, FILE.py:FUNCTION, or a registered name")
    parser.add_argument("--no-model", action="store_true", help="leave out what trains a small network")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments: argparse.Namespace) -> int:
    """Print a line a check."""
    strategy = load_strategy(arguments.strategy)
    kind = "selector" if strategy.is_selector else "scorer"
    sys.stdout.write(f"{strategy.name}: {kind} of {', '.join(strategy.evidence)}\n")
    broken = _broken(CHECKS, strategy, quiet=arguments.quiet)
    if arguments.no_model:
        sys.stdout.write("skip  evidence, model and hidden labels: --no-model was given\n")
    elif broken:
        sys.stdout.write("skip  evidence, model and hidden labels: first mend what is broken above\n")
    else:
        from al_core.engine.checks import MODEL_CHECKS  # noqa: PLC0415 - torch, where it is wanted

        broken += _broken(MODEL_CHECKS, strategy, quiet=arguments.quiet)
    if broken:
        sys.stdout.write(f"{len(broken)} broken: {', '.join(broken)}\n")
        return 1
    sys.stdout.write("every promise is kept\n")
    return 0


def _broken(checks: Sequence[Check], strategy: Strategy, *, quiet: bool) -> list[str]:
    """Names of the checks that it does not pass."""
    names: list[str] = []
    with bar("checks", quiet=quiet) as progress:
        for done, check in enumerate(checks):
            progress(done, len(checks))
            if not _holds(check, strategy):
                names.append(check.__name__)
    return names


def _holds(check: Check, strategy: Strategy) -> bool:
    promise = (check.__doc__ or "").partition("\n")[0]
    try:
        check(strategy)
    except ALError as error:
        say(f"FAIL  {check.__name__}: {promise}\n      {error}\n")
        return False
    except Exception as error:  # a person's function may raise anything; where it did is the evidence
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename}:{place.lineno}: {place.line}"
        say(f"FAIL  {check.__name__}: {promise}\n      {type(error).__name__}: {error}\n      {where}\n")
        return False
    say(f"ok    {check.__name__}: {promise}\n")
    return True
