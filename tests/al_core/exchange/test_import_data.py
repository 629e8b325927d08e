"""Pictures with labels that become a data set."""

import json
import shutil
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_core.cli import main
from al_core.config import DataConfig
from al_core.data.prepare import list_prepared, prepare
from al_core.exchange.reading import read
from al_core.settings import Settings
from tests.al_core.exchange_session import picture


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AL_DATA_ROOTS", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def command(*arguments):
        status = main([str(a) for a in arguments])
        return status, capsys.readouterr().out

    return command


def opened(out):
    name = next(line for line in out.splitlines() if line.startswith("kept: ")).split(" ", 2)[2]
    settings = Settings.from_env()
    return prepare(settings, DataConfig(dataset=name))


def named(split):
    return {split.file_name(i): int(split.labels[i]) for i in range(len(split))}


def photos(folder, count=6):
    for seed in range(count):
        picture(folder / f"p{seed}.png", seed)


def test_a_table_names_classes_that_no_folder_could_bear(run, tmp_path):
    photos(tmp_path / "pictures")
    rows = "".join(f"p{i}.png,{label},{split}\n" for i, (label, split) in enumerate(
        [("..", "train"), ("a/b", "train"), ("..", "test"), ("a/b", "test"), (".x", "train"), (".x", "valid")]
    ))  # fmt: skip
    (tmp_path / "pictures" / "labels.csv").write_text("file,label,split\n" + rows)
    status, out = run("import-data", tmp_path / "pictures")
    assert status == 0
    assert "nothing was kept" in out
    assert list_prepared(Settings.from_env()) == []
    status, out = run("import-data", tmp_path / "pictures", "--apply", "--name", "Odd classes")
    data = opened(out)
    assert data.title == "Odd classes"
    assert data.classes == ("..", ".x", "a/b")
    assert named(data.test) == {"p2.png": 0, "p3.png": 2}
    assert named(data.train) == {"p0.png": 0, "p1.png": 2, "p4.png": 1, "p5.png": 1}
    assert not list((tmp_path / "home" / "imports" / "checking").iterdir())


def test_every_bad_row_is_named_and_the_rest_is_kept(run, tmp_path):
    photos(tmp_path / "in")
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "secret.png").write_bytes((tmp_path / "in" / "p0.png").read_bytes())
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "labels.csv").write_text(
        "file,label\np0.png,a\np1.png,b\np2.png,a\np2.png,b\nbroken.png,a\ngone.png,a\n../secret.png,a\n"
        "link.png,a\n/etc/passwd,a\np3.png,b\np3.png,b\n"
    )
    status, out = run("import-data", tmp_path / "labels.csv", "--pictures", tmp_path / "in", "--refused",
                      tmp_path / "refused.csv")  # fmt: skip
    assert status == 1
    refused = (tmp_path / "refused.csv").read_text()
    for place, reason in (
        ("row 5", "names the same picture"), ("row 4", "another class"),
        ("row 6", "not a picture of a known format"),
        ("row 7", "no such file"), ("row 8", "it holds '..'"), ("row 9", "leads out of its folder"),
        ("row 10", "must be relative"), ("row 12", "names the same picture"),
    ):  # fmt: skip
        assert any(line.startswith(place) and reason in line for line in refused.splitlines()), (
            place,
            refused,
        )
    _, out = run("import-data", tmp_path / "labels.csv", "--pictures", tmp_path / "in", "--apply")
    data = opened(out)
    assert set(named(data.train)) | set(named(data.test)) == {"p0.png", "p1.png", "p3.png"}


def test_a_zip_of_class_folders_is_unpacked_and_prepared(run, tmp_path):
    for seed in range(8):
        picture(tmp_path / "src" / ("cat" if seed % 2 else "dog 😀") / f"{seed}\n.png", seed)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in (tmp_path / "src").rglob("*.png"):
            archive.write(path, path.relative_to(tmp_path / "src"))
        archive.writestr("../out.png", b"evil")
    shutil.rmtree(tmp_path / "src")
    status, out = run("import-data", tmp_path / "photos.zip", "--apply")
    assert status == 0
    assert "refused member 9" in out
    data = opened(out)
    assert data.classes == ("cat", "dog 😀")
    assert len(data.train) + len(data.test) == 8
    assert not (tmp_path / "out.png").exists()
    assert not (tmp_path / "home" / "imports" / "out.png").exists()


def hugging_face(folder, form):
    """As `save_to_disk` (arrow) or the hub (parquet) lays a data set out."""
    features = {"image": {"_type": "Image"}, "label": {"names": ["ant", "bee"], "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())]
    )
    for split, first in (("train", 0), ("test", 6)):
        rows = []
        for seed in range(first, first + 6):
            picture(folder / "tmp.png", seed)
            rows.append(
                {"image": {"bytes": (folder / "tmp.png").read_bytes(), "path": None}, "label": seed % 2}
            )
        (folder / "tmp.png").unlink()
        if form == "arrow":
            place = folder / split
            place.mkdir()
            (place / "dataset_info.json").write_text(json.dumps({"features": features}))
            path = str(place / "data-00000-of-00001.arrow")
            with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        else:
            (folder / "data").mkdir(exist_ok=True)
            told = {"huggingface": json.dumps({"info": {"features": features}})}
            table = pa.Table.from_pylist(rows, schema=schema.with_metadata(told))
            pq.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_a_hugging_face_data_set_keeps_classes_splits_and_pixels(run, tmp_path, form):
    folder = tmp_path / "set"
    folder.mkdir()
    hugging_face(folder, form)
    status, out = run("import-data", folder, "--apply", "--name", "insects")
    assert status == 0
    data = opened(out)
    assert data.classes == ("ant", "bee")
    assert (len(data.train), len(data.test)) == (6, 6)
    picture(tmp_path / "first.png", 0)
    assert data.train.original(0)[0] == (tmp_path / "first.png").read_bytes()
    assert data.train.labels.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_parquet_table_beside_pictures_is_read_as_a_csv_is(run, tmp_path):
    photos(tmp_path / "in")
    rows = {"file": [f"p{i}.png" for i in range(6)], "label": ["x", "y"] * 3}
    pq.write_table(pa.table(rows), tmp_path / "in" / "labels.parquet")
    status, out = run("import-data", tmp_path / "in", "--apply")
    assert status == 0
    data = opened(out)
    assert data.classes == ("x", "y")
    found = named(data.train) | named(data.test)
    assert [data.classes[found[name]] for name in rows["file"]] == rows["label"]


@pytest.mark.parametrize("order", [("bytes", "path"), ("path", "bytes")])
def test_a_parquet_file_of_pictures_is_one_whatever_the_order_of_their_fields(tmp_path, order):
    picture(tmp_path / "p.png", 3)
    image = {"bytes": (tmp_path / "p.png").read_bytes(), "path": "a.png"}
    kind = pa.struct([(name, {"bytes": pa.binary(), "path": pa.string()}[name]) for name in order])
    columns = {"image": pa.array([image], kind), "label": pa.array(["x"])}
    pq.write_table(pa.table(columns), tmp_path / "set.parquet")
    (tmp_path / "space").mkdir()
    content = read(tmp_path / "set.parquet", workspace=tmp_path / "space", whole=True)
    assert (content.format, content.refused) == ("hf", [])
    assert (content.root / content.rows[0].file).read_bytes() == image["bytes"]


def test_pictures_without_a_label_are_kept_and_never_set_aside_to_test(run, tmp_path):
    photos(tmp_path / "in", 20)
    rows = "".join(f"p{i}.png,{'ab'[i % 2] if i < 10 else ''}\n" for i in range(20))
    (tmp_path / "in" / "labels.csv").write_text("file,label\n" + rows)
    _, out = run("import-data", tmp_path / "in", "--apply")
    assert "10 pictures have no label" in out
    data = opened(out)
    assert (data.test.labels >= 0).all()
    assert int(np.sum(data.train.labels < 0)) == 10
    assert not data.has_truth


def test_an_imported_data_set_that_changed_is_prepared_again(run, tmp_path):
    photos(tmp_path / "in")
    (tmp_path / "in" / "labels.csv").write_text(
        "file,label\n" + "".join(f"p{i}.png,{'ab'[i % 2]}\n" for i in range(6))
    )
    _, out = run("import-data", tmp_path / "in", "--apply")
    first = opened(out)
    (tmp_path / "in" / "p0.png").unlink()
    again = opened(out)
    assert first.fingerprint != again.fingerprint
    assert "gone since it was imported" in again.refused[0].reason


def test_labels_are_imported_undone_and_exported_from_the_command_line(run, tmp_path):
    from al_core.config import ExperimentConfig
    from al_core.store import open_store

    settings = Settings.from_env()
    digits = prepare(settings, DataConfig())
    store = open_store(settings)
    record = store.create_experiment(ExperimentConfig())
    store.update_experiment(record.id, dataset_key=digits.key, fingerprint=digits.fingerprint)
    (tmp_path / "labels.csv").write_text("sample_id,label\n0,one\n1,4\n2,zebra\n")
    status, out = run("import-labels", record.id, tmp_path / "labels.csv", "--map", "one=1")
    assert status == 1
    assert "2 added, 0 changed" in out
    assert "refused row 4: 'sample 2': 'zebra' is no class of this session" in out
    assert store.current_labels(record.id) == {}
    status, out = run("import-labels", record.id, tmp_path / "labels.csv", "--map", "one=1", "--apply")
    assert status == 0
    assert {i: e.value for i, e in store.current_labels(record.id).items()} == {0: 1, 1: 4}
    token = out.split("written as import ")[1].split(";")[0]
    status, out = run("export", record.id, "--as", "coco", "--out", tmp_path / "coco")
    assert sorted(p.name for p in (tmp_path / "coco").iterdir()) == ["coco.json", "run-card.json"]
    status, out = run("import-labels", record.id, tmp_path / "coco" / "coco.json")
    assert "0 added, 0 changed, 2 same" in out
    assert f"{token}  2 labels" in run("import-labels", record.id, "--list")[1]
    assert "taken back: 2 labels" in run("import-labels", record.id, "--undo", token)[1]
    store.close()
