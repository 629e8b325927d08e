"""Figure 3: a session on a million images in a real server and browser.

    python -m tests.benchmarks.million_pool [--n 1000000] [--labels 20000] [--repeats 20]

Seconds to open the session's Label and Data pages, milliseconds of a page turn and a filter (from the click
to the new pictures' addresses in the page), of a label at the route, and the server's resident memory.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
import urllib.request

import psutil
from playwright.sync_api import sync_playwright

from al_core.store import open_store
from al_core.worker.identity import Slot
from tests.benchmarks.large_pool import make_session
from tests.benchmarks.measuring import load_of_machine
from tests.e2e.conftest import CHROMIUM_FLAGS, Server

WATCH = """() => {
  const walls = () => [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')]
    .map((e) => e.shadowRoot).filter(Boolean);
  const shown = () => walls().flatMap((root) => [...root.querySelectorAll('figure[data-id]')])
    .map((e) => e.dataset.id).join(' ');
  const before = shown();
  window.turned = new Promise((resolve) => {
    let begun;
    const begin = ({ type, key, timeStamp }) => {
      if (type === 'click' || key === 'Enter') begun ??= timeStamp;
    };
    for (const type of ['click', 'keydown']) window.addEventListener(type, begin, { capture: true });
    const look = (now) => {
      if (begun !== undefined && !['', before].includes(shown())) resolve(now - begun);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}"""


def changed(page, act):
    """Milliseconds from the act's click or Enter to the frame in which the wall has other pictures."""
    page.evaluate(WATCH)
    act()
    return page.evaluate("window.turned")


def opened(context, url, selector):
    """Seconds until the first picture of a page is there."""
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(url)
    page.locator(selector).first.wait_for()
    return time.perf_counter() - begun, page


def post_labels(server, experiment_id, count):
    """Milliseconds of that many posts of one label each."""
    os.environ["AL_HOME"] = str(server.home)
    from state.web import security

    store = open_store(server.settings)
    query = store.queries(experiment_id)[-1]
    store.close()
    headers = {
        "Content-Type": "application/json", "X-AL-Token": security.token("labels", experiment_id),
        "Sec-Fetch-Site": "same-origin",
    }  # fmt: skip
    client, spent = f"benchmark-{time.time_ns()}", []
    for n in range(1, count + 1):
        op = {"n": n, "id": query.items[n % len(query.items)].sample_id, "to": n % 10, "ms": 400}
        body = json.dumps({"batch": query.batch, "client": client, "ops": [op]}).encode()
        request = urllib.request.Request(f"{server.url}/api/labels", body, headers)
        begun = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            answer.read()
        spent.append(1000 * (time.perf_counter() - begun))
    return spent


def line(name, values, unit):
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(f"{name}: n {len(ordered)}, median {statistics.median(ordered):.0f}, p99 {p99:.0f}, "
          f"max {ordered[-1]:.0f} {unit}", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    print(f"{given.n:,} images, {given.labels:,} labels; {load_of_machine()}", flush=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server(home)
        slot = Slot(server.home)
        slot.take()
        begun = time.perf_counter()
        exp = make_session(server.settings, given.n, labels=given.labels)
        print(f"made in {time.perf_counter() - begun:.0f} s", flush=True)
        server.start()
        path = os.environ.get("AL_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        try:
            measure(server, browser, exp, given.repeats)
        finally:
            browser.close()
            server.stop()
            slot.release()


def measure(server, browser, exp, repeats):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    opened(context, server.url, "h1")[1].close()  # Streamlit's own files are fetched once
    first, page = opened(context, f"{server.url}/label?exp={exp}", ".askwell .tile")
    page.close()
    cold, page = opened(context, f"{server.url}/data?exp={exp}", "figure .open")
    print(f"first visit: Label {first:.2f} s, Data {cold:.2f} s", flush=True)
    labels, pages = [], []
    for _ in range(5):
        seconds, other = opened(context, f"{server.url}/label?exp={exp}", ".askwell .tile")
        labels.append(1000 * seconds)
        other.close()
        seconds, other = opened(context, f"{server.url}/data?exp={exp}", "figure .open")
        pages.append(1000 * seconds)
        other.close()
    line("open Label again", labels, "ms")
    line("open Data again", pages, "ms")
    page.wait_for_timeout(1500)
    following = page.get_by_test_id("stPaginationNext")
    line("page turn", [changed(page, following.click) for _ in range(repeats)], "ms")
    name = page.get_by_role("textbox", name="File name holds")

    def look_for(text):
        name.fill(text)
        name.press("Enter")

    texts = [f"img-{i:03d}7" for i in range(repeats)]
    line("filter by name", [changed(page, lambda t=t: look_for(t)) for t in texts], "ms")
    line("label", post_labels(server, exp, 500), "ms")
    changed(page, lambda: look_for("img-0000"))
    line("filter after labels", [changed(page, lambda t=t: look_for(t)) for t in texts[:5]], "ms")
    rss = psutil.Process(server.process.pid).memory_info().rss / 2**20
    print(f"server: {rss:.0f} MB resident")


if __name__ == "__main__":
    main()
