"""Secret, signatures, headers, and the base URL path."""

import stat
import threading
from types import SimpleNamespace

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from al_core.errors import ConfigError
from state import handles
from state.web import images, routes, security


def test_the_secret_is_made_once_private_and_kept(web):
    first = security.secret()
    path = handles.settings().home / "secret"
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    security._kept_secret.cache_clear()
    assert security.secret() == first
    assert not list(path.parent.glob(".secret-*"))


def test_many_processes_that_begin_together_agree_on_one_secret(tmp_path):
    found = []
    make = security._kept_secret.__wrapped__
    threads = [threading.Thread(target=lambda: found.append(make(tmp_path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1


def test_the_environment_may_give_the_secret(web, monkeypatch):
    before = security.sign("x")
    monkeypatch.setenv("AL_SECRET", "a secret of the person's own")
    assert security.sign("x") != before
    monkeypatch.setenv("AL_SECRET", "short")
    with pytest.raises(ConfigError, match="16 characters") as caught:
        security.secret()
    assert "short'" not in str(caught.value)


def test_a_damaged_secret_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"abc")
    with pytest.raises(ConfigError, match="delete the file"):
        security._kept_secret.__wrapped__(tmp_path)


def test_a_signature_binds_every_part_and_their_borders(web):
    signed = security.sign("a", "bc", 1)
    assert security.verify(signed, "a", "bc", 1)
    for parts in (("ab", "c", 1), ("a", "bc", 2), ("a", "bc"), ("a", "bc", 1, ""), ("a;", "bc", 1)):
        assert not security.verify(signed, *parts)
    assert not security.verify("ü\ud800", "a", "bc", 1)


def test_headers_are_on_every_answer(web):
    for path in ("/healthz", "/no-such-page", "/api/labels"):
        headers = web.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy
        assert "'unsafe-eval'" not in policy
        assert "script-src 'self' 'wasm-unsafe-eval' blob: 'sha256-" in policy


def test_a_route_may_set_a_stricter_policy_of_its_own():
    def own(request):
        return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src 'none'"})

    app = Starlette(routes=[Route("/", own)], middleware=routes.middleware())
    with TestClient(app) as client:
        assert client.get("/").headers["content-security-policy"] == "default-src 'none'"


@pytest.mark.parametrize(("given", "prefix"), [("", ""), ("al", "/al"), ("/a/b/", "/a/b")])
def test_routes_and_addresses_stand_behind_the_base_path(web, given, prefix):
    before = streamlit.get_option("server.baseUrlPath")
    streamlit.config.set_option("server.baseUrlPath", given)
    try:
        address = images.image_url(web.dataset.key, "train", 7)
        assert address.startswith(f"{prefix}/api/img/")
        app = Starlette(routes=routes.routes())
        with TestClient(app) as client:
            assert client.get(address).status_code == 200
            assert client.get(f"{prefix}/healthz").status_code == 200
    finally:
        streamlit.config.set_option("server.baseUrlPath", before)


def test_readyz_writes_and_names_what_is_wrong(web, monkeypatch):
    reply = web.client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json()["problems"] == []
    assert web.store.workers() == []

    def fail():
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(handles, "store", fail)
        reply = web.client.get("/readyz")
    assert reply.status_code == 503
    assert "OSError" in reply.json()["problems"][0]


def test_readyz_says_that_the_disk_is_full(web, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1024))
    reply = web.client.get("/readyz")
    assert reply.status_code == 503
    assert "free some space" in reply.json()["problems"][0]
