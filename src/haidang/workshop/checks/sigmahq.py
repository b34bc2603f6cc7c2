"""pySigma's validators, and on request those that SigmaHQ publishes for its own repository.

Rules of this module:

- Those are left out that need the network (ATT&CK and D3FEND), that judge file names of a repository that is
  not ours, and that our own checks tell better (ids, titles, misspelt keys, unused selections).
- Validators of other packages (``pysigma-validators-sigmahq``) run only when they are asked for: they have a
  licence of their own, and some fetch their data.
- A validator that fails is no fault of the rule; it is left out and counted. One whose data cannot be had is
  not asked again, for it would wait for the network at each rule.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.i18n import N_
from haidang.sigma.expressions import rule_policy
from haidang.workshop.checks import ERROR, NOTE, WARNING, Check, Issue, NotRun
from haidang.workshop.checks.metadata import LISTS
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Pack, Subject

__all__ = ["CHECKS", "run"]

_SEVERITIES = {"LOW": NOTE, "MEDIUM": WARNING, "HIGH": ERROR}
_LONGEST_REASON = 200
_LEFT_OUT = frozenset(
    {
        "attacktag",
        "d3_fendtag",
        "identifier_existence",
        "identifier_uniqueness",
        "duplicate_title",
        "duplicate_filename",
        "filename_length",
        "dangling_detection",
        "custom_attributes",
    }
)

CHECKS = (
    Check("all_of_them_condition", NOTE, N_("'all of them' takes in selections that are added later")),
    Check("cartag", WARNING, N_("a tag of MITRE CAR is not written as such")),
    Check("control_character", WARNING, N_("a value holds a control character, often a lost backslash")),
    Check("cvetag", WARNING, N_("a tag of the namespace 'cve' is not written as year-number")),
    Check("dangling_condition", ERROR, N_("the condition names a selection that is not there")),
    Check("detection_tag", WARNING, N_("a tag of the namespace 'detection' is not one of the specification")),
    Check("double_wildcard", NOTE, N_("a value has two wildcards beside each other")),
    Check("duplicate_references", NOTE, N_("a reference is given twice")),
    Check("duplicate_tag", NOTE, N_("a tag is given twice")),
    Check("escaped_wildcard", NOTE, N_("a wildcard is escaped; is the character itself meant?")),
    Check("fieldname_logsource", ERROR, N_("the log source has a key that is not of the specification")),
    Check("invalid_modifier_combinations", ERROR, N_("modifiers are combined that do not belong together")),
    Check("namespace_tag", WARNING, N_("a tag is of a namespace that is not of the specification")),
    Check("number_as_string", NOTE, N_("a number is written as text")),
    Check("specific_instead_of_generic_logsource", NOTE, N_("there is a category for these event ids")),
    Check("stptag", WARNING, N_("a tag of the namespace 'stp' is not written as such")),
    Check("tag_format", WARNING, N_("a tag has characters that tags may not have")),
    Check("them_condition_with_single_detection", NOTE, N_("'them' is said of a single selection")),
    Check("tlptag", WARNING, N_("a tag of TLP is not one of the protocol")),
    Check("tlpv1_tag", WARNING, N_("a tag of TLP is not one of version 1")),
    Check("tlpv2_tag", WARNING, N_("a tag of TLP is not one of version 2")),
    Check("wildcards_instead_of_modifiers", NOTE, N_("wildcards stand where a modifier says the same")),
)

_BY_CODE = {check.code: check for check in CHECKS}
_TLP_VERSIONS = frozenset({"tlpv1_tag", "tlpv2_tag"})
"""Either version is right; ``tlptag`` asks for one of them."""


def run(pack: Pack) -> Iterator[Issue]:
    """Yield what the validators find."""
    validators = _validators(plugins=pack.plugins)
    without_data: set[str] = set()
    for subject in pack.subjects:
        rule = _pysigma_rule(subject)
        if rule is None:
            continue
        for name, validator in validators:
            failed = pack.not_run.get(name)
            if failed is not None and name in without_data:
                failed.rules += 1
                continue
            try:
                found = validator.validate(rule)
            except Exception as error:  # noqa: BLE001 -- code of others, which must not end the run
                pack.not_run.setdefault(name, NotRun(_reason(error))).rules += 1
                if isinstance(error, RuntimeError | OSError):
                    without_data.add(name)
                continue
            for one in found:
                if not (name == "control_character" and _is_encoded(one)):
                    yield _issue(subject, name, one)


def _is_encoded(found: Any) -> bool:
    """Return whether a text has no control characters but the NULs of UTF-16: no lost backslash."""
    parts = [part for part in found.string.s if isinstance(part, str)]
    return {character for part in parts for character in part if character < " "} == {"\0"}


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]


def _validators(*, plugins: bool) -> list[tuple[str, Any]]:
    names = sorted(_classes())
    kept = [name for name in names if name not in _LEFT_OUT | _TLP_VERSIONS and (plugins or name in _BY_CODE)]
    return [(name, _classes()[name]()) for name in kept]


@cache
def _classes() -> dict[str, Any]:
    from sigma.plugins import InstalledSigmaPlugins

    found: dict[str, Any] = dict(InstalledSigmaPlugins.autodiscover().validators)
    return found


def _pysigma_rule(subject: Subject) -> Any:
    """Return pySigma's form of a rule, None where it has none."""
    from sigma.correlations import SigmaCorrelationRule
    from sigma.exceptions import SigmaError, SigmaRuleLocation
    from sigma.rule import SigmaRule

    document = subject.written.document
    if "filter" in document:
        return None
    if "correlation" not in document and subject.rule is None:
        return None
    # A text in place of a list, of which another check tells, would be judged character by character.
    document = {key: value for key, value in document.items() if key not in LISTS or isinstance(value, list)}
    info = subject.written.info
    source = SigmaRuleLocation(Path(info.path), info.line)
    make = SigmaCorrelationRule if "correlation" in document else SigmaRule
    try:
        # Expressions are judged by our own checks: one that RE2 cannot run must not hide the rule from these.
        return make.from_dict(document, collect_errors=True, source=source, policy=rule_policy())
    except (SigmaError, ValueError, TypeError, AttributeError, KeyError):
        return None


def _issue(subject: Subject, name: str, found: Any) -> Issue:
    info = subject.written.info
    check = _BY_CODE.get(name)
    detail = _detail(found)
    severity = _SEVERITIES[found.severity.name] if check is None else check.severity
    summary = found.description if check is None else check.summary
    template = "{summary}: {detail}" if detail else "{summary}"
    message = Message(template, {"summary": summary, "detail": detail})
    line = subject.written.line(*(_place(subject, found) or _named_key(subject, name)))
    return Issue(name, severity, message, info.path, line, info.title, info.id)


_IGNORED = frozenset({"rules", "severity", "description"})


def _detail(found: Any) -> str:
    """Return what an issue says of itself, in short."""
    values = [value for key, value in vars(found).items() if key not in _IGNORED and value is not None]
    return ", ".join(filter(None, map(_word, values)))


def _word(value: Any) -> str:
    if hasattr(value, "field") and hasattr(value, "modifiers"):
        return str(value.field or "")
    if hasattr(value, "namespace"):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(filter(None, map(_word, value)))
    if hasattr(value, "product") and hasattr(value, "category"):
        return " ".join(str(part) for part in (value.product, value.category, value.service) if part)
    if isinstance(value, type):
        return re.sub(r"^Sigma|Modifier$", "", value.__name__).lower()
    return str(value)


def _place(subject: Subject, found: Any) -> tuple[str | int, ...]:
    """Return where in the rule an issue is, as far as it says so."""
    values = vars(found)
    name = values.get("detection_name") or values.get("identifier")
    if name in (subject.outline.selections if subject.outline else ()):
        return ("detection", str(name))
    if "tag" in values:
        tags = [tag.lower() for tag in subject.written.info.tags]
        tag = str(values["tag"]).lower()
        return ("tags", tags.index(tag)) if tag in tags else ("tags",)
    if "reference" in values or "link" in values:
        return _reference_place(subject, values.get("link"))
    if "fieldname" in values:
        name = values["fieldname"][0] if isinstance(values["fieldname"], list) else str(values["fieldname"])
        return (name,) if name in subject.written.document else ("logsource", name)
    if "event_id" in values:
        return _value_place(subject, str(values["event_id"]))
    item = values.get("detection_item") or values.get("detection_items")
    field = getattr(item, "field", None) or values.get("field")
    if isinstance(field, str) and subject.outline is not None:
        for selection in subject.outline.selections.values():
            if field in {one.field for one in selection.items()}:
                return _field_place(subject, selection.name, field)
    text = next((values[key] for key in ("string", "value", "unsupported_regexp") if key in values), None)
    if text is not None and subject.outline is not None:
        return _value_place(subject, str(text).strip("*"))
    return ("detection", "condition") if "condition" in found.__class__.__name__.lower() else ()


def _reference_place(subject: Subject, link: Any) -> tuple[str | int, ...]:
    references = subject.written.document.get("references")
    if isinstance(references, list) and link in references:
        return ("references", references.index(link))
    return ("references",)


def _named_key(subject: Subject, name: str) -> tuple[str | int, ...]:
    """Return the key of the rule that the name of a validator speaks of: ``sigmahq_date_…``."""
    for word in name.split("_")[1:]:
        if word in subject.written.document and word != "rules":
            return (word,)
    return ()


def _value_place(subject: Subject, text: str) -> tuple[str | int, ...]:
    """Return the place of the first value in the detection that has a text, as deep as it is found."""
    places: list[tuple[tuple[str | int, ...], Any]] = [
        (("detection",), subject.written.document.get("detection"))
    ]
    while places:
        place, node = places.pop()
        if isinstance(node, dict):
            inner = [((*place, str(key)), value) for key, value in node.items() if key != "condition"]
            places += reversed(inner)
        elif isinstance(node, list):
            places += reversed([((*place, at), value) for at, value in enumerate(node)])
        elif text in str(node):
            return place
    return ("detection",)


def _field_place(subject: Subject, selection: str, field: str) -> tuple[str | int, ...]:
    definition = subject.written.document["detection"].get(selection)
    if isinstance(definition, dict):
        for key in definition:
            if str(key).partition("|")[0] == field:
                return ("detection", selection, str(key))
    return ("detection", selection)
