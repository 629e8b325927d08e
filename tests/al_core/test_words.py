import logging
import subprocess
import sys

import pytest

from al_core import words
from al_core.errors import ConfigError
from al_core.settings import Settings
from al_core.words import english, kept, kept_n, noted, told, tr, tr_n

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
GERMAN = HEAD + '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
POLISH = HEAD + (
    '"Plural-Forms: nplurals=3; '
    'plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"\n'
)
FILES = '\nmsgid "{n} file"\nmsgid_plural "{n} files"\n'


@pytest.fixture
def language(tmp_path, monkeypatch):
    """Write a language and choose it."""

    def choose(text):
        path = tmp_path / "askwell.po"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("AL_LANGUAGE", str(path))
        words.catalogue.cache_clear()

    yield choose
    words.catalogue.cache_clear()


def entry(english, text):
    return f'\nmsgid "{english}"\nmsgstr "{text}"\n'


def test_without_a_language_the_english_stands(monkeypatch):
    monkeypatch.delenv("AL_LANGUAGE", raising=False)
    words.catalogue.cache_clear()
    assert tr("Undo") == "Undo"
    assert tr("{count:,} answers are saved.", count=1234) == "1,234 answers are saved."
    assert tr("JSON such as {a}") == "JSON such as {a}"
    assert [tr_n("{n:,} label", "{n:,} labels", n) for n in (0, 1, 1000)] == [
        "0 labels",
        "1 label",
        "1,000 labels",
    ]
    assert tr_n("{n} of {total}", "{n} of {total}", 1, total=2) == "1 of 2"


def test_a_language_is_looked_up_and_what_it_lacks_stays_english(language):
    language(
        GERMAN
        + entry("Undo", "Rückgängig")
        + entry("{name} is saved.", "Gespeichert: {name}")
        + entry("Stop", "")
    )
    assert tr("Undo") == "Rückgängig"
    assert tr("{name} is saved.", name="{x}") == "Gespeichert: {x}"
    assert tr("Stop") == "Stop"
    assert tr("Skip") == "Skip"


def test_what_is_marked_as_unsure_is_left_out(language):
    language(GERMAN + "\n#, fuzzy" + entry("Undo", "Zurück"))
    assert tr("Undo") == "Undo"


def test_plurals_go_by_the_rule_of_the_language(language):
    language(POLISH + FILES + 'msgstr[0] "{n} plik"\nmsgstr[1] "{n} pliki"\nmsgstr[2] "{n} plików"\n')
    said = [tr_n("{n} file", "{n} files", n) for n in (0, 1, 2, 5, 12, 22, 112, 122, 1002, 1012)]
    assert said == [
        "0 plików", "1 plik", "2 pliki", "5 plików", "12 plików", "22 pliki", "112 plików", "122 pliki",
        "1002 pliki", "1012 plików",
    ]  # fmt: skip
    assert tr("{n} file", n=1) == "1 plik"


@pytest.mark.parametrize(
    ("english", "text"),
    [
        ("{name} is saved.", "{nom} est là."),
        ("{name} is saved.", "C'est là."),
        ("{name} is saved.", "{name.__class__}"),
        ("{name} is saved.", "{name:,}"),
        ("{name} is saved.", "{name!r}"),
        ("{name} is saved.", "{name"),
        ("{name} is saved.", "{} {name}"),
        ("Undo", "{x}"),
        ("Undo", "}"),
    ],
)
def test_an_entry_that_could_not_be_filled_is_left_out_and_logged(language, caplog, english, text):
    language(GERMAN + entry(english, text) + entry("Stop", "Halt"))
    with caplog.at_level(logging.WARNING):
        assert tr("Stop") == "Halt"
    assert english in caplog.text
    assert words.catalogue().messages.keys() == {"Stop"}


def test_a_plural_with_too_few_forms_is_left_out(language, caplog):
    language(POLISH + FILES + 'msgstr[0] "{n} plik"\nmsgstr[1] "{n} pliki"\n')
    assert tr_n("{n} file", "{n} files", 5) == "5 files"
    assert "lacks a form" in caplog.text


@pytest.mark.parametrize("name", ["xx", "../en", "a/b", "nowhere.po", "x.pot"])
def test_an_unknown_language_is_refused_at_the_start(name, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="AL_LANGUAGE"):
        Settings.from_env({"AL_HOME": str(tmp_path), "AL_LANGUAGE": name})
    monkeypatch.setenv("AL_LANGUAGE", name)
    words.catalogue.cache_clear()
    with pytest.raises(ConfigError, match="AL_LANGUAGE"):
        words.catalogue()
    words.catalogue.cache_clear()


def test_a_file_that_is_no_catalogue_is_refused_by_name(language):
    language("this is not a catalogue")
    with pytest.raises(ConfigError, match="cannot be read"):
        words.catalogue()


def test_babel_is_not_imported_without_a_language():
    code = "import sys; from al_core.words import tr; tr('Undo'); sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"AL_LANGUAGE": ""}, check=False).returncode == 0


# -- what is kept in English -----------------------------------------------------------------------


def test_what_is_kept_stays_english_in_any_language(language):
    language(GERMAN + entry("all {n} rounds done", "alle {n} Runden"))
    assert noted("all {n} rounds done") == "all {n} rounds done"
    assert kept("all {n} rounds done", n=3) == "all 3 rounds done"
    assert [kept_n("{n} file", "{n} files", n) for n in (1, 2)] == ["1 file", "2 files"]


def test_what_was_kept_is_told_in_the_language_with_its_values(language):
    language(
        POLISH
        + entry("all {n} rounds done", "{n} rund zrobione")
        + entry("every image is labeled", "wszystko opisane")
        + entry("no better value of {name} in {n:,} rounds", "bez poprawy {n:,} rund: {name}")
        + '\nmsgid "{n:,} picture of {name}"\nmsgid_plural "{n:,} pictures of {name}"\n'
        + 'msgstr[0] "{n:,} obraz {name}"\nmsgstr[1] "{n:,} obrazy {name}"\n'
        + 'msgstr[2] "{n:,} obrazów {name}"\n'
    )
    assert told("every image is labeled") == "wszystko opisane"
    assert told("all 3 rounds done") == "3 rund zrobione"
    assert told("no better value of F1 in 1,200 rounds") == "bez poprawy 1,200 rund: F1"
    said = ["1 obraz x", "3 obrazy x", "1,005 obrazów x"]
    assert [told(kept_n("{n:,} picture of {name}", "{n:,} pictures of {name}", n, name="x"))
            for n in (1, 3, 1005)] == said  # fmt: skip
    assert told("never heard of") == "never heard of"
    assert told("all 3 rounds done\nnever heard of") == "3 rund zrobione\nnever heard of"


def test_the_most_telling_sentence_is_found_and_one_in_another_is_told_too(language):
    language(
        GERMAN
        + entry("the file {name} is refused", "Datei {name} abgelehnt")
        + entry("the file {name} is refused; {way}", "Datei {name} abgelehnt; {way}")
        + entry("{a}: {b}", "{b} ({a})")
        + entry("cannot be read by {who}", "für {who} nicht lesbar")
    )
    text = "the file x.csv is refused; cannot be read by me"
    assert told(text) == "Datei x.csv abgelehnt; für mich nicht lesbar".replace("mich", "me")
    assert told("one: two") == "one: two"  # too few letters of its own to know it by
    assert told("the file every image is refused") == "Datei every image abgelehnt"


def test_within_english_nothing_is_looked_up(language):
    language(GERMAN + entry("Undo", "Zurück") + FILES + 'msgstr[0] "{n} Datei"\nmsgstr[1] "{n} Dateien"\n')
    with english():
        assert (tr("Undo"), tr_n("{n} file", "{n} files", 2), told("Undo")) == ("Undo", "2 files", "Undo")
    assert (tr("Undo"), tr_n("{n} file", "{n} files", 2), told("2 files")) == (
        "Zurück",
        "2 Dateien",
        "2 Dateien",
    )


def test_a_language_that_is_not_there_says_so_in_english(monkeypatch):
    monkeypatch.setenv("AL_LANGUAGE", "xx")
    words.catalogue.cache_clear()
    with pytest.raises(ConfigError, match="AL_LANGUAGE"):
        tr("Undo")
    words.catalogue.cache_clear()
