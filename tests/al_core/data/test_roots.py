"""No path leads out of a root, however it is written."""

import contextlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.data.roots import browse, check_relative, resolve_folder, resolve_inside
from al_core.errors import DataError
from al_core.settings import Settings

PAYLOADS = [
    "..", "../", "../..", "../secret.jpg", "a/../../secret.jpg", "./../secret.jpg", "a/b/../../../secret.jpg",
    "/etc/passwd", "/", "//server/share", "//etc/passwd", "///etc/passwd", "\\\\server\\share\\a.jpg",
    "\\etc",
    "..\\secret.jpg", "a\\..\\..\\secret.jpg", "C:\\windows", "C:/windows", "c:secret", "C:", "z:/x",
    "a\0.jpg", "\0", "a/\0/b", "../secret.jpg\0.png", "a/..", "a/../..", "....//../x", "a/./../../x",
    "..//..//etc", "/..", "/../etc", "a//../../b", "out", "out/secret.jpg", "chain/secret.jpg", "loop/x",
    "file_link.jpg", "deep/up/secret.jpg",
]  # fmt: skip


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "deep").mkdir()
    (folder / "a" / "x.jpg").write_bytes(b"x")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "out").symlink_to(tmp_path)
    (folder / "chain").symlink_to("out")
    (folder / "deep" / "up").symlink_to("../..")
    (folder / "file_link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "loop").symlink_to("loop")
    return folder


@pytest.mark.parametrize("path", PAYLOADS)
def test_a_payload_never_leads_out(root, path):
    said, real = "", None
    try:
        real = resolve_inside(root, path)
    except DataError as error:
        said = str(error)
    if real is None:
        assert "refused" in said
    else:
        # a name that only looks odd, and leads nowhere
        assert real.is_relative_to(root.resolve())
        assert not real.is_file()


@pytest.mark.parametrize(
    "path", ["a/x.jpg", "a", "a/b", "", "%2e%2e/secret.jpg", "..secret", "a..", "...", "~"]
)
def test_an_honest_or_merely_odd_path_stays_inside(root, path):
    assert resolve_inside(root, path) == root.resolve() / path


@given(st.text(st.sampled_from("./\\ab:~\0 %2e"), max_size=24))
def test_no_text_at_all_leads_out(text):
    root = Path("/nonexistent/root")
    with contextlib.suppress(DataError):
        assert resolve_inside(root, text).is_relative_to(root)


def test_nothing_outside_the_root_is_opened_or_listed(root, settings):
    own = Settings(settings.home, "", (root,))
    inside, seen, active = str(root), [], [True]

    def hook(event, args):
        if active and event in ("open", "os.scandir", "os.listdir"):
            seen.append(str(args[0]))

    sys.addaudithook(hook)
    for path in PAYLOADS:
        with contextlib.suppress(DataError):
            browse(own, 0, path)
    active.clear()  # a hook cannot be taken out again
    assert [path for path in seen if not path.startswith(inside)] == []


def test_a_picker_lists_visible_folders_with_counts(root, settings):
    own = Settings(settings.home, "", (root,))
    (root / ".git").mkdir()
    (root / "a" / "y.PNG").touch()
    (root / "a" / "notes.txt").touch()
    folders = browse(own, 0)
    assert [(f.name, f.num_images, f.num_folders, f.more) for f in folders] == [
        ("a", 2, 1, False), ("deep", 0, 0, False),
    ]  # fmt: skip
    assert [f.relative for f in browse(own, 0, "a")] == ["a/b"]
    assert folders[0].path == str(root / "a")


@pytest.mark.parametrize("index", [-1, 1, 10**9])
def test_there_is_no_other_root(root, settings, index):
    with pytest.raises(DataError, match="no data root"):
        browse(Settings(settings.home, "", (root,)), index)


@pytest.mark.parametrize("path", ["/abs", "~", "~root", "..", "a/../b"])
def test_a_picker_takes_relative_paths_only(path):
    with pytest.raises(DataError, match="refused"):
        check_relative(path)


def test_a_folder_must_lie_below_a_root_unless_its_owner_typed_it(root, settings, tmp_path):
    own = Settings(settings.home, "", (root,))
    assert resolve_folder(own, str(root / "a")) == root / "a"
    assert resolve_folder(own, str(root)) == root
    for outside in (str(tmp_path), "/etc", str(root) + "x", str(root / "out"), "/does/not/exist"):
        with pytest.raises(DataError, match="below no data root"):
            resolve_folder(own, outside)
    assert resolve_folder(own, str(tmp_path), trusted=True) == tmp_path


def test_what_is_said_of_a_path_outside_does_not_tell_whether_it_exists(root, settings):
    own = Settings(settings.home, "", (root,))
    said = []
    for path in ("/etc/hostname", "/etc/no-such-thing"):
        with pytest.raises(DataError) as raised:
            resolve_folder(own, path)
        said.append(str(raised.value).replace(path, "PATH"))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("path", "message"),
    [("a/x.jpg", "not a folder"), ("a/none", "does not exist")],
)
def test_a_missing_folder_or_a_file_is_refused(root, settings, path, message):
    with pytest.raises(DataError, match=message):
        resolve_folder(Settings(settings.home, "", (root,)), str(root / path))


@pytest.mark.parametrize("path", ["", "  ", "a\0b", "a\\b", "C:/x", "//server/x", "/a/../etc"])
def test_even_a_trusted_path_must_be_a_path(settings, path):
    with pytest.raises(DataError):
        resolve_folder(settings, path, trusted=True)


def test_names_that_are_not_utf8_are_listed(root, settings):
    (root / os.fsdecode(b"caf\xe9")).mkdir()
    (folder,) = [f for f in browse(Settings(settings.home, "", (root,)), 0) if "caf" in f.name]
    assert folder.name == "caf\\xe9"
    assert resolve_inside(root, folder.relative).is_dir()
