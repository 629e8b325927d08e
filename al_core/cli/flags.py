"""Command-line flags from the options of ExperimentConfig, and back to a config."""

from __future__ import annotations

import argparse
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from al_core.config import ExperimentConfig, Option, options
from al_core.errors import ConfigError, Problem

# the first seed's names of things that have another name here
SEED_CHOICES = {"model": {"ResNet34": "resnet34", "ResNet18": "resnet18", "SqueezeNet11": "squeezenet1_1"}}


def add_option_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each option, with its further spellings; only what is given ends up in the namespace.

    And one for files of the operator's own, which no config can name.
    """
    parser.add_argument(
        "--strategy-file", dest="strategy_files", action="append", type=Path, default=[], metavar="FILE",
        help="Python file or folder with strategies, models or data sets of your own; it is run: name only "
        "what you trust (default: AL_STRATEGIES)",
    )  # fmt: skip
    for option in options():
        spellings = _spellings(option)
        arguments: dict[str, Any] = {"dest": option.path, "default": argparse.SUPPRESS, "help": _help(option)}
        if option.is_pairs:
            parser.add_argument(option.flag, **arguments, action="append", metavar="NAME=VALUE")
        elif option.annotation is bool:
            # `--pretrained`, `--no-pretrained`, and the seed's `--pretrained True`
            parser.add_argument(*spellings, **arguments, nargs="?", const=True, metavar="BOOL")
            parser.add_argument(
                f"--no-{option.flag[2:]}", dest=option.path, default=argparse.SUPPRESS,
                action="store_const", const=False, help=argparse.SUPPRESS,
            )  # fmt: skip
        else:
            parser.add_argument(*spellings, **arguments, metavar=_metavar(option))


def _spellings(option: Option) -> list[str]:
    seen = [flag for flag in option.flags if not flag.startswith("--")]
    underscore = "--" + option.name
    return [*dict.fromkeys([*seen, option.flag, underscore, *option.flags])]


def _help(option: Option) -> str:
    default = "" if option.default in (None, {}, "") else f" (default {option.default})"
    return (option.help + default).replace("%", "%%")


def _metavar(option: Option) -> str:
    choices = _choices(option.annotation)
    if choices:
        return "{" + ",".join(choices) + "}"
    names = {int: "N", float: "X", str: "TEXT"}
    kinds = typing.get_args(option.annotation) or (option.annotation,)
    return next((names[k] for k in kinds if k in names), "VALUE")


def _choices(annotation: Any) -> tuple[str, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()


def config_from(arguments: argparse.Namespace, base: ExperimentConfig) -> ExperimentConfig:
    """The base config with the given flags on top.

    Raises:
        ConfigError: naming each refused flag, its value and what is allowed.
    """
    values = base.model_dump()
    given = vars(arguments)
    for option in options():
        if option.path not in given:
            continue
        value = given[option.path]
        if option.is_pairs:
            value = {**values[option.section][option.name], **_pairs(value, option.flag)}
        elif isinstance(value, str):
            value = _read(option, value)
        place = values[option.section] if option.section else values
        place[option.name] = value
    return parsed(values)


def parsed(values: Mapping[str, Any]) -> ExperimentConfig:
    """The config of these values.

    Raises:
        ConfigError: naming the flag of each refused option, its value and what is allowed.
    """
    try:
        return ExperimentConfig.parse(values)
    except ConfigError as error:
        flags = {option.path: option.flag for option in options()}
        raise ConfigError(
            Problem(flags.get(p.option, p.option), p.value, p.allowed) for p in error.problems
        ) from None


def _read(option: Option, text: str) -> object:
    kinds = typing.get_args(option.annotation) or (option.annotation,)
    union = typing.get_origin(option.annotation) in (typing.Union, types.UnionType)
    if union and text.lower() in ("none", ""):
        return None
    if bool in kinds:
        known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        return known.get(text.lower(), text)
    return SEED_CHOICES.get(option.name, {}).get(text, text)


def _pairs(texts: list[str], flag: str) -> dict[str, object]:
    pairs: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ConfigError([Problem(flag, text, "has the form NAME=VALUE")])
        try:
            pairs[name] = json.loads(value)
        except json.JSONDecodeError:
            pairs[name] = value
    return pairs


def read_config(path: Path) -> ExperimentConfig:
    """A config from a manifest that `run` wrote, or from a file that holds just the config.

    Raises:
        ConfigError: the file cannot be read, or an option in it is refused.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigError([Problem("--config", str(path), f"cannot be read as JSON: {error}")]) from None
    if not isinstance(values, dict):
        raise ConfigError([Problem("--config", str(path), "must hold a JSON object")])
    return ExperimentConfig.parse(values.get("config", values))
