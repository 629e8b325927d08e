import json
from typing import get_args

import pytest
from conftest import components
from PIL import Image

from al_core.config import DataConfig, ExperimentConfig
from al_core.cost.calibration import (
    Calibration,
    NetworkSpeed,
    SelectionSpeed,
    machine,
    network_key,
    strategy_key,
)
from al_core.data.prepare import prepare
from al_core.presets import PRESETS
from al_core.query.strategies import STRATEGIES
from al_core.study_presets import study_preset
from pages.components import config_form, preset_choice
from state import draft, handles, session, starting


def part(app, name):
    app.session_state["part"] = name
    return app.run()


def start_from(app):
    return next(widget for widget in app.selectbox if widget.label == "Start from")


def cards(app, label):
    found = [json.loads(proto.json) for proto in components(app, "choice_cards")]
    return next(data for data in found if data["label"] == label)


def held(app):
    return draft.read({p: app.session_state[config_form.key_of(p)] for p in draft.PATHS})[0]


def test_the_first_visit_can_create_at_once(visit, home, digits):
    app = visit("setup")
    assert not app.exception
    create = app.button(key="create")
    assert not create.disabled
    create.click().run()
    record = home.experiments()[0]
    assert record.name == "Digits (8 x 8), Auto (uncertainty herding)"
    assert record.config.stop.n_rounds == 10
    assert [job.kind for job in home.jobs(active=True)] == ["advance"]


def test_every_option_of_the_config_has_a_field_or_a_part_of_its_own(visit, digits):
    app = visit("setup")
    # a share needs a second strategy, and power one that scores
    app.session_state[config_form.key_of("query.second")] = "bald"
    seen = set()
    for name in ("Images", "Model", "Strategy", "Plan", "Training"):
        app = part(app, name)
        assert not app.exception
        kinds = (app.number_input, app.selectbox, app.checkbox, app.text_input)
        seen |= {
            w.key.removeprefix("option:")
            for kind in kinds
            for w in kind
            if (w.key or "").startswith("option:")
        }
    cards_of = {"data.dataset", "model.model", "query.strategy", "query.options", "query.second_options"}
    committee = {"query.committee", "query.members"}  # asked for where a strategy has a committee
    oracles = {path for path in draft.PATHS if path.startswith("answers.")}  # those that the oracle reads
    forks = {"share_labels"}  # the fork dialog's
    assert seen | cards_of | committee | oracles | forks == set(draft.PATHS)


def test_an_oracle_asks_for_what_it_reads_and_leaves_nothing_behind(visit, digits):
    app = part(visit("setup"), "Plan")
    app.selectbox(key="option:oracle").set_value("recorded").run()
    assert app.text_input(key="option:answers.recorded_file").value is None
    assert any("need the path of their file" in m.value for m in app.markdown)
    app.text_input(key="option:answers.recorded_file").set_value("/etc/passwd").run()
    assert any("is below no data root" in m.value for m in app.markdown)
    app.selectbox(key="option:oracle").set_value("noisy").run()
    assert any("need a rate" in m.value for m in app.markdown)
    app.number_input(key="option:answers.noise_rate").set_value(0.2).run()
    assert not app.button(key="create").disabled
    app.selectbox(key="option:oracle").set_value("truth").run()
    assert not app.button(key="create").disabled
    assert app.session_state["option:answers.noise_rate"] is None
    assert app.session_state["option:answers.recorded_file"] is None


def test_a_value_survives_the_way_to_another_part_and_back(visit, digits):
    app = part(visit("setup"), "Training")
    app.number_input(key="option:train.epochs").set_value(77).run()
    app = part(part(app, "Images"), "Training")
    assert app.number_input(key="option:train.epochs").value == 77


def places(block, path=()):
    """Where on the page each field stands, by its key."""
    found = {}
    for number, child in block.children.items():
        if key := getattr(child, "key", None):
            found[key] = (*path, number)
        if hasattr(child, "children"):
            found |= places(child, (*path, number))
    return {key: at for key, at in found.items() if key.startswith(("option:", "strategy-option:"))}


def another(widget):
    """A value that the field does not hold: some are refused, which is part of the test."""
    if widget.type == "checkbox":
        return not widget.value
    if widget.type == "number_input":
        return (widget.value or 0) + 1
    if widget.key == "option:query.second":
        return "bald"
    if widget.type == "selectbox":
        choices = get_args(config_form.find(widget.key.removeprefix("option:")).annotation)
        return next(choice for choice in choices if choice != widget.value)
    return "something"


def test_what_the_browser_still_says_of_an_old_preset_is_no_choice(visit, digits, monkeypatch):
    app = part(visit("setup"), "Training")
    before = start_from(app).key
    app.number_input(key="option:train.epochs").set_value(8).run()
    assert (start_from(app).value, held(app).train.epochs) == ("own", 8)
    assert start_from(app).key != before
    held_then = {before: "quick"}
    monkeypatch.setattr(preset_choice.st, "session_state", held_then)
    preset_choice._choose(before, "quick")
    assert held_then == {before: "quick"}


@pytest.mark.parametrize("name", ["Images", "Model", "Strategy", "Plan", "Training"])
def test_no_field_moves_when_another_is_changed(visit, digits, name):
    app = part(visit("setup"), name)
    before = places(app.main)
    assert before
    for key in before:
        kinds = (app.number_input, app.selectbox, app.checkbox, app.text_input)
        (widget,) = (found for kind in kinds for found in kind if found.key == key)
        value = another(widget)
        widget.set_value(value).run()
        assert not app.exception
        after = places(app.main)
        moved = {k: (at, after[k]) for k, at in before.items() if k in after and after[k] != at}
        assert not moved, f"{key} = {value!r}"
        before = after


@pytest.mark.parametrize(
    ("place", "path", "value", "words"),
    [
        ("Training", "train.epochs", 0, "greater than or equal to 1"),
        ("Plan", "query.n_new", -5, "greater than or equal to 1"),
        ("Plan", "stop.patience", 3, "round\\_validation"),
        ("Plan", "stop.budget", 5, "below the initial set"),
    ],
)
def test_a_refused_value_is_said_beside_its_field_and_nothing_is_created(
    visit, home, digits, place, path, value, words
):
    app = part(visit("setup"), place)
    app.number_input(key=f"option:{path}").set_value(value).run()
    assert any(words in m.value for m in app.markdown), [m.value for m in app.markdown]
    assert app.button(key="create").disabled
    assert any("to put right" in text.value for text in app.text)
    assert home.experiments() == []


def test_a_strategy_that_the_model_cannot_serve_is_grey_and_says_why(visit, digits):
    app = visit("setup")
    app.session_state[config_form.key_of("model.model")] = "resnet18"
    app = part(app, "Strategy")
    items = cards(app, "Query strategy")["items"]
    by_id = {item["id"]: item for item in items}
    assert by_id["margin"]["refused"] == ""
    needy = [item for item in items if "needs dropout" in item["facts"]]
    assert needy
    assert all("has no dropout" in item["refused"] for item in needy)


def test_the_paper_preset_asks_for_its_images_before_it_can_start(visit, digits):
    app = visit("setup")
    start_from(app).set_value("paper").run()
    assert held(app).stop.n_rounds == study_preset("paper").values["base"]["stop"]["n_rounds"]
    assert app.button(key="create").disabled
    assert any("Download 170 MB" in button.label for button in app.button)


def test_data_sets_say_what_they_are_and_what_they_cost(visit, digits):
    by_id = {item["id"]: item for item in cards(visit("setup"), "Data set")["items"]}
    assert by_id["digits"]["badge"] == "ready"
    assert "MB" in by_id["cifar10"]["badge"]
    assert "folder" in by_id


def test_preparing_is_a_job_that_the_page_follows(visit, home):
    app = visit("setup")
    app.button(key="prepare").click().run()
    job = home.jobs()[0]
    assert (job.kind, job.spec["data"]["dataset"], job.spec["download"]) == ("prepare", "digits", False)
    assert app.button(key="stop-prepare")


def test_a_folder_outside_the_data_roots_is_refused_beside_the_choice(visit, digits):
    app = visit("setup")
    app.session_state[config_form.key_of("data.dataset")] = "folder:/etc"
    app.run()
    assert not app.exception
    assert any("data root" in m.value.replace("\\", "") for m in [*app.markdown, *app.error])
    assert app.button(key="create").disabled


def test_a_double_click_makes_one_session(visit, home, digits):
    app = visit("setup")
    tab = app.session_state[session.KEY]
    key = tab.form
    config = held(app)
    starting.begin(config, key=key)
    starting.begin(config, key=key)
    assert len(home.experiments()) == 1


def cost_words(app):
    return next(m.value for m in app.markdown if "A query on this machine" in m.value)


def test_a_strategy_says_when_it_helps_and_hurts_and_links_its_paper(visit, digits):
    app = visit("setup")
    app.session_state[config_form.key_of("query.strategy")] = "badge"
    app = part(app, "Strategy")
    said = [m.value for m in app.markdown]
    assert any(m.startswith("**Helps:** hundreds of labels") for m in said)
    assert any(m.startswith("**Hurts:**") for m in said)
    assert any("[arXiv 1906.03671](https://arxiv.org/abs/1906.03671)" in m for m in said)
    assert any("g(x) = (p(x)" in code.value for code in app.code)


def test_only_what_applies_to_the_strategy_is_asked(visit, digits):
    app = visit("setup")
    app.session_state[config_form.key_of("query.strategy")] = "badge"
    app = part(app, "Strategy")
    keys = {w.key for w in app.number_input}
    assert "option:query.candidates" in keys
    assert not {"option:query.power", "option:query.share"} & keys
    app.session_state[config_form.key_of("query.second")] = "margin"
    keys = {w.key for w in app.run().number_input}
    assert {"option:query.power", "option:query.share"} <= keys


def test_a_cost_that_nobody_measured_is_measured_in_the_background_once(visit, home, digits):
    app = part(visit("setup"), "Strategy")
    assert "not measured yet" in cost_words(app)
    app.session_state["option:name"] = "another name"
    app = part(app, "Plan")
    assert "not measured yet" in cost_words(app)
    waiting = home.jobs(active=True)
    assert [(job.kind, job.priority) for job in waiting] == [("calibrate", -20)]
    assert home.jobs()[0].spec["pool"] == {"num_train": 1297, "num_classes": 10, "image_size": 8}


def test_a_measured_cost_is_shown_and_a_cap_is_set_with_one_click(visit, home, digits):
    config = ExperimentConfig().changed(query__strategy="deep_fool")
    strategy = STRATEGIES.get("deep_fool")
    seconds = {"probs": 1e-3, "deepfool_distance": 1.0}
    known = Calibration(machine()).with_network(
        network_key(config, 8, 10), NetworkSpeed(128, 64, 8, seconds, gradient_chunk=8)
    )
    key = strategy_key(strategy, {}, 10, 128)
    known.with_strategy(key, SelectionSpeed(0.0, (1e-9,))).write(handles.settings())
    app = visit("setup")
    app.session_state[config_form.key_of("query.strategy")] = "deep_fool"
    app = part(app, "Plan")
    assert "about 1" in cost_words(app)
    assert any("More than 1 min a query" in m.value for m in app.markdown)
    assert home.jobs(active=True) == []
    app = app.button(key="set-cap").click().run()
    assert app.session_state[config_form.key_of("query.candidates")] == 50
    assert "50 of " in cost_words(app).replace("\\", "")
    assert not [b for b in app.button if b.key == "set-cap"]


def test_a_committee_is_asked_about_where_there_is_one(visit, digits):
    app = visit("setup")
    app.session_state[config_form.key_of("query.strategy")] = "qbc_kl"
    app = part(app, "Strategy")
    keys = {w.key for kind in (app.number_input, app.selectbox) for w in kind}
    assert {"option:query.committee", "option:query.members"} <= keys
    assert "option:query.passes" not in keys


def test_the_preset_is_whichever_the_values_are_and_sets_what_it_says(visit, digits):
    app = visit("setup")
    assert start_from(app).value == "quick"
    assert "Own settings" not in start_from(app).options
    start_from(app).set_value("fast").run()
    assert not app.exception
    preset = next(preset for preset in PRESETS if preset.name == "fast")
    assert {path: draft.flat(held(app))[path] for path in preset.overrides} == dict(preset.overrides)
    assert "fast\\_net" in start_from(app).help
    assert held(app).stop.n_rounds == 10  # what a preset does not name stays
    app = part(app, "Training")
    app.number_input(key="option:train.epochs").set_value(15).run()
    assert start_from(app).value == "own"


def test_the_second_strategy_has_its_own_options_and_loses_them_with_its_name(visit, digits):
    app = visit("setup")
    app.session_state[config_form.key_of("query.second")] = "falcun"
    app = part(app, "Strategy")
    options = "option:query.second_options"
    app.number_input(key="strategy-option:query.second_options:falcun:gamma").set_value(3.0).run()
    assert app.session_state[options] == {"gamma": 3.0}
    assert not app.exception
    app.selectbox(key=config_form.key_of("query.second")).set_value("entropy").run()
    assert app.session_state[options] == {}
    assert not app.exception


@pytest.fixture
def photo_folder(home, tmp_path, monkeypatch):
    """Photos of two sizes, prepared, and ImageNet weights on the machine."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    weights = tmp_path / "torch" / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    for number in range(12):
        folder = tmp_path / "photos" / "train" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        size = (90, 60) if number % 3 else (70, 100)
        Image.new("RGB", size, (number * 20, 40, 90)).save(folder / f"{number}.png")
    data = DataConfig(dataset=f"folder:{tmp_path / 'photos'}")
    prepare(handles.settings(), data)
    return data


def choose(app, data):
    app.session_state[config_form.key_of("data.dataset")] = data.dataset
    return app.run()


def test_photos_are_begun_with_what_suits_them_and_small_pictures_with_what_suits_those(
    visit, digits, photo_folder
):
    app = choose(visit("setup"), photo_folder)
    assert not app.exception
    assert start_from(app).value == "instant"
    assert any("Chosen for these images" in c.value for c in app.caption)
    app = choose(app, DataConfig())
    assert start_from(app).value == "quick"


def test_what_a_person_has_set_is_not_chosen_anew(visit, digits, photo_folder):
    app = visit("setup")
    start_from(app).set_value("fast").run()
    app = choose(app, photo_folder)
    assert start_from(app).value == "fast"
    assert not any("Chosen for these images" in c.value for c in app.caption)


def test_a_choice_that_was_undone_is_not_made_again(visit, digits, photo_folder):
    app = choose(visit("setup"), photo_folder)
    start_from(app).set_value("quick").run()
    assert start_from(app).value == "quick"
    assert start_from(app.run()).value == "quick"
