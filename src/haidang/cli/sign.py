"""``haidang sign FILE…``: signs any file: PDF and pictures inside, anything else beside or in a container.

The work is done by :mod:`haidang.crypto.signing`; here are its options, what the results are called, and what
is said of them. One passphrase serves all files; one that cannot be signed does not stop the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import (
    add_authorities,
    add_key_options,
    add_pdf_password,
    home_of,
    passphrase_of,
    pdf_password_of,
    present,
    settings_of,
    timestamper_of,
    trust_of,
)
from haidang.errors import ConfigurationError, HaidangError, InputError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    import datetime as dt
    from collections.abc import Sequence

    from haidang.crypto.marking.labels import Label
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.signers import Signatory
    from haidang.i18n import Translator

__all__ = ["COMMAND", "FAILED", "LEVELS"]

FAILED = 1
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")

EPILOG = N_(
    """Examples:
  haidang sign decision.pdf                       gives decision.signed.pdf
  haidang sign report.csv                         gives report.csv.p7s beside it
  haidang sign photo.jpg                          gives photo.signed.jpg
  haidang sign a.csv b.csv --container all.asice  gives one container of both
  haidang sign *.pdf --visible --label TLP:GREEN

Levels: B-B who signed; B-T and when, with a timestamp; B-LT and what proves it later (PDF);
B-LTA and an archive timestamp over it (PDF). Without --level: the highest of B-T (PDF: B-LT)
where a time stamping authority is known.
Exit codes: 0 everything is signed, 1 some files are not, 2 wrong usage or keys."""
)


class _Work(NamedTuple):
    """What serves all files."""

    args: argparse.Namespace
    context: Context
    signatory: Signatory
    second: Signatory | None
    timestamper: Any
    labels: tuple[Label, ...]
    now: dt.datetime
    pdf_password: Passphrase | None


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.set_defaults(command="sign")
    parser.epilog = _(EPILOG)
    inputs = parser.add_argument_group(_("Inputs"))
    inputs.add_argument("paths", metavar="FILE", nargs="+", help=_("files to sign"))
    form = parser.add_argument_group(_("Form"))
    form.add_argument(
        "--detached",
        action="store_true",
        help=_("sign PDF files and pictures beside them, too, and leave them as they are"),
    )
    form.add_argument(
        "--container", metavar="FILE", help=_("put all files into one signed container (.asice)")
    )
    form.add_argument("--level", metavar="LEVEL", help=_("B-B, B-T, B-LT or B-LTA"))
    form.add_argument(
        "--second",
        action="store_true",
        help=_("sign a second time with the ML-DSA key, which quantum computers do not break"),
    )
    form.add_argument(
        "--label",
        metavar="LABEL",
        action="append",
        default=[],
        help=_("mark with a label, e.g. TLP:GREEN (repeatable)"),
    )
    _pdf(parser, translate)
    add_key_options(parser, translate)
    times = parser.add_argument_group(_("Timestamps"))
    add_authorities(times, translate)
    outputs = parser.add_argument_group(_("Outputs"))
    outputs.add_argument("--output", metavar="FILE", help=_("what the result is called, for one file"))
    outputs.add_argument("--force", action="store_true", help=_("replace results that are there already"))


def _pdf(parser: CommandParser, translate: Translator) -> None:
    _ = translate
    pdf = parser.add_argument_group(_("PDF"))
    pdf.add_argument(
        "--visible", action="store_true", help=_("show name, unit and time of the signature on the page")
    )
    pdf.add_argument("--picture", metavar="FILE", help=_("show this PNG: a seal, or a signature by hand"))
    pdf.add_argument(
        "--corner",
        metavar="CORNER",
        default="top-right",
        help=_("where: top-right, top-left, bottom-right or bottom-left (default: top-right)"),
    )
    pdf.add_argument(
        "--page", metavar="N", type=int, default=1, help=_("on which page; -1 is the last (default: 1)")
    )
    pdf.add_argument("--reason", metavar="TEXT", default="", help=_("why it is signed, as the PDF states it"))
    add_pdf_password(pdf, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign, and say what became of it; return the exit code.

    Raises:
        HaidangError: An option, the key or a label cannot be used.
    """
    _check(args, context)
    from haidang.crypto.marking.policy import labels_for

    labels = labels_for(args.label, settings_of(args, context).marking, "sign")
    pdf_password = pdf_password_of(args, context)
    signatory, second = _signatories(args, context)
    stamper = _timestamper(args, context)
    work = _Work(args, context, signatory, second, stamper, labels, present(context), pdf_password)
    paths = [Path(name) for name in args.paths]
    if args.container:
        return _one([*paths], _container, work)
    failed = sum(_one([path], _form_of(path, args), work) for path in paths)
    if len(paths) > 1:
        said = context.translate("{total} files: {done} signed, {failed} not")
        context.say(said.format(total=len(paths), done=len(paths) - failed, failed=failed))
    return FAILED if failed else 0


def _check(args: argparse.Namespace, context: Context) -> None:
    _ = context.translate
    if args.level is not None and args.level not in LEVELS:
        raise ConfigurationError(
            _("There is no level {level}.").format(level=args.level),
            hint=_("Choose {known}.").format(known=", ".join(LEVELS)),
        )
    if args.output and (len(args.paths) > 1 or args.container):
        raise ConfigurationError(_("--output goes with one file."))
    if args.container and args.second:
        raise ConfigurationError(_("--second does not go with --container."))
    from haidang.crypto.signing.places import CORNERS

    if args.corner not in CORNERS:
        raise ConfigurationError(
            _("There is no corner {corner}.").format(corner=args.corner),
            hint=_("Choose {known}.").format(known=", ".join(CORNERS)),
        )


def _signatories(args: argparse.Namespace, context: Context) -> tuple[Signatory, Signatory | None]:
    """Return who signs, and with which second key; both under one passphrase."""
    from haidang.crypto.signers import load_second, load_signatory

    identity = home_of(args, context).identity(args.identity)
    question = context.translate("Passphrase of {name}: ").format(name=identity.name)
    passphrase = passphrase_of(args, context, question)
    signatory = load_signatory(identity, passphrase)
    return signatory, load_second(identity, passphrase) if args.second else None


def _timestamper(args: argparse.Namespace, context: Context) -> Any:
    if args.level == "B-B":
        return None
    found = timestamper_of(args, context, needed=args.level is not None)
    if found is None:
        context.say(context.translate("No time stamping authority is known: signed without a timestamp."))
    return found


def _form_of(path: Path, args: argparse.Namespace) -> Any:
    """Return what signs a file of this kind."""
    if args.detached:
        return _beside
    try:
        with path.open("rb") as stream:
            head = stream.read(1024)
    except OSError:
        return _beside
    if head.startswith(b"%PDF-"):
        return _into_pdf
    from haidang.crypto.signing.pictures import picture_type

    return _into_picture if picture_type(head, path) else _beside


def _one(paths: Sequence[Path], form: Any, work: _Work) -> int:
    """Sign what makes one result; say what became of it; return 1 where it failed."""
    context = work.context
    try:
        made = form(paths, work)
    except HaidangError as error:
        first, *rest = error.diagnostics(context.translate).split("\n")
        context.say(f"✘ {neutralise(str(paths[0]))}: {neutralise(first)}")
        for line in rest:
            context.say(f"  {neutralise(line)}")
        return FAILED
    for target in made:
        said = context.translate("Signed: {path}").format(path=neutralise(str(target)))
        context.answer(f"✔ {said}\n")
    return 0


def _beside(paths: Sequence[Path], work: _Work) -> list[Path]:
    """Write ``NAME.p7s`` beside the file, and ``NAME.pq.p7s`` where a second signature is wanted."""
    from haidang.crypto.signing.cades import sign_file
    from haidang.crypto.verifying.detached import SECOND_SUFFIX, SUFFIX

    if work.args.level in {"B-LT", "B-LTA"}:
        raise InputError(
            work.context.translate("Level {level} is for PDF.").format(level=work.args.level),
            hint=work.context.translate("Sign with B-T, then keep it provable: haidang archive keep."),
        )
    source = _readable(paths[0])
    target = Path(work.args.output) if work.args.output else source.with_name(source.name + SUFFIX)
    wanted = [(target, work.signatory)]
    if work.second is not None:
        wanted.append((target.with_name(target.name.removesuffix(SUFFIX) + SECOND_SUFFIX), work.second))
    for path, signatory in wanted:
        sign_file(
            source,
            path,
            signatory,
            now=work.now,
            timestamper=work.timestamper,
            labels=work.labels,
            replace=work.args.force,
        )
    return [path for path, _ in wanted]


def _container(paths: Sequence[Path], work: _Work) -> list[Path]:
    from haidang.crypto.signing.asic import sign_container

    target = Path(work.args.container)
    sign_container(
        [_readable(path) for path in paths],
        target,
        work.signatory,
        now=work.now,
        timestamper=work.timestamper,
        labels=work.labels,
        replace=work.args.force,
    )
    return [target]


def _into_pdf(paths: Sequence[Path], work: _Work) -> list[Path]:
    from haidang.crypto.signing.pdf import Details, sign_pdf

    args = work.args
    level: Any = args.level or ("B-LT" if work.timestamper is not None else "B-B")
    source = paths[0]
    target = _target(source, args)
    _only_new(target, args, work.context)
    sign_pdf(
        source,
        target,
        work.signatory,
        now=work.now,
        level=level,
        timestamper=work.timestamper,
        trust=trust_of(args, work.context),
        appearance=_appearance(args),
        details=Details(reason=args.reason, labels=work.labels, password=work.pdf_password),
        replace=args.force,
    )
    return [target]


def _into_picture(paths: Sequence[Path], work: _Work) -> list[Path]:
    from haidang.crypto.signing.pictures import sign_picture

    target = _target(paths[0], work.args)
    sign_picture(paths[0], target, work.signatory, now=work.now, labels=work.labels, replace=work.args.force)
    return [target]


def _target(source: Path, args: argparse.Namespace) -> Path:
    if args.output:
        return Path(args.output)
    return source.with_name(f"{source.stem}.signed{source.suffix}")


def _only_new(target: Path, args: argparse.Namespace, context: Context) -> None:
    """Refuse before a timestamp is asked for what cannot be written."""
    if not args.force and target.exists():
        raise InputError(
            context.translate("{path} is there already.").format(path=target),
            hint=context.translate("Name another with --output, or replace it with --force."),
        )


def _appearance(args: argparse.Namespace) -> Any:
    if not (args.visible or args.picture):
        return None
    from haidang.crypto.signing.appearance import Appearance, read_picture
    from haidang.crypto.signing.places import Corner

    picture = read_picture(Path(args.picture)) if args.picture else b""
    place = Corner(name=args.corner, page=args.page)
    return Appearance(place=place, picture=picture, words=args.visible)


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path} is not a file", hint="Name a regular file that you may read.")
    return path


COMMAND = Command(
    name="sign",
    summary=N_("Sign files: PDF, pictures, or any file with a signature beside it."),
    usage="[OPTION]… FILE…",
    configure=configure,
    run=run,
)
