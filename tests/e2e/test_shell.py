"""The shell in a real browser: what the server must not hold, whom it answers, the way through."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Home, Server, enter

from al_core.worker.identity import Slot

pytestmark = pytest.mark.e2e
PAGES = ("", "setup", "label", "train", "curves", "queries", "explore", "errors", "settings", "help")
LEAST = """
import pandas as pd, plotly.graph_objects as go, pydantic, safetensors.numpy, sqlalchemy
import streamlit as st
from PIL import Image
st.title("Least")
st.dataframe(pd.DataFrame({"a": [1, 2]}))
st.plotly_chart(go.Figure(go.Scatter(x=[1, 2], y=[1, 2])))
"""
MOST_OF_OURS = 60  # megabytes
HEAVY = re.compile(r"/(libtorch[^/]*\.so|torch/|torchvision/|sklearn/)")


def open_page(page, server, path):
    page.goto(f"{server.url}/{path}")
    page.get_by_role("heading").first.wait_for()
    return page


def resident_megabytes(pid):
    """Counted by page: the sums in `status` are off by many megabytes where there are many cores."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"Rss:\s+(\d+)", text).group(1)) / 1024


@pytest.fixture
def least(tmp_path, page):
    """Megabytes of a Streamlit server that shows a table and a chart and holds the libraries of ours."""
    script = tmp_path / "least.py"
    script.write_text(LEAST)
    server = Server(tmp_path, app=script, health="_stcore/health").start()
    try:
        open_page(page, server, "").locator(".js-plotly-plot").wait_for()
        return resident_megabytes(server.process.pid)
    finally:
        page.goto("about:blank")
        server.stop()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads Linux's /proc")
def test_the_server_never_holds_torch_or_sklearn_and_stays_small(tmp_path, page, least):
    """With a home and a process of its own: what other tests made is neither loaded nor listed."""
    server, slot = Server(tmp_path), Slot(tmp_path)
    assert slot.take()
    own = Home(server.settings)
    try:
        record = own.experiment(rounds=2, name="heavy")
        server.start()
        for name in PAGES:
            open_page(page, server, f"{name}?exp={record.id}")
        pid = server.process.pid
        mapped = Path(f"/proc/{pid}/maps").read_text()
        assert HEAVY.findall(mapped) == []
        resident = resident_megabytes(pid)
        print(f"{resident:.0f} MB resident; the least {least:.0f}")
        assert resident < least + MOST_OF_OURS, Path(f"/proc/{pid}/smaps_rollup").read_text()
    finally:
        page.goto("about:blank")  # before the server goes: a page that lost it complains
        own.store.close()
        server.stop()
        slot.release()


def test_importing_the_app_imports_neither_torch_nor_sklearn():
    code = (
        "import sys, app, pages.components.config_form, pages.components.setup_model; "
        "heavy = {'torch', 'torchvision', 'sklearn', 'scipy', 'al_core.engine'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=root, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def handshake(server, host, origin):
    """The status of a WebSocket handshake with these headers."""
    lines = (
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Origin: {origin}",
        "",
        "",
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall("\r\n".join(lines).encode())
        return int(wire.recv(1024).split()[1])


def test_another_host_or_origin_gets_no_session(server):
    ours = f"127.0.0.1:{server.port}"
    assert handshake(server, ours, f"http://{ours}") == 101
    assert handshake(server, ours, "http://evil.test") == 403
    assert handshake(server, f"evil.test:{server.port}", f"http://evil.test:{server.port}") == 403


def test_it_listens_on_the_loopback_only(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # No packet is sent: connecting a datagram socket only asks which address would be used.
        probe.connect(("192.0.2.1", 9))
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but the loopback")
    outside = (address, server.port)
    with pytest.raises((ConnectionError, TimeoutError)), socket.create_connection(outside, timeout=3):
        pass


def test_the_first_visitors_deep_link_goes_through_the_front_door(page, tmp_path, home):
    slot = Slot(tmp_path)
    assert slot.take()
    fresh = Server(tmp_path).start()
    try:
        open_page(page, fresh, "setup?exp=none-such&round=x")
        page.get_by_text("is not there (any more)").wait_for()
        page.get_by_text("not a number").wait_for()
        assert page.get_by_test_id("stSidebarNav").is_visible()
        assert page.get_by_test_id("stException").count() == 0
    finally:
        fresh.stop()
        slot.release()


def test_the_one_button_leads_on_and_the_address_keeps_the_session(server, home, page):
    record = home.experiment(rounds=2, name="leads on")
    open_page(page, server, f"curves?exp={record.id}")
    page.get_by_role("list", name="Where the loop stands").wait_for()
    current = page.locator("[aria-current=step]")
    assert current.inner_text() == "Label"
    page.get_by_role("button", name=re.compile("Label 20 images")).click()
    page.get_by_text("which class is it?").wait_for()
    assert f"exp={record.id}" in page.url
    page.get_by_role("link", name="Curves").click()
    page.get_by_role("heading", name="Learning curve").wait_for()
    page.wait_for_url(f"**exp={record.id}*")


def test_a_poisoned_name_fetches_nothing_and_opens_nothing(server, home, page):
    name = "![x](http://evil.test/a.png) <img src=x onerror=alert(1)> [b](javascript:alert(1)) www.evil.test"
    record = home.experiment(rounds=1, name=name)
    asked, dialogs = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for path in PAGES:
        open_page(page, server, f"{path}?exp={record.id}")
        page.wait_for_timeout(300)
    assert [url for url in asked if "evil" in url] == []
    assert dialogs == []
    assert page.locator("a[href*=evil]").count() == 0


def test_a_session_is_deleted_only_when_its_name_is_typed(server, home, page):
    record = home.experiment(rounds=1, name="precious thing")
    open_page(page, server, "")
    page.locator(f".st-key-delete-{record.id} button").first.click()
    gone = page.get_by_role("button", name="Delete for good")
    gone.wait_for()
    assert gone.is_disabled()
    enter(page, page.get_by_label("Name of the session"), "precious thing")
    page.locator(f".st-key-gone-{record.id} button:enabled").click()
    page.locator(f".st-key-delete-{record.id}").wait_for(state="detached")
    assert record.id not in [found.id for found in home.store.experiments()]


def test_a_session_is_set_up_by_cards_and_keys(server, home, page):
    open_page(page, server, "setup")
    page.get_by_text("Strategy", exact=True).click()
    page.get_by_label("Find a strategy").fill("entropy")
    page.get_by_text("Highest entropy", exact=True).click()
    page.get_by_role("radio", name=re.compile("Highest entropy")).and_(page.locator(":checked")).wait_for()
    page.get_by_text("Plan", exact=True).click()
    page.get_by_text("20 to begin with").wait_for()
    before = {record.id for record in home.store.experiments()}
    page.get_by_role("button", name=re.compile("Create and start")).click()
    page.get_by_text("on their way").wait_for()
    made = [record for record in home.store.experiments() if record.id not in before]
    assert [record.config.query.strategy for record in made] == ["entropy"]
    for job in home.store.jobs(active=True):
        home.store.control_job(job.id, "stop")
