"""The flags that say what curves are drawn and compared over, and at which prices."""

from __future__ import annotations

import argparse

from al_core.results.axes import AXES, Prices


def add_axis_flags(parser: argparse.ArgumentParser) -> None:
    """--over, and the prices that it may need."""
    usual = Prices()
    parser.add_argument("--over", choices=list(AXES), default="labels", help="what x is")
    for flag, value, words in (
        ("--label-price", usual.label, "price of a label, in any currency"),
        ("--lambda", usual.ratio, "what a training costs, counted in labels"),
        ("--hour-price", usual.hour, "price of an hour of computing, with --over money"),
        ("--seconds-a-label", usual.seconds_a_label, "of a person, with --over minutes"),
    ):
        parser.add_argument(
            flag, dest=flag.strip("-").replace("-", "_"), type=float, default=value, metavar="X",
            help=f"{words} (default {value:g})",
        )  # fmt: skip


def prices_of(arguments: argparse.Namespace) -> Prices:
    """The prices that were given.

    Raises:
        ConfigError: one of them makes no axis.
    """
    return Prices(
        arguments.label_price, vars(arguments)["lambda"], arguments.hour_price, arguments.seconds_a_label
    )
