"""The terminal's progress bar: on a terminal only, gone when the work is done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; give it (done, total)."""
    with tqdm(disable=quiet or None, leave=False, desc=what) as shown:

        def progress(done: int, total: int) -> None:
            shown.total, shown.n = max(total, 1), done
            shown.refresh()

        yield progress


def phase_bar(quiet: bool) -> tqdm[Any]:
    """A bar for `show`: work of several phases, each of which fills it anew."""
    return tqdm(disable=quiet or None, leave=False, bar_format="{desc} {bar} {n_fmt}/{total_fmt} {postfix}")


def show(bar: tqdm[Any], phase: str, done: int, total: int) -> None:
    """Say which phase it is and how far."""
    bar.set_description_str(phase, refresh=False)
    bar.total, bar.n = max(total, 1), done
    bar.refresh()


def say(text: str) -> None:
    """A line of a command's answer, above the bar where there is one."""
    with tqdm.external_write_mode(file=sys.stdout):
        sys.stdout.write(text)
