"""Figures as files: HTML with no help, PDF, PNG and SVG by Kaleido in a process of its own.

Kaleido draws with the Chrome or Chromium of this machine. It gets a process of its own because it runs an
event loop and a browser: a server must wait for neither, and a hung browser must be killable. Nothing is
fetched: plotly.js comes from the Python package.

    python -m al_core.results.rendering FILE      # that process; FILE holds its tasks as JSON
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import psutil

from al_core.errors import ConfigError, FigureError, Problem
from al_core.words import tr

if TYPE_CHECKING:
    import plotly.graph_objects as go

Format = Literal["pdf", "png", "svg", "html"]
FORMATS: Final[tuple[Format, ...]] = ("pdf", "png", "svg", "html")
MIME: Final[Mapping[Format, str]] = {
    "pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml", "html": "text/html",
}  # fmt: skip
_NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
_CONFIG: Final = {"responsive": True, "displaylogo": False}
_PNG_SCALE: Final = 2  # pixels for each of the page's: sharp in print at half a page
_OPENING_SECONDS, _SECONDS_EACH = 60, 20
_PROJECT: Final = Path(__file__).resolve().parents[2]


def parse_formats(texts: list[str]) -> list[Format]:
    """Formats that a person typed, each once.

    Raises:
        ConfigError: one of them is none.
    """
    wanted = [text.lower().lstrip(".") for text in texts]
    for text in wanted:
        if text not in FORMATS:
            raise ConfigError([Problem("format", text, tr("one of {formats}", formats=", ".join(FORMATS)))])
    return cast("list[Format]", list(dict.fromkeys(wanted)))


def browser_path() -> str | None:
    """The browser that would draw: AL_CHROMIUM or BROWSER_PATH, what the shell finds, or the usual places."""
    for name in ("AL_CHROMIUM", "BROWSER_PATH"):
        if os.environ.get(name):
            return os.environ[name]
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or next((place for place in _PLACES if Path(place).is_file()), None)


def missing() -> str | None:
    """Why PDF, PNG and SVG cannot be made here, and the way out; None where they can."""
    if find_spec("kaleido") is None:
        return tr("PDF, PNG and SVG need kaleido: pip install kaleido. HTML needs nothing")
    path = browser_path()
    if path is None or not Path(path).is_file():
        if path:
            return tr(
                "PDF, PNG and SVG are drawn by Chrome or Chromium, and none was found ({path} is not there): "
                "install one (Debian: apt-get install chromium), or set AL_CHROMIUM to its path. HTML needs "
                "nothing",
                path=path,
            )
        return tr(
            "PDF, PNG and SVG are drawn by Chrome or Chromium, and none was found: install one (Debian: "
            "apt-get install chromium), or set AL_CHROMIUM to its path. HTML needs nothing"
        )
    return None


def figure_html(figure: go.Figure) -> str:
    """A page with the figure that zooms and needs no network."""
    return figure.to_html(include_plotlyjs=True, full_html=True, div_id="figure", config=_CONFIG)


def render(figure: go.Figure, form: Format) -> bytes:
    """One figure as a file's content.

    Raises:
        FigureError: it cannot be drawn here; the message says what is missing.
    """
    if form == "html":
        return figure_html(figure).encode()
    with tempfile.TemporaryDirectory(prefix="askwell-") as folder:
        path = Path(folder) / f"figure.{form}"
        write_figures({path: figure})
        return path.read_bytes()


def write_figures(
    figures: Mapping[Path, go.Figure], progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Write each figure to its path, in the format of its suffix; one browser draws them all.

    Raises:
        ConfigError: a suffix is no format.
        FigureError: PDF, PNG or SVG cannot be drawn here. Nothing has been written then.
    """
    forms: dict[Path, Format] = {path: parse_formats([path.suffix])[0] for path in figures}
    drawn = {path: figure for path, figure in figures.items() if forms[path] != "html"}
    reason = missing() if drawn else None
    if reason is not None:
        raise FigureError(reason)
    pages = [path for path in figures if forms[path] == "html"]
    for path in figures:
        path.parent.mkdir(parents=True, exist_ok=True)
    for path in pages:
        _write_page(path, figures[path], shared=sum(other.parent == path.parent for other in pages) > 1)
    done = len(figures) - len(drawn)
    progress(done, len(figures))
    if drawn:
        tasks = [_task(path, figure, forms[path]) for path, figure in drawn.items()]
        _draw_apart(tasks, lambda count: progress(done + count, len(figures)))


def _write_page(path: Path, figure: go.Figure, *, shared: bool) -> None:
    """One page by itself; several in a folder share its plotly.min.js, which is 5 MB."""
    if not shared:
        path.write_text(figure_html(figure), encoding="utf-8")
        return
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - the process that draws needs no Plotly

    script = path.parent / "plotly.min.js"
    if not script.exists():
        script.write_text(get_plotlyjs(), encoding="utf-8")
    text = figure.to_html(include_plotlyjs="directory", full_html=True, div_id="figure", config=_CONFIG)
    path.write_text(text, encoding="utf-8")


def _task(path: Path, figure: go.Figure, form: Format) -> dict[str, Any]:
    layout = figure.layout
    return {
        "path": str(path.absolute()),
        "figure": json.loads(figure.to_json() or "{}"),
        "options": {
            "format": form, "width": layout.width or 900, "height": layout.height or 460,
            "scale": _PNG_SCALE if form == "png" else 1,
        },
    }  # fmt: skip


def _draw_apart(tasks: list[dict[str, Any]], progress: Callable[[int], None]) -> None:
    """Let a process of its own draw; it and its browser are killed when they take too long."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints, tempfile.NamedTemporaryFile(
        "w", suffix=".json", encoding="utf-8", delete=False
    ) as given:  # fmt: skip
        try:
            json.dump(tasks, given)
            given.close()
            process = subprocess.Popen(
                [sys.executable, "-m", "al_core.results.rendering", given.name],
                cwd=_PROJECT, env=os.environ | {"BROWSER_PATH": browser_path() or ""}, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
            )  # fmt: skip
            try:
                said = _watch(process, _OPENING_SECONDS + _SECONDS_EACH * len(tasks), progress)
            finally:
                _end(process)
                if process.stdout is not None:
                    process.stdout.close()
            if process.returncode != 0:
                complaints.seek(0)
                raise FigureError(_reason(said or complaints.read()))
        finally:
            Path(given.name).unlink(missing_ok=True)


def _watch(process: subprocess.Popen[str], seconds: float, progress: Callable[[int], None]) -> str:
    """Count the lines of its output, one a figure; gives its last words where it failed."""
    clock = threading.Timer(seconds, _end, [process])
    clock.start()
    last, count = "", 0
    try:
        for line in process.stdout or ():
            if line.startswith("done"):
                count += 1
                progress(count)
            else:
                last = line
        process.wait()
    finally:
        clock.cancel()
    return last


def _end(process: subprocess.Popen[str]) -> None:
    """End the process and its browser, which is in a session of its own and would outlive it."""
    if process.poll() is None:
        try:
            below = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            below = []
        process.kill()
        for child in below:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue  # it ended with the process
    process.wait()


def _reason(said: str) -> str:
    words = " ".join(said.split())[-300:] or tr("it took too long")
    return tr(
        "the browser at {path} could not draw the figure: {words}. HTML needs no browser",
        path=browser_path(),
        words=words,
    )


# -- the process that draws ------------------------------------------------------------------------


async def _draw(tasks: list[dict[str, Any]]) -> None:
    import kaleido  # noqa: PLC0415 - only the process that draws has it

    async with kaleido.Kaleido(n=1, mathjax=False, timeout=_SECONDS_EACH) as browser:  # or it fetches MathJax
        for task in tasks:
            data = await browser.calc_fig(task["figure"], opts=task["options"])
            Path(task["path"]).write_bytes(data)
            sys.stdout.write(f"done {task['path']}\n")
            sys.stdout.flush()


def main() -> int:
    """Draw the tasks of a file; a line of output for each. Last line and status 1: what went wrong."""
    tasks = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        asyncio.run(_draw(tasks))
    except Exception as error:  # the outermost handler of this process: the parent makes words of it
        sys.stdout.write(f"{type(error).__name__}: {error}".replace("\n", " ") + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
