"""The first seed's query-strategy batch (SqueezeNet on CIFAR-10) by our engine, beside its report's figures.

    python -m tests.benchmarks.sherbrooke run --data FOLDER --out OUT     # holds cifar-10-batches-py/
    python -m tests.benchmarks.sherbrooke run --data FOLDER --out OUT --reduced
    python -m tests.benchmarks.sherbrooke report --study OUT [--write docs/sherbrooke.md]

`run` is `python -m al_core study --preset sherbrooke` with five seeds, 2021 first: 20 cells of 21 trainings,
one thread each, seed by seed. Stopped or killed, the same command goes on. `--reduced`: three seeds and
eleven trainings (1,000 to 2,000 labels), all else as there: 12 cells. `report` reads the study's records
from the store (AL_HOME), whatever of it is done.
"""

import argparse
import json
import sys
from pathlib import Path

from al_core.cli import main as cli
from al_core.results.study import study_result
from al_core.settings import Settings
from al_core.store import open_store
from al_core.study import StudyConfig
from tests.benchmarks import sherbrooke_page

SEEDS = (2021, 0, 1, 2, 3)
REDUCED = ("--n-rounds", "11")


def command(data, out, *, reduced=False, jobs=1):
    """The words of the study's command line."""
    seeds = SEEDS[:3] if reduced else SEEDS
    words = ["study", "--preset", "sherbrooke", "--dataset", f"cifar10:{data}", "--out", str(out)]
    words += ["--jobs", str(jobs), "--seeds", *map(str, seeds)]
    return [*words, *REDUCED] if reduced else words


def page_of(store, study_id):
    """The page's text from a study's records."""
    record = store.study(study_id)
    experiments = store.study_experiments(study_id)
    ends = {e.cell: e.stop_reason for e in experiments}
    config = StudyConfig.from_json(record.config)
    result = study_result(store, study_id, "test_accuracy").settled  # whole seeds only
    by_cell = {(c.arm.title, c.seed): ends.get(c.number) for c in config.cells()}
    machine = next((r.manifest for e in experiments for r in store.rounds(e.id)[:1]), {})
    return sherbrooke_page.page(config, result, by_cell, machine)


def main():
    """See the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--data", type=Path, required=True)
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--jobs", type=int, default=1)
    run.add_argument("--reduced", action="store_true")
    report = commands.add_parser("report")
    report.add_argument("--study", type=Path, required=True)
    report.add_argument("--write", type=Path)
    given = parser.parse_args()
    if given.command == "run":
        return cli(command(given.data, given.out, reduced=given.reduced, jobs=given.jobs))
    store = open_store(Settings.from_env())
    try:
        kept = json.loads((given.study / "study.json").read_text(encoding="utf-8"))
        text = page_of(store, kept["study"])
    finally:
        store.close()
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
