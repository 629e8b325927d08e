"""The options, section by section; config.py makes one experiment of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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
        None, "Image size",
        "Side in pixels that models see; empty: the data set's own, and 96 at least for frozen features. "
        "Photos are read from their files at that size; smaller pictures are resized in the network.",
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
    imbalance: float | None = option(
        None, "Imbalance of the pool",
        "Thin the pool until its largest class has this many times the images of its smallest, in a long "
        "tail between; 1: all classes alike; empty: as it is. Test and validation images stay.",
        ge=1, le=10_000, advanced=True,
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
    new_classes: Literal["refuse", "add"] = option(
        "refuse", "Classes that only the file has",
        "init=import: refuse: such a row stops the start, and is named; add: they become classes of the "
        "session, as if a person had added them while labelling.",
        advanced=True,
    )  # fmt: skip
    import_map: str | None = option(
        None, "The file's classes under other names",
        'init=import: OLD=NEW, several with semicolons between, or JSON such as {"Katze": "cat"}.',
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
    unsure_weight: float = option(
        0.5, "Weight of unsure labels",
        "How much a label that its giver marked as unsure counts in training; 0: it is left out.",
        ge=0, le=1, advanced=True,
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
        pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$",
    )  # fmt: skip
    devices: int = option(
        1, "Devices",
        "GPUs that train one network together, or processes where there is none; a batch stays as large.",
        flags=("--mult-gpu", "--mult_gpu"), ge=1, le=64, advanced=True,
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
    baseline: Literal["none", "full", "subset", "balanced"] = option(
        "none", "Baseline instead",
        "In place of the strategy, and none itself. full: train once, on the whole pool; subset: once, on a "
        "random part of it, as large as the budget and with its classes' shares; balanced: each query evens "
        "out the classes, by ground truth.",
        advanced=True,
    )  # fmt: skip
    n_new: int = option(
        20, "Query size", "Labels asked for in a round.", flags=("-nn", "--n_new"),
        ge=1, le=1_000_000,
    )  # fmt: skip
    size_schedule: Literal["fixed", "rate"] = option(
        "fixed", "Query size over the rounds",
        "fixed: the query size, always; rate: as many labels as the next gain in accuracy should take, by "
        "what the last round's labels brought on the round validation; the first query is the query size.",
        advanced=True,
    )  # fmt: skip
    gain: float = option(
        0.02, "Gain wanted", "Accuracy that a round should bring, with the schedule rate.",
        gt=0, le=1, advanced=True,
    )  # fmt: skip
    least_gain: float = option(
        0.002, "Least gain",
        "A round that brought less counts as having brought this, with the schedule rate.",
        gt=0, le=1, advanced=True,
    )  # fmt: skip
    max_new: int | None = option(
        None, "Largest query", "With the schedule rate; empty: ten times the query size.",
        ge=1, le=1_000_000, advanced=True,
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
    second_options: dict[str, OptionValue] = option(
        {}, "Options of the second", "Options of the second strategy, as name=value.", advanced=True
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
    holdback: float = option(
        0.0, "Hold-back share",
        "Share of each query that is drawn at random and never trained on: an unbiased accuracy, with its "
        "interval, where there are no test images. Costs labels.",
        ge=0, le=0.5, advanced=True,
    )  # fmt: skip
    overlap: float = option(
        0.0, "Asked of two people",
        "Share of each query, drawn at random, that a second person is asked too: their agreement, at the "
        "price of those answers. The first answer stays the label.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip
    ahead: int | None = option(
        None, "Labels ahead",
        "Where a person labels: how many further images of each query may be labeled while the next round "
        "trains. They are picked by the model before it and train the round after; empty: as many as are "
        "asked for, 0: none.",
        ge=0, le=1_000_000, advanced=True,
    )  # fmt: skip
    blind_share: float = option(
        0.0, "Blind share",
        "Where a person labels: share of the images whose guesses are hidden, drawn by seed and sample id, "
        "to measure whether the guesses sway who labels.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip
    power: float = option(
        0.0, "Power of chance",
        "Draw images by score to this power, instead of the top (1 is usual); 0: off.",
        ge=0, le=1000, advanced=True,
    )  # fmt: skip

    @property
    def chooser(self) -> str:
        """What chooses the images: the baseline where there is one, else the strategy."""
        return self.strategy if self.baseline == "none" else self.baseline


class AnswersConfig(Section):
    """What an oracle answers that is not simply the truth; test labels are always the data set's own."""

    noise_rate: float | None = option(
        None, "Noise rate",
        "oracle=noisy: share of the answers that are wrong, each a draw among the other classes.",
        ge=0, le=1,
    )  # fmt: skip
    noise_matrix: str | None = option(
        None, "Noise matrix",
        "oracle=noisy, in place of a rate: how often each true class (row) is called each class (column), as "
        "counts or shares; a .csv, .json or .npy file, or JSON such as {\"cat\": {\"cat\": 8, \"dog\": 2}}.",
    )  # fmt: skip
    recorded_file: str | None = option(
        None, "Recorded answers",
        "oracle=recorded: a file of answers. CSV with sample_id or file, or .npz / .npy with one answer for "
        "each image of the train split, in its order; what has no answer is skipped.",
    )  # fmt: skip
    recorded_column: str | None = option(
        None, "Recorded column",
        "Which column of the CSV (empty: label) or array of the .npz (empty: the only one) is answered.",
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
    agreement: float | None = option(
        None, "Stable predictions",
        "Agreement (kappa) of successive rounds on a fixed set of unlabeled images that is enough; 0.99 is "
        "usual, empty: never.",
        gt=0, le=1, advanced=True,
    )  # fmt: skip
    class_change: float | None = option(
        None, "Stable classes",
        "Predicted change of the F1 of the class that changes most, between successive rounds on that set, "
        "that is small enough; 0.01 is strict, empty: never.",
        gt=0, lt=1, advanced=True,
    )  # fmt: skip
    stable_rounds: int = option(
        3, "Rounds of stability", "Rounds over which both are averaged.", ge=1, le=100, advanced=True
    )
    stop_images: int = option(
        2000, "Stop set", "Images whose predictions are compared; drawn once, by the seed.",
        ge=10, le=1_000_000, advanced=True,
    )  # fmt: skip

    @property
    def is_open(self) -> bool:
        """Whether nothing ends the experiment but an empty pool."""
        ends = (self.n_rounds, self.budget, self.patience, self.target_accuracy, self.agreement)
        return all(end is None for end in (*ends, self.class_change))

    @property
    def watches_predictions(self) -> bool:
        """Whether predictions on the stop set are wanted."""
        return self.agreement is not None or self.class_change is not None
