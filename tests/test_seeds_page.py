"""docs/seeds.md: every page, command, flag, file and test that it names exists."""

import contextlib
import io
import re
from functools import cache

import pytest

from al_core.cli import main
from tests.test_documents import ROOT

PAGE = ROOT / "docs" / "seeds.md"
TESTS = ROOT / "tests"
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
NAMED = re.compile(r"(?:\w+/)*test_\w+\.py(?:::\w+)?")


def cells(row):
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


@cache
def told(*command):
    """What `COMMAND --help` prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    return said.getvalue()


def test_every_row_of_a_table_names_a_test_that_exists():
    bodies = [row for row in ROWS if not re.match(r"\| (what|#|seed, defect)", row)]
    assert len(bodies) > 75
    missing = []
    for row in bodies:
        named = NAMED.findall(cells(row)[-1])
        assert named, f"no test is named: {row}"
        for text in named:
            file, _, test = text.partition("::")
            path = TESTS / file
            known = path.is_file() and (not test or f"def {test}(" in path.read_text(encoding="utf-8"))
            missing += [] if known else [text]
    assert missing == []


def test_all_44_features_of_the_second_seed_have_their_row():
    numbers = [int(cells(row)[0]) for row in ROWS if cells(row)[0].isdecimal()]
    assert numbers == list(range(1, 45))


def test_every_defect_of_both_seeds_has_its_row():
    found = re.findall(r"^\| (\d\.\d+) ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found == [*(f"1.{n}" for n in range(1, 8)), *(f"2.{n}" for n in range(1, 13))]


def test_every_page_that_is_named_is_one():
    listed = (ROOT / "pages" / "main.py").read_text()
    titles = set(re.findall(r'\("\w+", (?:tr\()?"([\w ]+)"\)?, ":material', listed))
    named = {name for row in ROWS for name in re.findall(r"(?<!\*)\*([A-Z][\w ]+)\*(?!\*)", row)}
    assert len(named) > 8
    assert named - titles == set()


def test_every_command_that_is_named_exists_and_knows_its_flags():
    known = set(re.findall(r"^    ([a-z][\w-]*)", told(), re.MULTILINE))
    spans = {span for row in ROWS for span in re.findall(r"`([^`]+)`", row)}
    named = sorted(span for span in spans if span.split()[0] in known)
    assert len(named) > 60
    unknown = []
    for text in named:
        command, *words = text.split()
        for flag in (word for word in words if re.fullmatch(r"-{1,2}[A-Za-z][\w-]*", word)):
            if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", told(command)):
                unknown.append(f"{command} {flag}")
    assert unknown == []
    assert known - {text.split()[0] for text in named} <= {"cost", "delete", "verify", "import-data"}


def test_everything_else_in_code_is_a_module_a_variable_or_a_flag():
    spans = {span for row in ROWS for span in re.findall(r"`([^`]+)`", row)}
    known = set(re.findall(r"^    ([a-z][\w-]*)", told(), re.MULTILINE))
    for span in sorted(span for span in spans if span.split()[0] not in known):
        module = re.fullmatch(r"python -m (tests\.[\w.]+)", span)
        if module:
            assert (ROOT / f"{module[1].replace('.', '/')}.py").is_file(), span
        else:
            assert span in ("AL_RAY_ADDRESS", "--undo"), span
