"""The actions of ``haidang intel`` on sources: add, list, update, remove."""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli.intel._asking import DONE, INCOMPLETE, now_of, only_one, store_of, write
from haidang.cli.intel._packs import account_of, remove_pack
from haidang.errors import ConfigurationError, HaidangError
from haidang.limits import DEFAULT_LIMITS
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import Context
    from haidang.i18n import Translator
    from haidang.intel.store import Source, Store

__all__ = ["add", "list_sources", "remove", "update"]


def add(args: argparse.Namespace, context: Context) -> int:
    """Read sources and keep them; of several, those that can be read."""
    from haidang.intel.collecting import KINDS
    from haidang.intel.feeds import feeds

    if not args.what or (len(args.what) > 1 and (args.name or args.collection)):
        only_one(args, "file or URL")
    if args.kind and args.kind not in {*feeds(), *KINDS}:
        raise ConfigurationError(
            f"--kind: there is no kind {args.kind!r}",
            hint=f"Choose one of: {', '.join(sorted({*feeds(), *KINDS}))}",
        )
    store = store_of(context)
    errors: list[HaidangError] = []
    for location in args.what:
        try:
            found = _add_one(args, location, store, context)
        except HaidangError as error:
            errors.append(error)
        else:
            write(context, _account(found, context.translate))
    if len(errors) == len(args.what):
        raise errors[0]
    for one in errors:
        context.say(neutralise(one.diagnostics()))
    store.compiled()
    return INCOMPLETE if errors else DONE


def _add_one(args: argparse.Namespace, location: str, store: Store, context: Context) -> Source:
    from haidang.intel.collecting import collect, in_folder
    from haidang.intel.remote import is_url
    from haidang.intel.store import Source

    if not is_url(location):
        location = in_folder(str(Path(location).resolve()))
    source = Source(
        name=args.name or _name_of(location, store),
        kind=args.kind or ("taxii" if args.collection or _looks_like_taxii(location) else ""),
        location=location,
        confidence=args.confidence,
        tlp=_tlp(args.tlp),
        expires_days=args.expires,
        user=args.user,
        password_file=str(Path(args.password_file).resolve()) if args.password_file else "",
        token_file=str(Path(args.token_file).resolve()) if args.token_file else "",
        token_header=args.token_header,
    )
    found, body = collect(source, DEFAULT_LIMITS, now_of(context), collection=args.collection)
    store.write(found, body)
    return found


def _tlp(written: str) -> str:
    from haidang.intel.model import TLP

    tlp = written.lower().removeprefix("tlp:")
    if tlp and tlp not in TLP:
        raise ConfigurationError(
            f"--tlp: there is no TLP {written!r}", hint=f"Choose one of: {', '.join(TLP)}"
        )
    return tlp


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
    # Files that are named alike everywhere are called by their folder.
    last = parts[-2] if parts[-1] in {"manifest.json", "list.json"} and len(parts) > 1 else parts[-1]
    bare = re.sub(r"(\.(json|csv|txt|tsv|list))?(\.(gz|zip))?$", "", last)
    # Names are ASCII: of Vietnamese letters the base is kept, "Danh sách" becomes "Danh-sach".
    plain = unicodedata.normalize("NFD", bare.replace("đ", "d").replace("Đ", "D"))
    ascii_only = "".join(mark for mark in plain if not unicodedata.combining(mark))
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", ascii_only).strip("-_")[:48] or "source"
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


def list_sources(args: argparse.Namespace, context: Context) -> int:
    """Say what the sources hold, how old they are, and what of them cannot be used."""
    from haidang.findings.details import detail
    from haidang.intel.imported import imported

    store, translate, now = store_of(context), context.translate, now_of(context)
    names = args.what or store.names()
    packs = [] if args.what else imported(store.folder)
    if not names and not packs:
        write(context, translate("There is no source of indicators yet: haidang intel add FILE or URL."))
    for name in names:
        source = store.source(name)
        write(context, f"{_account(source, translate)}; {_age(source, now, translate)}")
        if source.failed:
            write(
                context,
                "  " + translate("last update failed: {reason}").format(reason=neutralise(source.failed)),
            )
        for reason, count in sorted(source.counts.items(), key=lambda pair: (-pair[1], pair[0])):
            write(context, f"  {count:,} × {neutralise(detail(reason, translate))}")
            if args.what:
                for refused in source.refused:
                    if refused.reason == reason:
                        write(context, f"      {neutralise(refused.what)}")
    for one in packs:
        write(context, account_of(one, now, translate))
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


def update(args: argparse.Namespace, context: Context) -> int:
    """Read sources again from where they came."""
    import msgspec

    from haidang.intel.collecting import collect

    store, translate = store_of(context), context.translate
    code = DONE
    for name in args.what or store.names():
        source = store.source(name)
        if not source.location:
            write(context, translate("{name}: came in a pack; import a newer one").format(name=name))
            continue
        try:
            found, body = collect(
                source, DEFAULT_LIMITS, now_of(context), before=partial(store.indicators, name)
            )
        except HaidangError as error:
            # What was there stays in use; that it is not new is said here, by list, and by its age.
            store.remember(msgspec.structs.replace(source, failed=error.message))
            context.say(f"{neutralise(name)}: {neutralise(error.diagnostics())}")
            code = INCOMPLETE
            continue
        store.write(found, body)
        write(context, _account(found, translate))
    store.compiled()
    return code


def remove(args: argparse.Namespace, context: Context) -> int:
    """Forget sources, and packs with all that they brought."""
    from haidang.intel.imported import imported

    store = store_of(context)
    if not args.what:
        raise ConfigurationError("haidang intel remove: name at least one source")
    packs = {one.name for one in imported(store.folder)} - set(store.names())
    for name in args.what:
        if name in packs:
            remove_pack(store, name)
        else:
            store.remove(name)
        write(context, context.translate("{name}: removed").format(name=name))
    store.compiled()
    return DONE
