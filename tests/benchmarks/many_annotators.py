"""Many people who label one session at once, over HTTP: how long the server takes, and that nothing is lost.

    python -m tests.benchmarks.many_annotators [--people 20] [--images 1000] [--seconds 0.4] [--training]

Each person sits down, answers what is theirs one POST at a time, `--seconds` apart, and asks for more when
half is answered, as the page does. Server side is what the routes report (Server-Timing); the rest of the
round trip is this program's own, on the same cores.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
SECRET = "a secret of this benchmark alone"


@dataclass
class Took:
    """Milliseconds of the requests of one kind: at the server, and for who asked."""

    server: list[float] = field(default_factory=list)
    trip: list[float] = field(default_factory=list)

    def words(self):
        one = [f"{np.percentile(self.server, q):.1f}" for q in (50, 95, 99, 100)]
        two = [f"{np.percentile(self.trip, q):.1f}" for q in (50, 95, 99, 100)]
        return f"n {len(self.server)}: server {' / '.join(one)} ms, round trip {' / '.join(two)} ms"


class Annotator:
    """A person at the other end of a connection that stays open."""

    def __init__(self, port, batch, name, took):
        from state.web import security

        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.batch, self.name, self.took, self.n = batch, name, took, 0
        token = security.token("labels", batch.partition("/")[0], name)
        self.headers = {
            "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", "X-AL-Token": token,
        }  # fmt: skip
        self.acked = []

    def post(self, route, body):
        began = time.perf_counter()
        self.connection.request(
            "POST", f"/api/{route}", json.dumps({"batch": self.batch} | body), self.headers
        )
        response = self.connection.getresponse()
        reply = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(f"{route}: {response.status} {reply}")
        took = self.took[route]
        took.trip.append(1000 * (time.perf_counter() - began))
        took.server.append(float(response.headers["Server-Timing"].partition("dur=")[2]))
        return reply

    def sit(self):
        return self.post("seats", {"browser": f"browser-{self.name}"})

    def answer(self, sample_id):
        self.n += 1
        op = {"n": self.n, "id": sample_id, "to": sample_id % 10, "ms": 400}
        reply = self.post("labels", {"client": f"client-of-{self.name}", "ops": [op]})
        assert reply["n"] == self.n
        self.acked.append(sample_id)
        return reply

    def work(self, seconds, start):
        """From `start` on, until nothing is left that is theirs."""
        start.wait()
        while True:
            share = self.sit()
            mine = share["leased"]
            if not share["left"]:
                return
            if not mine:  # the others hold what is left: it may come free
                time.sleep(0.2)
                continue
            spoke = time.monotonic()
            for sample_id in mine[: max(1, len(mine) // 2)]:
                time.sleep(seconds)
                self.answer(sample_id)
                if time.monotonic() - spoke > 4:  # the page asks every four seconds, too
                    break


def together(port, batch, people, seconds, *, name="person"):
    """Let so many people label a batch at once; (how long requests took, what each was acknowledged)."""
    took = {"labels": Took(), "seats": Took()}
    start = threading.Barrier(people)
    annotators = [Annotator(port, batch, f"{name}-{k:02d}", took) for k in range(people)]
    for annotator in annotators:
        annotator.sit()  # all are here before the first begins
    errors = []

    def run(annotator):
        try:
            annotator.work(seconds, start)
        except Exception as error:  # what it is, the caller is told
            errors.append(error)
            start.abort()

    threads = [threading.Thread(target=run, args=(annotator,)) for annotator in annotators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for annotator in annotators:
        annotator.connection.close()
    if errors:
        raise errors[0]
    return took, {annotator.name: annotator.acked for annotator in annotators}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.4, help="between two answers of one person")
    parser.add_argument("--training", action="store_true", help="beside a training on all cores")
    arguments = parser.parse_args()
    os.environ["AL_SECRET"] = SECRET
    from conftest import Home, Server

    from al_core.config import DataConfig
    from al_core.data.prepare import prepare
    from al_core.worker.identity import Slot

    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, env={"AL_SECRET": SECRET})
        slot = Slot(server.home)
        slot.take()
        prepare(server.settings, DataConfig())
        server.start()
        home = Home(server.settings)
        training = None
        if arguments.training:
            command = [sys.executable, "-m", "al_core", "run", "--quiet", "--dataset", "shapes"]
            training = subprocess.Popen(
                [*command, "--epochs", "10000", "--n-rounds", "1"], cwd=ROOT, stdin=subprocess.DEVNULL,
                env=os.environ | {"AL_HOME": f"{folder}/training"},
            )  # fmt: skip
            time.sleep(15)
        try:
            record = home.experiment(rounds=0, num_items=arguments.images, name="many")
            began = time.perf_counter()
            took, acked = together(server.port, home.query(record).batch, arguments.people, arguments.seconds)
            spent = time.perf_counter() - began
            events = home.store.label_events(record.id)
            times = Counter(event.sample_id for event in events)
            lost = {(who, i) for who, ids in acked.items() for i in ids} - {
                (event.annotator, event.sample_id) for event in events
            }
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments}")
            print(f"{len(events)} labels in {spent:.1f} s by {len(acked)} people; p50 / p95 / p99 / max:")
            for route, each in took.items():
                print(f"  /api/{route}, {each.words()}")
            opinions, damage = len(home.store.opinions(record.id)), home.store.check()
            print(f"images labeled twice: {sum(n > 1 for n in times.values())}; lost: {len(lost)}")
            print(f"second opinions: {opinions}; damage: {damage}")
        finally:
            if training is not None:
                training.kill()
                training.wait()
            home.store.close()
            server.stop()
            slot.release()


if __name__ == "__main__":
    main()
