"""README's tables and the strategies' pages: `make readme` writes them, a test finds stale ones."""

import re
from pathlib import Path

from al_core.cli.listing import dataset_rows, model_rows, option_rows, preset_rows, strategy_rows
from tests import strategy_pages

README = Path(__file__).resolve().parent.parent / "README.md"


def _table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def tables():
    """Name of each table, and its Markdown."""
    return {
        "datasets": _table(
            ["name", "what", "images (train + test)", "download"],
            [
                [
                    f"`{r['name']}`",
                    r["title"],
                    "yours" if r["train"] is None else f"{r['train']:,} + {r['test']:,}",
                    f"{r['download_mb']:g} MB" if r["download_mb"] else "none",
                ]
                for r in dataset_rows()
            ],
        ),
        "models": _table(
            ["name", "what", "parameters", "ImageNet weights", "own dropout"],
            [
                [
                    f"`{r['name']}`",
                    r["title"],
                    f"{r['parameters']:,}",
                    _yes(r["imagenet_weights"]),
                    _yes(r["dropout"]),
                ]
                for r in model_rows()
            ],
        ),
        "strategies": _table(
            ["name", "idea", "needs", "also called"],
            [
                [
                    f"[`{r['name']}`](docs/strategies/{r['name']}.md)",
                    r["idea"],
                    ", ".join(r["needs"]) or "nothing",
                    ", ".join(r["aliases"]),
                ]
                for r in strategy_rows()
            ],
        ),
        "presets": _table(["`--preset`", "what"], [[f"`{r['name']}`", r["what"]] for r in preset_rows()]),
        "options": _table(
            ["flag", "default", "what"],
            [[f"`{r['flag']}`", _default(r["default"]), r["help"]] for r in option_rows()],
        ),
    }


def _yes(value):
    return "yes" if value else "no"


def _default(value):
    return "" if value in (None, {}) else f"`{value}`"


def with_tables(text):
    """The text with each table between its two comments replaced."""
    for name, table in tables().items():
        pattern = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(pattern, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"README has {count} places for the table {name!r}, not one")
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
    strategy_pages.write()
