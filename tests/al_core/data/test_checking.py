"""Decoders that crash or hang cost their file, and nothing else."""

import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from al_core.data.checking import Checker
from al_core.errors import DataError

ROOT = Path(__file__).resolve().parents[3]

# stands in for a decoder library with a hole: crashes or hangs on files of certain names
HOSTILE = """#!{python}
import os, sys, time
sys.path.insert(0, {root!r})
from al_core.data import decoder
honest = decoder.decode
def decode(root, name, size):
    if "crash" in name:
        os._exit(139)
    if "hang" in name:
        time.sleep(60)
    return honest(root, name, size)
decoder.decode = decode
decoder.limit_memory()
decoder.serve(sys.stdin.buffer, sys.stdout.buffer)
"""


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    script = tmp_path / "python"
    script.write_text(HOSTILE.format(python=sys.executable, root=str(ROOT)))
    script.chmod(0o755)
    monkeypatch.setattr("al_core.data.checking.sys.executable", str(script))


def test_a_file_that_crashes_or_holds_up_the_decoder_is_refused_and_the_rest_goes_on(tmp_path, hostile):
    names = [f"{i:03d}{['', '-crash', '-hang'][(i % 30 == 7) + 2 * (i == 41)]}.png" for i in range(100)]
    for name in names:
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    start = time.monotonic()
    with Checker(tmp_path, len(names), seconds=2) as checker:
        checked = {c.position: c.reason for c in checker.check(names, 9)}
    assert time.monotonic() - start < 30
    assert sorted(checked) == list(range(100))
    assert {names[i]: reason for i, reason in checked.items() if reason} == {
        "007-crash.png": "crashes the decoder", "037-crash.png": "crashes the decoder",
        "067-crash.png": "crashes the decoder", "097-crash.png": "crashes the decoder",
        "041-hang.png": "takes more than 2 seconds",
    }  # fmt: skip


def test_a_decoder_that_cannot_start_is_said_and_not_blamed_on_the_files(tmp_path, monkeypatch):
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr("al_core.data.checking.sys.executable", str(script))
    with Checker(tmp_path, 1) as checker, pytest.raises(DataError, match="no such module"):
        list(checker.check(["a.png"], 8))


def test_very_long_names_do_not_make_both_ends_wait(tmp_path):
    folder = "\u00e9" * 120
    deep = "/".join([folder] * 12)
    (tmp_path / deep).mkdir(parents=True)
    names = [f"{deep}/{i}.png" for i in range(80)]
    Image.new("RGB", (40, 40)).save(tmp_path / names[0])
    for name in names[1:]:
        (tmp_path / name).write_bytes((tmp_path / names[0]).read_bytes())
    with Checker(tmp_path, len(names)) as checker:
        checked = list(checker.check(names, 128))
    assert [c.reason for c in checked] == [None] * 80
    assert {len(c.pixels) for c in checked} == {128 * 128 * 3}


def test_a_decoder_has_a_memory_limit(tmp_path):
    import subprocess

    code = (
        "from al_core.data.decoder import limit_memory; limit_memory();"
        "import numpy as np\n"
        "try:\n    np.empty(2**33, np.uint8)\nexcept MemoryError:\n    print('refused')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "refused"
