"""The terminal's progress bar: on a terminal only, gone when the work is done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; give it (done, total)."""
    with tqdm(disable=quiet or None, leave=False, desc=what) as shown:

        def progress(done: int, total: int) -> None:
            shown.total, shown.n = max(total, 1), done
            shown.refresh()

        yield progress


def say(text: str) -> None:
    """A line of a command's answer, above the bar where there is one."""
    with tqdm.external_write_mode(file=sys.stdout):
        sys.stdout.write(text)
