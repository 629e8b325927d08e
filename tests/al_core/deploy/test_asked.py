"""Pictures sent by a browser: kept under harmless names, and no more of them than is allowed."""

import io
import os
import zipfile

import pytest

from al_core.deploy import asked
from al_core.deploy.asked import ask_about_folder, ask_about_uploads, place, read_asked, read_result
from al_core.errors import DataError, NotFound


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    buffer.seek(0)
    return buffer


def below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_no_name_leads_out_of_the_folder_and_equal_names_get_a_number(settings):
    names = ["../../etc/passwd", "/abs.png", "..\\up.png", "a.png", "a.png", "c:con.png", "", "ünï/=x.png"]
    found = ask_about_uploads(settings, "e", 1, [(name, io.BytesIO(b"x")) for name in names])
    assert below(found.root) == sorted(
        ["__/__/etc/passwd", "abs.png", "__/up.png", "a.png", "a (2).png", "c_con.png", "_", "ünï/__x.png"]
    )
    assert found.root.is_relative_to(settings.predictions)
    assert read_asked(settings, found.token) == found
    assert read_result(settings, found.token) is None


def test_a_zip_is_taken_apart_without_what_systems_add(settings):
    files = {"a.png": b"1", "in__b.png": b"2", "__MACOSX/a.png": b"3", "in__.DS_Store": b"4"}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name, data in files.items():
            target.writestr(name if name.startswith("__MAC") else name.replace("__", "/"), data)
        target.writestr("../../../evil.png", b"5")
        target.writestr("a.png/b.png 2", b"6")  # a folder of a file's name
    archive.seek(0)
    found = ask_about_uploads(settings, "e", 0, [("x.ZIP", archive)])
    assert below(found.root) == ["__/__/__/evil.png", "a.png", "b.png 2", "in/b.png"]


def test_a_damaged_or_encrypted_zip_is_refused_by_name_and_the_rest_goes_on(settings):
    good = ("good.png", io.BytesIO(b"x"))
    found = ask_about_uploads(settings, "e", 0, [("bad.zip", io.BytesIO(b"PK\x03\x04rubbish")), good])
    assert below(found.root) == ["good.png"]
    assert [r.name for r in found.refused] == ["bad.zip"]
    assert "not a zip that can be read" in found.refused[0].reason
    data = bytearray(zipped(**{"a.png": bytes(range(256)) * 40, "b.png": b"whole"}).getvalue())
    start = data.index(b"a.png") + len("a.png")
    data[start : start + 40] = b"\xff" * 40  # no deflated stream
    found = ask_about_uploads(settings, "e", 0, [("one.zip", io.BytesIO(bytes(data)))])
    assert [r.name for r in found.refused] == ["a.png"]
    assert "damaged in the zip" in found.refused[0].reason
    assert [path.name for path in found.root.iterdir()] == ["b.png"]
    data = bytearray(zipped(**{"a.png": b"secret"}).getvalue())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        data[data.index(mark) + (6 if mark.endswith(b"\x04") else 8)] |= 1
    with pytest.raises(DataError, match=r"a\.png: encrypted in the zip"):
        ask_about_uploads(settings, "e", 0, [("e.zip", io.BytesIO(bytes(data)))])


def test_a_bomb_is_stopped_by_what_comes_out_and_leaves_nothing(settings, monkeypatch):
    monkeypatch.setattr(asked, "MAX_UNPACKED", 1_000_000)
    bomb = zipped(**{"a.png": bytes(900_000), "b.png": bytes(900_000)})
    assert len(bomb.getvalue()) < 5_000
    with pytest.raises(DataError, match="hold more than 0 MB in all"):
        ask_about_uploads(settings, "e", 0, [("bomb.zip", bomb)])
    assert below(settings.predictions) == []
    monkeypatch.setattr(asked, "MAX_BYTES", 1000)
    found = ask_about_uploads(
        settings, "e", 0, [("large.png", io.BytesIO(bytes(2000))), ("s.png", io.BytesIO(b"x"))]
    )
    assert below(found.root) == ["s.png"]
    assert found.refused[0].name == "large.png"


def test_too_many_files_are_refused(settings, monkeypatch):
    monkeypatch.setattr(asked, "MAX_FILES", 2)
    with pytest.raises(DataError, match="more than 2 files at once"):
        ask_about_uploads(settings, "e", 0, [(f"{n}.png", io.BytesIO(b"x")) for n in range(3)])
    with pytest.raises(DataError, match="nothing was sent"):
        ask_about_uploads(settings, "e", 0, [])


def test_a_request_is_removed_after_a_day_with_its_pictures(settings):
    old = ask_about_uploads(settings, "e", 0, [("a.png", io.BytesIO(b"x"))])
    then = place(settings, old.token).stat().st_mtime - asked.KEPT_SECONDS - 60
    os.utime(place(settings, old.token), (then, then))
    new = ask_about_folder(settings, "e", None, settings.home)
    with pytest.raises(NotFound, match="is gone"):
        read_asked(settings, old.token)
    assert read_asked(settings, new.token).round is None
    for token in ("../x", "", "A" * 32, "0" * 31):
        with pytest.raises(NotFound):
            read_asked(settings, token)
