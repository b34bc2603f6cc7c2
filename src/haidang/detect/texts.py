"""Long texts, such as what PowerShell logs: they rarely repeat as a whole, but their lines do.

- A line is decided once and remembered by what it holds; so is each set of answers that lines gave together.
- The longest line of such a text is often the same for thousands of events (the command line of the shell
  that wrote them). It is recognised by comparing, which costs a tenth of cutting it out and looking it up.

What a line decides must not depend on other lines; whoever makes the answers sees to that. Memory is bounded.
Values are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["NO_ANSWER", "Answer", "Texts", "joined"]

_LINE_CHARS = 4 << 20
"""Characters of lines that one field remembers."""
_LONG_TEXT = 2048
"""Characters of a text from which on its longest line is worth recognising."""
_LONG_LINE = 1024
_LONG_LINES = 4
"""How many long lines are compared with."""
_HEAD = 48
"""Characters by which the place of a long line is found when it has moved."""


class Answer(NamedTuple):
    """What a line, or a text, decides."""

    ids: tuple[int, ...]
    """Numbers of the tests that hold, sorted."""
    gates: tuple[int, ...]
    """Numbers of the literals that occur, and whose deciders look at the whole text."""
    words: frozenset[str] = frozenset()
    """Of the words that such deciders require, those that occur."""


NO_ANSWER = Answer((), ())
"""Of a line that decides nothing."""


def joined(answers: Iterable[Answer], always: frozenset[int] = frozenset()) -> Answer:
    """Return what several lines decide together, and what always holds."""
    answers = list(answers)
    return Answer(
        tuple(sorted(always.union(*(answer.ids for answer in answers)))),
        tuple(sorted({gate for answer in answers for gate in answer.gates})),
        frozenset().union(*(answer.words for answer in answers)),
    )


class _Known:
    """A long line with the line ends around it, where it was last, and the number of its answer."""

    __slots__ = ("framed", "head", "number", "place")

    def __init__(self, line: str, place: int, number: int) -> None:
        self.framed = f"\n{line}\n"
        self.head = self.framed[:_HEAD]
        self.place = place
        self.number = number

    def find(self, text: str) -> int:
        """Return where the line is in ``text``, the line end before it included; -1 where it is not."""
        if text.startswith(self.framed, self.place):
            return self.place
        place = text.find(self.head)
        if place >= 0 and text.startswith(self.framed, place):
            self.place = place
            return place
        return -1


class Texts:
    """Answers for the texts of one field."""

    def __init__(self, of_line: Callable[[str], Answer], always: Iterable[int], entries: int) -> None:
        """Ask ``of_line`` for what is not remembered; remember at most ``entries`` answers.

        ``always`` are the numbers of the tests that hold for every text.
        """
        self._lines = _Lines(of_line, entries)
        self._always = frozenset(always)
        self._known: list[_Known] = []
        self._together: dict[frozenset[int], Answer] = {}
        self._entries = entries

    def decide(self, text: str) -> Answer:
        """Return what the lines of a text decide together."""
        lines = self._lines
        if lines.full or len(self._together) >= self._entries:
            self._forget()
        numbers = frozenset(self._numbers(text))
        found = self._together.get(numbers)
        if found is None:
            answers = [lines.answers[number] for number in numbers]
            found = self._together[numbers] = joined(answers, self._always)
        return found

    def _numbers(self, text: str) -> set[int]:
        """Return the numbers of the answers of the lines."""
        number = self._lines.__getitem__
        if len(text) < _LONG_TEXT:
            return set(map(number, text.split("\n")))
        for known in self._known:
            place = known.find(text)
            if place >= 0:
                found = set(map(number, text[:place].split("\n")))
                found.update(map(number, text[place + len(known.framed) :].split("\n")))
                found.add(known.number)
                return found
        lines = text.split("\n")
        self._learn(text, max(lines, key=len))
        return set(map(number, lines))

    def _learn(self, text: str, line: str) -> None:
        """Remember a long line, if there are other lines before and behind it."""
        if len(line) >= _LONG_LINE:
            place = text.find(f"\n{line[:_HEAD]}")
            known = _Known(line, place, self._lines[line])
            if place >= 0 and known.find(text) >= 0:
                self._known = [known, *self._known[: _LONG_LINES - 1]]

    def _forget(self) -> None:
        self._lines.forget()
        self._known = []
        self._together.clear()


class _Lines(dict[str, int]):
    """Line to the number of its answer; bounded."""

    __slots__ = ("_entries", "_left", "_numbers", "_of_line", "answers", "full")

    def __init__(self, of_line: Callable[[str], Answer], entries: int) -> None:
        super().__init__()
        self._of_line = of_line
        self._entries = entries
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        self.clear()
        self._left = _LINE_CHARS
        self._numbers: dict[Answer, int] = {}
        self.answers: list[Answer] = []
        self.full = False
        """Whether there are so many answers that it is time to start anew."""

    def __missing__(self, line: str) -> int:
        answer = self._of_line(line)
        number = self._numbers.get(answer)
        if number is None:
            number = self._numbers[answer] = len(self.answers)
            self.answers.append(answer)
            self.full = number >= self._entries
        self._left -= len(line) + 100
        if self._left < 0:
            # The numbers stay, so that what lines decided together still holds.
            self.clear()
            self._left = _LINE_CHARS
        self[line] = number
        return number
