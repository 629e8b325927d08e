"""Every strategy on a million images: `python -m tests.benchmarks.selection million [--strategies ...]`.

1,000,000 x 128 features, 10 classes, 5 dropout passes, 3 members, 1,000 labeled, 1,000 asked for, through
`select` with all its checks. Each strategy runs in a process of its own, which gives its time and the most
memory that the process ever held, evidence included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from tests.benchmarks.measuring import embedding_like, highest_memory, load_of_machine, softmax_like
from tests.benchmarks.selection_page import page

LABELED, CLASSES, PASSES, MEMBERS, WIDTH = 1000, 10, 5, 3, 128


def evidence_arrays(n: int) -> dict[str, np.ndarray]:
    """One array a kind of evidence; features serve as embeddings too."""
    points = embedding_like(n + LABELED, WIDTH, 0)
    probs = softmax_like(n, CLASSES, 1)
    rng = np.random.default_rng(2)

    def around(num: int) -> np.ndarray:
        noisy = probs * rng.uniform(0.3, 1.7, size=(num, n, CLASSES)).astype(np.float32)
        return noisy / noisy.sum(axis=2, keepdims=True)

    return {
        "features": points[:n],
        "labeled_features": points[n:],
        "texture": points[:n],
        "labeled_texture": points[n:],
        "head_weights": rng.normal(size=(CLASSES, WIDTH)).astype(np.float32),
        "head_bias": np.zeros(CLASSES, np.float32),
        "labeled_classes": rng.integers(CLASSES, size=LABELED),
        "probs": probs,
        "mc_probs": around(PASSES),
        "committee_probs": around(MEMBERS),
        "deepfool_distance": rng.exponential(size=n).astype(np.float32),
        "bim_distance": rng.exponential(size=n).astype(np.float32),
    }


def stored(name: str) -> str:
    return name.replace("embeddings", "features")


def run_one(name: str, folder: Path, n: int, k: int) -> dict[str, float | str]:
    """What a child process does and says."""
    found = STRATEGIES.get(name)
    evidence: dict[str, object] = {"num_classes": CLASSES}
    for kind in found.evidence:
        if kind not in ("num_candidates", "num_classes"):
            evidence[kind] = np.load(folder / f"{stored(kind)}.npy")
    wall, processor = time.perf_counter(), time.process_time()
    positions = select(found, evidence, num_candidates=n, k=k, rng=np.random.default_rng(0)).positions
    spent = time.perf_counter() - wall, time.process_time() - processor
    assert len(set(positions.tolist())) == k
    return {"strategy": name, "wall": spent[0], "processor": spent[1], "gigabytes": highest_memory() / 2**30}


def measure(names: Sequence[str], n: int, k: int, limit: float) -> Iterator[dict[str, float | str]]:
    """One line a strategy; those over the time limit say so."""
    with tempfile.TemporaryDirectory() as folder:
        arrays = evidence_arrays(n)
        for kind, array in arrays.items():
            np.save(Path(folder) / f"{kind}.npy", array)
        missing = {
            name: [kind for kind in STRATEGIES.get(name).evidence if stored(kind) not in arrays]
            for name in names
        }
        del arrays
        for name in names:
            if absent := set(missing[name]) - {"num_candidates", "num_classes"}:
                yield {"strategy": name, "failed": f"no evidence made for {', '.join(sorted(absent))}"}
                continue
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.million",
                "--child",
                name,
                folder,
                str(n),
                str(k),
            ]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
            except subprocess.TimeoutExpired:
                yield {"strategy": name, "failed": f"not done after {limit:.0f} s"}
                continue
            if done.returncode:
                last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
                yield {"strategy": name, "failed": last}
            else:
                yield json.loads(done.stdout.strip().splitlines()[-1])


def shown(line: dict[str, float | str]) -> str:
    if "failed" in line:
        return f"{line['strategy']:<24}{line['failed']}"
    return f"{line['strategy']:<24}{line['wall']:>10.1f}{line['processor']:>10.1f}{line['gigabytes']:>8.1f}"


def main(arguments: Sequence[str]) -> list[dict[str, float | str]]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategies", nargs="*", default=None)
    parser.add_argument(
        "--quick", action="store_true", help="a hundredth of the images, a tenth of the picks"
    )
    parser.add_argument("--limit", type=float, default=1800, help="seconds a strategy may take")
    parser.add_argument("--json", type=Path, help="keep the result among the benchmark's rows")
    parser.add_argument("--write", type=Path, help="write the page anew from that file")
    args = parser.parse_args(arguments)
    n, k = (10_000, 100) if args.quick else (1_000_000, 1000)
    names = args.strategies or sorted(STRATEGIES.names())
    title = f"{n:,} x {WIDTH}, {CLASSES} classes, {PASSES} passes, {MEMBERS} members, {k:,} picks"
    print(f"{title}; {load_of_machine()}")
    print(f"{'strategy':<24}{'wall s':>10}{'cpu s':>10}{'GB':>8}")
    lines = []
    for line in measure(names, n, k, args.limit):
        lines.append(line)
        print(shown(line), flush=True)
    if args.json:
        kept = json.loads(args.json.read_text()) if args.json.exists() else {}
        before = {line["strategy"]: line for line in kept.get("million", {}).get("lines", [])}
        merged = before | {line["strategy"]: line for line in lines}
        lines = [merged[name] for name in sorted(merged)]
        kept["million"] = {"title": title, "machine": load_of_machine(), "lines": lines}
        args.json.write_text(json.dumps(kept, indent=1))
        if args.write:
            args.write.write_text(page(kept))
    return lines


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(run_one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))))
    else:
        main(sys.argv[1:])
