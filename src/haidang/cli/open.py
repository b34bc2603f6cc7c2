"""``haidang open FILE…``: decrypts what was sealed to you, and says who sealed it, to whom, when, how marked.

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
    inputs.add_argument("paths", metavar="FILE", nargs="+", help=_("sealed files"))
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
    from haidang.crypto.sealing import OpenOptions, open_sealed

    if not args.show and not Path(args.output).is_dir():
        raise ConfigurationError(f"{args.output} is not a folder", hint="Make it first.")
    now, trust = present(context), trust_of(args, context)
    options = OpenOptions(
        marking=settings_of(args, context).marking,
        accept_indeterminate=args.accept_indeterminate,
        accept_forwarded=args.accept_forwarded,
    )
    keys = [_key(args, context)]
    codes, told = set(), []
    for name in args.paths:
        folder = None if args.show else Path(args.output)
        try:
            opened = open_sealed(Path(name), keys, trust, folder=folder, now=now, options=options)
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
        _write_json(told, context)
    return next((code for code in (UNUSABLE, FAILED, UNDETERMINED) if code in codes), 0)


def _key(args: argparse.Namespace, context: Context) -> SealingKey:
    from haidang.crypto.sealing.keys import load_sealing_key

    identity = home_of(args, context).identity(args.identity)
    if not identity.sealing_key.is_file():
        raise KeyAccessError(
            N_("{name} has no sealing key."),
            hint=N_("Choose another identity with --as, or request one with a sealing key."),
            name=identity.name,
        )
    question = context.translate("Passphrase of {name}: ").format(name=identity.name)
    return load_sealing_key(identity.sealing_key, passphrase_of(args, context, question))


def _code(error: HaidangError) -> int:
    from haidang.crypto.sealing import NotForYouError, RefusedError

    if isinstance(error, RefusedError) and error.indeterminate:
        return UNDETERMINED
    if isinstance(error, InputError | OutputError | KeyAccessError | NotForYouError | ConfigurationError):
        return UNUSABLE
    return FAILED


def _say(name: str, opened: Opened, context: Context) -> None:
    from haidang.cli._inquiry import wants_colour
    from haidang.crypto.sealing.wording import envelope_lines, heading, reason_lines
    from haidang.crypto.verifying.wording import verdict_lines

    _ = context.translate
    if opened.place is None:
        text = _("{path}: sealed, and sealed to you").format(path=name)
    else:
        text = _("{path}: opened into {place}").format(path=name, place=opened.place)
    mark = "✔" if opened.verdict.holds and opened.key else "?"
    _write(heading(mark, text, colour=wants_colour(context, None)), context)
    for line in (*envelope_lines(opened.envelope, _), *reason_lines(opened.reasons, _)):
        _write(line, context)
    _write(f"  {_('The signature inside')}:", context)
    for line in list(verdict_lines(opened.verdict, _, zone=None))[1:]:
        _write(line, context)


def _say_refusal(name: str, error: HaidangError, context: Context) -> None:
    from haidang.cli._inquiry import wants_colour
    from haidang.crypto.sealing import RefusedError
    from haidang.crypto.sealing.wording import heading
    from haidang.plaintext import neutralise

    first, *rest = error.diagnostics(context.translate).split("\n")
    undetermined = _code(error) == UNDETERMINED
    text = first if name in first else f"{name}: {first}"
    colour = wants_colour(context, None)
    context.say(heading("?" if undetermined else "✘", text, colour=colour))
    for line in rest:
        context.say(f"    {neutralise(line)}")
    if isinstance(error, RefusedError):
        _say_evidence(error, context)


def _say_evidence(error: RefusedError, context: Context) -> None:
    """Say what is known of a file that was refused: it may be false, but helps to ask the sender."""
    from haidang.crypto.sealing.wording import envelope_lines
    from haidang.crypto.verifying.wording import verdict_lines

    _ = context.translate
    if error.verdict is not None:
        for line in list(verdict_lines(error.verdict, _, zone=None))[1:]:
            context.say(line)
    if error.envelope is not None:
        context.say(f"  {_('What it says of itself, which need not be true')}:")
        for line in envelope_lines(error.envelope, _):
            context.say(line)


def _told_refusal(name: str, error: HaidangError) -> dict[str, Any]:
    from haidang.crypto.containers import ContainerError
    from haidang.crypto.sealing import RefusedError

    told: dict[str, Any] = {"path": name, "opened": None, "error": error.message}
    if isinstance(error, ProtectError) and error.hint:
        told["hint"] = error.hint
    if isinstance(error, ContainerError):
        told["code"] = error.code
    if isinstance(error, RefusedError):
        told["code"] = error.reason.code
        told["envelope"] = error.envelope and error.envelope.to_json()
        told["verdict"] = error.verdict and error.verdict.to_json()
    return told


def _write(line: str, context: Context) -> None:
    context.stdout.write(f"{line}\n".encode("utf-8", "backslashreplace"))
    context.stdout.flush()


def _write_json(told: list[dict[str, Any]], context: Context) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode({"schema": "haidang-opened-1", "files": told}), indent=1)
    context.stdout.write(text + b"\n")


COMMAND = Command(
    name="open",
    summary=N_("Open what was sealed to you, and say who sealed it, to whom and when."),
    usage="[OPTION]… FILE…",
    configure=configure,
    run=run,
)
