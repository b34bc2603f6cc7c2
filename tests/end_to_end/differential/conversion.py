"""Rules as SQL: read by pySigma and converted by its SQLite backend, with none of our own code.

A rule's fields become columns through a processing pipeline. SQLite compares a number with a text by type,
so a value that is a number in the rule is looked for in a column of numbers beside the column of texts
(``#``); the backend leaves this to whoever makes the table.
"""

from __future__ import annotations

import copy
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml
from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionOR
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import (
    FieldMappingTransformation,
    SetStateTransformation,
    ValueListPlaceholderTransformation,
)
from sigma.processing.transformations.base import DetectionItemTransformation
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import SigmaCompareExpression, SigmaFieldReference, SigmaNumber

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["FULLTEXT", "NUMBER", "columns", "convert", "fields_of", "prepare", "rules_in"]

FULLTEXT = "every_value"
"""Column that keywords are looked for in."""
NUMBER = "#"
"""After a field's name: its value as a number."""

_NUMBERS = (SigmaNumber, SigmaCompareExpression)


def rules_in(archive: Path) -> Iterator[SigmaRule]:
    """Yield the rules on single events in a zip; its other documents are correlations and filters."""
    with zipfile.ZipFile(archive) as opened:
        for name in sorted(opened.namelist()):
            if not name.endswith(".yml"):
                continue
            for document in yaml.load_all(opened.read(name), Loader=yaml.CSafeLoader):
                if "detection" in document:
                    yield SigmaRule.from_dict(document)


@dataclass
class _NumbersApart(DetectionItemTransformation):
    """Sends the numbers of an item to the field's column of numbers, its texts to that of texts."""

    def apply_detection_item(
        self, detection_item: SigmaDetectionItem
    ) -> SigmaDetection | SigmaDetectionItem | None:
        numbers = [value for value in detection_item.value if isinstance(value, _NUMBERS)]
        if detection_item.field is None or not numbers:
            return None
        texts = [value for value in detection_item.value if not isinstance(value, _NUMBERS)]
        if not texts:
            return _with(detection_item, detection_item.field + NUMBER, numbers)
        assert detection_item.value_linking is ConditionOR
        return SigmaDetection(
            [
                _with(detection_item, detection_item.field, texts),
                _with(detection_item, detection_item.field + NUMBER, numbers),
            ],
            item_linking=ConditionOR,
        )


def _with(item: SigmaDetectionItem, field: str, values: list[Any]) -> SigmaDetectionItem:
    made = copy.copy(item)
    made.field, made.value = field, values
    return made


def prepare(rule: SigmaRule) -> None:
    """Send a rule's numbers to the columns of numbers."""
    _NumbersApart().apply(rule)


def fields_of(rule: SigmaRule) -> set[str | None]:
    """Return the fields that a rule mentions, None when it has keywords."""
    found: set[str | None] = set()
    pending: list[Any] = list(rule.detection.detections.values())
    while pending:
        node = pending.pop()
        if isinstance(node, SigmaDetection):
            pending.extend(node.detection_items)
        else:
            found.add(node.field)
            found.update(value.field for value in node.value if isinstance(value, SigmaFieldReference))
    return found


def columns(fields: set[str | None]) -> dict[str, str]:
    """Return a column for each field; SQLite does not tell ``ProcessId`` from ``ProcessID``, so numbered."""
    return {field: f"f{at}" for at, field in enumerate(sorted(field for field in fields if field))}


def convert(
    rules: list[SigmaRule], table: str, mapping: Mapping[str, str], placeholders: Mapping[str, Any]
) -> dict[str, list[str] | str]:
    """Return the queries of each prepared rule by its id; a text says why there are none."""
    pipeline = ProcessingPipeline(
        items=[
            ProcessingItem(ValueListPlaceholderTransformation()),
            ProcessingItem(FieldMappingTransformation(cast("dict[str | None, str | list[str]]", mapping))),
            ProcessingItem(SetStateTransformation("table", table)),
        ],
        vars=dict(placeholders),
    )
    backend: Any = sqliteBackend(pipeline, fulltext_field=FULLTEXT)  # type: ignore[no-untyped-call]
    found: dict[str, list[str] | str] = {}
    for rule in rules:
        try:
            found[str(rule.id)] = backend.convert(SigmaCollection([rule]))
        except SigmaError as error:
            found[str(rule.id)] = str(error)
    return found
