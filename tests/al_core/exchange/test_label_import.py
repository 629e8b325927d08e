"""The plan of an import, its commit and its undo."""

import pytest

from al_core.errors import DataError, NotFound, StoreError
from al_core.exchange import labels
from al_core.exchange.reading import read
from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, LabelSource, Mark
from al_core.results import people
from al_core.types import SKIP, UNLABEL
from al_core.undoing import Undone
from tests.al_core.exchange_session import ODD, make_photos, open_session, tell

MERGE, RETIRE = ClassAct.MERGE, ClassAct.RETIRE


def table(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return read(path)


def reasons(made):
    return {r.place: r.reason for r in made.refused}


def test_the_plan_tells_added_changed_same_and_kept(session, tmp_path):
    tell(session, (0, 0), (1, 1), (2, 2))
    content = table(tmp_path, "sample_id,label\n0,cat\n1,@x\n2,\n3,cat\n4,(skipped)\n")
    made = labels.plan(session, content)
    assert [(c.kind, c.sample_id) for c in made.changes] == [
        ("same", 0), ("changed", 1), ("added", 3), ("added", 4)
    ]  # fmt: skip
    assert made.values == {1: 3, 3: 0, 4: SKIP}
    assert reasons(made) == {"row 4": "it says nothing of the image: no label and no mark"}
    careful = labels.plan(session, content, existing="keep")
    assert careful.values == {3: 0, 4: SKIP}
    assert careful.count("kept") == 1


@pytest.mark.parametrize("made", [ClassChange(1, MERGE, into=0), ClassChange(1, RETIRE, labels="ask")])
def test_images_are_found_by_name_after_a_merge_and_a_retirement(session, tmp_path, made):
    session.change_class(made)
    names = session.dataset.train.names
    assert list(names) == list(session.prepared.train.names)
    content = table(tmp_path, "file,label\nplain.png,cat\nmore/3.png,3\n")
    plan = labels.plan(session, content)
    assert plan.refused == []
    assert sorted(names[i] for i in plan.values) == ["more/3.png", "plain.png"]


def test_nothing_is_written_by_a_plan(session, tmp_path):
    before = session.store.label_log(session.id)
    labels.plan(session, table(tmp_path, "sample_id,label\n0,cat\n"))
    assert session.store.label_log(session.id) == before


def test_every_refused_row_is_named_with_its_number_and_why(session, tmp_path):
    made = labels.plan(
        session,
        table(
            tmp_path,
            "sample_id,file,label\n"
            "0,,cat\n0,,@x\n"  # conflict
            "1,,cat\n1,,cat\n"  # repeated
            "9999,,cat\n"
            "-3,,cat\n"
            "2,,zebra\n"
            ",nowhere.png,cat\n"
            "3,another.png,cat\n"
            ",,cat\n",
        ),
    )
    assert made.values == {1: 0}
    found = reasons(made)
    assert "row 3 says something else" in found["row 2"]
    assert "row 2 says something else" in found["row 3"]
    assert found["row 5"] == "row 4 says the same of this image"
    assert "there is no sample 9999" in found["row 6"]
    assert "no whole number" in found["row 7"]
    assert found["row 8"] == "'zebra' is no class of this session"
    assert made.unknown == {"zebra": 1}
    assert found["row 9"] == "no image of this session has this name"
    assert "the file is of another data set" in found["row 10"]
    assert "names no image" in found["row 11"]
    assert len(found) == 9


def test_images_are_found_by_name_by_the_end_of_a_path_and_in_either_composition(session, tmp_path):
    content = table(
        tmp_path,
        "file,label\n"
        "/somewhere/photos/more/7.png,cat\n"
        "./plain.png,cat\n"
        "1234abcd-8.png,cat\n"
        "ümlaut.png,cat\n"
        "u\u0308mlaut.png,@x\n",
    )
    made = labels.plan(session, content)
    names = {session.dataset.train.file_name(i): v for i, v in made.values.items()}
    assert names == {"more/7.png": 0, "plain.png": 0, "more/8.png": 0, "ümlaut.png": 0, "u\u0308mlaut.png": 3}
    assert not made.refused


def test_a_name_that_several_images_share_is_refused(settings, tmp_path):
    make_photos(tmp_path / "photos")
    make_photos(tmp_path / "photos" / "again")
    opened = open_session(settings, tmp_path / "photos")
    made = labels.plan(opened, table(tmp_path, "file,label\nelse/7.png,cat\n"))
    assert "several images are called" in made.refused[0].reason
    opened.store.close()


def test_all_odd_names_are_found_again_through_a_csv_file(session, tmp_path):
    import csv

    from al_core.results.export import cell

    with (tmp_path / "odd.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        writer.writerows([cell(name), "cat"] for name in ODD)
    made = labels.plan(session, read(tmp_path / "odd.csv"))
    assert not made.refused
    assert {session.dataset.train.file_name(i) for i in made.values} == set(ODD)


def test_classes_of_other_names_are_mapped(session, tmp_path):
    content = table(tmp_path, "sample_id,label\n0,Katze\n1,Hund\n")
    assert labels.plan(session, content).unknown == {"Katze": 1, "Hund": 1}
    made = labels.plan(session, content, mapping={"Katze": "cat", "Hund": "=dog()"})
    assert made.values == {0: 0, 1: 1}


def test_an_import_is_one_commit_and_its_own_undo_gives_back_what_was_there(session, tmp_path):
    tell(session, (0, 2), (1, 1), (5, Mark.NOTE, "old"))
    content = table(tmp_path, "sample_id,label,flag,note\n0,cat,yes,\n1,@x,,\n3,cat,,\n5,,,new\n")
    made = labels.plan(session, content)
    token = labels.apply(session, made)
    assert labels.apply(session, made, token=token) == token  # once more changes nothing
    current = session.store.current_labels(session.id)
    assert {i: e.value for i, e in current.items()} == {0: 0, 1: 3, 3: 0}
    assert {e.source for e in current.values()} == {LabelSource.IMPORT}
    assert current[0].detail == {"import": {"from": "csv", "at": "row 2"}}
    assert [(i.token, i.num_labels, i.num_marks, i.undone) for i in labels.imports(session)] == [
        (token, 3, 2, False)
    ]
    tell(session, (1, 4))  # somebody changes one of them
    undone = labels.undo(session, token)
    assert (undone.labels, undone.marks, undone.left) == (2, 2, 1)
    current = session.store.current_labels(session.id)
    assert {i: e.value for i, e in current.items()} == {0: 2, 1: 4, 3: UNLABEL}
    standing = session.marks()
    assert set(standing) == {5}
    assert standing[5][Mark.NOTE].text == "old"
    assert labels.imports(session)[0].undone
    assert session.store.check() == []
    with pytest.raises(DataError, match="undone already"):
        labels.undo(session, token)


def test_an_undo_gives_back_who_said_what_stood_and_nobody_rates_by_it(session, tmp_path):
    tell(session, (0, 2))
    tell(session, (1, 1), client="truth", annotator="oracle", source=LabelSource.ORACLE)
    before = session.store.current_labels(session.id)
    was = people.quality(session.store.log(session.id))
    token = labels.apply(
        session, labels.plan(session, table(tmp_path, "sample_id,label\n0,cat\n1,@x\n2,3\n"))
    )
    labels.undo(session, token, annotator="Bob")
    current = session.store.current_labels(session.id)
    for i in (0, 1):
        for name in ("value", "annotator", "source", "round"):
            assert getattr(current[i], name) == getattr(before[i], name)
    assert current[2].value == UNLABEL
    log = session.store.log(session.id)
    assert people.quality(log).equals(was)
    assert {who for words in people.ratings(log).values() for who in words} == {"Ada"}


def test_an_import_whose_labels_stand_again_can_be_taken_back(session, tmp_path):
    first = labels.apply(session, labels.plan(session, table(tmp_path, "sample_id,label\n0,cat\n")))
    second = labels.apply(session, labels.plan(session, table(tmp_path, "sample_id,label\n0,@x\n")))
    assert labels.undo(session, second).labels == 1
    assert labels.undo(session, first) == Undone(1, 0, 0)
    assert session.store.current_labels(session.id)[0].value == UNLABEL


def test_a_label_that_comes_in_while_an_import_is_undone_stands(session, tmp_path, monkeypatch):
    token = labels.apply(session, labels.plan(session, table(tmp_path, "sample_id,label\n0,cat\n1,cat\n")))
    add_labels = type(session.store).add_labels

    def at_the_last_moment(store, *args, **more):
        monkeypatch.undo()
        tell(session, (1, 5))
        return add_labels(store, *args, **more)

    monkeypatch.setattr(type(session.store), "add_labels", at_the_last_moment)
    assert labels.undo(session, token) == Undone(1, 0, 1)
    assert {i: e.value for i, e in session.store.current_labels(session.id).items()} == {0: UNLABEL, 1: 5}


def test_a_plan_that_labels_have_overtaken_is_not_written(session, tmp_path):
    made = labels.plan(session, table(tmp_path, "sample_id,label\n0,cat\n"))
    tell(session, (7, 1))
    with pytest.raises(StoreError, match="check it again"):
        labels.apply(session, made)
    assert list(session.store.current_labels(session.id)) == [7]


def test_a_label_that_comes_in_while_a_plan_is_written_stands(session, tmp_path, monkeypatch):
    content = table(tmp_path, "sample_id,label\n0,cat\n1,zebra\n")
    made = labels.plan(session, content, existing="keep", add=["zebra"])
    class_named = Experiment.class_named

    def meanwhile(*args, **more):
        found = class_named(*args, **more)
        tell(session, (0, 4))
        return found

    monkeypatch.setattr(Experiment, "class_named", meanwhile)
    with pytest.raises(StoreError, match="check it again"):
        labels.apply(session, made)
    assert {i: e.value for i, e in session.store.current_labels(session.id).items()} == {0: 4}
    monkeypatch.undo()
    add_labels = type(session.store).add_labels

    def at_the_last_moment(store, *args, **more):
        monkeypatch.undo()
        tell(session, (1, 5))
        return add_labels(store, *args, **more)

    made = labels.plan(session, content, existing="keep")
    monkeypatch.setattr(type(session.store), "add_labels", at_the_last_moment)
    with pytest.raises(StoreError, match="check it again"):
        labels.apply(session, made)
    assert {i: e.value for i, e in session.store.current_labels(session.id).items()} == {0: 4, 1: 5}
    assert labels.imports(session) == []


def test_an_import_that_is_not_there_cannot_be_undone(session):
    with pytest.raises(NotFound):
        labels.undo(session, "nothing")


def test_what_is_set_aside_for_validation_is_refused(settings, tmp_path):
    from al_core.config import DataConfig, ExperimentConfig
    from al_core.data.prepare import prepare
    from al_core.experiment import Experiment
    from al_core.store import open_store

    digits = prepare(settings, DataConfig())
    store = open_store(settings)
    record = store.create_experiment(ExperimentConfig().changed(data__round_validation=0.1))
    store.update_experiment(record.id, dataset_key=digits.key, fingerprint=digits.fingerprint)
    session = Experiment.open(store, settings, record.id)
    aside = int(session.splits.validation_ids[0])
    made = labels.plan(session, table(tmp_path, f"sample_id,label\n{aside},3\n"))
    assert made.refused[0].reason == "it is set aside for validation"
    store.close()
