"""pySigma processing pipelines that the user names: applied to each rule before it is translated.

Rules of this module:

- Pipelines are YAML files, or folders of them, applied in the order of their priority, then of their path.
- Templates and outside sources stay off: a pipeline file runs no code and reads no other file.
- Query postprocessing has no meaning here, since no query is made; it is left out, and ``notes`` says so.
- A rule that a pipeline rejects is refused by name with the pipeline's message.

The files are the user's own: trusted, but checked. The rules that pass through are not.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import ConfigurationError, RuleError
from haidang.sigma.ir import LogSource
from haidang.sigma.translate import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sigma.correlations import SigmaCorrelationRule
    from sigma.processing.pipeline import ProcessingPipeline
    from sigma.rule import SigmaDetections, SigmaLogSource

    from haidang.sigma.correlations import Section

__all__ = ["Pipeline", "load_pipeline", "pipeline_files"]

# What pySigma raises when a transformation meets a value that it does not expect.
_FAULTS = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, IndexError)


class Pipeline:
    """All pipelines of a run as one."""

    def __init__(self, pipeline: ProcessingPipeline, notes: tuple[RuleError, ...]) -> None:
        """Keep pySigma's pipeline, and what is odd about it."""
        self._pipeline = pipeline
        self.notes = notes

    def apply(
        self, document: dict[str, Any], detections: SigmaDetections, logsource: LogSource
    ) -> tuple[SigmaDetections, LogSource]:
        """Return the detections and logsource of a rule after the pipelines; raise Refusal."""
        from sigma.rule import SigmaRule

        without = {key: value for key, value in document.items() if key != "detection"}
        rule = SigmaRule.from_dict(without, collect_errors=True)
        rule.errors = []
        rule.detection = detections
        rule.logsource = _sigma_logsource(logsource)
        self._run(rule)
        after = rule.logsource
        parts = (after.product or "", after.category or "", after.service or "")
        return rule.detection, LogSource(*(part.lower() for part in parts))

    def apply_correlation(
        self, document: dict[str, Any], section: Section, logsources: dict[str, LogSource]
    ) -> Section:
        """Return a correlation with the field names that the pipelines give; raise Refusal.

        ``logsources`` are those of the rules that it names, which conditions of pipelines may ask for.
        """
        rule, references = _stand_in(document, section, logsources)
        self._run(rule)
        condition: Any = rule.condition
        fields = condition.fieldref
        return replace(
            section,
            group_by=tuple(rule.group_by or ()),
            aliases={
                alias.alias: {references[id(reference)]: name for reference, name in alias.mapping.items()}
                for alias in rule.aliases
            },
            value_fields=(fields,) if isinstance(fields, str) else tuple(fields or ()),
        )

    def _run(self, rule: Any) -> None:
        try:
            self._pipeline.apply(rule)
        except _FAULTS as error:
            raise Refusal(f"the pipeline rejects it: {error}") from None


def _stand_in(
    document: dict[str, Any], section: Section, logsources: dict[str, LogSource]
) -> tuple[SigmaCorrelationRule, dict[int, str]]:
    """Return pySigma's form of a correlation, and the name of each of its references by identity."""
    from sigma import correlations
    from sigma.rule import SigmaRule

    references = {}
    for name, logsource in logsources.items():
        reference = correlations.SigmaRuleReference(name)
        reference.rule = SigmaRule(title=name, logsource=_sigma_logsource(logsource))
        references[name] = reference
    operator = correlations.SigmaCorrelationConditionOperator.GTE
    rule = correlations.SigmaCorrelationRule(
        title=str(document.get("title")),
        type=correlations.SigmaCorrelationType[section.type.upper()],
        rules=list(references.values()),
        group_by=list(section.group_by),
        aliases=correlations.SigmaCorrelationFieldAliases(
            {
                alias: correlations.SigmaCorrelationFieldAlias(
                    alias, {references[name]: target for name, target in mapping.items()}
                )
                for alias, mapping in section.aliases.items()
            }
        ),
        condition=correlations.SigmaCorrelationCondition(
            operator, 1, fieldref=list(section.value_fields) or None
        ),
    )
    return rule, {id(reference): name for name, reference in references.items()}


def _sigma_logsource(logsource: LogSource) -> SigmaLogSource:
    from sigma.rule import SigmaLogSource
    from sigma.rule.logsource import EmptyLogSource

    kind = SigmaLogSource if any(logsource) else EmptyLogSource
    return kind(
        category=logsource.category or None,
        product=logsource.product or None,
        service=logsource.service or None,
    )


def pipeline_files(paths: Iterable[str | Path]) -> list[Path]:
    """Return the pipeline files in ``paths``, folders looked through."""
    files: list[Path] = []
    for path in map(Path, paths):
        files += sorted(path.rglob("*.yml")) if path.is_dir() else [path]
    return files


def load_pipeline(paths: Iterable[str | Path]) -> Pipeline | None:
    """Return the pipelines in ``paths`` as one, or None where there are none; raise ConfigurationError."""
    files = pipeline_files(paths)
    if not files:
        return None
    loaded = sorted(((_read(file), str(file)) for file in files), key=lambda one: (one[0].priority, one[1]))
    reason = "a pipeline's query postprocessing has no meaning here, since no query is made; it is left out"
    notes = tuple(
        RuleError(reason, path=path, rule=pipeline.name or "pipeline")
        for pipeline, path in loaded
        if pipeline.postprocessing_items or pipeline.finalizers
    )
    whole = loaded[0][0]
    for pipeline, _ in loaded[1:]:
        whole += pipeline
    return Pipeline(whole, notes)


def _read(file: Path) -> ProcessingPipeline:
    from sigma.processing.pipeline import ProcessingPipeline
    from yaml import YAMLError

    from haidang.sigma.expressions import rule_policy

    try:
        return ProcessingPipeline.from_yaml(file.read_text(encoding="utf-8"), policy=rule_policy())
    except OSError as error:
        raise ConfigurationError(f"{file}: the pipeline cannot be read: {error.strerror or error}") from None
    except (YAMLError, *_FAULTS) as error:
        hint = "It must be a pySigma processing pipeline in YAML."
        raise ConfigurationError(f"{file}: not a usable pipeline: {error}", hint=hint) from None
