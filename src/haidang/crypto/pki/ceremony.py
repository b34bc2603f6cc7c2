"""The key ceremony: an authority's wrapping key split among people, put together again, and checked.

The shares are SLIP-39 (Shamir's scheme over words; three of five by default). Rules:

- What is split is the 32-byte wrapping key (:mod:`haidang.crypto.pki.keyring`), never a signing key.
- Before a share leaves :func:`split`, every share was tried in a group that gives the key back.
- SLIP-39 gives *some* secret for every passphrase, by design. Whether shares gave the right one is decided by
  opening the authority's keys with it, which are under authenticated encryption.
- No error and no log holds a word of a share: a word is named by its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import key_id
from haidang.crypto.pki.keyring import AuthorityKeys, open_wrapped, open_wrapping, wrap
from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.passphrases import Passphrase

__all__ = [
    "MOST_SHARES",
    "WORDS",
    "Share",
    "check_shares",
    "check_words",
    "forget",
    "needed",
    "read_share",
    "restore",
    "split",
]

MOST_SHARES = 16
"""SLIP-39 has four bits for the number of a share."""
WORDS = 33
"""How many words a share of 32 bytes has."""
_LONGEST = 4096
_SHORTEST_PREFIX = 4  # letters that tell the words of the list apart
_NOTHING = b""


@dataclass(frozen=True, slots=True)
class Share:
    """One person's part."""

    number: int
    """From 1 on."""
    of: int
    """How many there are."""
    threshold: int
    """How many restore the key."""
    words: tuple[str, ...] = field(repr=False)


def split(
    folder: Path,
    passphrase: Passphrase,
    *,
    threshold: int = 3,
    count: int = 5,
    share_passphrase: Passphrase | None = None,
) -> list[Share]:
    """Return the shares of the wrapping key of the authority in ``folder``.

    Args:
        folder: of the authority.
        passphrase: opens its wrapping key.
        threshold: how many shares it takes.
        count: how many there are.
        share_passphrase: needed beside the shares, if given; printable ASCII.

    Raises:
        KeyAccessError: The passphrase is wrong, or the numbers are none for a ceremony.
    """
    if not 2 <= threshold <= count <= MOST_SHARES:
        raise KeyAccessError(
            N_("A key cannot be split into {count} shares of which {threshold} are needed."),
            hint=N_("At least two are needed, at most all, and there are at most {most}."),
            count=count,
            threshold=threshold,
            most=MOST_SHARES,
        )
    with needs_extra():
        import shamir_mnemonic
    wrapping = open_wrapping(folder, passphrase)
    secret = _share_secret(share_passphrase)
    ((*mnemonics,),) = shamir_mnemonic.generate_mnemonics(1, [(threshold, count)], wrapping, secret)
    for group in _groups(mnemonics, threshold):
        if shamir_mnemonic.combine_mnemonics(group, secret) != wrapping:
            raise KeyAccessError(
                N_("The shares do not give the key back; none was printed."), hint=N_("Split it again.")
            )
    return [
        Share(number, count, threshold, tuple(mnemonic.split()))
        for number, mnemonic in enumerate(mnemonics, 1)
    ]


def read_share(text: str, place: int) -> str:
    """Return the words of a share in one spelling; the first four letters of each are enough.

    Args:
        text: as it was typed, or stands in a file.
        place: which one it is, from 1 on; errors name it.

    Raises:
        KeyAccessError: A word is none, or the words do not fit together.
    """
    with needs_extra():
        import shamir_mnemonic
    words = check_words(text, place)
    mnemonic = " ".join(words)
    try:
        shamir_mnemonic.Share.from_mnemonic(mnemonic)
    except (shamir_mnemonic.MnemonicError, ValueError, IndexError):
        raise _no_share(place) from None
    return mnemonic


def check_words(text: str, place: int, *, first: int = 1, count: int = 0) -> list[str]:
    """Return the words in ``text``, each as the list has it.

    Args:
        text: what was typed.
        place: of which share.
        first: the number of its first word.
        count: how many there must be; 0 for any number.

    Raises:
        KeyAccessError: A word is not of the list, or there are more or fewer.
    """
    from shamir_mnemonic.wordlist import WORDLIST

    by_prefix = {word[:_SHORTEST_PREFIX]: word for word in WORDLIST}
    if len(text) > _LONGEST:
        raise _no_share(place)
    words: list[str] = []
    for number, typed in enumerate(re.findall(r"[^\W\d_]+", text.lower()), first):
        word = by_prefix.get(typed[:_SHORTEST_PREFIX], "")
        if not word.startswith(typed) or len(typed) < _SHORTEST_PREFIX:
            raise KeyAccessError(
                N_("Word {number} of share {place} is not a word of the list."),
                hint=N_("Look at the sheet again; the first four letters are enough."),
                number=number,
                place=place,
            )
        words.append(word)
    if count and len(words) != count:
        raise KeyAccessError(
            N_("{n} words were typed instead of {count}."),
            hint=N_("Type the column again, with a space between the words."),
            n=len(words),
            count=count,
        )
    return words


def needed(mnemonic: str) -> int:
    """Return how many shares it takes, as one of them says."""
    import shamir_mnemonic

    threshold: int = shamir_mnemonic.Share.from_mnemonic(mnemonic).member_threshold
    return threshold


def check_shares(
    folder: Path, mnemonics: Sequence[str], share_passphrase: Passphrase | None = None
) -> tuple[bytes, AuthorityKeys]:
    """Return the wrapping key that the shares give, and the keys that it opened.

    Raises:
        KeyAccessError: They are too few, of different ceremonies, twice the same, or of another key.
    """
    with needs_extra():
        import shamir_mnemonic
    _check_together(mnemonics)
    try:
        wrapping = shamir_mnemonic.combine_mnemonics(
            mnemonics[: needed(mnemonics[0])], _share_secret(share_passphrase)
        )
    except (shamir_mnemonic.MnemonicError, ValueError, IndexError):
        raise KeyAccessError(
            N_("These shares do not belong together."), hint=N_("Use shares of one and the same ceremony.")
        ) from None
    try:
        return wrapping, open_wrapped(folder, wrapping)
    except KeyAccessError:
        raise KeyAccessError(
            N_("These shares do not open the key of {folder}."),
            hint=N_("They are of another key, or the passphrase of the shares is wrong."),
            folder=folder,
        ) from None


def restore(
    folder: Path,
    mnemonics: Sequence[str],
    passphrase: Passphrase,
    share_passphrase: Passphrase | None = None,
) -> AuthorityKeys:
    """Put the wrapping key together, check it, and lock it under a new passphrase.

    Raises:
        KeyAccessError: The shares do not open the key; nothing was changed.
    """
    wrapping, keys = check_shares(folder, mnemonics, share_passphrase)
    wrap(folder, wrapping, passphrase, key_id=key_id(keys.first))
    return keys


def forget(folder: Path) -> None:
    """Take the wrapping key away: from now on the shares alone open the authority's keys."""
    (folder / "wrapping.key").unlink(missing_ok=True)


def _groups(mnemonics: Sequence[str], threshold: int) -> Iterator[list[str]]:
    """Yield groups of ``threshold`` shares, so that each share is in one."""
    for first in range(len(mnemonics)):
        yield [mnemonics[(first + i) % len(mnemonics)] for i in range(threshold)]


def _check_together(mnemonics: Sequence[str]) -> None:
    import shamir_mnemonic

    shares = [shamir_mnemonic.Share.from_mnemonic(one) for one in mnemonics]
    if not shares or len(shares) < shares[0].member_threshold:
        raise KeyAccessError(
            N_("{n} shares are too few: {needed} are needed."),
            hint=N_("Bring more holders together."),
            n=len(shares),
            needed=shares[0].member_threshold if shares else 2,
        )
    if len({share.identifier for share in shares}) > 1:
        raise KeyAccessError(
            N_("These shares do not belong together."), hint=N_("Use shares of one and the same ceremony.")
        )
    if len({share.index for share in shares}) < len(shares):
        raise KeyAccessError(
            N_("One share was given twice."), hint=N_("Each holder gives the words of the own sheet.")
        )


def _share_secret(passphrase: Passphrase | None) -> bytes:
    secret = passphrase.reveal() if passphrase is not None else _NOTHING
    if any(not 32 <= byte <= 126 for byte in secret):
        raise KeyAccessError(
            N_("The passphrase of the shares has letters that SLIP-39 does not know."),
            hint=N_("Use letters without accents, digits and signs."),
        )
    return secret


def _no_share(place: int) -> KeyAccessError:
    return KeyAccessError(
        N_("The words of share {place} do not fit together: one is wrong, missing or misplaced."),
        hint=N_("Compare them with the sheet, word by word: there are {words}."),
        place=place,
        words=WORDS,
    )
