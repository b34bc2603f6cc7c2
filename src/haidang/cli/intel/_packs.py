"""The actions of ``haidang intel`` on packs: keygen, pack, import."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli.intel._asking import DONE, now_of, only_one, store_of, write
from haidang.errors import ConfigurationError, OutputError
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import Context
    from haidang.i18n import Translator
    from haidang.intel.imported import Imported
    from haidang.intel.packs import Pack
    from haidang.intel.store import Store

__all__ = ["account_of", "import_pack", "keygen", "make", "remove_pack"]

_CLOCKS_APART = 86_400
"""Seconds that the clocks of two machines may be apart."""


def keygen(args: argparse.Namespace, context: Context) -> int:
    """Make the keys that packs are signed with."""
    from haidang.intel.packs import make_keys

    path = Path(only_one(args, "file for the private key"))
    public = make_keys(path)
    write(
        context,
        context.translate("Keep {private} secret; give {public} to whoever imports your packs.").format(
            private=path, public=public
        ),
    )
    return DONE


def make(args: argparse.Namespace, context: Context) -> int:
    """Write rules and sources into a signed pack."""
    from haidang.intel.packs import make_pack

    store = store_of(context)
    target = Path(only_one(args, "file to write"))
    if not args.key:
        raise ConfigurationError("haidang intel pack: --key names the private key that signs the pack")
    names = args.source or store.names()
    rules = {name: data for path in args.rules for name, data in _rule_files(Path(path))}
    name = args.name or re.sub(r"[^A-Za-z0-9-]+", "-", target.stem).strip("-")[:32]
    sources = [(store.source(one), store.body(one)) for one in dict.fromkeys(names)]
    data = make_pack(name, rules, sources, Path(args.key), now_of(context))
    _write_whole(target, data)
    write(
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


def import_pack(args: argparse.Namespace, context: Context) -> int:
    """Take the sources and rules of a pack whose signature is right."""
    from haidang.intel.imported import Imported, remember_import
    from haidang.intel.packs import PACK_NAME, open_pack

    store, translate = store_of(context), context.translate
    if not args.trust:
        raise ConfigurationError("haidang intel import: --trust names the public key that you trust")
    pack = open_pack(Path(only_one(args, "pack")), Path(args.trust), DEFAULT_LIMITS)
    name = args.name or pack.manifest.name
    if not PACK_NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name for a pack", hint="Use letters, digits and hyphens.")
    _refuse_older(store, name, pack.manifest.created, args)
    kept = _keep(store, name, pack)
    path = _rules_path(store, name)
    _write_rules(path, pack.rules)
    found = Imported(name, pack.manifest.created, kept, len(pack.rules))
    remember_import(store.folder, found)
    write(context, account_of(found, now_of(context), translate))
    if pack.manifest.created > now_of(context) + _CLOCKS_APART:
        context.say(
            translate(
                "The pack says that it was made in the future: a clock is wrong, here or where it was made."
            )
        )
    if pack.rules:
        write(context, translate("Scan with its rules: haidang scan --rules {path} …").format(path=path))
    return DONE


def remove_pack(store: Store, name: str) -> None:
    """Remove all that a pack brought: sources, rules, and what is known of it."""
    from haidang.intel.imported import forget_import

    for source in store.sources():
        if source.pack == name:
            store.remove(source.name)
    _write_rules(_rules_path(store, name), {})
    forget_import(store.folder, name)


def _rules_path(store: Store, name: str) -> Path:
    return store.folder.parent / "packs" / f"{name}.rules.zip"


def _refuse_older(store: Store, name: str, created: int, args: argparse.Namespace) -> None:
    from haidang.intel.imported import imported

    known = [one.created for one in imported(store.folder) if one.name == name]
    known += [source.packed for source in store.sources() if source.pack == name]
    if max(known, default=created) > created and not args.allow_older:
        raise ConfigurationError(
            f"the pack {name!r} that is here is newer than this one", hint="--allow-older goes back to it."
        )


def _keep(store: Store, name: str, pack: Pack) -> int:
    """Put the sources of a pack in place of what the one before brought; return how many there are."""
    import msgspec

    before = {source.name for source in store.sources() if source.pack == name}
    kept = set()
    for source, body in pack.sources:
        one = f"{name}.{source.name}"[:64]
        settled = msgspec.structs.replace(
            source, name=one, location="", pack=name, packed=pack.manifest.created
        )
        if not isinstance(body, bytes):
            settled = msgspec.structs.replace(settled, indicators=len(body))
        store.write(settled, body)
        kept.add(one)
    for gone in before - kept:
        store.remove(gone)
    store.compiled()
    return len(kept)


def account_of(one: Imported, now: int, translate: Translator) -> str:
    """Say in a line what a pack brought and how old it is."""
    days = max(0, now - one.created) // 86_400
    return translate.ngettext(
        "The pack {name}, made {n} day ago: {sources} sources, {rules} rule files",
        "The pack {name}, made {n} days ago: {sources} sources, {rules} rule files",
        days,
    ).format(name=one.name, n=days, sources=one.sources, rules=one.rules)


def _write_rules(path: Path, rules: dict[str, bytes]) -> None:
    """Put rules in place of those of the pack before: none where it brings none."""
    if not rules:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}") from None
        return
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
