"""All that a person reads, as `locale/askwell.pot`: `make words` writes it, a test finds it stale."""

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from al_core.baselines import TITLES
from al_core.config import options
from al_core.data.sources import SOURCES
from al_core.models import MODELS
from al_core.presets import PRESETS
from al_core.query.strategies import STRATEGIES
from al_core.records import JobState
from al_core.results.analysis import METRICS
from al_core.results.axes import AXES
from al_core.results.published import ANCHORS
from al_core.study_presets import STUDY_PRESETS
from state import browsing, glossary

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "locale" / "askwell.pot"
_KEYWORDS = {
    "tr": None, "noted": None, "kept": None, "tr_n": (1, 2), "kept_n": (1, 2), "trN": (1, 2),
}  # fmt: skip
_SOURCES = {
    "pages/**/*.py": "python",
    "state/**/*.py": "python",
    "al_core/**/*.py": "python",
    "assets/*.js": "javascript",
}
_CALL = re.compile(rb"\b(tr|tr_n|trN|noted|kept|kept_n)\(")
_HEAD = """\
# Every text that Askwell shows in the browser. To translate or reword: copy to
# locale/<language>/askwell.po, fill in the msgstr lines, start with AL_LANGUAGE=<language>."""


def collected():
    """All messages of the sources, each with the files that it stands in."""
    catalog = Catalog(project="Askwell", header_comment=_HEAD, charset="utf-8")
    for pattern, method in _SOURCES.items():
        for path in sorted(ROOT.glob(pattern)):
            data = path.read_bytes()
            if path == ROOT / "al_core" / "words.py" or not _CALL.search(data):
                continue
            for _, message, _, _ in extract(method, io.BytesIO(data), _KEYWORDS):
                catalog.add(message, locations=[(str(path.relative_to(ROOT)), 0)])
    for text in filter(None, looked_up()):
        catalog.add(text)
    for message in catalog:
        message.locations = sorted(set(message.locations))
        # per cent signs are not placeholders here: ours stand in braces
        message.flags -= {"python-format", "python-brace-format"}
    return catalog


def looked_up():
    """What is kept in English and looked up where it is shown, and stands in no call."""
    for term in glossary.TERMS.values():
        yield from (term.name, *term.also, term.meaning)
    yield from browsing.SORTS
    yield from (state.value for state in JobState)
    yield from TITLES.values()
    for option in options():
        yield from (option.label, option.help)
    for entry in (*MODELS, *PRESETS, *STUDY_PRESETS, *STRATEGIES, *SOURCES):
        yield entry.title
    for entry in (*PRESETS, *STUDY_PRESETS, *SOURCES):
        yield entry.description
    for strategy in STRATEGIES:
        yield from (strategy.idea, strategy.score, strategy.helps, strategy.hurts, strategy.deviation)
        yield from (option.bounds.help for option in strategy.options)
    for anchor in ANCHORS:
        yield from (anchor.runs, *anchor.beyond)
    for metric in METRICS:
        yield from (metric.title, metric.meaning)
    for axis in AXES.values():
        yield from (axis.name, axis.title)


def template():
    """The template's text: the same for the same sources, so no dates, no line numbers."""
    file = io.BytesIO()
    write_po(file, collected(), width=110, sort_output=True, include_lineno=False)
    head, _, messages = file.getvalue().decode().partition("\n\n")
    kept = re.sub(r'(?m)^"(?!MIME|Content)[\w-]+: .*\n', "", head + "\n")
    plural = '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"'
    return f"{kept}{plural}\n\n{messages}"


if __name__ == "__main__":
    TEMPLATE.write_text(template(), encoding="utf-8")
