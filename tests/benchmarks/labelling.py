"""How fast one labels, in a headless browser beside a real worker that trains; writes docs/labelling.md.

    python -m tests.benchmarks.labelling [--only keys lost switch paint photos single grid all_in] [--page]
    python -m tests.benchmarks.labelling --quick    # each figure with a tenth of its n: does all of it run?

Each figure is of a new session on the digits (photos: of made-up pictures of 1,280 x 960). A worker trains
during all of them: the session's own rounds where it retrains, else a training without end beside it. With
`--page` the results are kept in docs/labelling.md; without, they are printed.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import TimeoutError as BrowserTimeout

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from conftest import CHROMIUM_FLAGS, Home, Server  # noqa: E402 - as the e2e tests start them
from test_label_ahead import press  # noqa: E402
from test_label_grid import DIGITS, MEASURE, open_label, saved  # noqa: E402

from al_core.config import DataConfig, ExperimentConfig  # noqa: E402
from al_core.data.prepare import prepare  # noqa: E402
from al_core.experiment import Experiment  # noqa: E402
from al_core.worker.__main__ import NICENESS  # noqa: E402
from al_core.worker.identity import Slot, is_alive  # noqa: E402
from tests.benchmarks.measuring import load_of_machine  # noqa: E402

PAGE = ROOT / "docs" / "labelling.md"
PATIENCE = 180  # seconds without a new picture after which a figure is given up
DECIDES = 0.4  # seconds that the scripted person takes for an image
GRID = """[...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
    .map(r => r.querySelector('.askwell')).find(Boolean)"""
SHOWN = f"""() => {{ const root = {GRID}; if (!root) return false;
    const seen = [...root.querySelectorAll('.grid .tile img')]
        .filter(i => {{ const {{ top, left }} = i.getBoundingClientRect();
            return top < innerHeight && left < innerWidth; }});
    return seen.length > 0 && seen.every(i => i.complete && i.naturalWidth > 0); }}"""
CURSOR = f"() => {{ const root = {GRID}; return root?.querySelector('.tile.cursor img')?.src ?? ''; }}"


@contextlib.contextmanager
def training(settings_home):
    """A training without end, beside everything else: a worker's threads, and its priority."""
    command = ["nice", "-n", str(NICENESS), sys.executable, "-m", "al_core", "run", "--quiet"]
    env = os.environ | {"AL_HOME": str(settings_home)}
    process = subprocess.Popen(
        [*command, "--dataset", "shapes", "--epochs", "10000", "--n-rounds", "1"], cwd=ROOT, env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(12)  # it imports and prepares first
    if process.poll() is not None:
        raise RuntimeError("the training beside it ended")
    try:
        yield
    finally:
        process.kill()
        process.wait()


def few(bench, count):
    """How many of something to do: a tenth where one only tries whether it runs."""
    return max(1, count // 10) if bench.quick else count


def quantile(values, share):
    return float(np.quantile(np.asarray(values, float), share))


def keys(bench):
    """Milliseconds from a key to the next painted frame, at about ten keys a second."""
    painted = []
    for _ in range(few(bench, 3)):
        record = bench.home.experiment(rounds=1, num_items=200)
        page = bench.open(record)
        page.locator(".askwell").first.evaluate(MEASURE)
        press(page, DIGITS * 20, 90)
        saved(page)
        painted += page.evaluate("painted")
        page.close()
    return {"ms, median": quantile(painted, 0.5), "ms, p95": quantile(painted, 0.95), "n": len(painted)}


def lost(bench):
    """500 keys at ten a second: those that are missing from the log, or stand at another image."""
    record = bench.home.experiment(rounds=1, num_items=500)
    page = bench.open(record)
    typed, began = DIGITS * few(bench, 50), time.monotonic()
    for number, key in enumerate(typed):
        page.keyboard.press(key)
        page.wait_for_timeout(max(0, 1000 * (began + 0.1 * (number + 1) - time.monotonic())))
    rate = len(typed) / (time.monotonic() - began)
    saved(page)
    ids = [item.sample_id for item in bench.home.query(record).items]
    wanted = list(zip(ids, map(int, typed), strict=False))
    found = bench.home.events(record)
    page.close()
    wrong = sum(one != other for one, other in zip(wanted, found, strict=False))
    return {"lost or misassigned": wrong + abs(len(typed) - len(found)), "keys a second": rate,
            "n": len(typed)}  # fmt: skip


def switch(bench):
    """Milliseconds from the last key of a batch of 50 to the next 50 pictures, in view and painted."""
    took = []
    for _ in range(few(bench, 15)):
        record = bench.home.experiment(rounds=1, num_items=50, ahead=50)
        page = bench.open(record)
        page.get_by_label("Train by itself, without waiting").check()
        page.locator(".askwell .tile").first.click()
        press(page, (DIGITS * 5)[:49], 20)
        page.wait_for_timeout(400)
        first = page.evaluate(CURSOR)
        took.append(page.evaluate(
            """async ([first, shown]) => { const began = performance.now();
                const target = document.activeElement.shadowRoot?.activeElement ?? document.body;
                target.dispatchEvent(new KeyboardEvent("keydown", { key: "2", code: "Digit2", bubbles: true,
                    composed: true, cancelable: true }));
                const frame = () => new Promise(requestAnimationFrame);
                const now = new Function("return " + shown)();
                const cursor = new Function("return " + CURSOR)();
                while (cursor() === first || !now()) await frame();
                await frame();
                return performance.now() - began; }""".replace("CURSOR", json.dumps(CURSOR)),
            [first, SHOWN],
        ))  # fmt: skip
        page.close()
        for job in bench.home.store.jobs(experiment_id=record.id, active=True):
            bench.home.store.control_job(job.id, "stop")
    return {"ms, median": quantile(took, 0.5), "ms, p95": quantile(took, 0.95), "n": len(took)}


def first_paint(page, server, record):
    """Seconds from the address to pictures in view."""
    began = time.monotonic()
    page.goto(f"{server.url}/label?exp={record.id}")
    page.wait_for_function(SHOWN, polling=20)
    return time.monotonic() - began


def paint(bench):
    """Seconds from the address to pictures in view, in a browser that knows Streamlit's own files."""
    took = []
    for _ in range(few(bench, 10)):
        record = bench.home.experiment(rounds=1, num_items=50)
        page = bench.context.new_page()
        took.append(first_paint(page, bench.server, record))
        page.close()
    return {"s, median": quantile(took, 0.5), "s, p95": quantile(took, 0.95), "n": len(took)}


def bytes_of_ours(context, page):
    """A list that grows by the bytes of each answer of our routes: pictures, labels, seats."""
    session, ours, received = context.new_cdp_session(page), set(), []
    session.send("Network.enable")

    def begun(event):
        if "/api/" in event["response"]["url"]:
            ours.add(event["requestId"])

    def ended(event):
        if event["requestId"] in ours:
            received.append(event["encodedDataLength"])

    session.on("Network.responseReceived", begun)
    session.on("Network.loadingFinished", ended)
    return received


def photo_home(server):
    """A store whose sessions ask for 200 of 240 made-up photos; `photos` are the options that do."""
    folder = server.home / "photos"
    rng = np.random.default_rng(0)
    for number in range(260):
        place = folder / ("train" if number < 240 else "test") / f"kind{number % 4}"
        place.mkdir(parents=True, exist_ok=True)
        rough = rng.integers(0, 255, (24, 32, 3), np.uint8)
        picture = Image.fromarray(rough).resize((1280, 960), Image.Resampling.BICUBIC)
        picture.save(place / f"{number:04d}.jpg", quality=88)
    own = Home(server.settings)
    own.photos = {"data__dataset": f"folder:{folder}"}
    own.dataset = prepare(server.settings, DataConfig(dataset=f"folder:{folder}"), trusted=True)
    return own


def first_key(context, server, record):
    """Seconds from the address of 200 photos to pictures in view and a key that counts; bytes on the wire."""
    page = context.new_page()
    page.goto(f"{server.url}/")  # Streamlit's own files: every page has them
    page.get_by_role("heading").first.wait_for()
    received = bytes_of_ours(context, page)
    began = time.monotonic()
    page.goto(f"{server.url}/label?exp={record.id}")
    page.wait_for_function(SHOWN, polling=20, timeout=60_000)
    page.keyboard.press("1")
    page.get_by_text("1 of 200 labeled").wait_for(timeout=60_000)
    took = time.monotonic() - began
    page.wait_for_timeout(1500)
    return took, sum(received)


def photos(bench):
    """A query of 200 photos: seconds to pictures in view and a key that counts, megabytes on the wire."""
    own = photo_home(bench.server)
    took, megabytes = [], []
    for seed in range(2 if bench.quick else 5):
        record = own.experiment(num_items=200, seed=seed, guesses=False, **own.photos)
        context = bench.browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script("localStorage.setItem('askwell.tour', 'shown')")
        seconds, bytes_ = first_key(context, bench.server, record)
        took.append(seconds)
        megabytes.append(bytes_ / 1e6)
        context.close()
    own.store.close()
    return {"s, first (thumbnails are made)": took[0], "s, median of the others": quantile(took[1:], 0.5),
            "MB on the wire, most": max(megabytes), "n": len(took)}  # fmt: skip


def single(bench):
    """Labels a minute, one image at a time."""
    labels = few(bench, 120)
    return {"labels a minute": bench.person(mode="Single", labels=labels), "n": labels}


def grid(bench):
    """Labels a minute in a grid whose guesses are right: five at a look."""
    groups = few(bench, 40)
    return {"labels a minute": bench.confident(groups=groups, together=5), "n": 5 * groups}


def all_in(bench):
    """Labels a minute with the session's own worker retraining every 20 of them."""
    labels = 50 if bench.quick else 160
    return {"labels a minute": bench.person(mode="Single", labels=labels, retrain=True), "n": labels}


def take_guesses(page, groups, together):
    """Seconds in which somebody looks at each group of images and takes their guesses at once."""
    began = time.monotonic()
    for _ in range(groups):
        page.wait_for_timeout(1000 * DECIDES)
        for _ in range(together - 1):
            page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("a")
    return time.monotonic() - began


class Bench:
    """A server, a browser, and sessions of one's own."""

    def __init__(self, folder, browser, *, worker, quick=False):
        self.browser, self.quick = browser, quick
        self.folder = Path(folder)
        self.server = Server(self.folder / ("worker" if worker else "home"))
        self.server.home.mkdir(parents=True, exist_ok=True)
        self.slot = None if worker else Slot(self.server.home)
        if self.slot is not None:
            self.slot.take()  # nobody trains these sessions: what trains runs beside
        prepare(self.server.settings, DataConfig())
        self.server.start()
        self.home = Home(self.server.settings)
        self.context = browser.new_context(viewport={"width": 1440, "height": 900})
        self.context.set_default_timeout(60_000)
        # each page begins with the usual view, whatever the one before it chose
        self.context.add_init_script("localStorage.removeItem('askwell.grid')")
        self.context.add_init_script("localStorage.setItem('askwell.tour', 'shown')")

    def close(self):
        self.context.close()
        workers = [psutil.Process(one.pid) for one in self.home.store.workers() if is_alive(one)]
        self.home.store.close()
        self.server.stop()
        for worker in workers:  # kept warm by design, so it outlives its server
            worker.terminate()
        psutil.wait_procs(workers, timeout=60)  # its folder is about to be deleted
        if self.slot is not None:
            self.slot.release()

    def open(self, record):
        page = self.context.new_page()
        open_label(page, self.server, record)
        page.wait_for_function(SHOWN, polling=20)
        return page

    def truths(self, record):
        return Experiment.open(self.home.store, self.server.settings, record.id).dataset.train.labels

    def person(self, *, mode, labels, retrain=False):
        """Looks DECIDES seconds at each image, presses the key of its class, and never waits on purpose."""
        config = ExperimentConfig.parse({"name": f"pace {mode} {retrain}", "query": {"strategy": "margin"}})
        if not retrain:
            record = self.home.experiment(rounds=1, num_items=labels)
        else:
            record = self.home.store.create_experiment(config)
            self.home.store.submit_job("advance", experiment_id=record.id)
        page = self.context.new_page()
        page.goto(f"{self.server.url}/label?exp={record.id}")
        try:  # the first model may have to wait for a worker that only starts
            page.get_by_role("heading", name="Round 1").wait_for(timeout=1000 * PATIENCE)
        except BrowserTimeout:
            jobs = [(job.kind, job.state, job.progress) for job in self.home.store.jobs()]
            raise RuntimeError(f"the first query is not there after {PATIENCE} s; jobs: {jobs}") from None
        page.locator(".askwell .tile").first.wait_for()
        page.get_by_role("button", name=mode).click()
        if retrain:
            page.get_by_label("Train by itself, without waiting").check()
            page.locator(".askwell .stage").click()
        truth = self.truths(record)
        began, given, before = time.monotonic(), 0, ""
        last = began
        while given < labels:
            source = page.evaluate(CURSOR)
            if source in ("", before):  # the next picture is not there yet: the person waits for it
                if time.monotonic() - last > PATIENCE:
                    raise RuntimeError(f"no new picture for {PATIENCE} s after {given} of {labels} labels")
                page.wait_for_timeout(10)
                continue
            page.wait_for_timeout(1000 * DECIDES)
            page.keyboard.press(str(truth[int(source.split("/train/")[1].split("?")[0])]))
            before, given, last = source, given + 1, time.monotonic()
        minutes = (time.monotonic() - began) / 60
        saved(page)
        page.close()
        rounds = len(self.home.store.rounds(record.id))
        if retrain:
            print(f"retrained {rounds - 1} times", file=sys.stderr)
        return labels / minutes

    def confident(self, *, groups, together):
        """In a grid whose guesses are right: looks DECIDES seconds at a few, and takes them at once."""
        record = self.home.experiment(rounds=1, num_items=200)
        page = self.open(record)
        minutes = take_guesses(page, groups, together) / 60
        saved(page)
        labels = len(self.home.events(record))
        page.close()
        return labels / minutes


FIGURES = {
    "keys": ("Key to painted label, ten keys a second, 200 images", "50 ms p95", keys),
    "lost": ("500 keys at ten a second", "0 lost or misassigned", lost),
    "switch": ("Batch switch: the last key of 50 to the next 50 pictures", "700 ms p95", switch),
    "paint": ("Label page, from the address to pictures in view", "2 s", paint),
    "photos": ("A query of 200 photos of 1,280 x 960", "2 s to a key that counts, 2 MB", photos),
    "single": ("A person who decides in 0.4 s, one image at a time", "90 labels a minute", single),
    "grid": ("The same in a grid of sure guesses, five at a look", "200 labels a minute", grid),
    "all_in": ("The same, one at a time, retraining every 20 labels", "60 labels a minute", all_in),
}


def measured(names, folder, *, quick=False):
    """Results by figure, each with the machine's load as it began."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("AL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        for name in names:
            bench = Bench(Path(folder) / name, browser, worker=name == "all_in", quick=quick)
            beside = (
                contextlib.nullcontext() if name == "all_in" else training(Path(folder) / f"{name}-beside")
            )
            try:
                with beside:
                    machine = load_of_machine()
                    found[name] = FIGURES[name][2](bench) | {"machine": machine}
            finally:
                bench.close()
            print(name, json.dumps(found[name]), flush=True)
        browser.close()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES))
    parser.add_argument("--page", action="store_true", help="keep the results in docs/labelling.md")
    parser.add_argument("--quick", action="store_true", help="a tenth of each n, to see that all of it runs")
    given = parser.parse_args()
    if given.quick and given.page:
        parser.error("--quick measures nothing worth keeping: leave --page out")
    with tempfile.TemporaryDirectory() as folder:
        found = measured(given.only, folder, quick=given.quick)
    if given.page:
        kept = KEPT.search(PAGE.read_text("utf-8")) if PAGE.is_file() else None
        known = json.loads(kept.group(1)) if kept else {}
        PAGE.write_text(page_of(known | found), "utf-8")


KEPT = re.compile(r"<!-- results: (.*) -->")


def page_of(found):
    """The page, with the results as they were measured in a comment, so that a part can be measured anew."""
    lines = [
        "# How fast one labels", "",
        "Made by `python -m tests.benchmarks.labelling --page`: headless Chromium and server on one machine, "
        "beside a worker that trains on all cores. Figures of a loaded machine err on the slow side.", "",
        "| Figure | Wanted | Measured | n | Machine |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, (title, wanted, _) in FIGURES.items():
        if name not in found:
            lines.append(f"| {title} | {wanted} | not measured yet | | |")
            continue
        shown = {key: value for key, value in found[name].items() if key not in ("n", "machine")}
        words = "; ".join(f"{key}: {value:.3g}" for key, value in shown.items())
        lines.append(
            f"| {title} | {wanted} | {words} | {found[name].get('n', 1)} | {found[name]['machine']} |"
        )
    return "\n".join([*lines, "", f"<!-- results: {json.dumps(found, sort_keys=True)} -->", ""])


if __name__ == "__main__":
    main()
