"""Query strategies: one decorated function a file, and what follows from its signature.

    @strategy("Smallest margin", family="uncertainty")
    def margin(probs: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " n"]:
        \"\"\"Prefer images whose two most likely classes are nearly tied.\"\"\"

Positional parameters are names of evidence. With keyword-only `k` and `rng` the function is a selector: it
returns k positions in picking order. Without them it is a scorer: it returns a score for each candidate,
higher = sooner. Any other keyword-only parameter, annotated and with a default, is an option. The file's
docstring begins with the paper and says formula, cost, when it helps and when it hurts (al_core.query.about).
"""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

from al_core.errors import Problem, StrategyError
from al_core.query.about import About, growth
from al_core.query.evidence import KINDS
from al_core.query.work import Work
from al_core.registry import Registry
from al_core.words import noted, tr

Family = Literal[
    "baseline",
    "uncertainty",
    "bayesian",
    "committee",
    "diversity",
    "hybrid",
    "expected change",
    "adversarial",
]


@dataclass(frozen=True)
class Bounds:
    """Metadata of an option, given as Annotated[int, Bounds(1, 100, "what it does")]."""

    low: float | None = None
    high: float | None = None
    help: str = ""


_ALLOWED: Final[Mapping[type, Mapping[tuple[bool, bool], str]]] = {
    bool: {(False, False): noted("it must be true or false")},
    int: {
        (False, False): noted("it must be a whole number"),
        (True, False): noted("it must be a whole number, {low} or more"),
        (False, True): noted("it must be a whole number, {high} or less"),
        (True, True): noted("it must be a whole number from {low} to {high}"),
    },
    float: {
        (False, False): noted("it must be a number"),
        (True, False): noted("it must be a number, {low} or more"),
        (False, True): noted("it must be a number, {high} or less"),
        (True, True): noted("it must be a number from {low} to {high}"),
    },
    str: {(False, False): noted("it must be text")},
}
"""What an option takes, by its type and by whether it has a lower and an upper bound."""


@dataclass(frozen=True)
class StrategyOption:
    """One option, as the form, the command line and the manifest show it."""

    name: str
    default: Any
    annotation: Any  # bool, int, float, str, or a Literal of strings
    bounds: Bounds = Bounds()

    @property
    def choices(self) -> tuple[Any, ...]:
        """What may be chosen, where that is a short list; else empty."""
        return get_args(self.annotation) if get_origin(self.annotation) is Literal else ()

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        if self.choices:
            return tr("it must be one of {names}", names=", ".join(map(repr, self.choices)))
        low, high = self.bounds.low, self.bounds.high
        bounded = (low is not None, high is not None)
        return tr(_ALLOWED[self.annotation][bounded], low=low, high=high)

    def accepts(self, value: object) -> bool:
        """Whether the value is within bounds and has the option's type (a whole number is a number too)."""
        if self.choices:
            return value in self.choices
        if self.annotation is float and type(value) is int:
            value = float(value)
        if type(value) is not self.annotation:
            return False
        if not isinstance(value, int | float):
            return True
        low, high = self.bounds.low, self.bounds.high
        # written so that nan, which compares false with everything, is refused
        return (low is None or value >= low) and (high is None or value <= high) and value - value == 0


@dataclass(frozen=True)
class Strategy:
    """A function of evidence, and what its file says about it."""

    name: str
    title: str
    family: Family
    aliases: tuple[str, ...]
    idea: str
    paper: str
    evidence: tuple[str, ...]
    is_selector: bool
    options: tuple[StrategyOption, ...]
    function: Callable[..., Any]
    formula: str = ""
    cost: str = ""
    helps: str = ""
    hurts: str = ""
    deviation: str = ""
    remarks: tuple[str, ...] = ()
    score: str = ""  # what the number beside each pick says

    @classmethod
    def of(
        cls, function: Callable[..., Any], title: str, *, family: Family, aliases: tuple[str, ...] = ()
    ) -> Strategy:
        """Read a strategy off its function, without registering it.

        Raises:
            StrategyError: the signature asks for evidence that does not exist, or is malformed.
        """
        name = function.__name__
        if family not in get_args(Family):
            raise _malformed(
                name,
                tr(
                    "family {family!r} is not one of {known}",
                    family=family,
                    known=", ".join(get_args(Family)),
                ),
            )
        idea = (inspect.getdoc(function) or "").partition("\n")[0]
        about = About.of(function.__globals__.get("__doc__"))
        if not idea:
            raise _malformed(name, tr("it has no docstring; its first line is shown as the idea"))
        evidence, options, drawn = _read_signature(name, function)
        return cls(
            name, title, family, aliases, idea, about.paper, evidence, drawn, options, function,
            about.formula, about.cost, about.helps, about.hurts, about.deviation, about.remarks,
            about.score.rstrip("."),
        )  # fmt: skip

    @property
    def growth(self) -> tuple[Work, Work]:
        """How time and memory grow with the sizes.

        Raises:
            StrategyError: the file does not say.
        """
        return growth(self.cost)

    @property
    def needs(self) -> frozenset[str]:
        """What must be there before it can choose: "model", "dropout", "committee" ...; or nothing."""
        return frozenset(KINDS[name].needs for name in self.evidence) - {""}

    @property
    def needs_model(self) -> bool:
        """Whether something must have been trained before it can choose."""
        return bool(self.needs)

    @property
    def cold_start_able(self) -> bool:
        """Whether it can choose the very first images."""
        return not self.needs_model

    def check_options(self, values: Mapping[str, object], path: str = "query.options") -> list[Problem]:
        """What is wrong with these options, which a config holds at `path`; empty when nothing is."""
        known = {option.name: option for option in self.options}
        problems = []
        for name, value in values.items():
            option = known.get(name)
            if option is None:
                problems.append(Problem(f"{path}.{name}", value, self._no_such_option(name)))
            elif not option.accepts(value):
                problems.append(Problem(f"{path}.{name}", value, option.allowed))
        return problems

    def _no_such_option(self, name: str) -> str:
        names = [option.name for option in self.options]
        if not names:
            return tr("{strategy} has no options", strategy=self.name)
        near = difflib.get_close_matches(name, names, n=1)
        known = {"strategy": self.name, "names": ", ".join(names)}
        if near:
            return tr("did you mean {near!r}? {strategy} has: {names}", near=near[0], **known)
        return tr("{strategy} has: {names}", **known)


STRATEGIES: Final[Registry[Strategy]] = Registry(
    noted("strategy"),
    __name__,
    StrategyError,
    noted("a file of your own is named by --strategy-file or AL_STRATEGIES"),
)

Function = TypeVar("Function", bound=Callable[..., Any])


def strategy(title: str, *, family: Family, aliases: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Register the function below as a strategy; the function itself stays what it was."""

    def register(function: Function) -> Function:
        STRATEGIES.add(Strategy.of(function, title, family=family, aliases=aliases))
        return function

    return register


def _malformed(name: str, what: str) -> StrategyError:
    return StrategyError(tr("strategy {name!r} is malformed: {what}", name=name, what=what))


def _read_signature(
    name: str, function: Callable[..., Any]
) -> tuple[tuple[str, ...], tuple[StrategyOption, ...], bool]:
    """Evidence names, options, and whether it is a selector."""
    evidence, keywords = [], {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise _malformed(
                name,
                tr(
                    "{parameter} hides what it needs; name each piece of evidence and each option",
                    parameter=parameter,
                ),
            )
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = parameter
        elif parameter.name in KINDS:
            evidence.append(parameter.name)
        else:
            near = difflib.get_close_matches(parameter.name, list(KINDS), n=1)
            text = noted("there is no evidence {name!r}; known: {known}")
            if near:
                text = noted("there is no evidence {name!r}; did you mean {near!r}? known: {known}")
            known = ", ".join(sorted(KINDS))
            raise _malformed(name, tr(text, name=parameter.name, near=near[0] if near else "", known=known))
    drawn = {"k", "rng"} & keywords.keys()
    if len(drawn) == 1:
        raise _malformed(
            name,
            tr(
                "it takes {drawn} alone; a selector takes both k and rng, a scorer neither", drawn=drawn.pop()
            ),
        )
    if not evidence:
        raise _malformed(name, tr("it asks for no evidence; num_candidates is the least that there is"))
    return tuple(evidence), tuple(_read_options(name, function, keywords)), bool(drawn)


def _read_options(
    name: str, function: Callable[..., Any], keywords: Mapping[str, inspect.Parameter]
) -> Iterator[StrategyOption]:
    hints = typing.get_type_hints(function, include_extras=True)
    for parameter in keywords.values():
        if parameter.name in ("k", "rng"):
            continue
        annotation, bounds = hints.get(parameter.name), Bounds()
        if get_origin(annotation) is typing.Annotated:
            annotation, *metadata = get_args(annotation)
            bounds = next((m for m in metadata if isinstance(m, Bounds)), bounds)
        if isinstance(annotation, types.UnionType) or (
            annotation not in (bool, int, float, str) and get_origin(annotation) is not Literal
        ):
            raise _malformed(
                name,
                tr(
                    "option {parameter!r} must be annotated as bool, int, float, str or a Literal",
                    parameter=parameter.name,
                ),
            )
        option = StrategyOption(parameter.name, parameter.default, annotation, bounds)
        if parameter.default is parameter.empty or not option.accepts(parameter.default):
            raise _malformed(
                name,
                tr(
                    "option {parameter!r} needs a default, and {allowed}",
                    parameter=parameter.name,
                    allowed=option.allowed,
                ),
            )
        yield option
