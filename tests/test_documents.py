"""What the documents say is true of the tree."""

import re
import subprocess

import pytest

from tests import strategy_pages, words
from tests.readme_tables import README, with_tables

ROOT = README.parent


def tracked(*patterns):
    out = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name for name in out.decode().split("\0") if name and (ROOT / name).is_file()]


def test_the_tables_of_the_readme_are_those_of_the_registries():
    text = README.read_text(encoding="utf-8")
    assert text == with_tables(text), "run `make readme`"


def test_the_pages_of_the_strategies_are_those_of_the_registry():
    wanted = strategy_pages.pages()
    found = {path.name: path.read_text(encoding="utf-8") for path in strategy_pages.FOLDER.glob("*.md")}
    assert found.keys() == wanted.keys(), "run `make readme`"
    assert [name for name in wanted if found[name] != wanted[name]] == [], "run `make readme`"


def test_the_template_of_all_words_is_that_of_the_sources():
    assert words.TEMPLATE.read_text(encoding="utf-8") == words.template(), "run `make words`"


def test_every_link_between_the_documents_leads_somewhere():
    broken = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *strategy_pages.FOLDER.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
            if not target.startswith("http") and not (path.parent / target).exists():
                broken.append(f"{path.name}: {target}")
    assert broken == []


def test_every_path_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = text.split("```")[1]
    depth: list[str] = []
    named = []
    for line in block.strip().splitlines():
        indent = (len(line) - len(line.lstrip())) // 2
        for word in re.findall(r"[\w/]+(?:\.py|/)(?=[\s,])", line[: 24 + 2 * indent]):
            depth = depth[:indent]
            named.append("/".join([*depth, word.rstrip("/")]))
            if word.endswith("/"):
                depth.append(word.rstrip("/"))
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_requirement_has_its_reason_in_the_architecture():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").lower()
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    names = [re.split(r"[<>=;\[]", line)[0].strip() for line in lines if line and not line.startswith("#")]
    assert len(names) > 10
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"unsafe_allow_html", "user strings must never become HTML"),
        (r"\bpickle\.loads?\(|joblib|allow_pickle=True|torch\.load\(", "no pickle, anywhere"),
        (r"shell=True", "no shell"),
        (r"\bexec\(|\beval\((?!\))", "no evaluated text"),
    ],
)
def test_no_source_file_uses_what_is_forbidden(pattern, why):
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in tracked("*.py", ":!tests")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(pattern, line)
    ]
    assert found == [], why


def test_images_are_opened_in_one_place_only():
    shipped = ":!al_core/deploy/predict_alone.py"  # runs where this program is not
    users = [
        str(p.relative_to(ROOT))
        for p in tracked("*.py", ":!tests", shipped)
        if "Image.open(" in p.read_text(encoding="utf-8")
    ]
    assert users == ["al_core/data/images.py"]


def test_no_tracked_file_is_large_and_none_names_a_machine():
    # the vendored plotting bundle is the largest thing that is meant to be here
    assert [str(p) for p in tracked() if p.stat().st_size > 2_000_000] == []
    place = re.compile(r"(?<![\w.-])/(?:home|work|farm)/[a-z]")
    found = [str(p) for p in tracked("*.py", "*.md", "*.toml") if place.search(p.read_text(encoding="utf-8"))]
    assert [name for name in found if not name.endswith("test_documents.py")] == []


def test_every_skip_says_why():
    bare = re.compile(r"pytest\.skip\(\s*\)|@pytest\.mark\.skip\s*$|skipif\([^,)]*\)\s*$", re.MULTILINE)
    assert [
        str(p) for p in tracked("tests/*.py", "tests/**/*.py") if bare.search(p.read_text(encoding="utf-8"))
    ] == []
