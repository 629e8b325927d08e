"""Every page in every state: `python -m tests.e2e.picture_book` photographs them into docs/pages/.

docs/pages.md, which it writes too, names each picture.

Three servers, one after the other: an empty home; a home with a session that was really trained (its worker
lives, so that maps and doubtful labels are computed); and one with sessions in the midst of a training and
after a failure, which are made up (tests/e2e/states.py), as such moments do not wait for a photographer.
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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from al_core.config import ExperimentConfig
from al_core.experiment import Experiment
from al_core.store import open_store
from al_core.worker.identity import Slot
from tests.e2e.conftest import CHROMIUM_FLAGS, ROOT, Server
from tests.e2e.seeded_study import seed_study
from tests.e2e.states import PAGES, PARTS, address, seed_states

FOLDER = ROOT / "docs" / "pages"
LOOKS = {
    "wide-light": ((1440, 900), "light"),
    "wide-dark": ((1440, 900), "dark"),
    "phone-light": ((390, 844), "light"),
    "phone-dark": ((390, 844), "dark"),
}
FEW = ("wide-light", "phone-dark")
"""Of parts of a page, and of states in which few things are on it."""
MOVING = ("home", "label", "train", "curves", "compare")
"""Pages that say what a session is at; the others show its last round."""
STATES = {
    "empty": "no session yet",
    "used": "a session of six rounds that waits for labels",
    "working": "in the midst of a training",
    "failed": "after a training that failed",
}
_MAX_BYTES = 100_000
_CALM = """() => {
  const all = (root) => [...root.querySelectorAll('*')].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  const seen = (e) => { const box = e.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
  const parts = all(document);
  return parts.every((e) => !e.matches('[data-testid=stSkeleton]') || !seen(e))
    && parts.every((e) => !e.matches('img') || e.complete || !seen(e));
}"""  # noqa: E501 - JavaScript


@dataclass(frozen=True)
class Picture:
    """A page in a state; `part` is what was pressed on it."""

    page: str
    state: str
    part: str = ""

    @property
    def looks(self) -> tuple[str, ...]:
        """In which looks it is taken."""
        return tuple(LOOKS) if self.state == "used" and not self.part else FEW

    def name(self, look: str) -> str:
        """The file's name."""
        middle = f"-{self.part.lower().replace(' ', '-')}" if self.part else ""
        return f"{self.page}{middle}-{self.state}-{look}.webp"


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
            experiment.answer_from_oracle([item.sample_id for item in query.items[: 8 if last else None]])
    store.close()
    return record.id


def wait_until_still(page: Page) -> None:
    """The script has run, nothing is fetched, no skeleton and no picture is missing; at most some seconds."""
    page.get_by_role("heading").first.wait_for()
    try:
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=20_000)
        page.wait_for_load_state("networkidle", timeout=8_000)
        page.wait_for_function(_CALM, timeout=8_000)
    except BrowserError:
        sys.stdout.write(f"  {page.url} did not come to rest\n")
    page.wait_for_timeout(500)


def keep(page: Page, path: Path) -> None:
    """Photograph the screen, in as good a quality as the limit of a file's size allows."""
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    for quality in (82, 70, 55, 40, 25):
        data = io.BytesIO()
        shot.save(data, "WEBP", quality=quality, method=4)
        if data.tell() <= _MAX_BYTES:
            break
    path.write_bytes(data.getvalue())


def photograph(browser: Browser, server: Server, wanted: list[tuple[Picture, str]], folder: Path) -> None:
    """All pictures of one server, look by look."""
    for look, ((width, height), scheme) in LOOKS.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=width < 500
        )
        context.set_default_timeout(60_000)
        context.add_init_script("try { localStorage.setItem('askwell.tour', 'shown') } catch {}")
        page = context.new_page()
        for picture, place in wanted:
            if look not in picture.looks:
                continue
            page.goto(f"{server.url}/{place}")
            wait_until_still(page)
            if picture.part:
                words = page.get_by_text(picture.part, exact=True)
                views = page.get_by_role("button", name=picture.part)  # their words are hidden on a phone
                (views if picture.page == "label" else words).first.click()
                wait_until_still(page)
            keep(page, folder / picture.name(look))
        context.close()
        sys.stdout.write(f"{server.url}: {look} done\n")


@contextmanager
def serving(server: Server, *, worker: bool) -> Iterator[Server]:
    """Run it, with a worker of its own or with none; both end with the block."""
    slot = Slot(server.home)
    if not worker and not slot.take():
        raise RuntimeError(f"{server.home} has a worker already")
    try:
        yield server.start()
    finally:
        store = open_store(server.settings)
        workers = store.workers() if worker else []
        store.close()
        server.stop()
        for each in workers:
            os.kill(each.pid, signal.SIGTERM)
        if not worker:
            slot.release()


def compute(browser: Browser, server: Server, experiment_id: str) -> None:
    """Let the worker compute what these pages ask for: the map, the doubtful labels."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{server.url}/{address('explore', experiment_id)}")
    page.locator(".js-plotly-plot").first.wait_for()
    page.goto(f"{server.url}/{address('errors', experiment_id)}")
    wait_until_still(page)
    page.context.close()


def book(browser: Browser, folder: Path) -> list[Picture]:
    """Take all pictures; gives what was taken."""
    taken: list[tuple[Picture, str]] = []
    with tempfile.TemporaryDirectory() as home, serving(Server(home), worker=False) as server:
        wanted = [(Picture(name, "empty"), address(name)) for name in PAGES]
        photograph(browser, server, wanted, folder)
        taken += wanted
    with tempfile.TemporaryDirectory() as home:
        server = Server(home)
        seed_study(server.settings)
        with serving(server, worker=True):
            found = train(server)
            compute(browser, server, found)
            wanted = [(Picture(name, "used"), address(name, found)) for name in PAGES]
            wanted += [
                (Picture(name, "used", part), address(name, found)) for name in PARTS for part in PARTS[name]
            ]
            wanted += [
                (Picture("label", "used", part), address("label", found)) for part in ("Single", "Lanes")
            ]
            photograph(browser, server, wanted, folder)
            taken += wanted
    with tempfile.TemporaryDirectory() as home:
        server = Server(home)
        ids = seed_states(server.settings)
        seed_study(server.settings, half=True)
        with serving(server, worker=False):
            wanted = [
                (Picture(name, state), address(name, ids[state]))
                for state in ("working", "failed") for name in MOVING
            ]  # fmt: skip
            photograph(browser, server, wanted, folder)
            taken += wanted
    return [picture for picture, _ in taken]


def contents(pictures: list[Picture]) -> str:
    """docs/pages.md: what is on each picture, with a link to every look."""
    lines = [
        "# Pages",
        "",
        "Every page in every state, at 1440 × 900 (wide) and 390 × 844 (phone). Made by "
        "`python -m tests.e2e.picture_book`; sessions in training and after a failure are made up, the "
        "others were trained.",
        "",
        *(f"- **{state}**: {words}" for state, words in STATES.items()),
    ]
    for name in PAGES:
        lines += ["", f"## {name.capitalize()}", "", "| what | " + " | ".join(LOOKS) + " |", "|---" * 5 + "|"]
        for picture in [p for p in pictures if p.page == name]:
            what = f"{picture.state}, {picture.part}" if picture.part else picture.state
            cells = [
                f"[{look}](pages/{picture.name(look)})" if look in picture.looks else "" for look in LOOKS
            ]
            lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    shutil.rmtree(given.out, ignore_errors=True)
    given.out.mkdir(parents=True)
    path = os.environ.get("AL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        pictures = book(browser, given.out)
        browser.close()
    given.out.with_suffix(".md").write_text(contents(pictures), encoding="utf-8")
    size = sum(path.stat().st_size for path in given.out.iterdir())
    sys.stdout.write(f"{len(list(given.out.iterdir()))} pictures, {size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
