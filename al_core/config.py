"""ExperimentConfig: with sections.py the only definition of every option.

A field there is at once the form field (label, help, bounds), the command-line flag (name, short and
the first seed's spellings), the stored manifest's key and the row in the README's table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from al_core.errors import ConfigError, Problem
from al_core.sections import (
    AnswersConfig,
    DataConfig,
    InitConfig,
    ModelConfig,
    QueryConfig,
    Section,
    StopConfig,
    TrainConfig,
    option,
)
from al_core.words import noted, told, tr

__all__ = [
    "AnswersConfig", "DataConfig", "ExperimentConfig", "InitConfig", "ModelConfig", "Option", "QueryConfig",
    "Section", "StopConfig", "TrainConfig", "by_name", "flat", "options",
]  # fmt: skip


class ExperimentConfig(Section):
    """One experiment, whole. Same config and same labels give the same rounds."""

    name: str = option(
        "run", "Name", "What the experiment is called.",
        flags=("-en", "--experiment-name", "--experiment_name"), min_length=1, max_length=120,
    )  # fmt: skip
    seed: int = option(
        0, "Seed", "Every draw comes from it.", flags=("-s", "--init-sampling-seed",
        "--init_sampling_seed"), ge=0, le=2**32 - 1,
    )  # fmt: skip
    oracle: Literal["human", "truth", "noisy", "recorded"] = option(
        "human", "Who labels",
        "human: a person, in the browser; truth: the data set's labels; noisy: those, with wrong ones drawn "
        "among them; recorded: the answers that people left in a file.",
    )  # fmt: skip
    share_labels: bool = option(
        True, "Share labels",
        "A fork takes the answers that its parent, siblings and children have, so that nobody answers an "
        "image twice.", advanced=True,
    )  # fmt: skip
    data: DataConfig = DataConfig()
    init: InitConfig = InitConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    query: QueryConfig = QueryConfig()
    answers: AnswersConfig = AnswersConfig()
    stop: StopConfig = StopConfig()

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Read a nested mapping (a manifest, a form, flags).

        Raises:
            ConfigError: naming each refused option, its value and what is allowed.
        """
        try:
            return cls.model_validate(dict(by_name("config", values)))
        except ValidationError as error:
            raise ConfigError(_problems(error)) from None

    def changed(self, **paths: Any) -> Self:
        """A checked copy with options replaced, by dotted path with `__` (query__strategy=...)."""
        values = self.model_dump()
        for path, value in paths.items():
            *sections, leaf = path.split("__")
            place = values
            for section in sections:
                place = place[section]
            place[leaf] = value
        return self.parse(values)

    def to_json(self) -> str:
        """Canonical JSON: keys sorted, so that equal configs have equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read `to_json`'s text back."""
        return cls.parse(json.loads(text))

    def hash(self) -> str:
        """Identity of everything but the name, as 16 hexadecimal digits."""
        values = self.model_dump(mode="json") | {"name": ""}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Option:
    """One option as forms, flags and tables show it. `path` is dotted: 'query.strategy'."""

    path: str
    name: str
    section: str
    label: str
    help: str
    default: Any
    annotation: Any
    flags: tuple[str, ...]
    advanced: bool
    metadata: tuple[Any, ...]

    @property
    def flag(self) -> str:
        """The main command-line flag; of several values it names one, and is given for each."""
        name = self.name.removesuffix("s") if self.is_pairs else self.name
        return "--" + name.replace("_", "-")

    @property
    def is_pairs(self) -> bool:
        """Whether it holds values by name, each given as NAME=VALUE."""
        return get_origin(self.annotation) is dict


def options() -> Iterator[Option]:
    """Every option, in the order in which this file defines them."""
    sections: dict[str, FieldInfo] = {}
    for name, field in ExperimentConfig.model_fields.items():
        if isinstance(field.default, Section):
            sections[name] = field
        else:
            yield _option("", name, field)
    for section, field in sections.items():
        for name, inner in type(field.default).model_fields.items():
            yield _option(section, name, inner)


def by_name(option: str, values: object) -> Mapping[str, Any]:
    """What a file says of an option that holds others.

    Raises:
        ConfigError: it is a number, a list or the like.
    """
    if isinstance(values, Mapping):
        return values
    raise ConfigError([Problem(option, values, tr("must be a JSON object"))])


def flat(config: ExperimentConfig) -> dict[str, Any]:
    """Every option's value, as JSON has it, by its dotted path."""
    values = config.model_dump(mode="json")
    return {
        option.path: values[option.section][option.name] if option.section else values[option.name]
        for option in options()
    }


def _option(section: str, name: str, field: FieldInfo) -> Option:
    extra: Any = field.json_schema_extra
    return Option(
        f"{section}.{name}".lstrip("."), name, section, extra["label"], field.description or "",
        field.default, field.annotation, tuple(extra["flags"]), extra["advanced"],
        tuple(field.metadata),
    )  # fmt: skip


_REFUSALS: Final = (
    noted("should be greater than {n}"),
    noted("should be greater than or equal to {n}"),
    noted("should be less than {n}"),
    noted("should be less than or equal to {n}"),
    noted("should be a finite number"),
    noted("should be a valid number"),
    noted("should be a valid number, unable to parse string as a number"),
    noted("should be a valid integer"),
    noted("should be a valid integer, unable to parse string as an integer"),
    noted("should be a valid integer, got a number with a fractional part"),
    noted("should be a valid boolean"),
    noted("should be a valid boolean, unable to interpret input"),
    noted("should be a valid string"),
    noted("should be {choices}"),
    noted("String should have at least {n} character"),
    noted("String should have at least {n} characters"),
    noted("String should have at most {n} character"),
    noted("String should have at most {n} characters"),
)
"""What Pydantic says of a value, as far as our options let it."""


def _problems(error: ValidationError) -> Iterator[Problem]:
    known = {o.path for o in options()} | {o.section for o in options()}
    for item in error.errors(include_url=False):
        places = [str(part) for part in item["loc"]]
        path = next(
            (".".join(places[:n]) for n in range(len(places), 0, -1) if ".".join(places[:n]) in known),
            ".".join(places),
        )
        if item["type"] == "extra_forbidden":
            path = ".".join(places)
            yield Problem(path, item["input"], tr("there is no such option"))
            continue
        message = item["msg"].removeprefix("Input ").removeprefix("Value error, ")
        yield Problem(path, item["input"], told(message))
