"""The flags that say what curves are drawn and compared over, and at which prices."""

from __future__ import annotations

import argparse
from typing import Final

from al_core.results.axes import AXES, Prices

_USUAL: Final = Prices()
_PRICES: Final = {
    "label-price": (_USUAL.label, "price of a label, in any currency"),
    "lambda": (_USUAL.ratio, "what a training costs, counted in labels"),
    "hour-price": (_USUAL.hour, "price of an hour of computing, with --over money"),
    "seconds-a-label": (_USUAL.seconds_a_label, "of a person, with --over minutes"),
}
"""Flags, each with its default and what it is."""


def add_axis_flags(parser: argparse.ArgumentParser) -> None:
    """--over, and the prices that it may need."""
    parser.add_argument("--over", choices=list(AXES), default="labels", help="what x is")
    for flag, (value, words) in _PRICES.items():
        parser.add_argument(
            f"--{flag}", dest=flag.replace("-", "_"), type=float, default=value, metavar="X",
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


def axis_given(arguments: argparse.Namespace) -> dict[str, object]:
    """Those of the flags, without dashes, that are not as by default."""
    usual = {"over": "labels"} | {flag: value for flag, (value, _) in _PRICES.items()}
    found = {flag: vars(arguments)[flag.replace("-", "_")] for flag in usual}
    return {flag: value for flag, value in found.items() if value != usual[flag]}
