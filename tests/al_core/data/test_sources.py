"""Downloadable data sets: found where they lie, checked, upright; offline they say the way out."""

import gzip
import hashlib
import io
import os
import pickle
import socket
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig
from al_core.data.material import Request
from al_core.data.prepare import list_prepared, prepare
from al_core.data.sources import SOURCES, _found, _idx, _pickles, cifar, svhn
from al_core.data.sources.cifar import CIFAR10, CIFAR100, CLASSES
from al_core.errors import DataError
from al_core.settings import Settings

DOWNLOADS = [source.name for source in SOURCES if source.download_megabytes]


@pytest.fixture
def offline(monkeypatch):
    """No socket can be opened; says how often it was tried."""
    tried = []

    def refuse(*args, **kwargs):
        tried.append(args)
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in ("AL_DOWNLOADS", "TORCH_DATA"):
        monkeypatch.delenv(name, raising=False)
    return tried


def test_every_source_describes_itself():
    assert SOURCES.names() == [
        "cifar10", "cifar100", "digits", "emnist_balanced", "emnist_byclass", "emnist_bymerge",
        "emnist_digits", "emnist_letters", "emnist_mnist", "fashion_mnist", "folder", "imported", "mnist",
        "shapes", "svhn",
    ]  # fmt: skip
    for source in SOURCES:
        assert source.title
        assert source.description.endswith(".")
        assert source.path in ("no", "optional", "required")
    assert SOURCES.get("CIFAR-10").name == SOURCES.get("CIFAR10").name == "cifar10"
    assert SOURCES.get("EMNIST").name == "emnist_balanced"
    for split, num_classes in (("balanced", 47), ("byclass", 62), ("bymerge", 47), ("letters", 26)):
        assert len(SOURCES.get(f"emnist_{split}").classes_hint) == num_classes


@pytest.mark.parametrize("name", DOWNLOADS)
def test_offline_with_nothing_on_disk_the_error_names_the_way_out(settings, offline, name):
    with pytest.raises(DataError) as raised:
        prepare(settings, DataConfig(dataset=name))
    text = str(raised.value)
    megabytes = SOURCES.get(name).download_megabytes
    assert f"about {megabytes:.0f} MB" in text
    assert "--download" in text
    assert "Download button" in text
    assert str(settings.downloads) in text
    assert offline == []
    assert list_prepared(settings) == []


def test_a_download_that_fails_is_a_clear_error_and_leaves_nothing(settings, offline):
    request = Request(settings, DataConfig(), None, settings.home, download=True)
    with pytest.raises(DataError, match=r"Some data cannot be downloaded \(.*unreachable.*put file.gz into"):
        _found.fetch(request, "http://localhost:9/file.gz", "0" * 32, "Some data")
    assert offline
    assert list(settings.downloads.iterdir()) == []


@pytest.mark.parametrize(("good", "message"), [(True, None), (False, "damaged")])
def test_a_download_is_checked_and_told_of(settings, tmp_path, good, message):
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(range(256)) * 10_000)
    md5 = hashlib.md5(file.read_bytes()).hexdigest() if good else "0" * 32
    told = []
    request = Request(settings, DataConfig(), None, tmp_path, lambda *args: told.append(args), download=True)
    if message:
        with pytest.raises(DataError, match=message):
            _found.fetch(request, file.as_uri(), md5, "Some data")
        assert list(settings.downloads.iterdir()) == []
    else:
        assert _found.fetch(request, file.as_uri(), md5, "Some data").read_bytes() == file.read_bytes()
    assert told[-1] == ("download", 2_560_000, 2_560_000)


def test_a_cancelled_download_leaves_nothing(settings, tmp_path):
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(5_000_000))

    def cancel(*_):
        raise KeyboardInterrupt

    request = Request(settings, DataConfig(), None, tmp_path, cancel, download=True)
    with pytest.raises(KeyboardInterrupt):
        _found.fetch(request, file.as_uri(), "", "Some data")
    assert list(settings.downloads.iterdir()) == []


# -- CIFAR --------------------


def cifar_files(layout=CIFAR10, **changes):
    """A re-pack: the counts and shapes of the official files, with pixels that say their place."""
    files = {}
    for k, name in enumerate((*layout.train, layout.test)):
        count = layout.per_file[0] if name != layout.test else layout.per_file[1]
        data = np.zeros((count, 3, 32, 32), np.uint8)
        place = np.arange(count) + k * layout.per_file[0]
        data[:, 0], data[:, 1], data[:, 2] = (
            (place >> shift & 255).astype(np.uint8)[:, None, None] for shift in (0, 8, 16)
        )
        data[:, :, 0, 1:] = 9  # the first row differs, so that a transposed picture would show
        table = {layout.labels_key: (place % layout.num_classes).tolist(), "data": data.reshape(count, 3072)}
        files[name] = pickle.dumps(table | changes.get(name, {}), protocol=2)
    names = list(CLASSES) if layout is CIFAR10 else [f"class {i}" for i in range(100)]
    files[layout.meta] = pickle.dumps({layout.names_key: names}, protocol=2)
    return files


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def check_places(data):
    ids = np.array([0, 1, 9_999, 10_000, 49_999])
    pixels = data.train.read(ids).astype(int)
    assert (pixels[:, 5, 5] @ [1, 256, 65536] == ids).all()
    assert (pixels[:, 0, 1:] == 9).all()
    assert (pixels[:, 1:, 0] @ [1, 256, 65536] == ids[:, None]).all()
    assert (data.test.read(np.array([17]))[0, 5, 5].astype(int) @ [1, 256, 65536]) == 50_017


@pytest.mark.slow
def test_a_repack_of_cifar10_is_loaded_and_said_to_be_one(settings, offline, monkeypatch, tmp_path):
    put(tmp_path / "data" / "cifar-10-batches-py", cifar_files())
    data = prepare(settings, DataConfig(dataset=f"CIFAR10:{tmp_path / 'data'}"))
    assert (len(data.train), len(data.test), data.classes, data.image_size) == (50_000, 10_000, CLASSES, 32)
    check_places(data)
    assert any("re-pack" in note for note in data.notes)
    assert data.augmentation.horizontal_flip
    monkeypatch.setenv("TORCH_DATA", str(tmp_path / "data"))
    assert prepare(settings, DataConfig(dataset="cifar10")).fingerprint == data.fingerprint
    assert offline == []


@pytest.mark.slow
def test_cifar100_is_read_out_of_its_archive(settings, offline):
    settings.downloads.mkdir()
    with tarfile.open(settings.downloads / CIFAR100.archive, "w:gz", compresslevel=1) as tar:
        for name, data in cifar_files(CIFAR100).items():
            info = tarfile.TarInfo(f"{CIFAR100.folder}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    data = prepare(settings, DataConfig(dataset="cifar100"))
    assert data.num_classes == 100
    check_places(data)


WRONG = {
    "too few pictures": {"data": np.zeros((99, 3072), np.uint8)},
    "wrong shape": {"data": np.zeros((10_000, 1024), np.uint8)},
    "floats": {"data": np.zeros((10_000, 3072), np.float32)},
    "no pictures": {"data": None},
    "a label too large": {"labels": [10] * 10_000},
    "a negative label": {"labels": [-1] * 10_000},
    "too few labels": {"labels": [1]},
    "no labels": {"labels": None},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_repack_with_wrong_content_is_refused(wrong):
    table = {"labels": [0] * 10_000, "data": np.zeros((10_000, 3072), np.uint8)} | WRONG[wrong]
    with pytest.raises(DataError, match="data_batch_3 of CIFAR-10"):
        cifar._part(table, CIFAR10, "data_batch_3", 10_000)


def test_a_repack_that_names_too_few_classes_is_refused():
    with pytest.raises(DataError, match="does not name 10 classes"):
        cifar._class_names({"label_names": ["a"] * 10}, CIFAR10)


class Payload:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_no_code_in_a_pickle_runs(tmp_path, protocol):
    marker = tmp_path / "ran"
    attacks = [
        Payload(os.system, f"touch {marker}"), Payload(eval, f"open({str(marker)!r}, 'w')"),
        Payload(np.load, str(marker)), Payload(np.ndarray, (10**13,)),
    ]  # fmt: skip
    for attack in attacks:
        with pytest.raises(DataError, match="is refused"):
            _pickles.read(pickle.dumps({"data": attack}, protocol=protocol), "data_batch_1")
    assert not marker.exists()


@pytest.mark.parametrize("data", [b"", b"text", b"\x80\x02.", pickle.dumps([1]), b"cos\nsystem\n(S'id'\ntR."])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(DataError, match="is refused"):
        _pickles.read(data, "data_batch_1")


def test_tables_of_old_and_new_pickles_are_read():
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for protocol in (0, 1, 2):
        table = _pickles.read(pickle.dumps({b"data": array, "labels": [1, 2]}, protocol=protocol), "x")
        assert (table["data"] == array).all()
        assert table["labels"] == [1, 2]


# -- MNIST's kind --------------------


def idx(array):
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + shape + array.astype(np.uint8).tobytes()


def glyphs(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)


def put_idx(folder, names, counts, first=0, num_classes=10, packed=False):
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for (images, labels), count in zip(names, counts, strict=True):
        pictures, ids = glyphs(count, count), np.arange(count) % num_classes + first
        for name, array in ((images, pictures), (labels, ids)):
            data = gzip.compress(idx(array)) if packed else idx(array)
            (folder / (name + ".gz" * packed)).write_bytes(data)
        written.append((pictures, ids))
    return written


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_mnist_files_are_read_plain_or_compressed(settings, offline, name, folder, packed):
    names = [(f"{p}-images-idx3-ubyte", f"{p}-labels-idx1-ubyte") for p in ("train", "t10k")]
    (pictures, labels), _ = put_idx(settings.downloads / folder / "raw", names, (50, 20), packed=packed)
    data = prepare(settings, DataConfig(dataset=name))
    assert (data.train.read(np.arange(50)) == pictures[..., None]).all()
    assert data.train.labels.tolist() == labels.tolist()
    assert len(data.test) == 20
    assert data.augmentation.horizontal_flip == (name == "fashion_mnist")


def emnist_names(split):
    return [
        (f"emnist-{split}-{part}-images-idx3-ubyte", f"emnist-{split}-{part}-labels-idx1-ubyte")
        for part in ("train", "test")
    ]


def test_the_letters_of_emnist_have_26_classes_and_stand_upright(settings, offline):
    folder = settings.downloads / "EMNIST" / "raw"
    (pictures, labels), _ = put_idx(folder, emnist_names("letters"), (52, 26), first=1, num_classes=26)
    data = prepare(settings, DataConfig(dataset="emnist_letters"))
    assert data.num_classes == 26
    assert data.class_counts("train").tolist() == [2] * 26
    assert (data.train.read(np.arange(52))[..., 0] == pictures.transpose(0, 2, 1)).all()
    assert data.train.labels.tolist() == (labels - 1).tolist()
    assert any("not the official" in note for note in data.notes)
    assert not data.augmentation.horizontal_flip


def test_emnist_is_read_out_of_its_archive(settings, offline, tmp_path):
    import zipfile

    ((pictures, _), _) = put_idx(tmp_path / "x", emnist_names("digits"), (30, 10), packed=True)
    settings.downloads.mkdir()
    with zipfile.ZipFile(settings.downloads / "gzip.zip", "w") as bundle:
        for file in (tmp_path / "x").iterdir():
            bundle.write(file, f"gzip/{file.name}")
    data = prepare(settings, DataConfig(dataset="emnist_digits"))
    assert (data.train.read(np.arange(30))[..., 0] == pictures.transpose(0, 2, 1)).all()
    with pytest.raises(DataError, match="not EMNIST's archive"):
        prepare(settings, DataConfig(dataset="emnist_letters"))


def test_emnist_letters_stand_upright_in_the_real_files(settings, test_data):
    folder = test_data / "emnist-balanced-derived"
    if not folder.is_dir():
        pytest.skip("no emnist-balanced-derived in the test data")
    own = Settings(settings.home, settings.database_url, (test_data,))
    data = prepare(own, DataConfig(dataset=f"EMNIST:{folder}"))
    assert (len(data.train), len(data.test), data.num_classes) == (22_560, 4_700, 47)

    def ink(letter):
        ids = np.flatnonzero(data.train.labels == data.classes.index(letter))
        return data.train.read(ids)[..., 0].astype(float).mean(axis=0)

    # upright, the stroke of an L lies at its foot, that of a T at its head, and an A is wide at its foot
    assert ink("L")[18:26].sum() > 1.2 * ink("L")[2:10].sum()
    assert ink("T")[2:10].sum() > 1.2 * ink("T")[18:26].sum()
    spread = [np.abs(np.arange(28) - 13.5) @ row / row.sum() for row in ink("A")[[6, 7, 8, 19, 20, 21]]]
    assert np.mean(spread[3:]) > 1.2 * np.mean(spread[:3])


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\x08", b"\0\0\x0d\x03" + bytes(12), b"\0\0\x08\x03" + bytes(5),
     b"\0\0\x08\x03" + b"\xff" * 12, idx(glyphs(2, 0))[:-1], idx(glyphs(2, 0)) + b"x", b"text"],
)  # fmt: skip
def test_a_damaged_idx_file_is_refused(tmp_path, data):
    path = tmp_path / "file-ubyte"
    path.write_bytes(data)
    with pytest.raises(DataError, match="file-ubyte"):
        _idx.read(path)
    packed = tmp_path / "file-ubyte.gz"
    packed.write_bytes(gzip.compress(data) if len(data) != 3 else b"not compressed")
    with pytest.raises(DataError, match="file-ubyte"):
        _idx.read(packed)


@pytest.mark.parametrize("labels", [[0, 10], [0]])
def test_mnist_labels_that_do_not_fit_are_refused(settings, labels):
    folder = settings.downloads / "MNIST" / "raw"
    names = [(f"{p}-images-idx3-ubyte", f"{p}-labels-idx1-ubyte") for p in ("train", "t10k")]
    put_idx(folder, names, (2, 2))
    (folder / names[0][1]).write_bytes(idx(np.array(labels)))
    with pytest.raises(DataError, match=r"do not fit|between 0 and 9"):
        prepare(settings, DataConfig(dataset="mnist"))


def test_svhn_writes_zero_as_ten(settings, offline):
    from scipy.io import savemat

    folder = settings.downloads / "SVHN"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 20), np.uint8)
    for name in ("train", "test"):
        savemat(folder / f"{name}_32x32.mat", {"X": pixels, "y": (np.arange(20) % 10 + 1)[:, None]})
    data = prepare(settings, DataConfig(dataset="svhn"))
    assert data.train.labels.tolist() == [*range(1, 10), 0] * 2
    assert (data.train.read(np.arange(20)) == pixels.transpose(3, 0, 1, 2)).all()
    (folder / "test_32x32.mat").write_bytes(b"garbage")
    with pytest.raises(DataError, match="no file of SVHN"):
        svhn._read(folder / "test_32x32.mat")


# -- made up --------------------


def test_the_shapes_are_the_same_everywhere_and_know_their_traps(settings, tmp_path):
    data = prepare(settings, DataConfig(dataset="shapes"))
    again = prepare(Settings(tmp_path / "other", "", ()), DataConfig(dataset="shapes"))
    assert data.fingerprint == again.fingerprint
    assert {name: len(ids) for name, ids in data.cases.items()} == {
        "hard": 288, "ambiguous": 96, "duplicate": 96, "mislabeled": 96,
    }  # fmt: skip
    ids = [i for case in data.cases.values() for i in case]
    assert len(ids) == len(set(ids))
    pixels = data.train.read(np.arange(len(data.train)))
    seen = {}
    for i, picture in enumerate(pixels):
        seen.setdefault(picture.tobytes(), []).append(i)
    copies = [group for group in seen.values() if len(group) > 1]
    assert sum(len(group) - 1 for group in copies) == 96
    for group in copies:
        assert len(set(data.train.labels[group])) == 1
        assert len(set(group) - set(data.cases["duplicate"])) == 1
    assert data.class_counts("test").tolist() == [100] * 6
    test = {picture.tobytes() for picture in data.test.read(np.arange(600))}
    assert not test & set(seen)


def test_pictures_are_shown_as_they_are(settings):
    data = prepare(settings, DataConfig(dataset="digits"))
    for sample_id in (0, 700, 1296):
        shown, mime = data.train.encoded(sample_id, 256)
        assert mime == "image/png"
        assert (np.asarray(Image.open(io.BytesIO(shown))) == data.train.read(np.array([sample_id]))[0]).all()
    assert data.train.read(np.array([5, 5, 2]), 32).shape == (3, 32, 32, 3)
    assert data.train.file_name(17) == "train-000017.png"
    mean = data.train.read(np.arange(1297)).mean(axis=(0, 1, 2)) / 255
    std = (data.train.read(np.arange(1297)) / 255).std(axis=(0, 1, 2))
    assert data.mean == pytest.approx(mean)
    assert data.std == pytest.approx(std)
