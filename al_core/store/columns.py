"""Column types that give back exactly what was put in, on every database."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, UserDefinedType

from al_core.errors import StoreError
from al_core.words import tr

Serial = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database hands out; SQLite only does so for INTEGER."""


def _plain(value: Any) -> Any:
    """NumPy values and read-only mappings come from the engine; they have a plain twin."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not plain")


_encode = json.JSONEncoder(sort_keys=True, default=_plain, separators=(",", ":")).encode


def to_json(value: Any) -> str:
    """Canonical text: keys sorted, floats as their shortest exact decimal."""
    try:
        return _encode(value)
    except (TypeError, ValueError) as error:
        raise StoreError(
            tr(
                "{kind} cannot be kept as JSON ({error}); store plain values",
                kind=type(value).__name__,
                error=error,
            )
        ) from error


class Json(TypeDecorator[Any]):
    """A value as canonical JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Real(UserDefinedType[float]):
    """A double, NaN included: SQLite would turn NaN into NULL, so it is kept there as the word."""

    cache_ok = True

    def get_col_spec(self, **options: Any) -> str:
        return "DOUBLE PRECISION"

    def bind_processor(self, dialect: Dialect) -> Any:
        word = "nan" if dialect.name == "sqlite" else math.nan

        def bind(value: Any) -> Any:
            number = None if value is None else float(value)
            return word if number is not None and math.isnan(number) else number

        return bind

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return lambda value: None if value is None else float(value)
