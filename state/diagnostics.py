"""What somebody who helps needs to know about this installation; no path, name or label of the person's."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Final

import psutil

import al_core
from al_core.settings import Settings

_PACKAGES: Final = (
    "streamlit", "torch", "torchvision", "numpy", "pandas", "plotly", "scikit-learn", "pillow", "sqlalchemy",
    "onnxruntime",
)  # fmt: skip


def versions() -> dict[str, str]:
    """This program, Python and the libraries that matter, without importing any of them."""
    found = {"askwell": al_core.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def diagnostics(settings: Settings, *, worker: str, browser: str, counts: dict[str, int]) -> str:
    """All of it as lines to copy into a report of a problem."""
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(str(settings.home))
    facts = {
        **versions(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "memory": f"{memory.total / 2**30:.1f} GB, {memory.available / 2**30:.1f} GB free",
        "disk": f"{disk.free / 2**30:.1f} GB free where AL_HOME is",
        "database": "SQLite" if settings.on_sqlite else settings.database_url.partition(":")[0],
        "workers": str(settings.workers),
        "worker": worker,
        "browser": browser,
        **{name: str(count) for name, count in counts.items()},
    }
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())
