"""Why a class cannot be changed or given, by what was to be done: whole sentences, as languages need them."""

from __future__ import annotations

from typing import Final

from al_core.words import noted

MERGED: Final = {
    "rename": noted("“{name}” has been merged into “{other}”; take that back before you rename it"),
    "merge": noted("“{name}” has been merged into “{other}”; take that back before you merge it"),
    "into": noted(
        "“{name}” has been merged into “{other}”; take that back before you merge another one into it"
    ),
    "retire": noted("“{name}” has been merged into “{other}”; take that back before you retire it"),
    "give": noted("“{name}” has been merged into “{other}”: give that one"),
}
RETIRED: Final = {
    "rename": noted("“{name}” is retired; bring it back before you rename it"),
    "merge": noted("“{name}” is retired; bring it back before you merge it"),
    "into": noted("“{name}” is retired; bring it back before you merge another one into it"),
    "retire": noted("“{name}” is retired; bring it back before you retire it"),
    "give": noted("“{name}” is retired; bring it back before you give it"),
}
LAST_TWO: Final = {
    "merge": noted(
        "“{name}” cannot be merged: two classes are left, and a model needs two to tell apart. "
        "Add another class first"
    ),
    "retire": noted(
        "“{name}” cannot be retired: two classes are left, and a model needs two to tell apart. "
        "Add another class first"
    ),
}
