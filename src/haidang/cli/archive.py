"""``haidang archive ACTION PATH…``: keeps signed documents provable for decades.

The work is done by :mod:`haidang.crypto.archiving`; here are its options, and how its answer is written.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import (
    add_authorities,
    add_home,
    add_pdf_password,
    home_of,
    pdf_password_of,
    present,
    settings_of,
    timestamper_of,
    trust_of,
)
from haidang.errors import HaidangError, InputError
from haidang.i18n import N_
from haidang.messages import Message
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from haidang.crypto.archiving.protection import Protection
    from haidang.crypto.trust import Trust
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

DONE, ACT, INCOMPLETE = 0, 1, 3

EPILOG = N_(
    """Actions:
  status   say until when each signed document is provable, and what to do by when
  keep     archive what is signed: a PDF gets its evidence and an archive timestamp; anything else goes
           into an archive package beside it (NAME.archive.asice)
  renew    put a new archive timestamp on what is due (--all: on everything that was archived)

Examples:
  haidang archive status /srv/documents
  haidang archive keep decision.pdf minutes.docx
  haidang archive renew /srv/documents

Exit code 1 says that something is due, has lapsed or was never archived."""
)

_WORDS = {
    "kept": N_("provable"),
    "due": N_("renew now"),
    "lapsed": N_("lapsed"),
    "not-kept": N_("not archived"),
    "not-signed": N_("not signed"),
    "unreadable": N_("not read"),
}
_STYLES = {"kept": "green", "due": "bold yellow", "lapsed": "bold red", "not-kept": "yellow"}


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.epilog = _(EPILOG)
    parser.add_argument("action", metavar="ACTION", choices=sorted(_ACTIONS), help=_("status, keep or renew"))
    parser.add_argument("paths", metavar="PATH", nargs="+", help=_("documents, or folders with documents"))
    add_home(parser, translate)
    add_authorities(parser, translate)
    add_pdf_password(parser, translate)
    parser.add_argument("--all", action="store_true", help=_("renew what is not due yet, too"))
    parser.add_argument("--json", action="store_true", help=_("status as JSON, a line for each document"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one action; return the exit code.

    Raises:
        HaidangError: A path or an option is wrong.
    """
    for path in args.paths:
        if not os.path.lexists(path):
            raise InputError(f"{path} is not there", hint="Check the name.")
    return _ACTIONS[args.action](args, context)


def _status(args: argparse.Namespace, context: Context) -> int:
    found = list(_protections(args, context))
    if args.json:
        for one in found:
            context.stdout.write(json.dumps(_as_json(one), ensure_ascii=False).encode() + b"\n")
    else:
        _print(found, context)
    if any(one.must_act for one in found):
        return ACT
    return INCOMPLETE if any(one.state == "unreadable" for one in found) else DONE


def _keep(args: argparse.Namespace, context: Context) -> int:
    """Archive what is signed and was not archived yet."""
    worker = _Worker(args, context)
    todo = [one for one in _protections(args, context) if one.state in {"not-kept", "lapsed"}]
    return worker.each(todo, worker.keep, N_("Archived: {path}"))


def _renew(args: argparse.Namespace, context: Context) -> int:
    worker = _Worker(args, context)
    states = {"due", "kept"} if args.all else {"due"}
    todo = [one for one in _protections(args, context) if one.stamped and one.state in states]
    return worker.each(todo, worker.renew, N_("Renewed: {path}"))


_ACTIONS = {"status": _status, "keep": _keep, "renew": _renew}


class _Worker:
    """Archives one document after the other; one that fails does not stop the others."""

    def __init__(self, args: argparse.Namespace, context: Context) -> None:
        self._context = context
        self._trust: Trust = trust_of(args, context)
        self._now = present(context)
        self._stamper: Any = timestamper_of(args, context, needed=True)
        self._password = pdf_password_of(args, context)

    def each(self, todo: list[Protection], act: Any, said: str) -> int:
        """Do ``act`` with each document, and say so; return the exit code."""
        _ = self._context.translate
        failed = 0
        for one in todo:
            try:
                target = act(Path(one.path))
            except HaidangError as error:
                failed += 1
                first, *rest = error.diagnostics(_).split("\n")
                self._context.say(neutralise(f"{one.path}: {first}"))
                for line in rest:
                    self._context.say(f"  {neutralise(line)}")
            else:
                self._context.say(_(said).format(path=neutralise(str(target))))
        if not todo:
            self._context.say(_("There is nothing to do."))
        return ACT if failed else DONE

    def keep(self, path: Path) -> Path:
        """Archive one document for the first time; return where it is kept."""
        from haidang.crypto.archiving.packages import make_package

        self._must_hold(path)
        if self._kept_inside(path):
            return path
        document, signature = _pair(path)
        target = document.with_name(f"{document.name}.archive.asice")
        make_package(
            [(document, signature)],
            target,
            trust=self._trust,
            timestamper=self._stamper,
            now=self._now,
        )
        return target

    def renew(self, path: Path) -> Path:
        """Renew one document; return it."""
        from haidang.crypto.archiving.packages import renew_package

        self._must_hold(path)
        if not self._kept_inside(path):
            renew_package(path, trust=self._trust, timestamper=self._stamper, now=self._now)
        return path

    def _kept_inside(self, path: Path) -> bool:
        """Put what proves a PDF inside of it, now or anew; return whether it is one."""
        from haidang.crypto.archiving.pdf import keep_pdf

        with path.open("rb") as stream:
            if stream.read(5) != b"%PDF-":
                return False
        keep_pdf(
            path, path, trust=self._trust, timestamper=self._stamper, replace=True, password=self._password
        )
        return True

    def _must_hold(self, path: Path) -> None:
        """Refuse what does not hold now: a timestamp over it would prove nothing."""
        from haidang.crypto.verifying import Options, verify
        from haidang.errors import SigningError

        verdict = verify(path, self._trust, now=self._now, options=Options(password=self._password))
        if verdict.holds:
            return
        refused = (one for one in verdict.signatures if not one.holds)
        reasons = (*verdict.reasons, *(reason for one in refused for reason in one.reasons))
        why = min(reasons, key=lambda one: ("error", "warning", "note", "ok").index(one.severity))
        see = Message(N_("See what is wrong: haidang verify {path}"), path=path)
        raise SigningError(
            N_("It does not hold now, so an archive timestamp would prove nothing. {why}"),
            hint="{todo}",
            why=why.message,
            todo=why.hint if str(why.hint) else see,
        )


def _pair(path: Path) -> tuple[Path, Path | None]:
    """Return a document with its detached signature, whichever of the two ``path`` is."""
    if path.suffix == ".p7s" and path.with_suffix("").is_file():
        return path.with_suffix(""), path
    beside = path.with_name(f"{path.name}.p7s")
    return (path, beside) if beside.is_file() else (path, None)


def _protections(args: argparse.Namespace, context: Context) -> Iterator[Protection]:
    from haidang.crypto.archiving.protection import protection_of

    horizons = settings_of(args, context).horizons
    now: dt.datetime = present(context)
    home = home_of(args, context).path.resolve()
    for path in _files(Path(path) for path in args.paths):
        if home in path.resolve().parents:
            continue
        found = protection_of(path, horizons, now=now)
        archived = path.with_name(f"{_pair(path)[0].name}.archive.asice")
        if found.state in {"not-kept", "lapsed"} and found.kind == "signed" and archived.is_file():
            # Its package stands beside it, and is looked at by itself.
            continue
        if found.state == "not-signed" and str(path) not in args.paths:
            continue
        yield found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            for folder, folders, names in os.walk(path):
                folders.sort()
                yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        else:
            yield path


def _as_json(one: Protection) -> dict[str, Any]:
    return {
        "path": one.path,
        "kind": one.kind,
        "state": one.state,
        "archived": one.stamped and one.stamped.isoformat(),
        "until": one.until and one.until.isoformat(),
        "due": one.due and one.due.isoformat(),
        "why": str(one.why),
    }


def _print(found: list[Protection], context: Context) -> None:
    from rich.console import Console
    from rich.text import Text

    _ = context.translate
    console = Console(no_color="NO_COLOR" in context.environ)
    width = max(len(_(word)) for word in _WORDS.values())
    order = ("lapsed", "due", "not-kept", "unreadable", "kept", "not-signed")
    for one in sorted(
        found, key=lambda item: (order.index(item.state), item.due is None, item.due, item.path)
    ):
        line = Text(f"{_(_WORDS[one.state]):<{width}}", style=_STYLES.get(one.state, ""))
        line.append(f"  {neutralise(one.path)}", style="default not bold")
        console.print(line, soft_wrap=True)
        said = _explained(one, _)
        if said:
            console.print(Text(f"{'':<{width}}  {neutralise(said)}", style="dim"), soft_wrap=True)
    if not found:
        console.print(_("There is no signed document."))


def _explained(one: Protection, translate: Translator) -> str:
    _ = translate
    why = one.why.said(translate)
    if one.until is None or one.due is None:
        return why
    until, due = one.until.date(), one.due
    if one.state == "kept":
        return _("Until {until}; renew by {due}. {why}").format(until=until, due=due, why=why)
    if one.state == "due":
        return _("Only until {until}. {why}").format(until=until, why=why)
    if one.state == "lapsed":
        return _("Its proof ended on {until}. {why}").format(until=until, why=why)
    return _("Archive it before {until}. {why}").format(until=until, why=why)


COMMAND = Command(
    name="archive",
    summary=N_("Keep signed documents provable for decades: archive timestamps, renewed in time."),
    usage="[OPTION]… ACTION PATH…",
    configure=configure,
    run=run,
)
