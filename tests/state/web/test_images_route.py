"""GET /api/img: only what was signed, cached privately, and never a path."""

import io
import time

import pytest
from PIL import Image

from al_core.errors import DataError, ImageRefused
from state import handles
from state.web import images, security
from state.web.images import Thumbnails, image_url


def test_a_signed_picture_is_served_and_may_be_kept(web):
    reply = web.client.get(image_url(web.dataset.key, "train", 7))
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("image/")
    assert reply.headers["x-content-type-options"] == "nosniff"
    rules = reply.headers["cache-control"]
    assert rules.startswith("private, max-age=")
    assert rules.endswith("immutable")
    assert Image.open(io.BytesIO(reply.content)).size == (8, 8)


def test_the_test_split_has_pictures_of_its_own(web):
    train = web.client.get(image_url(web.dataset.key, "train", 0))
    test = web.client.get(image_url(web.dataset.key, "test", 0))
    assert test.status_code == 200
    assert train.content != test.content


def test_addresses_are_equal_within_the_hour(web, monkeypatch):
    hour = 480_000 * security.HOUR
    seen = set()
    for seconds in (0, 10, 3599):
        monkeypatch.setattr(security.time, "time", lambda now=hour + seconds: now)
        seen.add(image_url("digits", "train", 7, 320))
    monkeypatch.setattr(security.time, "time", lambda: hour + 3600)
    assert len(seen) == 1
    assert image_url("digits", "train", 7, 320) not in seen


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/train/7", "/train/8"),
        ("/train/7", "/test/7"),
        ("/digits/", "/other/"),
        ("w=0", "w=64"),
        ("w=0", "w=00"),
        ("&e=", "&e=9"),
        ("&t=", "&t=A"),
    ],
)
def test_a_changed_address_is_refused(web, old, new):
    address = image_url("digits", "train", 7)
    assert old in address
    expected = 200 if new == "w=00" else 403  # 00 is the number that was signed
    assert web.client.get(address.replace(old, new)).status_code == expected


def test_an_address_without_a_signature_is_refused(web):
    assert web.client.get("/api/img/digits/train/7?w=0&e=9999999999").status_code == 403


@pytest.mark.parametrize("query", ["", "?w=a&e=1", "?w=0", "?e=1", "?w=1e3&e=1"])
def test_an_address_without_numbers_is_refused(web, query):
    assert web.client.get(f"/api/img/digits/train/7{query}").status_code == 422


def test_an_address_ends(web, monkeypatch):
    address = image_url("digits", "train", 7)
    later = time.time() + security.LIFETIME + 2 * security.HOUR
    monkeypatch.setattr(images.time, "time", lambda: later)
    assert web.client.get(address).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/api/img/../../etc/passwd",
        "/api/img/..%2f..%2fetc/train/1",
        "/api/img/digits/train/-1",
        "/api/img/digits/train/1.5",
        "/api/img/digits/train/1%00",
        "/api/img/digits/train/../secret",
        "/api/img/digits//1",
    ],
)
def test_paths_lead_nowhere(web, path):
    assert web.client.get(path + "?w=0&e=9999999999&t=x").status_code in (403, 404)


@pytest.mark.parametrize("key", ["../digits", "..", "/etc", "no-such-set", "digits/..", "a\x00b"])
def test_even_a_signed_key_cannot_leave_the_data_sets(web, key):
    reply = web.client.get(image_url(key, "train", 0))
    assert reply.status_code == 404


def test_a_signed_number_that_does_not_exist_is_not_found(web):
    assert web.client.get(image_url(web.dataset.key, "train", 10**9)).status_code == 404


def test_a_signed_width_beyond_the_limit_is_refused(web):
    address = image_url(web.dataset.key, "train", 7, images.MAX_WIDTH + 1)
    assert web.client.get(address).status_code == 422


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ImageRefused("cat.jpg", "truncated"), 422),
        (DataError("the folder is gone"), 404),
        (FileNotFoundError(2, "No such file"), 404),
    ],
)
def test_what_cannot_be_read_is_said_and_not_kept(web, monkeypatch, failure, status):
    def fail(sample_id, width):
        raise failure

    monkeypatch.setattr(handles.dataset(web.dataset.key).train, "encoded", fail)
    reply = web.client.get(image_url(web.dataset.key, "train", 9))
    assert reply.status_code == status
    assert reply.headers["cache-control"] == "no-store"


def test_a_picture_is_encoded_once(web, monkeypatch):
    split = handles.dataset(web.dataset.key).train
    calls = []
    encode = split.encoded
    monkeypatch.setattr(split, "encoded", lambda i, w: calls.append(i) or encode(i, w))
    for _ in range(3):
        assert web.client.get(image_url(web.dataset.key, "train", 11)).status_code == 200
    assert calls == [11]


def test_kept_pictures_stay_below_their_bytes_and_the_oldest_goes_first():
    kept = Thumbnails(100)
    for name in ("a", "b", "c"):
        kept.put((name,), (b"x" * 40, "image/png"))
        kept.get(("a",))
    assert kept.get(("b",)) is None
    assert kept.get(("a",)) is not None
    assert kept.get(("c",)) is not None


def test_a_picture_larger_than_all_room_is_not_kept():
    kept = Thumbnails(10)
    kept.put(("a",), (b"x" * 40, "image/png"))
    assert kept.get(("a",)) is None
    kept.put(("b",), (b"x" * 10, "image/png"))
    assert kept.get(("b",)) is not None
