"""GET /api/assets: our own scripts, kept by the browser for ever, and no other file."""

import gzip
import re

import pytest

from state.web import assets


def test_the_chart_library_is_small_gzipped_and_kept_for_ever(web):
    url = assets.asset_url("plotly-basic.min.js")
    answer = web.client.get(url, headers={"Accept-Encoding": "gzip, br"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 500_000
    assert len(answer.content) < 2_000_000
    assert b"plotly.js (basic - minified)" in answer.content[:200]
    assert "immutable" in answer.headers["cache-control"]
    assert "javascript" in answer.headers["content-type"]


def test_without_gzip_it_comes_as_it_is(web):
    url = assets.asset_url("plotly-basic.min.js")
    answer = web.client.get(url, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in answer.headers
    assert b"window.Plotly" in answer.content


def test_an_old_hash_is_not_kept_for_ever_and_a_known_copy_is_not_sent_again(web):
    answer = web.client.get("/api/assets/plotly-basic.min.js?h=0")
    assert answer.headers["cache-control"] == "no-cache"
    again = web.client.get(
        "/api/assets/plotly-basic.min.js", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    "name", ["README.md", "..%2fapp.py", "%2e%2e/app.py", "plotly.LICENSE", "live_curve.js"]
)
def test_nothing_else_is_served(web, name):
    assert web.client.get(f"/api/assets/{name}").status_code == 404


def test_gzip_bytes_are_the_file():
    data, packed, _ = assets._asset("plotly-basic.min.js")
    assert gzip.decompress(packed) == data


def test_a_component_imports_its_script_from_there(web):
    script = assets.component_script("label-grid.js")
    assert len(script) < 300  # what goes through the web socket
    place = re.search(r'location\.origin \+ "([^"]+)"', script).group(1)
    served = web.client.get(place)
    assert "immutable" in served.headers["cache-control"]
    assert served.text.count("export default") == 1
    assert served.text.startswith("/* Answers on their way")
