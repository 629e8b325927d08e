"""The pictures of the README, made again: `python -m tests.e2e.screenshots` writes them into docs/.

A server and a worker of their own on a temporary home train a real session on the digits first, so what the
pictures show was measured. `--all FOLDER` photographs every page instead, wide and narrow, light and dark, to
look through; the experiments there only look as if they had run (tests/e2e/seeded.py).
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from al_core.config import ExperimentConfig
from al_core.experiment import Experiment
from al_core.store import open_store
from tests.e2e.conftest import CHROMIUM_FLAGS, ROOT, Server
from tests.e2e.seeded import seed
from tests.e2e.seeded_study import seed_study

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MAX_BYTES = 300_000
PAGES = ("home", "setup", "label", "train", "curves", "compare", "queries")
PARTS = ("Model", "Strategy", "Plan", "Training")


def show(page: Page, server: Server, path: str) -> None:
    """Open a page and wait until nothing moves."""
    page.goto(f"{server.url}/{path}")
    page.get_by_role("heading").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1200)


def train(server: Server, rounds: int = 6) -> str:
    """Train that many rounds for real, and answer eight images of the next query; gives the session's id."""
    store = open_store(server.settings)
    config = ExperimentConfig().changed(name="Digits by margin", query__strategy="margin", query__n_new=20)
    record = store.create_experiment(config)
    end = time.monotonic() + 300
    for number in range(rounds):
        store.submit_job("advance", experiment_id=record.id, spec={"ghost": True})
        while store.experiment(record.id).num_rounds <= number or store.jobs(active=True):
            if time.monotonic() > end:
                raise TimeoutError(f"round {number} is still not there; see {server.settings.logs}")
            time.sleep(0.3)
        experiment = Experiment.open(store, server.settings, record.id)
        query = experiment.pending()
        last = number == rounds - 1
        if query is not None:
            experiment.answer_from_truth([item.sample_id for item in query.items[: 8 if last else None]])
    store.close()
    return record.id


def tab(browser: Browser, size: dict[str, int], scheme: str) -> Page:
    """A fresh tab; a phone's is drawn at twice the pixels, and knows touch."""
    phone = size is PHONE
    context = browser.new_context(
        viewport=size, color_scheme=scheme, device_scale_factor=2 if phone else 1, has_touch=phone
    )
    context.set_default_timeout(30_000)
    return context.new_page()


def keep(page: Page, path: Path) -> None:
    """Photograph the screen; with fewer colours where the file would be too large."""
    data = page.screenshot(animations="disabled")
    if len(data) > MAX_BYTES:
        small = io.BytesIO()
        Image.open(io.BytesIO(data)).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
        data = small.getvalue()
    path.write_bytes(data)
    sys.stdout.write(f"{path}: {len(data):,} bytes\n")


def readme(browser: Browser, server: Server, experiment_id: str, folder: Path) -> None:
    """The four pictures of the README."""
    for name, path, size, scheme in (
        ("label", f"label?exp={experiment_id}", WIDE, "light"),
        ("curve", f"curves?exp={experiment_id}", WIDE, "light"),
        ("home-dark", "", WIDE, "dark"),
        ("label-phone", f"label?exp={experiment_id}", PHONE, "light"),
    ):
        page = tab(browser, size, scheme)
        show(page, server, path)
        keep(page, folder / f"{name}.png")
        page.context.close()


def every_page(browser: Browser, server: Server, ids: dict[str, str], folder: Path) -> None:
    """All pages in all looks."""
    for size, width in ((WIDE, "wide"), (PHONE, "phone")):
        for scheme in ("light", "dark"):
            page = tab(browser, size, scheme)
            for name, experiment_id in ids.items():
                for path in PAGES:
                    show(page, server, f"{'' if path == 'home' else path}?exp={experiment_id}")
                    keep(page, folder / f"{path}-{name}-{width}-{scheme}.png")
            show(page, server, f"setup?exp={ids['rounds-6']}")
            for part in PARTS:
                page.get_by_text(part, exact=True).first.click()
                page.wait_for_timeout(1000)
                keep(page, folder / f"setup-{part.lower()}-{width}-{scheme}.png")
            page.context.close()


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    folder = given.all or ROOT / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("AL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server(home)
        ids: dict[str, str] = {}
        if given.all:
            # before the server starts its worker, which would take the made-up jobs for its own
            ids = {"rounds-1": seed(server.settings, rounds=1, strategy="entropy", name="Digits by entropy")}
            ids["rounds-6"] = seed(server.settings, rounds=6)
            seed_study(server.settings)
        server.start()
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        try:
            if given.all:
                every_page(browser, server, ids, folder)
            else:
                readme(browser, server, train(server), folder)
        finally:
            browser.close()
            store = open_store(server.settings)
            workers = store.workers()
            store.close()
            server.stop()
            for worker in workers:
                os.kill(worker.pid, signal.SIGTERM)


if __name__ == "__main__":
    main()
