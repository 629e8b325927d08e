"""A real server and a real browser, once for the whole session, and experiments that wait for labels.

No worker runs here: this process holds its slot, so that no test pays for torch or races with training.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.records import (
    ExperimentStatus,
    JobState,
    Query,
    QueryItem,
    RoundRecord,
    query_hash,
)
from al_core.settings import Settings
from al_core.store import open_store
from al_core.types import INITIAL_ROUND
from al_core.worker.identity import Slot
from tests.al_core.worker.conftest import CLASSES, watermark

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-sandbox",
]  # fmt: skip
PATIENCE = 90_000  # milliseconds until a test gives up on a page: a loaded machine is slow, not wrong
ARTEFACTS = ROOT / "tests" / "artefacts"
_TOLD = 3000  # characters of a page or a log that a failure repeats
# Streamlit's own page writes these; they are not ours to mend.
KNOWN_CONSOLE = ("favicon", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED", "WebSocket connection")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails says what its pages showed, and what their server wrote."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed or "browser" not in item.funcargs:
        return
    pages = [page for context in item.funcargs["browser"].contexts for page in context.pages]
    for number, page in enumerate(pages):
        try:
            page.screenshot(path=ARTEFACTS / f"failed-{item.name}-{number}.png", timeout=10_000)
            shown = page.locator("body").aria_snapshot(timeout=10_000)
        except Exception as error:  # the test's own failure is what counts
            shown = repr(error)
        report.sections.append((f"page {number}: {page.url}", shown[-_TOLD:]))
    for value in item.funcargs.values():
        for server in value if isinstance(value, tuple) else (value,):
            if isinstance(server, Server):
                for log in (server.log, server.home / "logs" / "app.log"):
                    if log.is_file():
                        report.sections.append((f"{server.url}, {log.name}", log.read_text()[-_TOLD:]))


class Server:
    """`streamlit run app.py` on a home of its own; can be killed and started again on the same port."""

    def __init__(self, home, *, port=None, env=None, app=ROOT / "app.py", health="healthz"):
        self.home = Path(home)
        self.settings = Settings.from_env({"AL_HOME": str(home), "AL_DATA_ROOTS": str(home)})
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.home / "server.log"
        self._env = env or {}
        self._app = app
        self._health = health
        self.process = None

    def start(self, seconds=120):
        command = [
            sys.executable, "-m", "streamlit", "run", str(self._app),
            f"--server.port={self.port}", "--server.headless=true", "--server.fileWatcherType=none",
        ]  # fmt: skip
        env = os.environ | {"AL_HOME": str(self.home), "AL_DATA_ROOTS": str(self.home), "AL_WORKERS": "1"}
        env |= self._env
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait(seconds)
        return self

    def wait(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/{self._health}", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not come up:\n{self.log.read_text()[-4000:]}")

    def stop(self, with_signal=signal.SIGINT):
        if self.process is None:
            return
        self.process.send_signal(with_signal)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def kill(self):
        self.stop(signal.SIGKILL)


def enter(page, field, text, key="Enter"):
    """Fill a field and commit it. While a page is drawn anew the old and the new one may both be there."""
    from playwright.sync_api import expect

    expect(field).to_have_count(1)
    field.fill(text)
    page.keyboard.press(key)  # to what has the focus: the locator may be two by now


class Home:
    """The store and data that a server works on, as a test sees them."""

    def __init__(self, settings):
        self.settings = settings
        self.store = open_store(settings)
        self.dataset = prepare(settings, DataConfig())

    def experiment(self, *, num_items=20, rounds=0, name="", guesses=True, seed=0, ahead=0, **changes):
        """An experiment on digits that waits for answers to a query of `num_items` images."""
        name = name or f"e2e {len(self.store.experiments()) + 1}"
        config = ExperimentConfig().changed(name=name, seed=seed, query__n_new=num_items, **changes)
        record = self.store.create_experiment(config)
        lease = self.advancing(record)
        self.store.update_experiment(
            record.id, lease=lease, dataset_key=self.dataset.key, fingerprint=self.dataset.fingerprint
        )
        ids = np.random.default_rng(seed).permutation(len(self.dataset.train))
        beyond = ids[num_items * (rounds + 1) :][:ahead]
        for number in range(-1, rounds):
            picked = ids[(number + 1) * num_items : (number + 2) * num_items]
            query = self._query(record.id, number, picked, guesses=guesses and number >= 0)
            if number == rounds - 1:
                query = self.with_ahead(query, beyond)
            if number < 0:
                self.store.put_query(lease, query)
            else:
                status = ExperimentStatus.AWAITING_LABELS
                self.store.finish_round(
                    lease, self._round(record.id, number, num_items), query, status=status
                )
        self.store.end_job(lease, JobState.DONE)
        return self.store.experiment(record.id)

    def advancing(self, record):
        """The lease on a job that advances this experiment, as a worker would hold it: none runs here."""
        job = self.store.submit_job("advance", experiment_id=record.id)
        _, lease = self.store.claim_job("e2e", job_id=job.id)
        return lease

    def with_ahead(self, query, ids):
        """The same query with images ahead."""
        items = self._query(query.experiment_id, query.round, ids, guesses=query.round >= 0).items
        ranked = [replace(item, rank=len(query.items) + item.rank) for item in items]
        return replace(query, ahead=tuple(ranked))

    def query(self, record):
        return self.store.queries(record.id)[-1]

    def events(self, record):
        return [(e.sample_id, e.value) for e in self.store.label_events(record.id)]

    def _query(self, experiment_id, number, picked, *, guesses):
        items = []
        for rank, i in enumerate(picked.tolist()):
            truth = int(self.dataset.train.labels[i])
            top = ((truth, 0.52), ((truth + 5) % 10, 0.31), ((truth + 2) % 10, 0.09)) if guesses else ()
            items.append(QueryItem(rank, i, 0.9 - rank / 100 if number >= 0 else None, top))
        strategy = "margin" if number >= 0 else "per_class"
        return Query(
            experiment_id,
            number,
            strategy,
            tuple(items),
            len(self.dataset.train),
            query_hash(picked),
            time.time(),
        )

    def _round(self, experiment_id, number, num_items):
        return RoundRecord(
            experiment_id, number, num_items * (number + 1), 0,
            {"test_accuracy": 0.5 + 0.1 * number, "test_macro_f1": 0.5, "test_loss": 1.0},
            None, (num_items // 10,) * 10, {"train": 1.0}, {}, {}, time.time(),
        )  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that most tests share."""
    home = tmp_path_factory.mktemp("e2e-home")
    running = Server(home)
    slot = Slot(home)
    assert slot.take()
    prepare(running.settings, DataConfig())
    try:
        yield running.start()
    finally:
        running.stop()
        slot.release()


@pytest.fixture(scope="session")
def home(server):
    """Store and data of the shared server."""
    found = Home(server.settings)
    yield found
    found.store.close()


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    api.expect.set_options(timeout=PATIENCE)
    path = os.environ.get("AL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with api.sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        except api.Error as error:
            pytest.skip(f"no Chromium: set AL_CHROMIUM to one ({str(error).splitlines()[0]})")
        yield _without_tour(running)
        running.close()


def _without_tour(browser):
    """Every context of a test has seen the tour of the Label page; `first_visit` makes one that has not."""
    browser.first_visit = browser.new_context

    def new_context(**options):
        made = browser.first_visit(**options)
        made.add_init_script("try { localStorage.setItem('askwell.tour', 'shown') } catch {}")
        return made

    browser.new_context = new_context
    return browser


@pytest.fixture(scope="session")
def context(browser):
    """One browser context, so that Streamlit's own files are fetched once."""
    made = browser.new_context(viewport={"width": 1440, "height": 900})
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


def watched(page):
    """Collect what the page complains of in `page.troubles`."""
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(f"pageerror: {error}"))

    def note(message):
        known = any(part in message.text for part in KNOWN_CONSOLE)
        if message.type == "error" and not known:
            page.troubles.append(f"console: {message.text} ({message.location['url']})")

    page.on("console", note)
    return page


@pytest.fixture
def page(context):
    """A fresh tab that must not complain: an error in it fails the test."""
    opened = watched(context.new_page())
    yield opened
    troubles = list(opened.troubles)
    if opened.url.startswith("http"):  # the view that one test chose is not the next one's
        opened.evaluate("localStorage.removeItem('askwell.grid')")
    opened.close()
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def marked(home):
    """An experiment that asks for 12 of 60 images that spell their own number."""
    root = home.settings.home / "marked"
    for number in range(60):
        folder = root / "train" / CLASSES[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(watermark(number, number % 3)).save(folder / f"{number:04d}.png")
    data = DataConfig(dataset=f"folder:{root}", test_fraction=0.2)
    dataset = prepare(home.settings, data)
    config = ExperimentConfig().changed(name="marked", data=data.model_dump())
    record = home.store.create_experiment(config)
    lease = home.advancing(record)
    home.store.update_experiment(
        record.id, lease=lease, dataset_key=dataset.key, fingerprint=dataset.fingerprint
    )
    ids = np.random.default_rng(3).permutation(len(dataset.train))[:12]
    items = tuple(QueryItem(rank, int(i), None) for rank, i in enumerate(ids))
    query = Query(record.id, INITIAL_ROUND, "random", items, 48, query_hash(ids), time.time())
    home.store.put_query(lease, query)
    home.store.end_job(lease, JobState.DONE)
    return record, dataset


def page_without_grid(context, server):
    """Seconds from the address of Help to its heading: Streamlit, its script and its socket, and no grid."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    began = time.monotonic()
    page.goto(f"{server.url}/help")
    page.get_by_role("heading", name="Help").first.wait_for()
    took = time.monotonic() - began
    page.close()
    return took
