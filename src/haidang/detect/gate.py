r"""Ruling keywords out by looking at undecoded documents, at memory speed.

Keywords hold anywhere in an event, so that a rule made of them would force every document to be decoded
and searched. Instead, a short piece of each keyword is looked for in the raw bytes of a whole batch by the
vectorised searcher of the Aho-Corasick library, which takes up to 64 pieces. Few keywords are looked for in
all their spellings of upper and lower case; where that makes too many pieces, the bytes are folded first, and
several searches follow one another. Only documents with a piece in them are decoded and searched for the
keyword. The keywords that any document may hold are looked for in batches; those of some routes only, in the
documents of these routes.

It must never miss: pieces are made of ASCII letters, digits and a few marks that no JSON writer escapes,
and ``\u00`` escapes and the Kelvin sign (whose lower case is an ASCII letter) are pieces too. The dotted
capital I becomes an ``i`` and a combining dot, so it can only stand for an ``i`` that ends a keyword: no
piece ends there. A piece of two bytes would cost the searcher its speed. Keywords that do not fit are
not covered, and documents of the routes that look for them are decoded.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate, product
from typing import TYPE_CHECKING, NamedTuple

from haidang.events.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from haidang.sigma.ir import Test

__all__ = ["Joined", "KeywordGate"]

_PIECE_SIZE = 4
_MARKED_SIZE = 3
_TOGETHER = 60
"""The vectorised searcher takes up to 64 pieces; more of them run in a further search."""
_MOST_SEARCHES = 6
_MOST_SPELLED = 3
"""Searches for pieces in all their spellings, at most: folding costs as much as the third."""
_FOLDING = 1
"""What folding costs, in searches; rather more."""
_ESCAPED = 12
"""Bytes that JSON may write a letter with: two escapes, for half of a surrogate pair each."""
_MOST_LOOKS = 16
"""Pieces of a document around which a keyword is looked for; of more, the whole document is searched."""
_STRETCH = 1 << 20
"""Bytes that are searched at once where values lie one behind another."""
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.:-;,=()[]{}#%@!$*")
_KELVIN = "\u212a".encode()
_COMMON = "qzjxkvwybfgpmuhcdlrsnitaoe"
"""Letters, the rarest first, as in English texts and paths."""


class _Spelling(NamedTuple):
    """How texts are written in what is searched."""

    safe: frozenset[str]
    """Letters and marks that are always written as they are."""
    always: tuple[bytes, ...]
    """What may stand for one of them nevertheless."""
    short: bool
    """Whether a keyword of three letters is looked for."""


_JSON = _Spelling(_SAFE, (b"\\u00", b"\\u21", _KELVIN), short=False)
_PLAIN = _Spelling(frozenset(map(chr, range(32, 127))), (_KELVIN,), short=True)


class Joined:
    """Documents one behind another, with a line end after each."""

    __slots__ = ("data", "documents", "ends")

    def __init__(self, documents: Sequence[bytes]) -> None:
        """Join ``documents``."""
        self.documents = documents
        if isinstance(documents, Lines):
            self.data, self.ends = documents.data, documents.ends
            return
        self.data = b"\n".join((*documents, b""))
        """Their bytes."""
        self.ends = array("Q", accumulate(len(one) + 1 for one in documents))
        """Where each ends, its line end included."""


class KeywordGate:
    """Which documents of a batch may hold one of the keywords."""

    def __init__(
        self,
        pieces: Sequence[bytes],
        covers: frozenset[Test],
        *,
        folds: bool = False,
        spelling: _Spelling = _JSON,
    ) -> None:
        """Look for ``pieces`` of 3 or 4 bytes; ``folds`` says that they are to be found in folded bytes."""
        from ahocorasick_rs import BytesAhoCorasick, MatchKind

        self._folds = folds
        self._always = spelling.always
        self._finders = [
            BytesAhoCorasick(list(some), matchkind=MatchKind.LeftmostFirst).find_matches_as_indexes
            for some in (pieces[at : at + _TOGETHER] for at in range(0, len(pieces), _TOGETHER))
        ]
        words = {_longest_word(test, spelling.safe).lower().encode() for test in covers}
        marks = {mark.lower() for mark in spelling.always}
        self._words = BytesAhoCorasick(sorted(words | marks)).find_matches_as_indexes
        self._reach = _reach(covers, spelling.safe)
        self.covers = covers
        """The keywords that cannot occur in a document that is no candidate."""

    @staticmethod
    def over(rules: Iterable[Sequence[Test]], *, plain: bool = False) -> KeywordGate:
        """Return a gate for as many rules as fit, each given by its keywords; the first come first.

        ``plain`` says that it is for texts as they are, not for documents in JSON.
        """
        rules = list(rules)
        spelling = _PLAIN if plain else _JSON
        every = len({test for tests in rules for test in tests})
        spelled, of_spelled = _fitting(rules, _TOGETHER * _MOST_SPELLED, spelling, folds=False)
        if len(of_spelled) == every and len(spelled) <= _TOGETHER:
            return KeywordGate(sorted(spelled), of_spelled, spelling=spelling)
        folded, of_folded = _fitting(rules, _TOGETHER * _MOST_SEARCHES, spelling, folds=True)
        if len(of_spelled) == every and _searches(spelled) <= _searches(folded) + _FOLDING:
            return KeywordGate(sorted(spelled), of_spelled, spelling=spelling)
        return KeywordGate(sorted(folded), of_folded, folds=True, spelling=spelling)

    def candidates(self, documents: Joined) -> list[int]:
        """Return the positions of the documents that may hold a keyword, in order, each once."""
        if not self.covers:
            return []
        joined = documents.data
        hits = self._hits(joined)
        if not hits:
            return []
        ends = documents.ends
        found: set[int] = set()
        looks: dict[int, int] = {}
        most = _MOST_LOOKS if self._reach else 0
        for _, start, past in hits:
            at = bisect_right(ends, start)
            if at in found or at == len(ends):
                continue  # Behind the last there may be the beginning of another one.
            # Where a keyword is, so is its piece, or one that overlaps it.
            look = looks[at] = looks.get(at, 0) + 1
            if look <= most:
                near = self._may_hold(joined[max(0, start - self._reach) : past + self._reach])
            else:
                near = look == most + 1 and self._may_hold(documents.documents[at])
            if near:
                found.add(at)
        return sorted(found)

    def values(self, data: memoryview, cuts: Sequence[int]) -> list[int]:
        """Return the positions of the values that may hold a keyword, in order, each once.

        ``data`` holds their bytes one behind another, nothing between them: value ``at`` is what is between
        ``cuts[at]`` and ``cuts[at + 1]``. Nothing is copied unless bytes must be folded.
        """
        found: list[int] = []
        at, end = 0, len(cuts) - 1
        while self.covers and at < end:
            # What is found is held until it is looked at again: a stretch bounds how much that can be.
            stop = max(at + 1, bisect_right(cuts, cuts[at] + _STRETCH, at, end + 1) - 1)
            first = cuts[at]
            some: set[int] = set()
            for _, start, past in self._hits(data[first : cuts[stop]]):
                # A piece may be of two values; then what begins inside it in the second was not looked for.
                begin = bisect_right(cuts, first + start, at, stop) - 1
                some.update(range(begin, bisect_left(cuts, first + past, begin + 1, stop)))
            found.extend(
                one for one in sorted(some) if self._may_hold(bytes(data[cuts[one] : cuts[one + 1]]))
            )
            at = stop
        return found

    def may_hold(self, document: bytes) -> bool:
        """Return whether one document may hold a keyword."""
        return bool(self._hits(document)) and self._may_hold(document)

    def _hits(self, data: bytes | memoryview) -> list[tuple[int, int, int]]:
        if self._folds:
            data = bytes(data).lower()
        return [hit for find in self._finders for hit in find(data)]

    def _may_hold(self, document: bytes) -> bool:
        """Look at a document, or a part of it, again, for the whole of what is safe in each keyword."""
        return bool(self._words(document.lower()))


def _fitting(
    rules: Sequence[Sequence[Test]], most: int, spelling: _Spelling, *, folds: bool
) -> tuple[set[bytes], frozenset[Test]]:
    """Return at most ``most`` pieces, and the keywords of the rules that they cover, the first come first."""
    pieces = set(spelling.always)
    covers: set[Test] = set()
    for tests in rules:
        more = set(pieces)
        found: list[set[bytes]] = []
        for test in tests:
            found.append(_best_piece(test, more, spelling, folds=folds))
            more |= found[-1]
        if all(found) and len(more) <= most:
            pieces = more
            covers.update(tests)
    return pieces, frozenset(covers)


def _reach(tests: Iterable[Test], safe: frozenset[str]) -> int:
    """Return in how many bytes around a piece the whole of its keyword is; 0 where that is not known."""
    most = 0
    for test in tests:
        words = [part for part in test.value if isinstance(part, str)]
        if len(words) > 1:  # what lies between them may be long
            return 0
        most = max([most, *(len(word) * (1 if safe.issuperset(word) else _ESCAPED) for word in words)])
    return most


def _searches(pieces: Collection[bytes]) -> int:
    return -(-len(pieces) // _TOGETHER)


def _longest_word(test: Test, safe: frozenset[str]) -> str:
    """Return the longest run of safe letters in a keyword; it holds at least one piece."""
    best = ""
    for word in test.value:
        if isinstance(word, str):
            runs = "".join(letter if letter in safe else "\0" for letter in word.rstrip("iI")).split("\0")
            best = max(best, *runs, key=len)
    return best


def _best_piece(test: Test, known: set[bytes], spelling: _Spelling, *, folds: bool) -> set[bytes]:
    """Return all spellings of the piece of a keyword that adds the fewest to those that are known.

    Of equals, the rarest; empty when there is none.
    """
    best: set[bytes] = set()
    price = (0, 0)
    for word in test.value if test.kind == "str" else ():
        for piece in _pieces(word, spelling) if isinstance(word, str) else ():
            folded = piece.lower()
            spelled = [{c} if folds else {c, c.upper()} for c in folded]
            spellings = {"".join(letters).encode() for letters in product(*spelled)}
            cost = (len(spellings - known), sum(map(_COMMON.find, folded)))
            if not best or cost < price:
                best, price = spellings, cost
    return best


def _pieces(word: str, spelling: _Spelling) -> Iterator[str]:
    """Yield what of a keyword may be looked for: four letters, or three, if rare or all that there is."""
    for size in (_PIECE_SIZE, _MARKED_SIZE):
        for at in range(len(word) - size + 1):
            piece = word[at : at + size]
            # Words begin and end alike in every log: a space may only be inside a piece.
            if piece.strip() != piece or not spelling.safe.issuperset(piece):
                continue
            if at + size == len(word) and piece[-1] in "iI":
                continue
            if size == _PIECE_SIZE or "::" in piece or (spelling.short and len(word) == size):
                yield piece
