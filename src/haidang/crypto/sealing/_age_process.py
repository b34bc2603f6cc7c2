"""age in a process of its own, and the memory through which bytes get there and back.

    python _age_process.py encrypt PLAIN CIPHER age1… age1…
    python _age_process.py decrypt SECRETS PLAIN     the sealed file is standard input

Run as a program, and imported for :class:`Ring`. PLAIN and CIPHER are ends of a ring, SECRETS is a file
descriptor that secret keys come from. Secrets are neither in its arguments nor in its environment. What went
wrong is on standard error, in one line.

It imports nothing of the package, so that it starts at once and stays small.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Buffer

__all__ = ["End", "Ring", "RingReader", "RingWriter", "main"]

_TOKEN = 4
"""Bytes in which a slot's length is told."""
_READ = 1 << 17
_HELD = 1 << 15
"""Bytes held together before they are copied into a ring: pieces of 64 KiB pass by, those of 8 KiB, of which
age makes a file that it decrypts, do not."""


class End(NamedTuple):
    """One end of a ring, as file descriptors and sizes."""

    memory: int
    hears: int
    says: int
    slot: int
    slots: int

    @classmethod
    def read(cls, word: str) -> End:
        """Return what :meth:`word` wrote."""
        return cls(*map(int, word.split(":")))

    def word(self) -> str:
        """Return it as an argument of a program that inherits the descriptors."""
        return ":".join(map(str, self))

    def descriptors(self) -> tuple[int, int, int]:
        """Return the file descriptors that belong to it."""
        return self.memory, self.hears, self.says

    def close(self) -> None:
        """Close them, from which the other end sees that nobody is here any more."""
        for descriptor in self.descriptors():
            os.close(descriptor)


class Ring:
    """Slots of memory that go round between one that fills and one that empties them, in any two processes.

    A pipe would copy everything into pages of the system and out again, and wake somebody for each of the
    8 KiB that age asks for. Here two pipes only tell which slots are full, and which are free again.
    """

    def __init__(self, slot: int, slots: int) -> None:
        """Make a ring of ``slots`` slots of ``slot`` bytes, which begin where a page does."""
        memory = os.memfd_create("ring")
        os.ftruncate(memory, slot * slots)
        hears_full, says_full = os.pipe()
        hears_free, says_free = os.pipe()
        self.filling = End(memory, hears_free, says_full, slot, slots)
        self.emptying = End(os.dup(memory), hears_full, says_free, slot, slots)


class RingWriter(io.RawIOBase):
    """Fills the slots of a ring. All but the last are full when they are handed on."""

    def __init__(self, end: End) -> None:
        """Fill the ring of which this is the one end; its pipes are closed with this."""
        super().__init__()
        self._end = end
        self._memory = memoryview(mmap.mmap(end.memory, end.slot * end.slots))
        self._slot = -1
        self._begin = self._at = self._stop = 0
        self._unused = end.slots

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Take all of ``data``.

        Raises:
            EOFError: The other end is gone.
        """
        size, begin = len(memoryview(data)), 0
        if self._at + size < self._stop:
            self._memory[self._at : self._at + size] = data
            self._at += size
            return size
        with memoryview(data) as view:
            while begin < size:
                if self._at == self._stop:
                    self._next()
                done = min(size - begin, self._stop - self._at)
                self._memory[self._at : self._at + done] = view[begin : begin + done]
                self._at += done
                begin += done
                if self._at == self._stop:
                    self._tell(self._stop - self._begin)
        return size

    def writelines(self, pieces: Iterable[Buffer], /) -> None:
        """Take all of ``pieces``, one after the other; most are a few bytes.

        Raises:
            EOFError: The other end is gone.
        """
        memory, at, stop = self._memory, self._at, self._stop
        for piece in pieces:
            end = at + len(piece)  # type: ignore[arg-type] # they are bytes and views of bytes
            if end < stop:
                memory[at:end] = piece
                at = end
            else:
                self._at = at
                self.write(piece)
                at, stop = self._at, self._stop
        self._at = at

    def finish(self) -> None:
        """Hand on what is left, and say that it was the last.

        Raises:
            EOFError: The other end is gone.
        """
        if self._at < self._stop:
            self._tell(self._at - self._begin)
        self._tell(0)

    def close(self) -> None:
        """Leave the ring; without :meth:`finish`, what was handed on is not all."""
        if not self.closed:
            super().close()
            self._end.close()

    def _next(self) -> None:
        if self._unused:
            self._unused -= 1
        elif not os.read(self._end.hears, 1):
            raise _gone()
        self._slot = (self._slot + 1) % self._end.slots
        self._begin = self._at = self._slot * self._end.slot
        self._stop = self._begin + self._end.slot

    def _tell(self, size: int) -> None:
        try:
            os.write(self._end.says, size.to_bytes(_TOKEN, "little"))
        except BrokenPipeError:
            raise _gone() from None


class RingReader(io.RawIOBase):
    """Empties the slots of a ring."""

    def __init__(self, end: End) -> None:
        """Empty the ring of which this is the one end; its pipes are closed with this."""
        super().__init__()
        self._end = end
        self._memory = memoryview(mmap.mmap(end.memory, end.slot * end.slots))
        self._slot = -1
        self._rest = self._memory[:0]
        self._ended = False

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def take(self) -> memoryview:
        """Return what the next slot holds, nothing at the end; what was taken before may change from now on.

        Raises:
            EOFError: The other end is gone, and did not say that this was all.
        """
        if self._ended:
            return self._memory[:0]
        if self._slot >= 0:
            # Whoever has handed on the last one need not be there any more.
            with contextlib.suppress(BrokenPipeError):
                os.write(self._end.says, b".")
        token = os.read(self._end.hears, _TOKEN)
        if not token:
            raise _gone()
        size = int.from_bytes(token, "little")
        self._ended = not size
        self._slot = (self._slot + 1) % self._end.slots
        begin = self._slot * self._end.slot
        return self._memory[begin : begin + size]

    def readinto(self, buffer: Buffer, /) -> int:
        """Read into ``buffer``; return how many bytes, 0 at the end.

        Raises:
            EOFError: See :meth:`take`.
        """
        with memoryview(buffer) as view:
            piece = self._piece(len(view))
            view[: len(piece)] = piece
            return len(piece)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, no more than a slot holds; none at the end.

        Raises:
            EOFError: See :meth:`take`.
        """
        return bytes(self._piece(size if size >= 0 else self._end.slot))

    def close(self) -> None:
        """Leave the ring."""
        if not self.closed:
            super().close()
            self._end.close()

    def _piece(self, most: int) -> memoryview:
        if not self._rest:
            self._rest = self.take()
        piece, self._rest = self._rest[:most], self._rest[most:]
        return piece


def main() -> int:
    """Do what the arguments say; return the exit code."""
    import pyrage

    act, *words = sys.argv[1:]
    try:
        if act == "encrypt":
            recipients = [pyrage.x25519.Recipient.from_str(one) for one in words[2:]]
            source, made = RingReader(End.read(words[0])), RingWriter(End.read(words[1]))
            target = io.BufferedWriter(made, _HELD)
            pyrage.encrypt_io(io.BufferedReader(source, _READ), target, recipients)
        else:
            with os.fdopen(int(words[0]), "r", encoding="ascii") as secrets:
                identities = [pyrage.x25519.Identity.from_str(one) for one in secrets.read().split()]
            made = RingWriter(End.read(words[1]))
            target = io.BufferedWriter(made, _READ)
            pyrage.decrypt_io(open(0, "rb", 0), target, identities)  # noqa: SIM115 -- standard input
        target.flush()
        made.finish()
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 -- the parent makes a sentence of it
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _gone() -> EOFError:
    return EOFError("the other end is gone")


if __name__ == "__main__":
    sys.exit(main())
