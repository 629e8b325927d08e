"""Lists of labels to train on again."""

import zipfile

import pytest

from al_core.deploy.selection import read_selection
from al_core.errors import DataError

MANIFEST = (
    "sample_id,path,label,label_id,experiment\r\n"
    "3,cat/3.png,cat,0,e1\r\n4,_skipped/4.png,skipped,-2,e1\r\n5,_unlabeled/5.png,,,e1\r\n"
    "7,x/7.png,'=sum,1,e1\r\n3,dog/3.png,dog,2,e1\r\n"
)


def test_a_manifest_gives_labels_and_the_run_that_it_is_from(tmp_path):
    folder = tmp_path / "selected"
    folder.mkdir()
    (folder / "manifest.csv").write_text(MANIFEST)
    with zipfile.ZipFile(tmp_path / "selected.zip", "w") as archive:
        archive.write(folder / "manifest.csv", "manifest.csv")
    for place in (folder, folder / "manifest.csv", tmp_path / "selected.zip"):
        found = read_selection(place)
        assert found.labels == {"7": "'=sum", "3": "dog"}, "skipped and unlabeled images are left out"
        assert found.experiment == "e1"


def test_of_a_log_the_last_label_of_an_image_holds_unless_it_was_taken_back(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "event,sample_id,label\n1,3,cat\n2,3,dog\n3,4,cat\n4,4,(withdrawn)\n5,5,(skipped)\n6,6,cat\n"
    )
    found = read_selection(path)
    assert dict(found.labels) == {"3": "dog", "6": "cat"}
    assert found.experiment is None


def test_labels_are_kept_under_a_name_of_their_content(tmp_path, settings):
    path = tmp_path / "labels.csv"
    path.write_text("file,label\nx/1.png,cat\nx/2.png,\n")
    found = read_selection(path)
    kept = found.keep(settings)
    assert kept == read_selection(path).keep(settings)
    assert kept.read_text().splitlines() == ["file,label", "x/1.png,cat"]


def test_an_ordinary_folder_is_none_and_what_holds_no_labels_is_refused(tmp_path):
    (tmp_path / "cat").mkdir()
    assert read_selection(tmp_path) is None
    (tmp_path / "manifest.csv").write_text("image,width\na.png,3\n")
    assert read_selection(tmp_path) is None, "somebody else's manifest says nothing"
    for name, text, words in (
        ("a.csv", "image,width\na.png,3\n", "needs a header"),
        ("b.csv", "sample_id,label\n1,\n", "names no image with a label"),
        ("d.csv", f"sample_id,label\n1,{'x' * 140_000}\n", "cannot be read as a list of labels"),
        ("c.zip", "no zip", "cannot be read as a list of labels"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=words):
            read_selection(tmp_path / name)
    with pytest.raises(DataError, match="there is no file or folder"):
        read_selection(tmp_path / "absent")
