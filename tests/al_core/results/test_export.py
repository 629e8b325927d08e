import csv
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig
from al_core.data.dataset import Augmentation, Dataset, Split
from al_core.data.prepare import prepare
from al_core.records import LabelEvent, LabelSource, Mark, MarkEvent, Query, QueryItem
from al_core.results.export import MANIFEST, cell, class_folders, safe_name, write_queries
from al_core.types import EXCLUDE, SKIP


class Encoded(Split):
    """Images whose pixels say their sample id."""

    def _read(self, ids, size):
        pixels = np.zeros((len(ids), size, size, 3), np.uint8)
        pixels[..., 0], pixels[..., 1] = (ids // 256)[:, None, None], (ids % 256)[:, None, None]
        return pixels

    def _encoded(self, sample_id, width):
        buffer = io.BytesIO()
        Image.fromarray(self._read(np.array([sample_id]), 8)[0]).save(buffer, "PNG")
        return buffer.getvalue(), "image/png"

    def _file_name(self, sample_id):
        return f"../=evil{sample_id % 7}/{sample_id}.png"


def dataset(classes=("cat", "dog", "=cmd|x")):
    labels = np.arange(900, dtype=np.int64) % len(classes)
    split = Encoded("train", labels, 8)
    return Dataset(
        "k",
        "s",
        "t",
        tuple(classes),
        "f",
        split,
        split,
        8,
        True,
        "memmap",
        Augmentation(),
        (0.5,) * 3,
        (0.2,) * 3,
    )


def query(number, ids, guesses=((2, 0.7), (0, 0.2))):
    items = tuple(QueryItem(r, int(i), -0.5, guesses) for r, i in enumerate(ids))
    return Query("e", number, "margin", items, 900, "h", 0.0)


def event(sample, value):
    return LabelEvent(1, "e", sample, value, LabelSource.HUMAN, "", 0, "c", 1, 0.0)


def export(data, queries, labels, **options):
    buffer = io.BytesIO()
    count = write_queries(buffer, data, queries, labels, **options)
    archive = zipfile.ZipFile(buffer)
    rows = list(csv.DictReader(io.StringIO(archive.read(MANIFEST).decode())))
    assert len(rows) == count
    return archive, rows


def identity(archive, path):
    pixel = np.asarray(Image.open(io.BytesIO(archive.read(path))))[0, 0]
    return int(pixel[0]) * 256 + int(pixel[1])


def test_every_exported_image_is_the_queried_one():
    picked = np.random.default_rng(0).permutation(900)[:300]
    queries = [query(n, picked[100 * n : 100 * n + 100]) for n in range(3)]
    labels = {int(i): event(int(i), int(i) % 3) for i in picked}
    archive, rows = export(dataset(), queries, labels)
    assert [int(row["sample_id"]) for row in rows] == picked.tolist()
    assert all(identity(archive, row["path"]) == int(row["sample_id"]) for row in rows)
    assert all(int(row["label_id"]) == int(row["sample_id"]) % 3 for row in rows)


def test_images_lie_in_the_folder_of_their_answer():
    labels = {1: event(1, 1), 2: event(2, SKIP), 3: event(3, EXCLUDE)}
    _, rows = export(dataset(), [query(0, [1, 2, 3, 4])], labels)
    assert [row["path"].split("/")[0] for row in rows] == ["dog", "_skipped", "_excluded", "_unlabeled"]


def test_no_path_leaves_its_folder():
    archive, _ = export(dataset(["../../etc", "/root", "C:\\x"]), [query(0, range(60))], {
        i: event(i, i % 3) for i in range(60)
    })  # fmt: skip
    for name in archive.namelist():
        assert not name.startswith("/")
        assert ".." not in name.split("/")
        assert "\\" not in name
        assert ":" not in name


def test_no_cell_of_the_manifest_is_a_formula():
    _, rows = export(dataset(), [query(0, range(30))], {i: event(i, i % 3) for i in range(30)})
    texts = [value for row in rows for name, value in row.items() if name not in ("score",)]
    assert not any(text.lstrip()[:1] in ("=", "+", "@") for text in texts)
    assert any(row["label"] == "'=cmd|x" for row in rows)


def test_numbers_are_left_as_numbers():
    assert cell(-0.5) == -0.5
    assert cell("-0.5") == "'-0.5"
    assert cell("\t=1") == "'\t=1"
    assert cell(None) == ""


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "con", "COM1.txt", "x" * 300, "\0", "_skipped", "a. "]
)
def test_safe_names_are_one_part_of_a_path(name):
    safe = safe_name(name)
    assert safe
    assert safe not in (".", "..", "_skipped")
    assert len(safe) <= 61
    assert not set(safe) & set('/\\:*?"<>|\0')
    assert not safe.lower().startswith(("con", "com1"))


def test_classes_that_would_share_a_folder_keep_apart():
    assert class_folders(["a/b", "a:b", "Cat", "cat", "dog"]) == ["a_b-0", "a_b-1", "Cat-2", "cat-3", "dog"]


def test_the_filter_decides_what_is_written():
    _, rows = export(dataset(), [query(0, range(10))], {}, keep=lambda i: i % 2 == 0)
    assert [int(row["sample_id"]) for row in rows] == [0, 2, 4, 6, 8]


def test_an_image_asked_twice_is_written_once_and_listed_twice():
    archive, rows = export(dataset(), [query(0, [5]), query(1, [5])], {5: event(5, 0)})
    assert len(rows) == 2
    assert len(archive.namelist()) == 2


def test_original_files_are_copied_byte_for_byte(tmp_path, settings):
    for place, (split, name) in enumerate((s, n) for s in ("train", "test") for n in ("ant", "bee")):
        folder = tmp_path / "mine" / split / name
        folder.mkdir(parents=True)
        for number in range(3):
            color = (60 * number, 60 * place, 9)
            Image.new("RGB", (80 + number, 70), color).save(folder / f"{number}.jpg", quality=70)
    data = prepare(settings, DataConfig(dataset=f"folder:{tmp_path / 'mine'}"))
    archive, rows = export(data, [query(0, [0, 5], guesses=())], {})
    for row in rows:
        assert archive.read(row["path"]) == (tmp_path / "mine" / row["name"]).read_bytes()


def test_marks_and_notes_are_in_the_manifest_and_notes_are_no_formulas():
    said = {kind: MarkEvent(1, 2, kind, True, "=1+1", "", 0, 0.0) for kind in (Mark.UNSURE, Mark.NOTE)}
    _, rows = export(dataset(), [query(0, [1, 2])], {2: event(2, 0)}, marks={2: said})
    columns = [(row["unsure"], row["flagged"], row["note"]) for row in rows]
    assert columns == [("", "", ""), ("yes", "", "'=1+1")]
