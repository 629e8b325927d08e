"""The page that every address serves: Streamlit's own, with a word about where its server is."""

import re
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.testclient import TestClient

from state.web import security, shell
from state.web.routes import middleware


@pytest.fixture
def client(monkeypatch):
    def make(base=""):
        monkeypatch.setattr(security, "prefix", lambda: base)
        shell._shell.cache_clear()
        return TestClient(Starlette(routes=[shell.shell_route()], middleware=middleware()))

    yield make
    shell._shell.cache_clear()


@pytest.mark.parametrize("base", ["", "/al"])
def test_every_page_says_where_the_server_is_before_any_script_runs(client, base):
    answer = client(base).get(f"{base}/compare")
    assert answer.status_code == 200
    first = re.search(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert first is not None
    place, look = first[1].split("\n", 1)
    assert place == f'window.__streamlit={{BACKEND_BASE_URL:window.location.origin+"{base}"}};'
    assert look == (Path(__file__).resolve().parents[3] / "assets" / "frame.js").read_text("utf-8")
    original = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    assert answer.text.replace(first[0], "") == original
    assert answer.headers["cache-control"] == "no-cache"


def test_the_content_security_policy_allows_that_script_by_its_hash(client):
    answer = client().get("/setup")
    policy = answer.headers["content-security-policy"]
    without = security.content_security_policy()
    assert policy != without
    assert len(re.findall("sha256-", policy)) == len(re.findall("sha256-", without)) + 1
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


@pytest.mark.parametrize("path", ["/favicon.png", "/_stcore/health", "/static/js/a.js", "/compare/x"])
def test_what_is_no_page_is_left_to_others(client, path):
    assert client().get(path).status_code == 404


def test_the_first_address_is_a_page_too(client):
    assert "BACKEND_BASE_URL" in client().get("/").text
