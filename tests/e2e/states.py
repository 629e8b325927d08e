"""Sessions in every state in which a page can be met, and the pages that there are.

`PAGES` is read off the program's own navigation, so that a new page is walked without being listed here.
"""

from __future__ import annotations

import ast
from pathlib import Path

from al_core.records import ExperimentStatus, JobState
from al_core.settings import Settings
from al_core.store import open_store
from tests.e2e.seeded import ScriptedWorker, seed

MAIN = Path(__file__).resolve().parents[2] / "pages" / "main.py"


def pages() -> tuple[str, ...]:
    """The pages of the navigation, in its order; the home page is the empty address."""
    for node in ast.parse(MAIN.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_PAGES":
            sections = node.value.values
            break
    else:
        raise LookupError(f"{MAIN} has no _PAGES any more")
    names = [ast.literal_eval(entry.elts[0]) for entries in sections for entry in entries.elts]
    return tuple(n for n in names if (MAIN.parent / f"{n}.py").exists())


PAGES = pages()
PARTS = {
    "setup": ("Model", "Strategy", "Plan", "Training"),
    "help": ("How strategies choose", "Glossary", "Questions", "Versions"),
}
"""What a page shows at the press of a switch, beside what it shows at first."""


def address(page: str, experiment_id: str = "") -> str:
    """Where a page is, on a session or on none."""
    return ("" if page == "home" else page) + (f"?exp={experiment_id}" if experiment_id else "")


def seed_states(settings: Settings) -> dict[str, str]:
    """A session of each state: its id by the state's name."""
    return {
        "first": seed(settings, rounds=1, strategy="entropy", name="Just begun"),
        "labeling": seed(settings, rounds=6, name="Digits by margin"),
        "working": _working(settings),
        "failed": _failed(settings),
        "done": seed(settings, rounds=5, name="Finished digits", strategy="badge", finish=True),
    }


def _working(settings: Settings) -> str:
    """Its third round is in its seventh epoch, and stays there."""
    found = seed(settings, rounds=2, name="In training", answer_last=False)
    store = open_store(settings)
    worker = ScriptedWorker(store, settings, found)
    worker.answer()
    lease = worker.begin()
    store.update_experiment(found, lease=lease, status=ExperimentStatus.TRAINING)
    worker.train(lease, 2, until=7)
    store.close()
    return found


def _failed(settings: Settings) -> str:
    """Its third round ended for want of memory."""
    found = seed(settings, rounds=2, name="Out of memory", answer_last=False)
    store = open_store(settings)
    worker = ScriptedWorker(store, settings, found)
    worker.answer()
    lease = worker.begin()
    store.update_experiment(found, lease=lease, status=ExperimentStatus.FAILED)
    store.end_job(
        lease, JobState.FAILED, error_kind="memory",
        error_text="there was not enough memory for batches of 256; set the batch size to 64 and try again",
        traceback='Traceback (most recent call last):\n  File "trainer.py", line 1, in fit\nMemoryError',
    )  # fmt: skip
    store.close()
    return found
