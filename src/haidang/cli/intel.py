"""``haidang intel ACTION``: keeps sources of indicators, and packs them for networks without a connection.

The work is done by :mod:`haidang.intel`; here arguments become settings, and accounts become words.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.errors import ConfigurationError, HaidangError, OutputError
from haidang.i18n import N_
from haidang.limits import DEFAULT_LIMITS
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.i18n import Translator
    from haidang.intel.store import Source, Store

__all__ = ["COMMAND"]

DONE = 0
INCOMPLETE = 3

EPILOG = N_(
    """Examples:
  haidang intel add indicators.json --confidence 80 --tlp amber
  haidang intel add https://taxii.example/api/ --collection ID --token-file token
  haidang intel list
  haidang intel update
  haidang intel remove indicators
  haidang intel keygen pack.key
  haidang intel pack weekly.zip --key pack.key --rules rules/
  haidang intel import weekly.zip --trust pack.key.pub"""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the actions and their options."""
    _ = translate
    parser.epilog = _(EPILOG)
    action = parser.add_argument_group(_("What to do"))
    action.add_argument(
        "action",
        metavar="ACTION",
        choices=sorted(_ACTIONS),
        help=_("add, list, update or remove sources; keygen, pack or import for packs"),
    )
    action.add_argument(
        "what", metavar="WHAT", nargs="*", help=_("what to add (file or URL), names of sources, or a file")
    )
    source = parser.add_argument_group(_("A source (add)"))
    source.add_argument(
        "--name", metavar="NAME", help=_("name of the source or pack (default: from its address)")
    )
    source.add_argument(
        "--kind", metavar="KIND", help=_("stix, misp, csv, list, taxii, misp-feed or warninglist")
    )
    source.add_argument(
        "--collection", metavar="ID", default="", help=_("TAXII collection: its id, alias or title")
    )
    source.add_argument(
        "--confidence",
        metavar="N",
        type=_number(0, 100, _),
        default=-1,
        help=_("confidence (0 to 100) of indicators that have none of their own"),
    )
    source.add_argument(
        "--tlp",
        metavar="TLP",
        default="",
        help=_("TLP of indicators that have none: clear, green, amber, amber+strict, red"),
    )
    source.add_argument(
        "--expires",
        metavar="DAYS",
        type=_number(1, 36500, _),
        default=0,
        help=_("days after which indicators without an end of their own end"),
    )
    source.add_argument("--user", metavar="USER", default="", help=_("user name for the server"))
    source.add_argument(
        "--password-file", metavar="FILE", default="", help=_("file with the password for the server")
    )
    source.add_argument(
        "--token-file", metavar="FILE", default="", help=_("file with a token for the server")
    )
    pack = parser.add_argument_group(_("Packs"))
    pack.add_argument("--key", metavar="FILE", help=_("private key that signs a pack"))
    pack.add_argument("--trust", metavar="FILE", help=_("public key that a pack must be signed with"))
    pack.add_argument(
        "--rules",
        metavar="PATH",
        action="append",
        default=[],
        help=_("rules to put into the pack (repeatable)"),
    )
    pack.add_argument(
        "--source",
        metavar="NAME",
        action="append",
        default=[],
        help=_("only this source goes into the pack (repeatable; default: all)"),
    )
    pack.add_argument(
        "--allow-older", action="store_true", help=_("import a pack that is older than the one before")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one action; return the exit code.

    Raises:
        HaidangError: What was asked for is wrong or cannot be done.
    """
    return _ACTIONS[args.action](args, context)


def _store(context: Context) -> Store:
    from haidang.intel.store import default_store

    store = default_store(context.environ)
    if store is None:
        raise ConfigurationError("there is no home folder to keep indicators in", hint="Set XDG_DATA_HOME.")
    return store


def _now(context: Context) -> int:
    return context.now() // 1_000_000_000


def _write(context: Context, text: str) -> None:
    context.stdout.write(f"{text}\n".encode())


def _one(args: argparse.Namespace, what: str) -> str:
    if len(args.what) != 1:
        raise ConfigurationError(f"haidang intel {args.action}: name one {what}")
    return str(args.what[0])


def _add(args: argparse.Namespace, context: Context) -> int:
    from haidang.intel.collecting import KINDS, collect
    from haidang.intel.feeds import feeds
    from haidang.intel.model import TLP
    from haidang.intel.remote import is_url
    from haidang.intel.store import Source

    location = _one(args, "file or URL")
    if args.kind and args.kind not in {*feeds(), *KINDS}:
        raise ConfigurationError(
            f"--kind: there is no kind {args.kind!r}",
            hint=f"Choose one of: {', '.join(sorted({*feeds(), *KINDS}))}",
        )
    tlp = args.tlp.lower().removeprefix("tlp:")
    if tlp and tlp not in TLP:
        raise ConfigurationError(
            f"--tlp: there is no TLP {args.tlp!r}", hint=f"Choose one of: {', '.join(TLP)}"
        )
    if not is_url(location):
        location = str(Path(location).resolve())
    store = _store(context)
    source = Source(
        name=args.name or _name_of(location, store),
        kind=args.kind or ("taxii" if args.collection or _looks_like_taxii(location) else ""),
        location=location,
        confidence=args.confidence,
        tlp=tlp,
        expires_days=args.expires,
        user=args.user,
        password_file=str(Path(args.password_file).resolve()) if args.password_file else "",
        token_file=str(Path(args.token_file).resolve()) if args.token_file else "",
    )
    found, body = collect(source, DEFAULT_LIMITS, _now(context), collection=args.collection)
    store.write(found, body)
    del body
    store.compiled()
    _write(context, _account(found, context.translate))
    return DONE


def _looks_like_taxii(location: str) -> bool:
    return location.startswith(("http://", "https://")) and bool(
        re.search(r"/collections/|/taxii2?/?", location)
    )


def _name_of(location: str, store: Store) -> str:
    """Return a name made of an address, that no other source has."""
    parts = [
        part
        for part in location.split("?", maxsplit=1)[0].split("/")
        if part and part not in {"collections", "objects"}
    ]
    last = parts[-2] if parts[-1] == "manifest.json" and len(parts) > 1 else parts[-1]
    base = (
        re.sub(r"[^A-Za-z0-9_-]+", "-", re.sub(r"\.(json|csv|txt|tsv|list)$", "", last)).strip("-_")[:48]
        or "source"
    )
    taken = {name: store.source(name).location for name in store.names()}
    number = 1
    name = base
    while taken.get(name, location) != location:
        number += 1
        name = f"{base}-{number}"
    return name


def _account(source: Source, translate: Translator) -> str:
    """Say in a line what a source holds and what of it could not be used."""
    refused = sum(source.counts.values())
    if source.kind == "warninglist":
        text = translate("{name}: warninglist, guards all sources").format(name=source.name)
    else:
        text = translate("{name}: {n} indicators ({kind})").format(
            name=source.name, n=f"{source.indicators:,}", kind=source.kind
        )
    if refused:
        text += translate("; {n} entries cannot be used").format(n=f"{refused:,}")
    return neutralise(text)


def _list(args: argparse.Namespace, context: Context) -> int:
    store, translate, now = _store(context), context.translate, _now(context)
    names = args.what or store.names()
    if not names:
        _write(context, translate("There is no source of indicators yet: haidang intel add FILE or URL."))
    for name in names:
        source = store.source(name)
        _write(context, f"{_account(source, translate)}; {_age(source, now, translate)}")
        if source.failed:
            _write(
                context,
                "  " + translate("last update failed: {reason}").format(reason=neutralise(source.failed)),
            )
        for reason, count in sorted(source.counts.items(), key=lambda pair: (-pair[1], pair[0])):
            _write(context, f"  {count:,} × {neutralise(reason)}")
            if args.what:
                for refused in source.refused:
                    if refused.reason == reason:
                        _write(context, f"      {neutralise(refused.what)}")
    return DONE


def _age(source: Source, now: int, translate: Translator) -> str:
    days = max(0, now - source.updated) // 86_400
    text = translate.ngettext("{n} day old", "{n} days old", days).format(n=days)
    if source.pack:
        packed = max(0, now - source.packed) // 86_400
        text += "; " + translate.ngettext(
            "in the pack {name}, made {n} day ago", "in the pack {name}, made {n} days ago", packed
        ).format(name=source.pack, n=packed)
    return text


def _update(args: argparse.Namespace, context: Context) -> int:
    import msgspec

    from haidang.intel.collecting import collect

    store, translate = _store(context), context.translate
    code = DONE
    for name in args.what or store.names():
        source = store.source(name)
        if not source.location:
            _write(context, translate("{name}: came in a pack; import a newer one").format(name=name))
            continue
        try:
            found, body = collect(
                source, DEFAULT_LIMITS, _now(context), before=partial(store.indicators, name)
            )
        except HaidangError as error:
            # What was there stays in use; that it is not new is said here, by list, and by its age.
            store.remember(msgspec.structs.replace(source, failed=error.message))
            context.say(f"{neutralise(name)}: {neutralise(error.diagnostics())}")
            code = INCOMPLETE
            continue
        store.write(found, body)
        _write(context, _account(found, translate))
    store.compiled()
    return code


def _remove(args: argparse.Namespace, context: Context) -> int:
    store = _store(context)
    if not args.what:
        raise ConfigurationError("haidang intel remove: name at least one source")
    for name in args.what:
        store.remove(name)
        _write(context, context.translate("{name}: removed").format(name=name))
    store.compiled()
    return DONE


def _keygen(args: argparse.Namespace, context: Context) -> int:
    from haidang.intel.packs import make_keys

    path = Path(_one(args, "file for the private key"))
    public = make_keys(path)
    _write(
        context,
        context.translate("Keep {private} secret; give {public} to whoever imports your packs.").format(
            private=path, public=public
        ),
    )
    return DONE


def _pack(args: argparse.Namespace, context: Context) -> int:
    from haidang.intel.packs import make_pack

    store = _store(context)
    target = Path(_one(args, "file to write"))
    if not args.key:
        raise ConfigurationError("haidang intel pack: --key names the private key that signs the pack")
    names = args.source or [name for name in store.names() if store.source(name).kind != "warninglist"]
    rules = {name: data for path in args.rules for name, data in _rule_files(Path(path))}
    name = args.name or re.sub(r"[^A-Za-z0-9-]+", "-", target.stem).strip("-")[:32]
    sources = [(store.source(one), store.indicators(one)) for one in names]
    data = make_pack(name, rules, sources, Path(args.key), _now(context))
    _write_whole(target, data)
    _write(
        context,
        context.translate("{path}: the pack {name} with {rules} rule files and {sources} sources").format(
            path=target, name=name, rules=len(rules), sources=len(sources)
        ),
    )
    return DONE


def _rule_files(path: Path) -> list[tuple[str, bytes]]:
    """Return the rule files in a file, a folder or a zip, by a path that is the same everywhere."""
    found: list[tuple[str, bytes]] = []
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found = [
                    (name, archive.read(name))
                    for name in archive.namelist()
                    if name.endswith((".yml", ".yaml"))
                ]
        elif path.is_dir():
            files = [one for ending in ("*.yml", "*.yaml") for one in path.rglob(ending)]
            found = [(one.relative_to(path).as_posix(), one.read_bytes()) for one in sorted(files)]
        else:
            found = [(path.name, path.read_bytes())]
    except (OSError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if not found:
        raise ConfigurationError(f"{path}: there are no rules (*.yml) in it")
    return found


def _import(args: argparse.Namespace, context: Context) -> int:
    import msgspec

    from haidang.intel.packs import PACK_NAME, open_pack

    store, translate = _store(context), context.translate
    if not args.trust:
        raise ConfigurationError("haidang intel import: --trust names the public key that you trust")
    pack = open_pack(Path(_one(args, "pack")), Path(args.trust), DEFAULT_LIMITS)
    name = args.name or pack.manifest.name
    if not PACK_NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name for a pack", hint="Use letters, digits and hyphens.")
    before = {one: source for one in store.names() if (source := store.source(one)).pack == name}
    newest = max((source.packed for source in before.values()), default=0)
    if newest > pack.manifest.created and not args.allow_older:
        raise ConfigurationError(
            f"the pack {name!r} that is here is newer than this one", hint="--allow-older goes back to it."
        )
    kept = []
    for source, indicators in pack.sources:
        one = f"{name}.{source.name}"[:64]
        store.write(
            msgspec.structs.replace(
                source,
                name=one,
                location="",
                pack=name,
                packed=pack.manifest.created,
                indicators=len(indicators),
            ),
            indicators,
        )
        kept.append(one)
    for gone in set(before) - set(kept):
        store.remove(gone)
    store.compiled()
    days = max(0, _now(context) - pack.manifest.created) // 86_400
    _write(
        context,
        translate.ngettext(
            "The pack {name}, made {n} day ago: {sources} sources, {rules} rule files",
            "The pack {name}, made {n} days ago: {sources} sources, {rules} rule files",
            days,
        ).format(name=name, n=days, sources=len(kept), rules=len(pack.rules)),
    )
    if pack.rules:
        path = store.folder.parent / "packs" / f"{name}.rules.zip"
        _write_rules(path, pack.rules)
        _write(context, translate("Scan with its rules: haidang scan --rules {path} …").format(path=path))
    return DONE


def _write_rules(path: Path, rules: dict[str, bytes]) -> None:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(rules.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: {error.strerror}") from None
    _write_whole(path, out.getvalue())


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it."""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.resolve().parent, suffix=".part")
        try:
            with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
                stream.write(data)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None


def _number(least: int, most: int, translate: Translator) -> Callable[[str], int]:
    def check(text: str) -> int:
        if text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most:
            return int(text)
        message = translate("{word} is no number from {least} to {most}")
        raise argparse.ArgumentTypeError(message.format(word=repr(text), least=least, most=most))

    return check


_ACTIONS: dict[str, Callable[[argparse.Namespace, Context], int]] = {
    "add": _add,
    "import": _import,
    "keygen": _keygen,
    "list": _list,
    "pack": _pack,
    "remove": _remove,
    "update": _update,
}

COMMAND = Command(
    name="intel",
    summary=N_("Keep indicators of attacks that scans look for."),
    usage="ACTION [OPTION]… [WHAT]…",
    configure=configure,
    run=run,
)
