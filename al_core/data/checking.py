"""Decode many files in a few watched processes: each has a time limit and a memory limit for each file.

A file that crashes a decoder, or holds it up, is refused; the decoder is started again and the rest goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Self

import al_core
from al_core.errors import DataError
from al_core.words import kept, noted, tr

SECONDS: Final = 30.0
"""Time limit for one file. Large photos take 0.1 s."""
_START_SECONDS: Final = 120.0
_WINDOW: Final = 16
_WINDOW_BYTES: Final = 32_000  # less than a pipe holds, so that neither end waits for the other for ever


@dataclass(frozen=True)
class Checked:
    """What became of one file: a reason to refuse it, or its facts and pixels."""

    position: int
    reason: str | None
    width: int = 0  # in pixels, upright, whatever size it was decoded at
    height: int = 0
    bytes: int = 0
    digest: str = ""
    total: tuple[int, ...] = ()
    squares: tuple[int, ...] = ()
    pixels: bytes = b""

    @property
    def side(self) -> int:
        """Of a square picture; 0: it is not square."""
        return self.width if self.width == self.height else 0

    @property
    def short(self) -> int:
        """The shorter side."""
        return min(self.width, self.height)


class _Decoder:
    """One decoder process, the requests that it has not answered, and what it has said so far."""

    def __init__(self, root: Path) -> None:
        self.waiting: deque[tuple[int, int]] = deque()  # (position, bytes of its request)
        self.buffer = bytearray()
        self.ready = False
        self.since = time.monotonic()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        project = str(Path(al_core.__file__).parent.parent)
        paths = [project, *filter(None, [os.environ.get("PYTHONPATH")])]
        one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "al_core.data.decoder"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            env=os.environ | one_thread | {"PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        self._send(json.dumps(os.fspath(root)).encode() + b"\n")

    @property
    def output(self) -> IO[bytes]:
        pipe = self.process.stdout
        if pipe is None:
            raise DataError(tr("a decoder has no output"))
        return pipe

    def _send(self, line: bytes) -> None:
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it died; reading its output says so too
                self.process.stdin.write(line)
                self.process.stdin.flush()

    def has_room(self) -> bool:
        """Whether one more request can be sent without waiting."""
        return len(self.waiting) < _WINDOW and sum(size for _, size in self.waiting) < _WINDOW_BYTES

    def ask(self, position: int, name: str, size: int) -> None:
        """Send one request."""
        line = json.dumps({"name": name, "size": size}).encode() + b"\n"
        if not self.waiting:
            self.since = time.monotonic()
        self.waiting.append((position, len(line)))
        self._send(line)

    def take(self) -> bool:
        """Read what it has written; true when it has ended."""
        for _ in range(64):
            try:
                piece = os.read(self.output.fileno(), 1 << 18)
            except BlockingIOError:
                return False
            self.buffer += piece
            if not piece:
                return True
        return False

    def answers(self) -> Iterator[Checked]:
        """The answers that have come in whole."""
        while (end := self.buffer.find(b"\n")) >= 0:
            facts: dict[str, Any] = json.loads(self.buffer[:end])
            if not self.ready:
                self.ready = True
                del self.buffer[: end + 1]
                self.since = time.monotonic()
                continue
            stop = end + 1 + facts["pixels"]
            if len(self.buffer) < stop:
                return
            facts["pixels"] = bytes(self.buffer[end + 1 : stop])
            del self.buffer[:stop]
            position, _ = self.waiting.popleft()
            self.since = time.monotonic()
            yield Checked(position, **facts)

    def close(self) -> str:
        """End the process; returns what it wrote to its error output."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # an unsent rest
                    pipe.close()
        self.process.wait()
        self._errors.seek(0)
        text = self._errors.read(10_000).decode(errors="replace")
        self._errors.close()
        return text


class Checker:
    """Decoder processes for the files below one folder, to be used in a `with` statement, which ends them."""

    def __init__(self, root: Path, num_files: int, *, seconds: float = SECONDS) -> None:
        self._root, self._seconds = root, seconds
        self._num_decoders = max(1, min(os.cpu_count() or 1, 8, num_files // 32))
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for decoder in self._decoders():
            self._selector.unregister(decoder.output)
            decoder.close()
        self._selector.close()

    def _decoders(self) -> list[_Decoder]:
        return [key.data for key in self._selector.get_map().values()]

    def _start(self) -> None:
        decoder = _Decoder(self._root)
        os.set_blocking(decoder.output.fileno(), False)
        self._selector.register(decoder.output, selectors.EVENT_READ, decoder)

    def check(self, names: Sequence[str], size: int) -> Iterator[Checked]:
        """Decode every file at `size` pixels; results come as they are ready, to be taken to the end.

        Raises:
            DataError: decoders cannot be started at all.
        """
        while len(self._decoders()) < self._num_decoders:
            self._start()
        queue = deque(range(len(names)))
        left = len(names)
        while left:
            for decoder in self._decoders():
                while queue and decoder.has_room():
                    position = queue.popleft()
                    decoder.ask(position, names[position], size)
            self._selector.select(timeout=0.5)
            for decoder in self._decoders():
                for checked in self._listen(decoder, queue):
                    left -= 1
                    yield checked

    def _listen(self, decoder: _Decoder, queue: deque[int]) -> Iterator[Checked]:
        """The answers of one decoder; one that died or hangs is replaced, and its file refused."""
        ended = decoder.take()
        yield from decoder.answers()
        # a busy machine may take long to start a process, which is no file's fault
        allowed = self._seconds if decoder.ready else max(self._seconds, _START_SECONDS)
        late = bool(decoder.waiting) and time.monotonic() - decoder.since > allowed
        if not ended and not late:
            return
        self._selector.unregister(decoder.output)
        said = decoder.close()
        if not decoder.ready:
            raise DataError(
                tr("pictures cannot be checked: no decoder starts ({said})", said=said.strip()[-500:])
            )
        if decoder.waiting:
            culprit, _ = decoder.waiting.popleft()
            queue.extendleft(position for position, _ in reversed(decoder.waiting))
            late_words = kept("takes more than {n:g} seconds", n=self._seconds)
            yield Checked(culprit, late_words if late else noted("crashes the decoder"))
        self._start()
