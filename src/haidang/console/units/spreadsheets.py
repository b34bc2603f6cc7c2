"""Assets as CSV: written for spreadsheets, read with a preview and errors that name the line.

Columns: ``unit`` (its code), ``name``, ``owner``, ``criticality`` (1 to 4), ``hosts``, ``networks``,
``domains`` (spaces or semicolons between several) and ``note``. An asset is known by unit and name: a line of
one that is there changes it. Nothing is written where one line is wrong.

The file is untrusted: its size, lines and fields are bounded. Cells that a spreadsheet would take for a
formula are written with an apostrophe before them, which is taken off when they are read.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _

from haidang.console.people.refusals import RefusedError
from haidang.console.units.actions import Named, add_asset, change_asset, names_of
from haidang.console.units.models import Asset, AssetName, Criticality, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.console.people.access import Request
    from haidang.console.people.models import User

__all__ = ["COLUMNS", "MOST_BYTES", "Line", "Sheet", "export", "read_assets", "take_assets", "write_assets"]

COLUMNS = ("unit", "name", "owner", "criticality", "hosts", "networks", "domains", "note")
MOST_BYTES = 2 << 20
"""Also what Django takes of a form that is no file."""
MOST_LINES = 20_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BETWEEN = re.compile(r"[\s;]+")


class Line(NamedTuple):
    """What a line asks for."""

    number: int
    """From 1, the heading's, as editors count."""
    values: dict[str, Any]
    names: list[Named]
    asset: Asset | None
    """The one that it changes; None for a new one."""
    same: bool = False
    """Whether nothing would change."""


class Sheet(NamedTuple):
    """What a file asks for."""

    lines: list[Line]
    errors: list[tuple[int, str]]
    """Numbers of lines, and what is wrong with them."""


def write_assets(assets: Iterable[Asset]) -> Iterator[str]:
    """Yield the CSV of assets, the heading first; ``unit`` and ``names`` should have been fetched along."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")

    def taken() -> str:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    writer.writerow(COLUMNS)
    yield "\N{BYTE ORDER MARK}" + taken()
    for asset in assets:
        names: dict[str, list[str]] = {}
        for name in asset.names.all():
            names.setdefault(name.kind, []).append(name.value)
        cells = (
            asset.unit.code,
            asset.name,
            asset.owner,
            str(asset.criticality),
            *(" ".join(names.get(kind, ())) for kind in (AssetName.Kind.HOST, AssetName.Kind.NETWORK)),
            " ".join(names.get(AssetName.Kind.DOMAIN, ())),
            asset.note,
        )
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
        yield taken()


def read_assets(user: User, data: bytes) -> Sheet:
    """Return what a CSV file asks for, and every line that is wrong.

    Raises:
        RefusedError: It is no such file at all.
    """
    rows = _rows(data)
    units = {unit.code: unit for unit in Unit.objects.visible_to(user)}
    there = {
        (asset.unit_id, asset.name): asset
        for asset in Asset.objects.visible_to(user).prefetch_related("names")
    }
    sheet = Sheet([], [])
    seen: dict[tuple[int, str], int] = {}
    claimed: dict[Named, int] = {}
    for number, cells in rows:
        try:
            line = _line(number, cells, units, there)
            _check_once(line, seen, claimed)
        except RefusedError as error:
            said = dict.fromkeys(message for messages in error.errors.values() for message in messages)
            sheet.errors.append((number, " ".join(said)))
        else:
            sheet.lines.append(line)
    sheet.errors.extend(_foreign(sheet.lines))
    sheet.errors.sort()
    return sheet


def take_assets(request: Request, data: bytes) -> Sheet:
    """Add and change the assets of a CSV file: all of them, or none.

    Raises:
        RefusedError: A line is wrong; ``errors`` names it.
    """
    with transaction.atomic():
        sheet = read_assets(request.user, data)
        if sheet.errors:
            raise RefusedError(
                _("Nothing was taken: some lines are wrong."),
                errors={f"line {number}": [message] for number, message in sheet.errors},
            )
        for line in sheet.lines:
            if line.asset is None:
                add_asset(request, line.values, line.names)
            elif not line.same:
                change_asset(request, line.asset, line.values, line.names)
    return sheet


_TOO_LONG = _("The file is no CSV: a field is too long or not closed.")
_LONGEST_CELL = 100_000
"""Characters."""


def _rows(data: bytes) -> list[tuple[int, dict[str, str]]]:
    if len(data) > MOST_BYTES:
        raise RefusedError(_("The file is too large: divide it."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedError(_("The file is not UTF-8: save it as “CSV UTF-8”.")) from None
    heading, _newline, _rest = text.partition("\n")
    # Spreadsheets write semicolons where the decimal comma is at home, as in Vietnam.
    reader = csv.reader(io.StringIO(text), delimiter=";" if heading.count(";") > heading.count(",") else ",")
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        missing = {"unit", "name"} - set(columns)
        unknown = set(columns) - set(COLUMNS)
        if missing or unknown or len(set(columns)) < len(columns):
            raise RefusedError(
                _("The first line must name the columns: {columns}.").format(columns=", ".join(COLUMNS))
            )
        rows: list[tuple[int, dict[str, str]]] = []
        start = reader.line_num + 1
        for cells in reader:
            # The limit of Python's reader is one for the whole process, and readers of logs raise it.
            if any(len(cell) > _LONGEST_CELL for cell in cells):
                raise RefusedError(_TOO_LONG)
            if any(cell.strip() for cell in cells):
                rows.append((start, _cells(columns, cells)))
            start = reader.line_num + 1
            if len(rows) > MOST_LINES:
                raise RefusedError(_("The file has too many lines: divide it."))
    except csv.Error:
        raise RefusedError(_TOO_LONG) from None
    return rows


def _cells(columns: list[str], cells: list[str]) -> dict[str, str]:
    found = {}
    for column, cell in zip(columns, [*cells, *[""] * len(columns)], strict=False):
        text = cell.strip()
        found[column] = text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
    if len(cells) > len(columns):
        found["more"] = ""
    return found


def _line(
    number: int, cells: dict[str, str], units: dict[str, Unit], there: dict[tuple[int, str], Asset]
) -> Line:
    if "more" in cells:
        raise RefusedError(_("The line has more fields than columns."))
    if any("\0" in cell for cell in cells.values()):
        raise RefusedError(_("The line holds a NUL character."))
    unit = units.get(cells["unit"])
    if unit is None:
        raise RefusedError(_("There is no unit with the code {code}.").format(code=repr(cells["unit"])))
    if not 1 <= len(cells["name"]) <= 200:
        raise RefusedError(_("The name is missing or too long."))
    if len(cells.get("owner", "")) > 200:
        raise RefusedError(_("The owner is too long."))
    criticality = cells.get("criticality") or str(Criticality.MEDIUM.value)
    if criticality not in set(map(str, Criticality.values)):
        raise RefusedError(_("The criticality must be 1, 2, 3 or 4."))
    names = names_of(
        *(filter(None, _BETWEEN.split(cells.get(kind, ""))) for kind in ("hosts", "networks", "domains"))
    )
    values: dict[str, Any] = {
        "unit": unit,
        "name": cells["name"],
        "criticality": int(criticality),
    }
    values.update({column: cells[column] for column in ("owner", "note") if column in cells})
    asset = there.get((unit.pk, cells["name"]))
    same = asset is not None and (
        all(getattr(asset, name) == value for name, value in values.items())
        and {Named(name.kind, name.value) for name in asset.names.all()} == set(names)
    )
    return Line(number, values, names, asset, same)


def _check_once(line: Line, seen: dict[tuple[int, str], int], claimed: dict[Named, int]) -> None:
    """Refuse an asset, or a name, that a line before has."""
    if seen.setdefault((line.values["unit"].pk, line.values["name"]), line.number) != line.number:
        raise RefusedError(_("This asset is in the file twice."))
    for name in line.names:
        first = claimed.setdefault(name, line.number)
        if first != line.number:
            raise RefusedError(
                _("{value} is a name of the asset on line {number}.").format(value=name.value, number=first)
            )


def _foreign(lines: list[Line]) -> list[tuple[int, str]]:
    """Return the lines that claim a name of another asset."""
    wanted = {name: line.number for line in lines for name in line.names}
    own = {line.number: line.asset.pk if line.asset else None for line in lines}
    errors: list[tuple[int, str]] = []
    values = list({name.value for name in wanted})
    for start in range(0, len(values), 500):
        for row in AssetName.objects.filter(value__in=values[start : start + 500]):
            number = wanted.get(Named(row.kind, row.value))
            if number is not None and row.asset_id != own[number]:
                errors.append((number, str(_("{value} is a name of another asset.").format(value=row.value))))
    return errors


def export(user: User) -> StreamingHttpResponse:
    """Return a response with all assets that a person may see."""
    rows = Asset.objects.visible_to(user).select_related("unit").prefetch_related("names")
    lines = write_assets(rows.order_by("unit__path", "name").iterator(chunk_size=500))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="assets.csv"'
    return response
