"""Numbers, sizes, times and positions as people of each language write them.

Vietnamese groups digits with a point and marks decimals with a comma; English does the reverse. Times
stay in ISO order and in UTC in both languages, because they are compared with what the logs say.
"""

from __future__ import annotations

from haidang.i18n import N_, Translator

__all__ = ["decimal", "duration", "moment", "number", "place", "size", "span"]

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_VIETNAMESE = str.maketrans(",.", ".,")
_STEP = 1000
_DAYS = 48
"""Hours from which days are counted."""

_PLACES = {
    "line": N_("line {n}"),
    "byte": N_("byte {n}"),
    "record": N_("record {n}"),
    "row": N_("row {n}"),
    "member": N_("member {n}"),
    "chunk": N_("chunk {n}"),
}


def number(n: float, lang: str) -> str:
    """Return a whole number with its digits grouped: ``12,345`` or ``12.345``."""
    return _localise(f"{n:,.0f}", lang)


def decimal(x: float, lang: str, places: int = 1) -> str:
    """Return a number with decimals: ``1,234.5`` or ``1.234,5``."""
    return _localise(f"{x:,.{places}f}", lang)


def size(bytes_: float, lang: str) -> str:
    """Return a size in decimal units: ``2.3 GB``."""
    amount = float(bytes_)
    for unit in _UNITS[:-1]:
        # Below 999.95 the rounding to one decimal still stays under a thousand.
        if amount < _STEP - 0.05:
            return f"{decimal(amount, lang, 0 if unit == 'B' else 1)} {unit}"
        amount /= _STEP
    return f"{decimal(amount, lang)} {_UNITS[-1]}"


def duration(seconds: float, lang: str) -> str:
    """Return a length of time: ``4.2 s``, ``3:07``, ``2:03:07``, or ``44 d 02:34`` from two days on."""
    if seconds < 59.95:  # A minute, before rounding to one decimal.
        return f"{decimal(seconds, lang)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= _DAYS:
        days, hours = divmod(hours, 24)
        return f"{number(days, lang)} {'ngày' if lang == 'vi' else 'd'} {hours:02}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(time: str) -> str:
    """Return an RFC 3339 time in UTC to the minute, without its letters: ``2026-03-01 08:12``."""
    return f"{time[:10]} {time[11:16]}"


def span(first: str, last: str) -> str:
    """Return two times as a span that says the year and the day once where it can."""
    begin, end = moment(first), moment(last)
    if begin == end:
        return begin
    if begin[:10] == end[:10]:
        return f"{begin} → {end[11:]}"
    return f"{begin} → {end[5:] if begin[:5] == end[:5] else end}"


def place(where: str, translate: Translator) -> str:
    """Return a position such as ``line 17`` in the reader's language; an unknown one as it is."""
    word, _, rest = where.partition(" ")
    message = _PLACES.get(word)
    if message is None or not rest:
        return where
    return translate(message).format(n=number(int(rest), translate.lang) if rest.isdecimal() else rest)


def _localise(text: str, lang: str) -> str:
    return text.translate(_VIETNAMESE) if lang == "vi" else text
