"""One rule file's bytes to what it holds: rules, correlations, filters, or the reasons why not.

Rules of this module:

- A file stands alone here; what refers to other files is joined later (``joining``), so that a changed
  file can be compiled alone.
- ``action: global``, ``reset`` and ``repeat`` work within a file.
- A YAML file that does not look like a rule is skipped, and counted by the caller.

The content is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import msgspec

from haidang.errors import RuleError
from haidang.sigma.content import FileContent, Pending
from haidang.sigma.correlations import read_section
from haidang.sigma.detections import DetectionBuilder
from haidang.sigma.ir import LEVELS, STATUSES, EventRule, LogSource, RuleInfo
from haidang.sigma.translate import Refusal, Translator, condition_fields
from haidang.sigma.wording import read_words
from haidang.sigma.yaml_source import Lines, YamlError, documents

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.sigma.ir import Condition
    from haidang.sigma.pipelines import Pipeline
    from haidang.sigma.placeholders import Placeholders

__all__ = ["NOT_IN_FILTERS", "Compiler", "OnRule", "read_logsource"]

NOT_IN_FILTERS = frozenset({"rules"})
"""Keys of a ``filter`` section that are no detections."""

OnRule: TypeAlias = "Callable[[RuleInfo, dict[str, Any], int, Lines], None]"
"""Gets what is known of a rule, its document as it counts, the document's number in the file, the lines."""

_MARKS_OF_A_RULE = frozenset({"detection", "correlation", "filter", "logsource", "action"})


class Compiler:
    """Compiles files one by one with the same pipelines and placeholders."""

    def __init__(
        self,
        pipeline: Pipeline | None = None,
        placeholders: Placeholders | None = None,
        on_rule: OnRule | None = None,
    ) -> None:
        """Keep what turns detections into conditions; ``on_rule`` is told of each rule beforehand."""
        self.pipeline = pipeline
        self.on_rule = on_rule
        self.builder = DetectionBuilder(placeholders, pipelines=pipeline is not None)
        self.translator = Translator()

    def compile(self, path: str, data: bytes) -> FileContent:
        """Return what ``data`` holds; nothing in it can raise."""
        content = FileContent(path)
        try:
            found = documents(data)
        except YamlError as error:
            content.refused.append(RuleError(error.reason, path=path, line=error.line))
            return content
        if not any(isinstance(document, dict) and _MARKS_OF_A_RULE & document.keys() for document in found):
            content.skipped = True
            return content
        _File(self, path, data, content).documents(found)
        return content

    def condition(
        self,
        document: dict[str, Any],
        section: str,
        logsource: LogSource,
        *,
        leave_out: frozenset[str] = frozenset(),
    ) -> tuple[Condition, LogSource]:
        """Return the condition of a section (detection or filter), and the logsource after pipelines."""
        try:
            detections = self.builder.build(document[section], leave_out=leave_out)
            if self.pipeline is not None:
                detections, logsource = self.pipeline.apply(document, detections, logsource)
            return self.translator.condition(detections), logsource
        except Refusal as refusal:
            raise Refusal(refusal.reason, section, *refusal.place) from None


class _File:
    """The documents of one file, with the state that ``action`` carries from one to the next."""

    def __init__(self, compiler: Compiler, path: str, data: bytes, content: FileContent) -> None:
        self.compiler = compiler
        self.path = path
        self.lines = Lines(data)
        self.begins_at_once = data[:1].isalpha()
        self.content = content
        self.shared: dict[str, Any] = {}
        self.previous: dict[str, Any] = {}

    def documents(self, found: list[Any]) -> None:
        for index, document in enumerate(found):
            if document is None:
                continue
            try:
                self.document(index, document)
            except Refusal as refusal:
                self.refuse(index, document, refusal)

    def refuse(self, index: int, document: Any, refusal: Refusal) -> None:
        line = self.lines.of(index, refusal.place)
        named = document if isinstance(document, dict) else {}
        rule = str(named.get("title") or named.get("id") or "")
        self.content.refused.append(RuleError(refusal.reason, path=self.path, line=line, rule=rule))

    def note(self, index: int, info: RuleInfo, reason: str, *place: str | int) -> None:
        line = self.lines.of(index, place)
        self.content.notes.append(RuleError(reason, path=self.path, line=line, rule=info.title))

    def document(self, index: int, document: Any) -> None:
        if not isinstance(document, dict):
            raise Refusal("a rule must be a map of keys")
        action = document.pop("action", None)
        if action == "global":
            self.shared = self.previous = document
        elif action == "reset":
            self.shared = {}
        elif action == "repeat":
            self.previous = _updated(self.previous, document)
            self.one(index, self.previous)
        elif action is None:
            self.previous = document if "correlation" in document else _updated(self.shared, document)
            self.one(index, self.previous)
        else:
            raise Refusal(f"unknown action {action!r}; there are global, reset and repeat", "action")

    def one(self, index: int, document: dict[str, Any]) -> None:
        info = self.info(index, document)
        document = _with_generate(document)
        if self.compiler.on_rule is not None:
            self.compiler.on_rule(info, document, index, self.lines)
        if "correlation" in document:
            self.check_correlation(document)
            self.content.correlations.append(self.pending(index, info, document, "correlation"))
        elif "filter" in document:
            self.compiler.condition(document, "filter", read_logsource(document), leave_out=NOT_IN_FILTERS)
            self.content.filters.append(self.pending(index, info, document, "filter"))
        else:
            self.rule(info, document)

    @staticmethod
    def check_correlation(document: dict[str, Any]) -> None:
        try:
            read_section(document["correlation"])
        except Refusal as refusal:
            raise Refusal(refusal.reason, "correlation", *refusal.place) from None

    def pending(self, index: int, info: RuleInfo, document: dict[str, Any], section: str) -> Pending:
        lines = {str(key): self.lines.of(index, (section, str(key))) for key in document[section]}
        lines[""] = self.lines.of(index, (section,))
        return Pending(info, document, lines)

    def rule(self, info: RuleInfo, document: dict[str, Any]) -> None:
        if "detection" not in document:
            raise Refusal("the detection section is missing")
        written = read_logsource(document)
        condition, logsource = self.compiler.condition(document, "detection", written)
        if logsource != written:
            self.content.moved[info.key] = written
        self.content.rules.append(EventRule(info, logsource, condition, condition_fields(condition)))

    def info(self, index: int, document: dict[str, Any]) -> RuleInfo:
        title = document.get("title")
        if not isinstance(title, str) or not title.strip():
            raise Refusal("the title is missing")
        line = 1 if index == 0 and self.begins_at_once else self.lines.first(index)
        identity = _text(document.get("id"))
        level = _text(document.get("level")).lower()
        status = _text(document.get("status")).lower()
        info = RuleInfo(
            key=identity or f"{self.path}:{line}#{title}",
            id=identity,
            name=_text(document.get("name")),
            title=title.strip(),
            level=level if level in LEVELS else "medium",
            status=status,
            tags=_texts(document.get("tags")),
            description=_text(document.get("description")).strip(),
            author=_text(document.get("author")),
            references=_texts(document.get("references")),
            falsepositives=_texts(document.get("falsepositives")),
            path=self.path,
            line=line,
            date=_text(document.get("date")),
            modified=_text(document.get("modified")),
            correlation="correlation" in document,
        )
        if "haidang" in document:
            try:
                info = msgspec.structs.replace(info, words=read_words(document["haidang"]))
            except Refusal as refusal:
                self.note(index, info, refusal.reason, "haidang", *refusal.place)
        if level and level not in LEVELS:
            self.note(
                index, info, f"the level {level!r} is not of the specification; taken as medium", "level"
            )
        if status and status not in STATUSES:
            self.note(index, info, f"the status {status!r} is not of the specification", "status")
        if identity and not _is_uuid(identity):
            self.note(index, info, f"the id {identity!r} is not a UUID", "id")
        return info


def _with_generate(document: dict[str, Any]) -> dict[str, Any]:
    """Return a correlation with ``generate`` in its section; the specification has it beside ``level``."""
    section = document.get("correlation")
    if "generate" not in document or not isinstance(section, dict):
        return document
    return {**document, "correlation": {"generate": document["generate"], **section}}


def read_logsource(document: dict[str, Any]) -> LogSource:
    """Return the log source of a rule or filter; raise Refusal where there is none."""
    logsource = document.get("logsource")
    if not isinstance(logsource, dict):
        raise Refusal(
            "the logsource is missing" if logsource is None else "the logsource must be a map", "logsource"
        )
    parts = []
    for name in LogSource._fields:
        value = logsource.get(name)
        if value is not None and not isinstance(value, str):
            raise Refusal(f"the {name} of the logsource must be a text", "logsource", name)
        parts.append((value or "").lower())
    if not any(parts):
        raise Refusal("the logsource names no product, category or service", "logsource")
    return LogSource(*parts)


def _updated(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``changes`` laid over it, map by map; neither is touched."""
    merged = dict(base)
    for key, value in changes.items():
        inner = merged.get(key)
        merged[key] = _updated(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return merged


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(_text(each) for each in value) if isinstance(value, list) else (_text(value),)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
