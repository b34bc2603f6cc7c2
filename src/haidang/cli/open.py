"""``haidang open FILE…``: decrypts what was sealed to you, and says who sealed it, to whom, when.

The work is done by :mod:`haidang.crypto.sealing`; here are its options, and how its answer is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import (
    add_key_options,
    home_of,
    passphrase_of,
    present,
    settings_of,
    trust_of,
)
from haidang.errors import (
    ConfigurationError,
    HaidangError,
    InputError,
    KeyAccessError,
    OutputError,
    ProtectError,
)
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.sealing import Opened, RefusedError
    from haidang.crypto.sealing.keys import SealingKey
    from haidang.crypto.sealing.smime import OpenedMail, RefusedMailError
    from haidang.i18n import Translator

__all__ = ["COMMAND", "FAILED", "UNDETERMINED", "UNUSABLE"]

FAILED, UNUSABLE, UNDETERMINED = 1, 2, 3

EPILOG = N_(
    """Examples:
  haidang open report.pdf.age
  haidang open --show report.pdf.age         say what it is, write nothing
  haidang open --output inbox/ *.age

Nothing appears before everything was checked, and nothing that is there is replaced.
Exit codes: 0 opened, 1 it is damaged, forged or forbidden here, 2 wrong usage, or not sealed to you,
3 it cannot be told whether the signature holds."""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.set_defaults(command="open")
    parser.epilog = _(EPILOG)
    inputs = parser.add_argument_group(_("Inputs"))
    inputs.add_argument("paths", metavar="FILE", nargs="+", help=_("sealed files, and sealed mails"))
    inputs.add_argument(
        "--accept-indeterminate",
        action="store_true",
        help=_("open although it cannot be told whether the signature holds"),
    )
    inputs.add_argument(
        "--accept-forwarded",
        action="store_true",
        help=_("open although the sender did not name you among the recipients"),
    )
    add_key_options(parser, translate)
    outputs = parser.add_argument_group(_("Outputs"))
    outputs.add_argument(
        "--output",
        metavar="FOLDER",
        default=".",
        help=_("where the content appears (default: the current folder)"),
    )
    outputs.add_argument("--show", action="store_true", help=_("say what it is, write nothing"))
    outputs.add_argument("--json", action="store_true", help=_("write the envelope and the evidence as JSON"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Open each file; return the exit code.

    Raises:
        HaidangError: An option, the key or what is trusted is wrong.
    """
    if not args.show and not Path(args.output).is_dir():
        raise ConfigurationError(f"{args.output} is not a folder", hint="Make it first.")
    opener = _Opener(args, context)
    codes, told = set(), []
    for name in args.paths:
        try:
            opened = opener.open(Path(name))
        except HaidangError as error:
            codes.add(_code(error))
            told.append(_told_refusal(name, error))
            if not args.json:
                _say_refusal(name, error, context)
        else:
            told.append({"path": name, **opened.to_json()})
            if not args.json:
                _say(name, opened, context)
    if args.json:
        context.answer_json({"schema": "haidang-opened-1", "files": told}, indent=1)
    return next((code for code in (UNUSABLE, FAILED, UNDETERMINED) if code in codes), 0)


class _Opener:
    """Opens one file after the other with the keys of one identity, whose passphrase is asked for once."""

    def __init__(self, args: argparse.Namespace, context: Context) -> None:
        self._args = args
        self._now = present(context)
        self._trust = trust_of(args, context)
        self._marking = settings_of(args, context).marking
        self._identity = home_of(args, context).identity(args.identity)
        question = context.translate("Passphrase of {name}: ").format(name=self._identity.name)
        self._passphrase = passphrase_of(args, context, question)
        self._folder = None if args.show else Path(args.output)
        self._keys: list[SealingKey] = []

    def open(self, path: Path) -> Opened | OpenedMail:
        """Open ``path``, whichever of the two forms it has.

        Raises:
            HaidangError: It cannot be opened, or something about it does not hold.
        """
        from haidang.crypto.sealing.smime import is_mail

        return self._open_mail(path) if is_mail(_head(path), path) else self._open_sealed(path)

    def _open_mail(self, path: Path) -> OpenedMail:
        from haidang.crypto.sealing.smime import open_mail
        from haidang.crypto.signers import load_signatory

        return open_mail(
            path,
            load_signatory(self._identity, self._passphrase),
            self._trust,
            folder=self._folder,
            now=self._now,
            accept_indeterminate=self._args.accept_indeterminate,
            accept_forwarded=self._args.accept_forwarded,
        )

    def _open_sealed(self, path: Path) -> Opened:
        from haidang.crypto.sealing import OpenOptions, open_sealed

        options = OpenOptions(
            marking=self._marking,
            accept_indeterminate=self._args.accept_indeterminate,
            accept_forwarded=self._args.accept_forwarded,
        )
        if not self._keys:
            self._keys = [self._sealing_key()]
        return open_sealed(path, self._keys, self._trust, folder=self._folder, now=self._now, options=options)

    def _sealing_key(self) -> SealingKey:
        from haidang.crypto.sealing.keys import load_sealing_key

        if not self._identity.sealing_key.is_file():
            raise KeyAccessError(
                N_("{name} has no sealing key."),
                hint=N_("Choose another identity with --as, or request one with a sealing key."),
                name=self._identity.name,
            )
        return load_sealing_key(self._identity.sealing_key, self._passphrase)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(8192)
    except OSError as error:
        raise InputError(
            f"the file {path} cannot be read: {error.strerror or error}",
            hint="Check the name and the permissions.",
        ) from error


def _code(error: HaidangError) -> int:
    from haidang.crypto.sealing import NotForYouError, RefusedError
    from haidang.crypto.sealing.smime import RefusedMailError

    if isinstance(error, RefusedError | RefusedMailError) and error.indeterminate:
        return UNDETERMINED
    if isinstance(error, InputError | OutputError | KeyAccessError | NotForYouError | ConfigurationError):
        return UNUSABLE
    return FAILED


def _say(name: str, opened: Opened | OpenedMail, context: Context) -> None:
    from haidang.cli._inquiry import wants_colour
    from haidang.crypto.sealing import Opened
    from haidang.crypto.sealing.wording import envelope_lines, heading, reason_lines
    from haidang.crypto.verifying.wording import verdict_lines

    _ = context.translate
    if opened.place is None:
        text = _("{path}: sealed, and sealed to you").format(path=name)
    else:
        text = _("{path}: opened into {place}").format(path=name, place=opened.place)
    sealed = opened if isinstance(opened, Opened) else None
    believed = opened.verdict.holds and (sealed is None or bool(sealed.key))
    context.answer(heading("✔" if believed else "?", text, colour=wants_colour(context, None)) + "\n")
    if sealed is not None:
        for line in (*envelope_lines(sealed.envelope, _), *reason_lines(sealed.reasons, _)):
            context.answer(f"{line}\n")
    inside = _("The signature inside")
    context.answer(f"  {inside}:\n")
    for line in list(verdict_lines(opened.verdict, _, zone=None))[1:]:
        context.answer(f"{line}\n")


def _say_refusal(name: str, error: HaidangError, context: Context) -> None:
    from haidang.cli._inquiry import wants_colour
    from haidang.crypto.sealing import RefusedError
    from haidang.crypto.sealing.smime import RefusedMailError
    from haidang.crypto.sealing.wording import heading
    from haidang.plaintext import neutralise

    first, *rest = error.diagnostics(context.translate).split("\n")
    undetermined = _code(error) == UNDETERMINED
    text = first if name in first else f"{name}: {first}"
    colour = wants_colour(context, None)
    context.say(heading("?" if undetermined else "✘", text, colour=colour))
    for line in rest:
        context.say(f"    {neutralise(line)}")
    if isinstance(error, RefusedError | RefusedMailError):
        _say_evidence(error, context)


def _say_evidence(error: RefusedError | RefusedMailError, context: Context) -> None:
    """Say what is known of a file that was refused: it may be false, but helps to ask the sender."""
    from haidang.crypto.sealing.wording import envelope_lines
    from haidang.crypto.verifying.wording import verdict_lines

    _ = context.translate
    if error.verdict is not None:
        for line in list(verdict_lines(error.verdict, _, zone=None))[1:]:
            context.say(line)
    envelope = getattr(error, "envelope", None)
    if envelope is not None:
        claimed = _("What it says of itself, which need not be true")
        context.say(f"  {claimed}:")
        for line in envelope_lines(envelope, _):
            context.say(line)


def _told_refusal(name: str, error: HaidangError) -> dict[str, Any]:
    from haidang.crypto.containers import ContainerError
    from haidang.crypto.sealing import RefusedError
    from haidang.crypto.sealing.smime import RefusedMailError

    told: dict[str, Any] = {"path": name, "opened": None, "error": error.message}
    if isinstance(error, ProtectError) and error.hint:
        told["hint"] = error.hint
    if isinstance(error, ContainerError):
        told["code"] = error.code
    if isinstance(error, RefusedError):
        told["code"] = error.reason.code
        told["envelope"] = error.envelope and error.envelope.to_json()
        told["verdict"] = error.verdict and error.verdict.to_json()
    if isinstance(error, RefusedMailError):
        told["code"] = error.reason.code
        told["verdict"] = error.verdict.to_json()
    return told


COMMAND = Command(
    name="open",
    summary=N_("Open what was sealed to you, and say who sealed it, to whom and when."),
    usage="[OPTION]… FILE…",
    configure=configure,
    run=run,
)
