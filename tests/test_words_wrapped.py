"""No English stands in a page outside of `tr`: what no language can reach fails here by file and line."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOOKED_UP = {"tr", "tr_n", "noted"}
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
MARKUP = re.compile(r"<\w+|\.\w+ \{")
SENTENCE = re.compile(r"(?<![-/.\w])[A-Za-z]{2,}[,;:]? [a-z]{2,}[,;:]? [a-z]{2,}")


def sources():
    for path in sorted([*(ROOT / "pages").rglob("*.py"), *(ROOT / "state").rglob("*.py")]):
        name = path.relative_to(ROOT).as_posix()
        if name not in NOT_SHOWN:
            yield name, ast.parse(path.read_text(encoding="utf-8"))


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


def sentences(tree):
    """Three words in a row anywhere, but for docstrings and what goes to the log."""
    skipped = set()
    for node in ast.walk(tree):
        looked_up = isinstance(node, ast.Call) and called(node) in {*LOOKED_UP, "shielded", "note", "report"}
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if looked_up or docstring:
            skipped |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if id(node) not in skipped and SENTENCE.search(text) and text not in KEPT and not MARKUP.match(text):
            yield node.lineno, text


def test_what_pages_show_is_looked_up():
    assert [f"{name}:{line}: {text}" for name, tree in sources() for line, text in unwrapped(tree)] == []


def test_no_sentence_stands_outside_of_what_is_looked_up():
    assert [f"{name}:{line}: {text}" for name, tree in sources() for line, text in sentences(tree)] == []


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
