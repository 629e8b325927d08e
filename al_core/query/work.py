"""How work and memory grow, written as a person writes it: `n*m*D + n*k*D`, `min(n, max_images)**2*D`.

Letters are sizes (n candidates, m labeled, k query size, C classes, D features, T passes, M members); other
names are the strategy's own options. Only sums, products, quotients, powers, min, max and log are understood.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from al_core.errors import StrategyError
from al_core.words import tr

LETTERS: Final = frozenset("nmkCDTM")

_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {"min": min, "max": max, "log": math.log}


@dataclass(frozen=True)
class Work:
    """A sum of terms; each term's constant factor is found by measuring."""

    text: str
    names: frozenset[str]
    _terms: tuple[ast.expr, ...]

    @classmethod
    def of(cls, text: str) -> Work:
        """Read an expression.

        Raises:
            StrategyError: it is not one, or uses more than sums, products, quotients, powers, min, max, log.
        """
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            raise StrategyError(tr("{text!r} is no expression like n*k*D + n*m*D", text=text)) from None
        names: set[str] = set()
        _names_of(tree, text, names)
        return cls(" ".join(text.split()), frozenset(names), tuple(_summands(tree)))

    def terms(self, sizes: Mapping[str, float]) -> list[float]:
        """Each term's value.

        Raises:
            StrategyError: a name has no size, or the sizes give no finite number.
        """
        return [_value(term, sizes, self.text) for term in self._terms]

    def __call__(self, sizes: Mapping[str, float]) -> float:
        """The whole, each constant factor 1."""
        return sum(self.terms(sizes))


def _summands(tree: ast.expr) -> list[ast.expr]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        return [*_summands(tree.left), *_summands(tree.right)]
    return [tree]


def _names_of(tree: ast.expr, text: str, found: set[str]) -> None:
    match tree:
        case ast.Constant(value=int() | float()):
            return
        case ast.Name(id=name):
            found.add(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _names_of(left, text, found)
            _names_of(right, text, found)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            for argument in arguments:
                _names_of(argument, text, found)
        case _:
            what = ast.unparse(tree)
            raise StrategyError(
                tr("{what!r} in {text!r}: only + - * / ** min max log are understood", what=what, text=text)
            )


def _value(tree: ast.expr, sizes: Mapping[str, float], text: str) -> float:
    try:
        value = _computed(tree, sizes)
    except KeyError as error:
        raise StrategyError(
            tr("{name!r} in {text!r} is neither a size nor an option", name=error.args[0], text=text)
        ) from None
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise StrategyError(tr("{text!r} gives no finite number for these sizes", text=text))
    return value


def _computed(tree: Any, sizes: Mapping[str, float]) -> float:
    if isinstance(tree, ast.Constant):
        return float(tree.value)  # pyright: ignore[reportArgumentType] - a number: see _names_of
    if isinstance(tree, ast.Name):
        return float(sizes[tree.id])
    if isinstance(tree, ast.BinOp):
        return _OPERATORS[type(tree.op)](_computed(tree.left, sizes), _computed(tree.right, sizes))
    return float(_FUNCTIONS[tree.func.id](*(_computed(argument, sizes) for argument in tree.args)))
