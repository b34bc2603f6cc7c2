"""Many files verified at once, in several processes where that pays.

Each process parses what is trusted once and remembers chains. Verdicts come in the order of the files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from haidang.crypto.verdicts import DocumentVerdict, Reason
from haidang.crypto.verifying import verify
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options
from haidang.errors import InputError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["FEWEST_IN_PROCESSES", "verify_many"]

FEWEST_IN_PROCESSES = 100
"""From how many files on more than one process verifies them."""
_CHUNK = 16


class _Job(NamedTuple):
    trust: Trust
    now: dt.datetime
    options: Options


# Set before the processes are forked: certificates of ``cryptography`` cannot be sent to them.
_JOB: list[_Job] = []


def verify_many(
    paths: Sequence[Path],
    trust: Trust,
    *,
    now: dt.datetime,
    options: Options = DEFAULT_OPTIONS,
    processes: int = 1,
) -> Iterator[DocumentVerdict]:
    """Yield the verdict on each file; one that cannot be read gets a verdict, too."""
    job = _Job(trust, now, options)
    if processes < 2 or len(paths) < FEWEST_IN_PROCESSES or not hasattr(os, "fork"):
        for path in paths:
            yield _one(path, job)
        return
    # Imported here: one file is to be verified at once.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    _JOB[:] = [job]
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(_in_process, paths, chunksize=_CHUNK)


def _in_process(path: Path) -> DocumentVerdict:
    return _one(path, _JOB[0])


def _one(path: Path, job: _Job) -> DocumentVerdict:
    try:
        return verify(path, job.trust, now=job.now, options=job.options)
    except InputError as error:
        reason = Reason(
            "unreadable",
            Message(N_("It cannot be read: {reason}"), reason=error.message),
            Message(N_("Check the name and the permissions.")),
            severity="warning",
        )
        return DocumentVerdict(str(path), "unreadable", reasons=(reason,))
