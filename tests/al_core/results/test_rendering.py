"""Figures as files: HTML without anything, the others by a browser in a process of its own."""

import re
import time
import xml.etree.ElementTree as ElementTree

import plotly.graph_objects as go
import psutil
import pytest
from PIL import Image

from al_core.errors import ConfigError, FigureError
from al_core.results import rendering
from al_core.results.figures.sheets import Sheet, standing_alone
from al_core.results.rendering import figure_html, missing, parse_formats, render, write_figures


def figure(name="a"):
    return go.Figure(go.Scatter(x=[1, 2, 3], y=[3, 1, 2], name=name))


needs_browser = pytest.mark.skipif(missing() is not None, reason=f"cannot draw here: {missing()}")


def test_a_page_holds_all_that_it_needs_and_no_name_becomes_markup():
    text = figure_html(figure("</script><script>alert(1)</script>"))
    assert "<script>alert(1)" not in text
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", text)
    assert len(text) > 1_000_000  # plotly.js is inside


def test_several_pages_of_a_folder_share_one_script(tmp_path):
    write_figures({tmp_path / "a.html": figure(), tmp_path / "b.html": figure()})
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    assert (tmp_path / "a.html").stat().st_size < 50_000
    assert "https://cdn" not in (tmp_path / "a.html").read_text()
    write_figures({tmp_path / "alone" / "c.html": figure()})
    assert (tmp_path / "alone" / "c.html").stat().st_size > 1_000_000


def test_without_a_browser_the_way_out_is_said_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_CHROMIUM", str(tmp_path / "no-such-browser"))
    with pytest.raises(FigureError, match=r"no-such-browser is not there.*set AL_CHROMIUM"):
        write_figures({tmp_path / "out" / "a.pdf": figure(), tmp_path / "out" / "b.html": figure()})
    assert not (tmp_path / "out").exists()
    assert b"<html>" in render(figure(), "html")


def test_without_kaleido_the_way_out_is_said(monkeypatch):
    monkeypatch.setattr(rendering, "find_spec", lambda name: None)
    assert "pip install kaleido" in (missing() or "")


def test_a_format_that_is_none_is_refused():
    assert parse_formats(["PNG", ".pdf", "png"]) == ["png", "pdf"]
    with pytest.raises(ConfigError, match="one of pdf, png, svg, html"):
        parse_formats(["gif"])


def test_a_browser_that_draws_nothing_ends_in_an_error_with_its_words(tmp_path, monkeypatch):
    fake = tmp_path / "browser"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("AL_CHROMIUM", str(fake))
    with pytest.raises(FigureError, match="could not draw the figure"):
        write_figures({tmp_path / "a.png": figure()})


@pytest.mark.slow
def test_a_browser_that_hangs_is_ended_with_all_its_processes(tmp_path, monkeypatch):
    mark = tmp_path / "pid"
    fake = tmp_path / "browser"
    fake.write_text(f"#!/bin/sh\necho $$ > {mark}\nexec sleep 300\n")
    fake.chmod(0o755)
    monkeypatch.setenv("AL_CHROMIUM", str(fake))
    monkeypatch.setattr(rendering, "_OPENING_SECONDS", 15)
    monkeypatch.setattr(rendering, "_SECONDS_EACH", 0)
    with pytest.raises(FigureError):
        write_figures({tmp_path / "a.png": figure()})
    pid = int(mark.read_text())
    end = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.slow
@needs_browser
def test_one_browser_draws_every_format(tmp_path):
    sheet = Sheet("curve", "A <b>title</b>", lambda dark: figure("<script>x</script>"))
    counted = []
    forms = ("pdf", "png", "svg", "html")
    write_figures({tmp_path / f"a.{f}": sheet.alone("note") for f in forms}, lambda *n: counted.append(n))
    assert counted == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-1")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size[0] == 1800  # 900 at twice the pixels
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 20
    root = ElementTree.fromstring((tmp_path / "a.svg").read_text())
    words = "".join(root.itertext())
    assert "A <b>title</b>" in words
    assert root.find(".//{*}script") is None


def test_a_figure_by_itself_says_where_it_comes_from():
    alone = standing_alone(figure(), "T", "run 7")
    assert alone.layout.title.text == "T"
    assert alone.layout.annotations[-1].text.startswith("run 7 · Askwell")
