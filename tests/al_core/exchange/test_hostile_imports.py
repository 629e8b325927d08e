"""Files that are broken, or made to do harm: each is refused in words, or its rows are; nothing escapes."""

import io
import json
import os
import stat
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_core.errors import DataError
from al_core.exchange import archive
from al_core.exchange.archive import unpack
from al_core.exchange.reading import read
from tests.al_core.exchange_session import picture


def save(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


BROKEN = {
    "empty.csv": "",
    "no-columns.csv": "a,b\n1,2\n",
    "no-label.csv": "sample_id\n1\n",
    "no-image.csv": "label\ncat\n",
    "latin.csv": "file,label\ncaf\xe9.png,cat\n".encode("latin-1"),
    "binary.csv": bytes(range(256)) * 4,
    "huge-field.csv": "file,label\n" + "x" * 200_000 + ",cat\n",
    "twice.csv": "file,label,label\na,b,c\n",
    "empty.json": "",
    "half.json": '[{"file": "a.png", "label": ',
    "deep.json": "[" * 100_000,
    "number.json": "17",
    "string.json": '"cat"',
    "nested.json": '{"a": {"b": 1}}',
    "empty.parquet": b"",
    "text.parquet": b"PAR1 this is no parquet PAR1",
    "empty.arrow": b"",
    "text.arrow": b"ARROW1\0\0 no arrow",
    "empty.zip": b"",
    "text.zip": b"PK\x03\x04 no zip",
    "other.xlsx": b"PK",
    "coco-no-name.json": json.dumps({"images": [], "annotations": [], "categories": [{"id": 1}]}),
    "coco-twice.json": json.dumps(
        {"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}
    ),
    "coco-odd-id.json": json.dumps(
        {"images": [], "annotations": [], "categories": [{"id": [], "name": "a"}]}
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_in_words(tmp_path, name):
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(DataError):
        read(save(tmp_path, name, BROKEN[name]), workspace=work, whole=True)


def test_a_truncated_parquet_file_is_refused_wherever_it_is_cut(tmp_path):
    table = pa.table({"sample_id": list(range(2000)), "label": ["cat", "dog"] * 1000})
    pq.write_table(table, tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    for cut in range(0, len(whole) - 1, len(whole) // 12):
        with pytest.raises(DataError):
            read(save(tmp_path, "cut.parquet", whole[:cut]))


def test_flipped_bytes_in_parquet_never_do_more_than_refuse(tmp_path):
    table = pa.table({"sample_id": list(range(300)), "label": ["cat"] * 300})
    pq.write_table(table, tmp_path / "whole.parquet")
    whole = bytearray((tmp_path / "whole.parquet").read_bytes())
    for place in range(4, len(whole), max(1, len(whole) // 40)):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        try:
            content = read(save(tmp_path, "flipped.parquet", bytes(flipped)))
        except DataError:
            continue
        assert len(content.rows) + len(content.refused) <= 300


ODD_ROWS = [
    ({"sample_id": True, "label": "a"}, "no whole number"),
    ({"sample_id": 1.5, "label": "a"}, "no whole number"),
    ({"sample_id": "1e3", "label": "a"}, "no whole number"),
    ({"sample_id": 10**30, "label": "a"}, "no whole number"),
    ({"sample_id": 1, "answer": "perhaps"}, "is none of labeled"),
    ({"sample_id": 1, "answer": "labeled"}, "has no label"),
]


@pytest.mark.parametrize(("row", "reason"), ODD_ROWS)
def test_an_odd_row_is_refused_and_the_next_is_read(tmp_path, row, reason):
    text = json.dumps([row, "no object", {"sample_id": 2, "label": "cat"}])
    content = read(save(tmp_path, "rows.json", text))
    assert [r.sample_id for r in content.rows] == [2]
    assert reason in content.refused[0].reason
    assert content.refused[1].place == "entry 2"


def test_more_cells_than_the_header_are_refused_by_row(tmp_path):
    content = read(save(tmp_path, "wide.csv", "sample_id,label\n1,cat,oh\n2,dog\n"))
    assert [r.place for r in content.refused] == ["row 2"]
    assert [r.sample_id for r in content.rows] == [2]


# -- COCO and Label Studio --------------------------------------------------------------------------------


def coco(*annotations, images=2):
    return json.dumps(
        {
            "images": [{"id": i, "file_name": f"{i}.png"} for i in range(images)],
            "categories": [{"id": 5, "name": "cat"}, {"id": 9, "name": "dog"}],
            "annotations": [
                dict(zip(("image_id", "category_id", "area"), a, strict=True)) for a in annotations
            ],
        }
    )


def labels_of(content):
    return {row.file: row.label for row in content.rows if row.label}


def test_an_image_of_several_categories_is_named_and_a_rule_decides(tmp_path):
    path = save(tmp_path, "coco.json", coco((0, 5, 1), (0, 9, 50), (0, 5, 2), (1, 9, 1)))
    content = read(path)
    assert labels_of(content) == {"1.png": "dog"}
    assert "it has 2 classes ('cat', 'dog')" in content.refused[0].reason
    assert labels_of(read(path, several="first"))["0.png"] == "cat"
    assert labels_of(read(path, several="most"))["0.png"] == "cat"
    assert labels_of(read(path, several="largest"))["0.png"] == "dog"
    tied = save(tmp_path, "tied.json", coco((0, 5, 1), (0, 9, 1)))
    assert "equal by count" in read(tied, several="most").refused[0].reason


def test_annotations_of_nothing_are_named(tmp_path):
    content = read(save(tmp_path, "coco.json", coco((77, 5, 1), (0, 1, 1), (0, 9, 1))))
    assert [(r.place, r.reason) for r in content.refused] == [
        ("annotation 1", "no image has this id"), ("annotation 2", "no category has this id")
    ]  # fmt: skip
    assert labels_of(content) == {"0.png": "dog"}


def task(image, *choices, **more):
    result = [{"type": "choices", "value": {"choices": list(choices)}}] if choices else []
    return {"data": {"picture": image}, "annotations": [{"result": result, **more}]}


def test_label_studio_tasks_are_read_wherever_their_picture_is(tmp_path):
    tasks = [
        task("/data/upload/3/1234abcd-a.png", "cat"),
        task("/data/local-files/?d=photos/b%20c.png", "dog"),
        task("s3://bucket/folder/d.png", "cat"),
        task("/data/upload/e.png", was_cancelled=True),
        task("f.png", "cat", "dog"),
        {"no": "data"},
    ]
    content = read(save(tmp_path, "ls.json", json.dumps(tasks)))
    assert labels_of(content) == {
        "/data/upload/3/1234abcd-a.png": "cat", "photos/b c.png": "dog", "folder/d.png": "cat"
    }  # fmt: skip
    assert next(row for row in content.rows if row.file.endswith("e.png")).answer == "skip"
    assert [r.place for r in content.refused] == ["task 5", "task 6"]


# -- zips -------------------------------------------------------------------------------------------------


def zip_of(*members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, data in members:
            made.writestr(name, data)
    buffer.seek(0)
    return buffer


EVIL = [
    "../out.png", "a/../../out.png", "/etc/out.png", "C:\\out.png", "C:/out.png", "\\\\host\\out.png",
    "a\\..\\out.png", "a//b.png", "./a.png", "~/out.png", "x" * 300 + ".png", "//host/share.png",
]  # fmt: skip


@pytest.mark.parametrize("name", EVIL)
def test_a_member_with_a_bad_name_is_refused_and_the_rest_unpacked(tmp_path, name):
    target = tmp_path / "in" / "target"
    target.mkdir(parents=True)
    names, refused = unpack(zip_of((name, b"x"), ("good/a.png", b"y")), target)
    assert names == ["good/a.png"]
    assert len(refused) == 1
    found = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert found == ["in/target/good/a.png"]


def test_links_devices_and_encrypted_members_are_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, kind in (("link", stat.S_IFLNK), ("fifo", stat.S_IFIFO), ("device", stat.S_IFCHR)):
            info = zipfile.ZipInfo(f"{name}.png")
            info.external_attr = (kind | 0o777) << 16
            made.writestr(info, "/etc/passwd")
        made.writestr("a.png", b"x")
        made.filelist[-1].flag_bits |= 1
    names, refused = unpack(buffer, tmp_path)
    assert names == []
    assert [r.what for r in refused] == ["link.png", "fifo.png", "device.png", "a.png"]
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_is_there_is_not_written_through(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("precious")
    target = tmp_path / "target"
    target.mkdir()
    (target / "a.png").symlink_to(outside)
    unpack(zip_of(("a.png", b"evil")), target)
    assert outside.read_text() == "precious"


def test_repeated_names_and_a_file_where_a_folder_is_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        made = zip_of(("a/b.png", b"1"), ("a/b.png", b"2"), ("a", b"3"))
    names, refused = unpack(made, tmp_path)
    assert names == ["a/b.png"]
    assert (tmp_path / "a" / "b.png").read_bytes() == b"1"
    assert [r.place for r in refused] == ["member 2", "member 3"]


def test_a_bomb_is_refused_whole(tmp_path):
    with pytest.raises(DataError, match="made to burst"):
        unpack(zip_of(("zeros.bin", bytes(8 * 2**20))), tmp_path)


def test_a_size_that_lies_is_counted_again(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_TOTAL", 1000)
    made = zip_of(("a.png", os.urandom(5000)), method=zipfile.ZIP_STORED).getvalue()
    lie = made.replace(struct.pack("<II", 5000, 5000), struct.pack("<II", 5000, 10))
    assert lie != made
    (tmp_path / "lie").mkdir()
    try:
        names, refused = unpack(io.BytesIO(lie), tmp_path / "lie")
    except DataError:
        return
    assert names == []
    assert len(refused) == 1


def test_too_many_or_too_large_members_and_overlapping_ones_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(DataError, match="has 3 members"):
        unpack(zip_of(*((f"{i}.png", b"x") for i in range(3))), tmp_path)
    monkeypatch.setattr(archive, "MAX_TOTAL", 10)
    with pytest.raises(DataError, match="unpacked"):
        unpack(zip_of(("a.png", b"x" * 11)), tmp_path)
    monkeypatch.undo()
    with zipfile.ZipFile(zip_of(("a.png", b"x" * 50), ("b.png", b"y" * 50)), "r") as made:
        made.infolist()[1].header_offset = made.infolist()[0].header_offset + 5
        with pytest.raises(DataError, match="lie over each other"):
            archive._unpack(made, tmp_path, lambda name: True, lambda done, total: None)


def test_a_damaged_member_is_named_and_leaves_nothing(tmp_path):
    made = bytearray(zip_of(("a.png", os.urandom(3000)), ("b.png", b"y")).getvalue())
    made[500] ^= 0xFF
    names, refused = unpack(io.BytesIO(bytes(made)), tmp_path)
    assert names == ["b.png"]
    assert "damaged" in refused[0].reason
    assert not (tmp_path / "a.png").exists()


def test_a_folder_that_holds_one_folder_is_looked_into(tmp_path):
    picture(tmp_path / "a" / "b" / "cat" / "1.png", 1)
    picture(tmp_path / "a" / "b" / "dog" / "2.png", 2)
    content = read(tmp_path / "a")
    assert labels_of(content) == {"cat/1.png": "cat", "dog/2.png": "dog"}
    assert content.root == tmp_path / "a" / "b"
