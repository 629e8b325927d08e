"""ExperimentConfig: the only definition of every option.

A field here is at once the form field (label, help, bounds), the command-line flag (name, short and
the first seed's spellings), the stored manifest's key and the row in the README's table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from al_core.errors import ConfigError, Problem

OptionValue = bool | int | float | str


def option(
    default: Any,
    label: str,
    help: str,
    *,
    flags: tuple[str, ...] = (),
    advanced: bool = False,
    **bounds: Any,
) -> Any:
    """A field with its label (form), help (form, --help, README) and further flag spellings."""
    extra = {"label": label, "flags": list(flags), "advanced": advanced}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


class Section(BaseModel):
    """A frozen group of options; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataConfig(Section):
    """Which images, and what is set aside from the train split before anything is labeled."""

    dataset: str = option(
        "digits", "Data set", "A data set's name, or folder:PATH for your own images.",
        flags=("-d",), min_length=1,
    )  # fmt: skip
    image_size: int | None = option(
        None, "Image size", "Side in pixels that models see; empty: the data set's own.",
        ge=8, le=512,
    )  # fmt: skip
    test_fraction: float = option(
        0.2, "Test share", "Share set aside as test split where the data set has none of its own.",
        ge=0, le=0.9, advanced=True,
    )  # fmt: skip
    epoch_validation: float = option(
        0.0, "Validation share, each epoch",
        "Share of the train split, stratified, that is evaluated after each epoch.",
        ge=0, le=0.5, advanced=True,
    )  # fmt: skip
    round_validation: float = option(
        0.0, "Validation share, each round",
        "Share of the train split, stratified, that patience and the target accuracy look at.",
        ge=0, le=0.5, advanced=True,
    )  # fmt: skip


class InitConfig(Section):
    """The labels that an experiment begins with."""

    init: Literal["per_class", "random", "kcenter", "import"] = option(
        "per_class", "Initial set",
        "per_class: n of each class at random (needs known labels); random: n in all; "
        "kcenter: n in all, spread over the data; import: the labels of a file.",
    )  # fmt: skip
    n_start: int = option(
        2, "Initial labels", "How many: of each class with per_class, in all otherwise.",
        flags=("-ns", "--n_start"), ge=1, le=1_000_000,
    )  # fmt: skip
    import_labels: str | None = option(
        None, "Labels file", "CSV with sample_id or file, and label: used with init=import.",
        advanced=True,
    )  # fmt: skip


class ModelConfig(Section):
    """The network."""

    model: str = option("small_cnn", "Model", "A model's name.", flags=("-m",), min_length=1)
    pretrained: bool = option(
        False, "ImageNet weights", "Start from ImageNet weights, with a new head.", flags=("-pt",)
    )
    frozen: bool = option(
        False, "Frozen features",
        "Train only a linear head on the model's features, computed once and kept.",
    )  # fmt: skip
    dropout: float = option(
        0.0, "Head dropout", "Dropout in front of the last layer; any model takes it.",
        ge=0, le=0.9, advanced=True,
    )  # fmt: skip
    stem: Literal["auto", "imagenet", "small"] = option(
        "auto", "Stem", "small: a 3x3 first layer for images up to 64 px; auto: by image size.",
        advanced=True,
    )  # fmt: skip


class TrainConfig(Section):
    """How a round trains."""

    epochs: int = option(
        50, "Epochs", "Passes over the labeled images in a round.", flags=("-e",), ge=1, le=10_000
    )
    min_steps: int = option(
        200, "Minimum steps",
        "Optimiser steps that a round takes at least: few labels make tiny epochs.",
        ge=0, le=1_000_000, advanced=True,
    )  # fmt: skip
    batch_size: int = option(
        64, "Batch size", "Images in an optimiser step.", flags=("-b", "--batch_size"),
        ge=1, le=4096,
    )  # fmt: skip
    learning_rate: float | None = option(
        None, "Learning rate", "Empty: the model's own.", flags=("-lr", "--learning_rate"),
        gt=0, le=10,
    )  # fmt: skip
    weight_decay: float = option(
        0.0, "Weight decay", "L2 penalty on the weights.", flags=("-wd", "--weight_decay"),
        ge=0, le=1,
    )  # fmt: skip
    optimizer: Literal["adam", "sgd"] = option("adam", "Optimiser", "adam, or sgd with momentum.")
    momentum: float = option(0.9, "Momentum", "Of sgd.", ge=0, lt=1, advanced=True)
    schedule: Literal["constant", "cosine", "onecycle"] = option(
        "onecycle", "Learning-rate schedule", "How the learning rate moves within a round.",
        advanced=True,
    )  # fmt: skip
    label_smoothing: float = option(
        0.0, "Label smoothing", "Flattens the confidences that uncertainty sampling reads.",
        ge=0, le=0.3, advanced=True,
    )  # fmt: skip
    augment: bool = option(
        False, "Augment", "Random changes that the data set declares safe.",
        flags=("-da", "--data_aug"),
    )  # fmt: skip
    adversarial_copies: bool = option(
        False, "Adversarial copies",
        "Train also on each queried image moved just over the border of its predicted class, with the label "
        "that it was given; copies cost no label.",
        advanced=True,
    )  # fmt: skip
    start: Literal["cold", "warm"] = option(
        "cold", "Start of a round", "cold: fresh weights each round; warm: the last round's."
    )
    labeled_validation: float = option(
        0.0, "Labeled validation share",
        "Share of the labeled images kept from training, for early stopping; they cost labels.",
        ge=0, le=0.5, advanced=True,
    )  # fmt: skip
    early_stopping: int | None = option(
        None, "Early stopping",
        "Epochs without a better validation loss after which a round ends; empty: never.",
        ge=1, le=1000, advanced=True,
    )  # fmt: skip
    precision: Literal["auto", "fp32", "bf16"] = option(
        "auto", "Precision", "auto: bf16 where the hardware has it.", advanced=True
    )
    device: str = option(
        "auto", "Device", "auto, cpu, cuda, cuda:0 or mps.",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
    )  # fmt: skip
    threads: int | None = option(
        None, "Threads", "Processor threads of the worker; empty: all cores.",
        ge=1, le=256, advanced=True,
    )  # fmt: skip


class QueryConfig(Section):
    """Which images are asked for."""

    strategy: str = option(
        "u_herding", "Query strategy", "A strategy's name; u_herding (auto) suits few labels and many.",
        flags=("-qs", "--query-strategy", "--query_strategy"), min_length=1,
    )  # fmt: skip
    n_new: int = option(
        20, "Query size", "Labels asked for in a round.", flags=("-nn", "--n_new"),
        ge=1, le=1_000_000,
    )  # fmt: skip
    candidates: int | None = option(
        None, "Candidate cap",
        "Score only a random subset of the pool, the same for every strategy; empty: all of it.",
        ge=1, advanced=True,
    )  # fmt: skip
    options: dict[str, OptionValue] = option(
        {}, "Strategy options", "Options of the strategy itself, as name=value.", advanced=True
    )
    second: str = option(
        "", "Second strategy", "A strategy that chooses a share of each query; empty: none.", advanced=True
    )
    share: float = option(
        0.5, "Share of the second", "Share of each query that the second strategy chooses.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip
    balance: bool = option(
        False, "Balance the classes",
        "Ask first for images of the predicted classes that have the fewest labels.", advanced=True,
    )  # fmt: skip
    min_distance: float = option(
        0.0, "Skip copies",
        "Images nearer than this cosine distance to a labeled or picked one, by frozen features, are asked "
        "for last; 0: off.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip
    committee: Literal["independent", "bootstrap", "heads", "snapshots"] = option(
        "independent", "Committee of",
        "independent: networks from other fresh weights; bootstrap: networks on labels drawn with "
        "replacement; heads: last layers on such draws, in seconds; snapshots: one network at several "
        "moments of a training that goes on.",
        advanced=True,
    )  # fmt: skip
    members: int = option(
        5, "Committee members", "How many, the round's own network included.", ge=1, le=50, advanced=True
    )
    passes: int = option(
        20, "Dropout passes", "Monte Carlo passes with dropout of a query.", ge=1, le=1000, advanced=True
    )
    features: Literal["auto", "network", "pixels", "texture"] = option(
        "auto", "Frozen features from",
        "What strategies without a trained model look at. network: this model's own weights, untrained or "
        "from ImageNet; pixels: principal components; texture: colours and patterns; auto: network where it "
        "has ImageNet weights or is frozen, else pixels.",
        advanced=True,
    )  # fmt: skip
    power: float = option(
        0.0, "Power of chance",
        "Draw images by score to this power, instead of the top (1 is usual); 0: off.",
        ge=0, le=1000, advanced=True,
    )  # fmt: skip


class StopConfig(Section):
    """When an experiment ends; the first that holds."""

    n_rounds: int | None = option(
        None, "Rounds", "Trainings in all, the initial set's included; empty: no limit.",
        flags=("-nr", "--n_rounds"), ge=1, le=100_000,
    )  # fmt: skip
    budget: int | None = option(
        None, "Budget", "Labels in all, the initial set's included; empty: no limit.", ge=1
    )
    patience: int | None = option(
        None, "Patience",
        "Rounds in a row without a better accuracy on the round validation; empty: never.",
        flags=("-p",), ge=1, le=1000, advanced=True,
    )  # fmt: skip
    target_accuracy: float | None = option(
        None, "Target accuracy", "Accuracy on the round validation that is enough; empty: none.",
        gt=0, le=1, advanced=True,
    )  # fmt: skip


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
    oracle: Literal["human", "truth"] = option(
        "human", "Who labels", "human: a person, in the browser; truth: the data set's labels."
    )
    data: DataConfig = DataConfig()
    init: InitConfig = InitConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    query: QueryConfig = QueryConfig()
    stop: StopConfig = StopConfig()

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Read a nested mapping (a manifest, a form, flags).

        Raises:
            ConfigError: naming each refused option, its value and what is allowed.
        """
        try:
            return cls.model_validate(dict(values))
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
        """The main command-line flag."""
        return "--" + self.name.replace("_", "-")


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


def _option(section: str, name: str, field: FieldInfo) -> Option:
    extra: Any = field.json_schema_extra
    return Option(
        f"{section}.{name}".lstrip("."), name, section, extra["label"], field.description or "",
        field.default, field.annotation, tuple(extra["flags"]), extra["advanced"],
        tuple(field.metadata),
    )  # fmt: skip


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
            yield Problem(path, item["input"], "there is no such option")
            continue
        message = item["msg"].removeprefix("Input ").removeprefix("Value error, ")
        yield Problem(path, item["input"], message)
