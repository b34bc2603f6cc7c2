"""Opens PDF files that others wrote: bounded in size, time and expansion, and with errors in plain words.

A PDF is hostile until the contrary is shown. pyHanko reads it in pure Python; what it cannot read may end in
any exception of Python. :func:`reading` turns each of them into an :class:`UnreadablePdfError`, and stops
what takes too long: by an alarm in the main thread, by counting reads in any other.
"""

from __future__ import annotations

import contextlib
import io
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from haidang.crypto.lean import lean_pyhanko
from haidang.errors import HaidangError, SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.crypto.passphrases import Passphrase

__all__ = [
    "LARGEST_PDF",
    "LONGEST_READING",
    "MOST_REVISIONS",
    "UnreadablePdfError",
    "open_pdf",
    "reading",
]

LARGEST_PDF = 256 << 20
"""Most bytes of a PDF that is signed or verified; it is held in memory."""
LONGEST_READING = 30.0
"""Seconds that signing or verifying one PDF may take."""
MOST_REVISIONS = 500
"""Most revisions (incremental updates) of one PDF: comparing them takes time for each."""
_EXPANDED_FLOOR = 128 << 20
"""Bytes that all decoded streams may come to, however small the file is; beyond, 50 times its size."""
_READS = 256
"""How many reads pass between two looks at the clock."""


class UnreadablePdfError(SigningError):
    """A PDF is broken, locked, or made to wear out whoever reads it. ``code`` says which, for programs."""

    def __init__(self, code: str, message: str, *, hint: str = "", **values: object) -> None:
        """Keep ``code`` beside what :class:`haidang.errors.ProtectError` keeps."""
        super().__init__(message, hint=hint, **values)
        self.code = code


class _TooSlow(BaseException):
    """Time is up. No ``Exception``: pyHanko must not take it for a flaw of the file."""


class _Bytes(io.BytesIO):
    """A file in memory that looks at the clock now and then."""

    deadline = float("inf")
    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads % _READS == 0 and time.monotonic() > self.deadline:
            raise _TooSlow
        return super().read(size)


def open_pdf(content: bytes, password: Passphrase | None = None) -> Any:
    """Return a ``pyhanko.pdf_utils.reader.PdfFileReader`` on ``content``; call it inside :func:`reading`.

    It is strict where the file is: a file with hybrid cross-references is read as newer programs read it.

    Raises:
        UnreadablePdfError: The file is too large, has too many revisions, or cannot be decrypted.
    """
    lean_pyhanko()
    from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget
    from pyhanko.pdf_utils.reader import PdfFileReader

    if len(content) > LARGEST_PDF:
        raise UnreadablePdfError(
            "pdf-too-large",
            N_("The PDF is larger than {most} MiB."),
            hint=N_("Make it smaller, or sign it in a container (ASiC-E)."),
            most=LARGEST_PDF >> 20,
        )
    if content.count(b"startxref") > 2 * MOST_REVISIONS:
        raise _too_many()
    limits = DecodeLimits(document_budget=DocumentDecodeBudget(base_allowance=_EXPANDED_FLOOR, max_ratio=50))
    stream: io.BytesIO
    if threading.current_thread() is threading.main_thread():
        stream = io.BytesIO(content)
    else:
        stream = _Bytes(content)
        stream.deadline = time.monotonic() + LONGEST_READING
    reader = PdfFileReader(stream, strict=True, decode_limits=limits)
    if reader.xrefs.hybrid_xrefs_present:
        reader = PdfFileReader(stream, strict=False, decode_limits=limits)
    if reader.xrefs.total_revisions > MOST_REVISIONS:
        raise _too_many()
    if reader.encrypted:
        _decrypt(reader, password)
    return reader


@contextlib.contextmanager
def reading(seconds: float = LONGEST_READING) -> Iterator[None]:
    """Turn whatever a hostile file raises into an :class:`UnreadablePdfError`, after ``seconds`` at most.

    Errors of this package pass as they are.
    """
    lean_pyhanko()
    from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfError

    try:
        with _alarm(seconds) if seconds < float("inf") else contextlib.nullcontext():
            yield
    except HaidangError:
        raise
    except PdfDecodeLimitError as error:
        raise UnreadablePdfError(
            "pdf-expands-too-far",
            N_("The PDF holds data that expand to far more than a document needs."),
            hint=N_("Do not open it: files like this are made to exhaust whoever reads them."),
        ) from error
    except PdfError as error:
        raise _broken(error) from error
    except (_TooSlow, MemoryError) as error:
        raise UnreadablePdfError(
            "pdf-too-complex",
            N_("The PDF takes more than {seconds} seconds or too much memory to read."),
            hint=N_("Do not open it: files like this are made to exhaust whoever reads them."),
            seconds=round(seconds),
        ) from error
    except RecursionError as error:
        raise UnreadablePdfError(
            "pdf-too-deep",
            N_("The PDF is nested deeper than any document needs."),
            hint=N_("Do not open it: files like this are made to exhaust whoever reads them."),
        ) from error
    except Exception as error:  # a hostile file reaches every assumption of those who read it
        raise _broken(error) from error


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise :class:`_TooSlow` after ``seconds``, where the process has one main thread and no other alarm."""
    free = (
        threading.current_thread() is threading.main_thread()
        and hasattr(signal, "setitimer")
        and signal.getitimer(signal.ITIMER_REAL)[0] == 0
        and signal.getsignal(signal.SIGALRM) in {signal.SIG_DFL, signal.SIG_IGN}
    )
    if not free:
        yield
        return

    def ring(number: int, frame: object) -> None:
        del number, frame
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _decrypt(reader: Any, password: Passphrase | None) -> None:
    from pyhanko.pdf_utils.crypt import AuthStatus

    given = password.reveal() if password else b""
    for candidate in _spellings(given):
        # An encoding of old PDFs may have no such letter: then it is none of their passwords.
        with contextlib.suppress(UnicodeError):
            if reader.decrypt(candidate).status != AuthStatus.FAILED:
                return
    raise UnreadablePdfError(
        "pdf-password",
        N_("The PDF is encrypted, and its password is another one.")
        if password
        else N_("The PDF is encrypted with a password."),
        hint=N_("Give its password: --pdf-password-file FILE, or --ask-pdf-password to type it."),
    )


def _spellings(password: bytes) -> Iterator[str | bytes]:
    """Yield a password as text, which each generation of PDF encodes in its way, then as it is."""
    with contextlib.suppress(UnicodeError):
        yield password.decode()
    yield password


def _too_many() -> UnreadablePdfError:
    return UnreadablePdfError(
        "pdf-too-many-revisions",
        N_("The PDF has more than {most} revisions."),
        hint=N_("Ask whoever made it for a copy that was saved once."),
        most=MOST_REVISIONS,
    )


def _broken(error: BaseException) -> UnreadablePdfError:
    return UnreadablePdfError(
        "pdf-broken",
        N_("This is not a PDF that can be read safely: {reason}."),
        hint=N_("Ask whoever made it for a sound copy, or print it to a new PDF (which has no signatures)."),
        reason=str(error).rstrip(".")[:200] or type(error).__name__,
    )
