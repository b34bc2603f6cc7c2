"""``haidang verify FILE…``: who signed, for which unit, when, unchanged or what is wrong and what to do.

The work is done by :mod:`haidang.crypto.verifying`; here are its options, and how its answer is written.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, add_pdf_password, pdf_password_of, present, trust_of
from haidang.errors import ConfigurationError, InputError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.crypto.trust import Trust
    from haidang.crypto.verdicts import DocumentVerdict
    from haidang.i18n import Translator

__all__ = ["COMMAND", "FAILED", "UNDETERMINED"]

FAILED, UNDETERMINED = 1, 3

EPILOG = N_(
    """Examples:
  haidang verify decision.pdf
  haidang verify report.csv                  with report.csv.p7s beside it
  haidang verify report.csv --signature from-mail.p7s
  haidang verify received/ --json > evidence.json

Nothing is fetched: what is trusted is in the folder of --home.
Exit codes: 0 everything holds, 1 a signature does not hold or there is none,
2 wrong usage, 3 it cannot be told."""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.set_defaults(command="verify")
    parser.epilog = _(EPILOG)
    inputs = parser.add_argument_group(_("Inputs"))
    inputs.add_argument(
        "paths", metavar="FILE", nargs="+", help=_("signed files, signatures, or folders of them")
    )
    inputs.add_argument(
        "--signature", metavar="FILE", help=_("the signature, where it is not beside the one file named")
    )
    inputs.add_argument(
        "--content", metavar="FILE", help=_("the signed file, where it is not beside the one signature named")
    )
    add_pdf_password(inputs, translate)
    trust = add_home(parser, translate)
    trust.add_argument(
        "--anchor",
        metavar="FILE",
        action="append",
        default=[],
        help=_("believe the root certificates in FILE, too (repeatable)"),
    )
    trust.add_argument(
        "--need-timestamp",
        action="store_true",
        help=_("a signature without a timestamp that proves its time is not enough"),
    )
    trust.add_argument("--at", metavar="TIME", help=_("judge as of this moment instead of now"))
    outputs = parser.add_argument_group(_("Outputs"))
    outputs.add_argument("--json", action="store_true", help=_("write the evidence as JSON"))
    outputs.add_argument(
        "--quiet",
        action="store_true",
        help=_("write only what does not hold, and the exit code says the rest"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Verify and write; return the exit code.

    Raises:
        HaidangError: An option or what is trusted is wrong, or the only file cannot be read.
    """
    from haidang.crypto.verifying.many import verify_many
    from haidang.crypto.verifying.options import Options

    paths = list(_files(args.paths))
    if (args.signature or args.content) and len(paths) != 1:
        raise ConfigurationError(context.translate("--signature and --content go with one file."))
    options = Options(
        signature=Path(args.signature) if args.signature else None,
        content=Path(args.content) if args.content else None,
        need_timestamp=args.need_timestamp,
        password=pdf_password_of(args, context),
    )
    now = _moment(args, context)
    trust = _trust(args, context)
    verdicts = verify_many(paths, trust, now=now, options=options, processes=_processes())
    found = _json(verdicts, now, context) if args.json else _text(verdicts, args, context)
    return _code(found)


def _files(names: Sequence[str]) -> Iterator[Path]:
    """Yield the files named, and those in folders named; signatures beside what they sign are left out.

    Raises:
        InputError: There is none of that name.
    """
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
            yield from (one for one in inside if not _is_beside(one))
        elif path.exists():
            yield path
        else:
            raise InputError(f"{name} is not there", hint="Check the name.")


def _is_beside(path: Path) -> bool:
    from haidang.crypto.verifying.detached import SECOND_SUFFIX, SUFFIX

    return any(
        path.name.endswith(suffix) and path.with_name(path.name.removesuffix(suffix)).is_file()
        for suffix in (SECOND_SUFFIX, SUFFIX)
    )


def _moment(args: argparse.Namespace, context: Context) -> dt.datetime:
    if not args.at:
        return present(context)
    import datetime as dt

    from haidang.cli._moments import moment_ns

    return dt.datetime.fromtimestamp(moment_ns(args.at, now=context.now(), end=True) / 1e9, dt.UTC)


def _trust(args: argparse.Namespace, context: Context) -> Trust:
    from haidang.crypto.certificates import read_certificates

    trust = trust_of(args, context)
    more = [one for name in args.anchor for one in read_certificates(Path(name))]
    return trust._replace(anchors=(*trust.anchors, *more))


def _processes() -> int:
    """Return on how many cores this process may run; not asked of the scan's options, which import much."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _text(
    verdicts: Iterable[DocumentVerdict], args: argparse.Namespace, context: Context
) -> list[DocumentVerdict]:
    from haidang.crypto.verifying.wording import verdict_lines, verdict_summary

    environ = context.environ
    colour = context.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    found = []
    for verdict in verdicts:
        found.append(verdict)
        if args.quiet and verdict.holds:
            continue
        for line in verdict_lines(verdict, context.translate, zone=None, colour=colour):
            context.answer(f"{line}\n")
    if len(found) > 1:
        context.say(verdict_summary(found, context.translate))
    return found


def _json(verdicts: Iterable[DocumentVerdict], now: dt.datetime, context: Context) -> list[DocumentVerdict]:
    import json

    found = list(verdicts)
    document: dict[str, Any] = {
        "schema": "haidang-verdict-1",
        "verified_at": now.isoformat(),
        "holds": all(verdict.holds for verdict in found),
        "files": [verdict.to_json() for verdict in found],
    }
    context.answer(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return found


def _code(verdicts: Sequence[DocumentVerdict]) -> int:
    found = {verdict.indication for verdict in verdicts}
    if "TOTAL-FAILED" in found:
        return FAILED
    return UNDETERMINED if "INDETERMINATE" in found or not found else 0


COMMAND = Command(
    name="verify",
    summary=N_("Say who signed files, when, and whether they are unchanged."),
    usage="[OPTION]… FILE…",
    configure=configure,
    run=run,
)
