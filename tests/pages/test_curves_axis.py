"""The Curves page over minutes and money, and what it says of the next labels."""

import json

from conftest import components

from state import handles
from tests.e2e.seeded import seed


def chart(app):
    return json.loads(components(app, "live_curve")[0].json)


def figures(app):
    return {metric.label: metric.value for metric in app.metric}


def test_the_curve_is_drawn_over_what_is_chosen_and_the_forecast_over_labels_only(visit, digits):
    app = visit("curves", exp=seed(handles.settings(), rounds=5))
    assert not app.exception
    shown = chart(app)
    assert shown["axis"] is None
    assert shown["forecast"]["x"][0] == 100
    assert figures(app)["Forecast: the next 20 labels"].startswith("+")
    assert any("Labels to " in block.value or " labels" in block.value for block in app.markdown)

    app.segmented_control(key="curve-over").set_value("minutes").run()
    assert not app.exception
    shown = chart(app)
    assert shown["forecast"] is None
    assert shown["axis"]["title"] == "minutes of labeling"
    assert shown["axis"]["own"][0] < shown["axis"]["own"][-1]
    assert "Minutes ahead of random" in figures(app)

    app.segmented_control(key="curve-over").set_value("money").run()
    app.number_input(key="price-label").set_value(1.0)
    app.number_input(key="price-hour").set_value(0.0).run()
    assert chart(app)["axis"]["own"] == [20, 40, 60, 80, 100]
