"""Our own drawings, in the colours of the theme: nothing in them comes from a person or a file."""

from __future__ import annotations

from streamlit.components.v2 import component

from al_core.words import tr
from state.web.assets import drawing, style

hero = component(
    "askwell_hero",
    html=drawing(
        "hero",
        label=tr(
            "Hollow dots on either side of a curved border. The few dots on the border are ringed "
            "one after another and answered, and a straight guess at the border becomes the true "
            "curve"
        ),
    ),
    css=style("hero"),
)
three_steps = component(
    "askwell_three_steps",
    html=drawing(
        "three_steps",
        asks_label=tr(
            "Dots of two kinds on either side of a line; the undecided ones on the line are ringed"
        ),
        asks=tr("It asks"),
        asks_text=tr("The model looks through everything unlabeled and picks what it is least sure of."),
        answer_label=tr(
            "A picture of a handwritten digit and the keys four and nine; the key nine is pressed"
        ),
        one_key=tr("one key, one label"),
        answer=tr("You answer"),
        answer_text=tr(
            "One key a picture, on the keyboard, with undo. Each answer is saved as you press it."
        ),
        learns_label=tr("Schematic: accuracy rises faster when the model chooses than with random pictures"),
        labels=tr("labels"),
        asked=tr("asked"),
        random=tr("random"),
        learns=tr("It learns"),
        learns_text=tr("It trains in seconds, is tested on pictures it never saw, and asks again."),
    ),
    css=style("three_steps"),
)
