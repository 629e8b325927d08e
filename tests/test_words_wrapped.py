"""No English that pages show stands outside of `tr`: what no language can reach fails here by its line."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

from al_core import errors
from tests import words

ROOT = Path(__file__).resolve().parent.parent
LOOKED_UP = {"tr", "tr_n", "noted", "kept", "kept_n"}
NOT_SHOWN = {
    "state/diagnostics.py": "copied into reports, which are read in English",
    "state/faults.py": "goes to the log",
    "state/glossary.py": "in English, looked up where it is shown; tests/words.py collects it",
    "state/web/assets.py": "scripts, which have a test of their own",
    "state/web/health.py": "read by programs that watch the server",
    "state/web/images.py": "stands in place of a picture, where no browser shows it",
    "state/web/metrics.py": "asked for by our script, which says it in its own words",
    "state/web/security.py": "said when the server starts, to whoever starts it",
}
NOT_SHOWN_OF_THE_ENGINE = {
    "al_core/cli/": "the command line speaks English: scripts read it, and what it writes is kept",
    "al_core/testing.py": "for who writes strategies, in their own tests",
    "al_core/settings.py": "said when something starts, before there is a language",
    "al_core/words.py": "what is wrong with a language cannot be said in it",
    "al_core/deploy/card.py": "written into the exported model's card",
    "al_core/exchange/run_card.py": "written into an export",
    "al_core/exchange/writing.py": "written into an export",
    "al_core/query/evidence.py": "listed by check-strategy alone",
    "al_core/results/logs.py": "stands in a log",
    "al_core/results/published.py": "titles and sources are names; what is said of runs is collected",
    "al_core/results/to_target.py": "a part of a report",
    "al_core/results/report/": "reports go to others, and are English as a whole",
    "al_core/store/migrations/": "for the database",
    "al_core/study_presets.py": "descriptions made of parts; collected whole",
    "al_core/store/upkeep.py": "said by verify",
    "al_core/worker/__main__.py": "the worker's own arguments",
}
"""Files and folders of al_core whose English no page shows, and why."""
SAME_EVERYWHERE = {"CSV": "a format", "JSON": "a format", "F1": "a measure", "PCA": "a method"}
KEPT = {
    "as it is\naugmented: train.augment=on": "an example of what is typed, read by our parser",
    "the page offers only rounds that have predictions": "our own mistake, for the log",
    "time of label": "compared; looked up where it is shown",
    "Digits, taught by me": "a session's name, kept in the store",
    "after is a whole number from 0 on.": "said to programs",
    "guides is the number of a round, from -1 on.": "said to programs",
    "answers are sent in the order of their numbers": "said to programs",
    "saving labels failed": "goes to the log",
    "it asks for ": "within another program's error",
    "digits test split": "the purpose of a random draw",
    "dropout of process ": "the purpose of a random draw",
    "gzip.zip or the files EMNIST/raw/emnist-*": "names of files",
    "disk is full": "what a driver says",
    "unable to open": "what a driver says",
    "no better validation accuracy": "begins a stop reason, as it is kept",
    " is not an object; move it elsewhere": "said by verify",
    "the job was interrupted and is now ": "our own signal, which nobody reads",
    " are the least.": "a part of report.md, which is English as a whole",
    "Compared up to ": "a part of report.md",
    ": beyond, every mean is within 1 % of ": "a part of report.md",
    "Nothing is cut: before ": "a part of report.md",
    " not every mean is within 1 % of ": "a part of report.md",
    "of the full pool": "a part of report.md",
    "Seeds are added until every difference is clear, ": "a part of report.md",
    " at most. Verdicts, p and the intervals of differences make good for a look after every seed from ": (
        "a part of report.md"
    ),
    "± is half the 95 % interval (Student's t over seeds); bootstrap: percentiles.": "a part of report.md",
}
"""Words that are rightly in no catalogue, and why."""
FIRST = """
    title header subheader caption markdown write text info warning error success toast badge spinner
    button download_button link_button toggle checkbox text_input text_area number_input slider
    file_uploader expander popover tabs dialog no_session Way
    Column TextColumn NumberColumn ProgressColumn ImageColumn CheckboxColumn DatetimeColumn
"""
SHOWN = {
    **dict.fromkeys(FIRST.split(), 1),
    **dict.fromkeys(["radio", "selectbox", "multiselect", "segmented_control", "pills", "progress"], 2),
    **{"empty_state": 2, "confirm_delete": 2, "metric": 3},
}
"""How many of a call's first arguments a person reads; of choices, the label and what is offered."""
NAMED = {"label", "help", "placeholder", "alt", "title", "body", "text", "default"}
LOGGED = {"debug", "info", "warning", "exception", "error", "log"}
OUR_MISTAKES = {"ValueError", "TypeError", "RuntimeError", "AssertionError", "NotImplementedError"}
ERRORS = {
    name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ALError)
}
TOLD = {**dict.fromkeys(ERRORS, 0), "Problem": 2, "ImageRefused": 1, "Refused": 1, "Skipped": 1, "Refusal": 2,
        "_refused": 1, "_malformed": 1}  # fmt: skip
"""Calls of the engine that say something to a person, from this argument on."""
SAYS = {"allowed", "reason", "why", "remedy", "caveat"}
"""Names of what is said further down."""
DRAWN = {"title", "name", "ticktext"}
MARKUP = re.compile(r"<\w+|\.\w+ \{")
SENTENCE = re.compile(r"(?<![-/.\w])[A-Za-z]{2,}[,;:]? [a-z]{2,}[,;:]? [a-z]{2,}")


def sources():
    for path in sorted([*(ROOT / "pages").rglob("*.py"), *(ROOT / "state").rglob("*.py")]):
        name = path.relative_to(ROOT).as_posix()
        if name not in NOT_SHOWN:
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def engine():
    for path in sorted((ROOT / "al_core").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(tuple(NOT_SHOWN_OF_THE_ENGINE)):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


@cache
def collected():
    """What stands in no call, and is looked up where it is shown; some of it is made of parts."""
    return " ".join(words.looked_up())


def called(node):
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def has_words(text):
    text = re.sub(r":material/\w+:|:[a-z-]+\[|`[^`]*`", "", text)
    return bool(re.search("[A-Za-z]{2}", text)) and text.strip() not in {*SAME_EVERYWHERE, *KEPT}


def bare(node):
    """Literals with words among what an argument may come to; what is looked up is a call, so left out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and has_words(node.value):
        yield node.lineno, node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
        if has_words(text):
            yield node.lineno, text
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from bare(part.value)
    elif isinstance(node, ast.Call) and called(node) in ("plain", "sentence"):
        yield from bare(node.args[0])
    else:
        for field in ("body", "orelse", "left", "right"):
            if isinstance(node, ast.IfExp | ast.BinOp) and hasattr(node, field):
                yield from bare(getattr(node, field))
        if isinstance(node, ast.BoolOp | ast.List | ast.Tuple):
            for part in node.values if isinstance(node, ast.BoolOp) else node.elts:
                yield from bare(part)


def unwrapped(tree):
    """What calls show that is not looked up. Choices with a `format_func` are shown as that has them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or called(node) not in SHOWN:
            continue
        formed = any(keyword.arg == "format_func" for keyword in node.keywords)
        for argument in node.args[: 1 if formed else SHOWN[called(node)]]:
            yield from bare(argument)
        for keyword in node.keywords:
            if keyword.arg in NAMED and not (formed and keyword.arg == "default"):
                yield from bare(keyword.value)


def unsaid(tree, *, drawn=False):
    """What the engine says without looking it up: in errors, refusals and, of figures, titles and names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in TOLD:
            for argument in node.args[TOLD[called(node)] :]:
                yield from bare(argument)
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") in SAYS for t in node.targets):
            yield from bare(node.value)
        if drawn and isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in DRAWN:
                    yield from bare(keyword.value)
            for argument in node.args[1:] if called(node) == "Sheet" else ():
                yield from bare(argument)
        if drawn and isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in DRAWN:
                    yield from bare(value)


def sentences(tree, passed=frozenset({"shielded", "note", "report"}), known=""):
    """Three words in a row anywhere, but for docstrings and what goes to the log."""
    skipped = set()
    for node in ast.walk(tree):
        looked_up = isinstance(node, ast.Call) and called(node) in {*LOOKED_UP, *passed}
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if looked_up or docstring:
            skipped |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if text in KEPT or (text and text in known) or MARKUP.match(text):
            continue
        if id(node) not in skipped and SENTENCE.search(text):
            yield node.lineno, text


def test_what_pages_show_is_looked_up():
    assert [f"{name}:{line}: {text}" for name, tree in sources() for line, text in unwrapped(tree)] == []


def test_no_sentence_stands_outside_of_what_is_looked_up():
    assert [f"{name}:{line}: {text}" for name, tree in sources() for line, text in sentences(tree)] == []


def test_what_the_engine_says_of_errors_and_figures_is_looked_up():
    found = [
        f"{name}:{line}: {text}"
        for name, tree in engine()
        for line, text in unsaid(tree, drawn="/figures/" in name)
    ]
    assert found == []


def test_no_sentence_of_the_engine_stands_outside_of_what_is_looked_up():
    known = collected()
    found = [
        f"{name}:{line}: {text}"
        for name, tree in engine()
        for line, text in sentences(tree, {*LOGGED, *OUR_MISTAKES}, known)
    ]
    assert found == []


def at_import(node):
    """Look-ups outside of any function: they would read the language when the module is imported."""
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(inner, ast.Call) and called(inner) in {"tr", "tr_n", "told"}:
                yield inner.lineno
            yield from at_import(inner)


def test_the_engine_reads_no_language_when_it_is_imported():
    assert [f"{name}:{line}" for name, tree in engine() for line in at_import(tree)] == []
    assert list(at_import(ast.parse("TITLES = {1: tr('one')}\ndef f():\n    return tr('two')"))) == [1]


def test_the_guard_sees_words_and_lets_pass_what_is_looked_up():
    lines = (
        'st.button("Undo", key="x")',
        'st.caption(f"{n} labels are saved")',
        'st.info(plain("No") if n else tr("Yes"))',
        'words = "three words here"',
        'st.pills("Kind", ["a", "Some"], format_func=tr)',
        'st.title(tr("Fine"), help=tr_n("{n} of all labels", "{n} of all labels", n))',
        'st.metric("CSV", f"{n:.1f} %", icon=":material/undo:")',
    )
    tree = ast.parse("\n".join(lines))
    assert [line for line, _ in unwrapped(tree)] == [1, 2, 3, 5]
    assert [line for line, _ in sentences(tree)] == [4, 2]


def test_the_guard_of_the_engine_sees_words_and_lets_pass_what_is_looked_up():
    lines = (
        'raise DataError(f"{n} files")',
        'yield Problem("train.epochs", n, "above 0" if n else tr("fine"))',
        'allowed = "too large"',
        'raise ImageRefused("a.png", noted("damaged picture"))',
        'raise StoreError(kept("{n} rounds of it", n=n))',
        'figure.update_xaxes(title="asked after", side="top")',
        'layout = {"xaxis": {"title": "loss"}, "yaxis": {"title": tr("loss")}}',
        'raise ValueError("three words here")',
        'raise Fenced("this is mine") from error',
    )
    tree = ast.parse("\n".join(lines))
    assert sorted(line for line, _ in unsaid(tree, drawn=True)) == [1, 2, 3, 6, 7, 9]
    assert [line for line, _ in sentences(tree, OUR_MISTAKES, "")] == [9]
