"""Network: a module with what is needed to rebuild it, use it and keep it.

Images go in as they are stored; resizing and normalising happen inside, so that no caller can get them wrong
and weights carry them along.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from al_core.config import ExperimentConfig, TrainConfig
from al_core.data.dataset import Dataset
from al_core.engine.device import MEMORY_FORMAT, DevicePlan, choose
from al_core.errors import ModelError
from al_core.models import MODELS
from al_core.seeds import seed_for
from al_core.settings import Settings
from al_core.words import tr

if TYPE_CHECKING:
    from al_core.engine.features import FeatureTables

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# Features of weights from ImageNet: CIFAR-10 with 1000 labels gave 0.49 at 64 px and 0.62 at 96 px.
FROZEN_MIN_SIZE = 96
HEAD = "classifier.head."  # what the names of the last layer's weights begin with


@dataclass(frozen=True)
class NetworkSpec:
    """All that decides a fresh network, weights included."""

    model: str
    classes: tuple[str, ...]
    image_size: int  # what the module sees
    small_stem: bool
    pretrained: bool
    frozen: bool
    dropout: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    seed: int  # of the fresh weights

    @classmethod
    def of(cls, config: ExperimentConfig, dataset: Dataset, round: int) -> NetworkSpec:
        """The network that a config asks for in a round. Frozen trunks are the same in every round."""
        model = config.model
        entry = MODELS.get(model.model)
        if model.pretrained and entry.weights is None:
            raise ModelError(
                tr("{model} has no ImageNet weights; switch them off or take another model", model=entry.name)
            )
        size = config.data.image_size
        if size is None:
            size = dataset.image_size
            if model.frozen and model.pretrained:
                size = max(size, FROZEN_MIN_SIZE)
        stem = entry.stem(size, choice=model.stem, pretrained=model.pretrained)
        imagenet = model.pretrained
        return cls(
            model=entry.name, classes=dataset.classes, image_size=stem.image_size, small_stem=stem.small,
            pretrained=model.pretrained, frozen=model.frozen, dropout=model.dropout or entry.dropout,
            mean=IMAGENET_MEAN if imagenet else dataset.mean, std=IMAGENET_STD if imagenet else dataset.std,
            seed=seed_for(config.seed, "weights", 0 if model.frozen else round),
        )  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> NetworkSpec:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        for name in ("classes", "mean", "std"):
            values[name] = tuple(values[name])
        return cls(**values)

    def to_json(self) -> str:
        """Canonical JSON for a file's metadata."""
        return json.dumps(asdict(self), sort_keys=True)


class ImageClassifier(nn.Module):
    """Floats in 0..1, (n, 3, S, S), of any size S, to logits: resizes, normalises, then the model."""

    mean: Tensor
    scale: Tensor

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.size = spec.image_size
        self.dtype = torch.float32  # of what the classifier is given
        self.classifier = MODELS.get(spec.model).build(
            len(spec.classes), image_size=spec.image_size, small_stem=spec.small_stem, dropout=spec.dropout,
            weights=MODELS.get(spec.model).weights if spec.pretrained else None,
        )  # fmt: skip
        deviation = torch.tensor(spec.std).clamp_min(1e-3)  # a data set of one colour has none
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1))
        self.register_buffer("scale", (1 / deviation).view(1, 3, 1, 1))

    def prepare(self, x: Tensor) -> Tensor:
        """Bring images to the model's size and to zero mean."""
        if x.shape[-1] != self.size:
            smaller = self.size < x.shape[-1]
            x = F.interpolate(
                x, (self.size, self.size), mode="bilinear", align_corners=False, antialias=smaller
            )
        # as rows of pixels: an innermost axis of three channels would be normalised one number at a time
        rows, width = x.permute(0, 2, 3, 1).flatten(2), x.shape[3]
        mean, scale = (v.flatten().repeat(width) for v in (self.mean, self.scale))
        out = (rows - mean).mul_(scale).unflatten(2, (width, -1)).permute(0, 3, 1, 2)
        return out.to(self.dtype, memory_format=MEMORY_FORMAT)

    def trunk(self, x: Tensor) -> Tensor:
        """Up to the first dropout, (n, ...): what Monte Carlo passes share."""
        return self.classifier.trunk(self.prepare(x))

    def forward_features(self, x: Tensor) -> Tensor:
        """The embedding (n, D): the input of the last linear layer."""
        return self.classifier.forward_features(self.prepare(x))

    def forward_head(self, h: Tensor) -> Tensor:
        """Logits (n, C) of embeddings."""
        return self.classifier.forward_head(h)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


def build_module(spec: NetworkSpec, plan: DevicePlan) -> ImageClassifier:
    """A fresh module on the plan's device. Weights are drawn on the processor: the same everywhere.

    Recipes draw from torch's global generator; it is forked here, so that nobody else's draws move.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)
        module = ImageClassifier(spec)
    # .to(memory_format) of the whole module converts each 4-d weight
    return module.to(device=plan.device).to(memory_format=MEMORY_FORMAT)


@dataclass
class Network:
    """A trained (or fresh) module and its plan. `facts` says how training went, for the manifest."""

    module: ImageClassifier
    plan: DevicePlan
    spec: NetworkSpec
    facts: dict[str, Any] = field(default_factory=dict)
    tables: FeatureTables | None = None  # cached frozen features, where there is a place to cache them

    @property
    def num_classes(self) -> int:
        return len(self.spec.classes)

    @property
    def num_features(self) -> int:
        return self.module.classifier.num_features

    def describe(self) -> dict[str, Any]:
        """What a manifest keeps of a network and the machine that trained it."""
        return {
            **self.plan.facts(), "model": self.spec.model, "input_size": self.spec.image_size,
            "small_stem": self.spec.small_stem, "parameters": self.num_parameters,
            "state_hash": self.state_hash(), **self.facts,
        }  # fmt: skip

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.module.parameters())

    def state_hash(self) -> str:
        """SHA-256 over every weight and buffer, by name: equal hashes are equal networks."""
        return hash_tensors(self.module.state_dict())

    def save(self, path: Path, *, whole: bool = False) -> None:
        """Write weights and metadata as safetensors, complete or not at all.

        A frozen network keeps its head only: the trunk is rebuilt from its recipe, and checked. `whole` keeps
        the trunk too, for a file that shall be read where the recipe's ImageNet weights are not.
        """
        state = self.module.state_dict()
        if self.spec.frozen and not whole:
            state = {k: v for k, v in state.items() if k.startswith(HEAD)}
        about = {"spec": self.spec.to_json(), "facts": self.facts, "state_hash": self.state_hash()}
        # one key: the library writes several in no fixed order, and equal networks shall be equal files
        write_safetensors(path, state, {"network": json.dumps(about, sort_keys=True)})


def load_network(
    path: Path,
    train: TrainConfig | None = None,
    *,
    dataset: Dataset | None = None,
    settings: Settings | None = None,
) -> Network:
    """Read what `Network.save` wrote; predictions are the same as before.

    `dataset` and `settings` let a frozen network use cached features.

    Raises:
        ModelError: not such a file, damaged, or its frozen trunk is not the one that it was trained on.
    """
    state, metadata = read_safetensors(path)
    try:
        about = json.loads(metadata["network"])
        spec = NetworkSpec.from_json(about["spec"])
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            tr("{path} holds tensors but not a network that askwell saved", path=path)
        ) from error
    plan = choose(train or TrainConfig(), image_size=spec.image_size)
    head_only = spec.frozen and all(name.startswith(HEAD) for name in state)
    # a file with every weight needs no ImageNet file to be read
    recipe = spec if head_only else replace(spec, pretrained=False)
    network = Network(build_module(recipe, plan), plan, spec, about["facts"])
    load_state(network.module, state, path, partial=head_only)
    if network.state_hash() != about["state_hash"]:
        raise ModelError(
            tr(
                "{path}: the rebuilt {model} is not the saved one; its frozen trunk has other "
                "weights here (another ImageNet file, or another torch version's fresh weights). "
                "Train the round again",
                path=path,
                model=spec.model,
            )
        )
    if spec.frozen and dataset is not None and settings is not None:
        from al_core.engine.features import FeatureTables  # noqa: PLC0415 - features build on networks

        network.tables = FeatureTables(network, dataset, settings)
    return network


def load_state(
    module: ImageClassifier, state: Mapping[str, Tensor], source: object, *, partial: bool = False
) -> None:
    """Copy tensors into a module.

    Raises:
        ModelError: names or shapes differ; the message says which.
    """
    own = module.state_dict()
    wrong = [name for name in state if name not in own or own[name].shape != state[name].shape]
    missing = [] if partial else [name for name in own if name not in state]
    if wrong or missing:
        first = (wrong or missing)[0]
        raise ModelError(
            tr(
                "the weights of {source} are not of this model with {num_classes} classes ({wrong} do "
                "not fit, {missing} are missing; the first is {first}). Take the model and classes that "
                "they were trained with, or a cold start",
                source=source,
                num_classes=module.classifier.head.out_features,
                wrong=len(wrong),
                missing=len(missing),
                first=first,
            )
        )
    with torch.no_grad():
        for name, value in state.items():
            own[name].copy_(value)


def hash_tensors(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over tensors by name, type, shape and bytes."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu()
        digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.numpy().tobytes())  # in row order, whatever the memory format
    return digest.hexdigest()


def write_safetensors(path: Path, state: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a file that is either complete or not there: tmp, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save_file({k: v.detach().cpu().contiguous() for k, v in state.items()}, part, metadata)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file.

    Raises:
        ModelError: it is not there, or not a whole safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
        return load_file(path), metadata
    except (OSError, SafetensorError) as error:
        raise ModelError(
            tr("{path} cannot be read as weights ({error}); train the round again", path=path, error=error)
        ) from error
