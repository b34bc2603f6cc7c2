"""YAML text to plain documents, quickly; and the line of a place in it, when an error must be shown.

Rules of this module:

- libyaml parses; dates stay text; a key that occurs twice in one map is an error, since YAML would drop
  one of the two without a word.
- Lines cost nothing until they are asked for: only then the text is composed again with its marks.

The text is untrusted: nesting and the expansion of aliases are bounded.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import yaml

__all__ = ["Lines", "YamlError", "documents", "line_of"]

_MERGE = "tag:yaml.org,2002:merge"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_MOST_DEPTH = 100
_SUSPICIOUS = 2_000
_ADVICE = {
    "mapping values are not allowed": "look for a wrong indentation, or a colon in a text without quotes",
    "did not find expected key": "look for a wrong indentation, or a quote inside a quoted text",
    "cannot start any token": "indent with spaces, not tabs, and quote a text that begins with % or @",
    "unknown escape character": "write backslashes in single quotes, not in double ones",
    "unexpected end of stream": "a quote that begins on this line is not closed",
    "undefined alias": "put a text that begins with * in quotes",
    "could not determine a constructor": "put a text that begins with ! in quotes",
    "block sequence entries are not allowed": "put a text that begins with - in quotes",
    "expected ',' or ']'": "a list that began with [ is not closed",
}
"""What libyaml says to what is most often the cause in a rule."""
_MOST_NODES = 500_000


class YamlError(Exception):
    """Text is not the YAML that rules may use; internal to the package."""

    def __init__(self, reason: str, line: int) -> None:
        """Keep the reason and the 1-based line (0: unknown)."""
        super().__init__(reason)
        self.reason = reason
        self.line = line


class _Loader(yaml.CSafeLoader):
    """libyaml's safe loader, without dates and without silent loss of repeated keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        pairs = node.value
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(mapping) < len(pairs):
            seen: set[Any] = set()
            for key, _ in pairs:
                name = self.construct_object(key, deep=True)
                if name in seen and key.tag != _MERGE:
                    raise YamlError(f"the key {name!r} occurs twice in one map", key.start_mark.line + 1)
                seen.add(name)
        return mapping


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def documents(data: bytes) -> list[Any]:
    """Return the documents of a YAML text; raise YamlError with the line of the first fault."""
    _check_nesting(data)
    loader = _loader(data)
    found = []
    try:
        while loader.check_data():  # type: ignore[no-untyped-call]
            found.append(loader.get_data())
    except yaml.YAMLError as error:
        raise _placed(error) from None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise YamlError(f"a value cannot be understood: {error}", 0) from None
    finally:
        loader.dispose()
    if b"&" in data:
        for document in found:
            _check_size(document)
    return found


def _loader(data: bytes) -> _Loader:
    try:
        return _Loader(data)
    except yaml.YAMLError as error:
        raise _placed(error) from None


def _placed(error: yaml.YAMLError) -> YamlError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if "unexpected end of stream" in problem:
        # The end of the file says nothing; the quote that was opened and never closed does.
        mark = getattr(error, "context_mark", None) or mark
    advice = next((words for said, words in _ADVICE.items() if said in problem), "")
    if advice:
        return YamlError(f"not valid YAML: {advice} ({problem})", _line(mark))
    return YamlError(f"not valid YAML: {problem}", _line(mark))


def _line(mark: Any) -> int:
    return 0 if mark is None else int(mark.line) + 1


def _check_nesting(data: bytes) -> None:
    """Refuse deep nesting before libyaml's composer follows it on the C stack.

    Each level of nesting costs one of five characters, so that few rules need to be looked at closely.
    """
    if sum(map(data.count, (b"[", b"{", b"-", b"?", b":"))) < _SUSPICIOUS:
        return
    depth = 0
    try:
        for event in yaml.parse(data, _Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _MOST_DEPTH:
                    raise YamlError(f"nested more than {_MOST_DEPTH} deep", _line(event.start_mark))
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError as error:
        raise _placed(error) from None


def _check_size(document: Any) -> None:
    """Refuse aliases that expand to more than a rule can need, and recursive ones."""
    left = _MOST_NODES
    stack: list[tuple[Any, int]] = [(document, 0)]
    while stack:
        node, depth = stack.pop()
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        left -= 1 + len(children)
        if left < 0 or depth > _MOST_DEPTH:
            raise YamlError("aliases expand without bound", 0)
        stack.extend((child, depth + 1) for child in children)


class Lines:
    """The lines of places in one YAML text; the text is composed once, when a line is first asked for."""

    def __init__(self, data: bytes) -> None:
        """Keep the text."""
        self._data = data

    @cached_property
    def _nodes(self) -> list[Any]:
        return _composed(self._data)

    def first(self, document: int) -> int:
        """Return the 1-based line on which a document's content begins; 0 where it is not known."""
        return _line(self._nodes[document].start_mark) if document < len(self._nodes) else 0

    def of(self, document: int, place: tuple[str | int, ...]) -> int:
        """Return the 1-based line of ``place`` (keys and indices) in a document, as deep as it leads."""
        if document >= len(self._nodes):
            return 0
        node, line = self._nodes[document], self.first(document)
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def line_of(data: bytes, document: int, place: tuple[str | int, ...]) -> int:
    """Return the line of one place in a text; see ``Lines``."""
    return Lines(data).of(document, place)


def _child(node: Any, step: str | int) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return _line(key.start_mark), value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _line(node.value[step].start_mark), node.value[step]
    return None


def _composed(data: bytes) -> list[Any]:
    loader = _loader(data)
    nodes = []
    try:
        while loader.check_node():
            nodes.append(loader.get_node())
    except yaml.YAMLError:
        pass
    finally:
        loader.dispose()
    return nodes
