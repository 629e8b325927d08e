"""Networks of torchvision, with the error that a person can act on when their weights cannot be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from al_core.errors import ModelError
from al_core.words import tr


def backbone(name: str, weights: str | None, **options: Any) -> Any:
    """Torchvision's network of that name, with its ImageNet weights (a name of its enum) or fresh ones.

    torchvision loads a weights file as plain tensors and checks the hash of what it downloads.

    Raises:
        ModelError: the weights are neither in the cache nor to be downloaded.
    """
    import torch
    import torchvision

    if weights is None:
        return torchvision.models.get_model(name, weights=None, **options)
    chosen = torchvision.models.get_model_weights(name)[weights]
    try:
        return torchvision.models.get_model(name, weights=chosen, progress=False, **options)
    # no network (URLError is an OSError), a cut or forged download (RuntimeError: hash), an unreadable file:
    # torch.hub documents none of them, and each means the same to a person
    except Exception as error:
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(chosen.url).path).name
        raise ModelError(
            tr(
                "the ImageNet weights of {name} cannot be had ({kind}: {error}). They are looked "
                "for in {file} (TORCH_HOME sets the folder) and downloaded otherwise. Put the file "
                "there, allow the download, or switch ImageNet weights off",
                name=name,
                kind=type(error).__name__,
                error=error,
                file=file,
            )
        ) from error
