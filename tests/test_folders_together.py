"""Folders of tests can be given to pytest in any combination."""

import subprocess
import sys

from tests.test_documents import ROOT


def test_each_test_module_finds_the_conftest_beside_it():
    modules = ["state/web/test_seats_route", "pages/test_help", "e2e/test_tour", "al_core/engine/test_group"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *(f"tests/{m}.py" for m in modules)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
