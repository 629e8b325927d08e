"""A person's own pictures: layouts, order, names, splits, and what is refused."""

import io
import os
import shutil
import unicodedata

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig
from al_core.data.prepare import list_prepared, open_dataset, prepare, prepared_key
from al_core.errors import DataError


def mark(number, side=16):
    """A picture whose pixels say its number, so that no mix-up goes unseen."""
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[:] = (number % 256, number // 256, 77)
    return Image.fromarray(pixels)


def number_of(picture):
    middle = picture[picture.shape[0] // 2, picture.shape[1] // 2].astype(int)
    assert middle[2] == 77
    return int(middle[0] + 256 * middle[1])


def put(path, number, side=16):
    path.parent.mkdir(parents=True, exist_ok=True)
    mark(number, side).save(path, "PNG")


def config(folder, **more):
    return DataConfig(dataset=f"folder:{folder}", **more)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    number = 0
    for split, count in (("train", 6), ("test", 3)):
        for name in ("cat", "ant", "bee"):
            for i in range(count):
                put(folder / split / name / f"{name}{i}.png", number, 16 + 4 * (number % 5))
                number += 1
    return folder


def test_every_id_reads_the_picture_whose_name_it_shows(settings, photos):
    data = prepare(settings, config(photos))
    assert (data.kind, data.classes, len(data.train), len(data.test)) == (
        "files",
        ("ant", "bee", "cat"),
        18,
        9,
    )
    for split in (data.train, data.test):
        ids = np.random.default_rng(0).permutation(len(split))
        for size in (None, 8, 40):
            pictures = split.read(np.concatenate([ids, ids[:3]]), size)
            assert pictures.shape[1:] == (size or data.image_size, size or data.image_size, 3)
            for sample_id, picture in zip([*ids, *ids[:3]], pictures, strict=True):
                file = photos / split.file_name(sample_id)
                assert number_of(picture) == number_of(np.asarray(Image.open(file)))
                assert data.classes[split.labels[sample_id]] == file.parent.name
        for sample_id in ids:
            shown, mime = split.encoded(int(sample_id), 200)
            assert mime == "image/png"
            file = photos / split.file_name(sample_id)
            assert number_of(np.asarray(Image.open(io.BytesIO(shown)))) == number_of(
                np.asarray(Image.open(file))
            )


def test_photos_are_read_from_their_files_at_the_size_that_models_see(settings, tmp_path):
    """At their own size: what was prepared at a smaller one is not enlarged."""
    fine = np.zeros((200, 200, 3), np.uint8)
    fine[::2] = 255  # lines of one pixel, which only the full size can show
    for name, side in (("a", 200), ("b", 200), ("a", 180)):
        folder = tmp_path / "lines" / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(fine[:side, :side]).save(folder / f"{side}.png")
    data = prepare(settings, config(tmp_path / "lines", test_fraction=0.0))
    assert data.image_size == 128
    large = data.at(200)
    assert (large.image_size, large.fingerprint, large.key) == (200, data.fingerprint, data.key)
    assert large.augmentation.crop_padding == 25
    (whole,) = [i for i in range(3) if data.train.file_name(i) == "b/200.png"]
    np.testing.assert_array_equal(large.train.read([whole])[0], fine)
    np.testing.assert_array_equal(large.train.read([whole])[0], fine)  # as it was kept
    np.testing.assert_array_equal(large.train.labels, data.train.labels)
    assert data.train.read([whole]).shape == (1, 128, 128, 3)
    assert data.at(None) is data
    assert data.at(128) is data


def test_small_pictures_of_one_size_are_kept_as_they_are(settings, tmp_path):
    folder = tmp_path / "small"
    for i in range(40):
        put(folder / "ab"[i % 2] / f"{i:02d}.png", i)
    data = prepare(settings, config(folder))
    assert (data.kind, data.pixelated, data.image_size) == ("memmap", True, 16)
    shutil.rmtree(folder)
    again = open_dataset(settings, data.key)
    for split in (again.train, again.test):
        for sample_id, picture in enumerate(split.read(np.arange(len(split)))):
            assert (
                split.file_name(sample_id) == f"{'ab'[number_of(picture) % 2]}/{number_of(picture):02d}.png"
            )


def test_numbers_across_classes_keep_their_order(settings, tmp_path):
    folder = tmp_path / "numbered"
    order = np.random.default_rng(1).permutation(30)
    for i in order:
        put(folder / "train" / "xyz"[int(i) * 7 % 3] / f"{i}.png", int(i))
        put(folder / "test" / "xyz"[int(i) * 7 % 3] / f"{i}.png", int(i) + 100)
    data = prepare(settings, config(folder))
    assert [number_of(p) for p in data.train.read(np.arange(30))] == list(range(30))
    assert [number_of(p) for p in data.test.read(np.arange(30))] == list(range(100, 130))
    assert any("numbers in the file names" in note for note in data.notes)


def test_otherwise_the_order_is_by_class_and_natural_name(settings, tmp_path):
    folder = tmp_path / "names"
    for name in ("b/x10.png", "b/x2.png", "a/x2.png", "a/x1.png"):
        put(folder / "train" / name, 1)
        put(folder / "test" / name, 1)
    data = prepare(settings, config(folder))
    names = [data.train.file_name(i) for i in range(4)]
    assert names == ["train/a/x1.png", "train/a/x2.png", "train/b/x2.png", "train/b/x10.png"]


def test_without_a_test_folder_a_share_of_each_class_is_set_aside(settings, tmp_path):
    folder = tmp_path / "own"
    for i in range(100):
        put(folder / ("many" if i < 80 else "few") / f"p{i}.png", i)
    data = prepare(settings, config(folder, test_fraction=0.25))
    assert data.class_counts("test").tolist() == [5, 20]
    train = {number_of(p) for p in data.train.read(np.arange(len(data.train)))}
    test = {number_of(p) for p in data.test.read(np.arange(len(data.test)))}
    assert train | test == set(range(100))
    assert not train & test
    again = prepare(settings, config(folder, test_fraction=0.0))
    assert (len(again.train), len(again.test)) == (100, 0)
    assert again.key != data.key


def test_copies_of_one_picture_never_lie_in_both_splits(settings, tmp_path):
    folder = tmp_path / "copies"
    for i in range(60):
        put(folder / "ab"[i % 2] / f"p{i}.png", i // 4 * 4 + i % 2)
    for i in range(60, 80):
        put(folder / "ab"[i % 2] / f"p{i}.png", i)
    data = prepare(settings, config(folder, test_fraction=0.4))
    train = {number_of(p) for p in data.train.read(np.arange(len(data.train)))}
    test = {number_of(p) for p in data.test.read(np.arange(len(data.test)))}
    assert len(test) > 5
    assert not train & test
    assert any("copies of other train pictures" in note for note in data.notes)


@pytest.mark.parametrize("name", ["valid", "validation", "VAL"])
def test_validation_pictures_join_the_train_side_where_there_is_a_test_folder(settings, photos, name):
    put(photos / name / "cat" / "v.png", 500)
    data = prepare(settings, config(photos))
    assert (len(data.train), len(data.test)) == (19, 9)
    shutil.rmtree(photos / "test")
    data = prepare(settings, config(photos))
    assert (len(data.train), len(data.test)) == (18, 1)


def test_a_nested_class_is_named_by_its_whole_path(settings, tmp_path):
    for i, name in enumerate(["dog/small", "dog/large", "cat"]):
        for j in range(3):
            put(tmp_path / "n" / name / f"{j}.png", 10 * i + j)
    assert prepare(settings, config(tmp_path / "n")).classes == ("cat", "dog/large", "dog/small")


def test_pictures_without_labels_need_class_names(settings, tmp_path):
    for i in range(5):
        put(tmp_path / "u" / f"{i}.png", i)
    with pytest.raises(DataError, match="name the classes"):
        prepare(settings, config(tmp_path / "u"))
    data = prepare(settings, config(tmp_path / "u"), classes=["yes", "no"])
    assert data.classes == ("yes", "no")
    assert not data.has_truth
    assert data.train.labels.tolist() == [-1] * 5
    assert len(data.test) == 0
    assert data.test.read(np.empty(0, np.int64)).shape == (0, 16, 16, 3)
    assert prepared_key(settings, config(tmp_path / "u")) == data.key
    other = prepare(settings, config(tmp_path / "u"), classes=["a", "b", "c"])
    assert other.key == data.key + ".2"
    assert open_dataset(settings, data.key).classes == ("yes", "no")
    for bad in (["a", "a"], ["a", " "], ["only"]):
        with pytest.raises(DataError):
            prepare(settings, config(tmp_path / "u"), classes=bad)


def test_a_class_that_only_the_test_side_has_is_refused(settings, photos):
    put(photos / "test" / "wasp" / "w.png", 900)
    with pytest.raises(DataError, match="'wasp' only in test"):
        prepare(settings, config(photos))
    shutil.rmtree(photos / "test" / "wasp")
    shutil.rmtree(photos / "test" / "bee")
    data = prepare(settings, config(photos))
    assert any("without a test picture: bee" in note for note in data.notes)
    assert data.class_counts("test").tolist() == [3, 0, 3]


def test_the_same_class_composed_and_decomposed_is_one_class(settings, tmp_path):
    for form in ("NFC", "NFD"):
        for i in range(3):
            split = "train" if form == "NFC" else "test"
            put(tmp_path / "k" / split / unicodedata.normalize(form, "café") / f"{i}.png", i)
            put(tmp_path / "k" / split / "thé" / f"{i}.png", i + 9)
    data = prepare(settings, config(tmp_path / "k"))
    assert data.classes == ("café", "thé")
    assert data.class_counts("test").tolist() == [3, 3]


NAMES = [
    "plain.png", "-rf.png", "--help", "with space.png", " lead", "trail ", "new\nline.png", "tab\t.png",
    "quote'\".png", "<img src=x onerror=alert(1)>.png", "![b](x).png", "=1+2.png", "日本語.png",
    "emoji 😀.png",
    unicodedata.normalize("NFD", "é.png"), unicodedata.normalize("NFC", "é.png"), "a" * 251 + ".png",
    "é" * 127, "no_extension", "UPPER.JPG", "dots...png", "%2e%2e%2f.png", "con", "nul.png", "*?|:;$`&.png",
    "‮gnp.png", "#.png", "{}[]().png", "~", "a.png.txt",
]  # fmt: skip


def test_odd_names_come_through_unchanged(settings, tmp_path):
    folder = tmp_path / "odd"
    put(folder / "b" / "1x.png", 1000)
    for number, name in enumerate(NAMES):
        put(folder / "a" / name, number)
    with (folder / "a" / os.fsdecode(b"caf\xe9.png")).open("wb") as file:
        mark(len(NAMES)).save(file, "PNG")
    put(folder / "a" / "back\\slash.png", 1)
    put(folder / "a" / ".hidden.png", 1)
    data = prepare(settings, config(folder, test_fraction=0.0))
    shown = {
        data.train.file_name(i): number_of(picture)
        for i, picture in enumerate(data.train.read(np.arange(len(data.train))))
    }
    expected = {f"a/{name}": number for number, name in enumerate(NAMES)}
    assert shown == expected | {"a/caf\\xe9.png": len(NAMES), "b/1x.png": 1000}
    for name in shown:
        name.encode()
    assert [(r.name, r.reason) for r in data.refused] == [("a/back\\slash.png", "its name holds a backslash")]


def test_odd_names_are_decoded_on_demand_too(settings, tmp_path):
    folder = tmp_path / "odd"
    put(folder / "b" / "1x.png", 1000, 90)
    for number, name in enumerate(NAMES):
        put(folder / "a" / name, number, 66 + number)
    with (folder / "a" / os.fsdecode(b"caf\xe9.png")).open("wb") as file:
        mark(len(NAMES), 70).save(file, "PNG")
    data = prepare(settings, config(folder, test_fraction=0.0))
    assert data.kind == "files"
    for sample_id, picture in enumerate(data.train.read(np.arange(len(data.train)), 24)):
        shown = Image.open(io.BytesIO(data.train.encoded(sample_id, 40)[0]))
        assert shown.size == (40, 40)
        name = data.train.file_name(sample_id).removeprefix("a/")
        expected = {"b/1x.png": 1000, "caf\\xe9.png": len(NAMES)}.get(name)
        assert number_of(picture) == (NAMES.index(name) if expected is None else expected)


def test_what_is_not_a_picture_is_listed_with_its_reason(settings, photos, tmp_path):
    cat = photos / "train" / "cat"
    (cat / "empty.jpg").touch()
    (cat / "notes.txt").write_text("hello")
    (cat / "cut.png").write_bytes((cat / "cat0.png").read_bytes()[:60])
    (cat / "Thumbs.db").write_bytes(b"1234")
    (cat / ".DS_Store").write_bytes(b"1234")
    os.mkfifo(cat / "pipe.jpg")
    (cat / "out.png").symlink_to("/etc/hostname")
    (cat / "gone.png").symlink_to("nowhere.png")
    (cat / "inside.png").symlink_to("cat1.png")
    (cat / "loop").symlink_to("..")
    put(photos / "stray.png", 700)
    put(photos / "train" / "homeless.png", 701)
    data = prepare(settings, config(photos))
    reasons = {r.name: r.reason for r in data.refused}
    assert {name.rpartition("/")[2] for name in reasons} == {
        "empty.jpg", "notes.txt", "cut.png", "Thumbs.db", "pipe.jpg", "out.png", "gone.png", "loop",
        "stray.png", "homeless.png",
    }  # fmt: skip
    assert reasons["train/cat/out.png"] == "a link that leads out of the folder"
    assert reasons["train/cat/loop"] == "a link to a folder"
    assert reasons["train/cat/pipe.jpg"] == "not a regular file"
    assert reasons["train/homeless.png"] == "outside any class folder"
    assert {r.split for r in data.refused} == {"train", ""}
    assert len(data.train) == 19
    assert any("1 hidden" in note for note in data.notes)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({}, "there are no files"),
        ({"a/x.txt": None, "b/y.txt": None}, "none of 2 files"),
        ({"a/1.png": 1, "a/2.png": 2}, "only one class, 'a'"),
        ({"test/a/1.png": 1, "test/b/1.png": 2}, "no train folder"),
        ({"x/train/a/1.png": 1, "x/train/b/1.png": 2}, "use folder:.*/x$"),
        ({"train/a/1.txt": None, "test/a/1.png": 1, "test/b/1.png": 1}, "no readable picture to train on"),
    ],
)
def test_a_folder_that_cannot_be_a_data_set_says_why(settings, tmp_path, layout, message):
    folder = tmp_path / "f"
    folder.mkdir()
    for name, number in layout.items():
        if number is None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("text")
        else:
            put(folder / name, number)
    with pytest.raises(DataError, match=message):
        prepare(settings, config(folder))
    assert list(settings.datasets.glob("*")) == []


def test_a_missing_folder_and_one_outside_the_roots_are_refused(settings, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        prepare(settings, config(tmp_path / "none"))
    with pytest.raises(DataError, match="below no data root"):
        prepare(settings, config("/usr"))


def test_a_folder_that_changed_is_prepared_beside_the_earlier_one(settings, photos):
    first = prepare(settings, config(photos))
    put(photos / "train" / "cat" / "new.png", 333)
    second = prepare(settings, config(photos))
    assert second.key == first.key + ".2"
    assert len(second.train) == 19
    assert len(open_dataset(settings, first.key).train) == 18
    assert prepared_key(settings, config(photos)) == second.key
    assert len(list_prepared(settings)) == 2


def test_a_folder_that_was_only_touched_stays_the_same_data_set(settings, photos):
    first = prepare(settings, config(photos))
    for file in photos.rglob("*.png"):
        os.utime(file, (1, 1))
    assert prepare(settings, config(photos)).key == first.key
    phases = []
    assert prepare(settings, config(photos), lambda *told: phases.append(told)).key == first.key
    assert phases == []


def test_a_photo_that_vanished_later_is_named(settings, photos):
    data = prepare(settings, config(photos))
    name = data.train.file_name(4)
    (photos / name).unlink()
    assert data.train.read(np.array([4])).any()  # kept at its own size
    with pytest.raises(DataError, match=name):
        data.train.read(np.array([4]), 40)
    with pytest.raises(DataError, match=name):
        data.train.encoded(4, 100)


def test_a_photo_replaced_by_a_link_out_is_not_followed(settings, photos, tmp_path):
    put(tmp_path / "secret.png", 1)
    data = prepare(settings, config(photos))
    path = photos / data.train.file_name(0)
    path.unlink()
    path.symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="leads out"):
        data.train.encoded(0, None)


@pytest.mark.parametrize("ids", [[-1], [18], [0, 10**12]])
def test_ids_outside_the_split_are_refused(settings, photos, ids):
    data = prepare(settings, config(photos))
    with pytest.raises(DataError, match="there is no sample"):
        data.train.read(np.array(ids))
    with pytest.raises(DataError, match="there is no sample"):
        data.train.encoded(ids[-1], None)


def test_cancelling_leaves_nothing_and_no_process(settings, photos):
    class Cancelled(Exception):
        pass

    for at in ("scan", "check", "write"):

        def progress(phase, done, total, at=at):
            if phase == at:
                raise Cancelled

        with pytest.raises(Cancelled):
            prepare(settings, config(photos), progress)
        assert list(settings.datasets.glob("*")) == []


@pytest.mark.slow
def test_the_clothing_photos_are_read(settings, test_data):
    from al_core.settings import Settings

    own = Settings(settings.home, settings.database_url, (test_data,))
    data = prepare(own, config(test_data / "clothing"))
    assert (len(data.train) + len(data.test), data.num_classes, data.kind) == (1574, 10, "files")
    assert [r.name for r in data.refused] == ["LICENSE"]
    assert data.train.read(np.arange(0, len(data.train), 100), 64).std() > 20
