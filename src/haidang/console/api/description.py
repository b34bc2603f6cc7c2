"""The OpenAPI description, and what its page shows of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from haidang.console.api.service import api

__all__ = ["Described", "groups", "schema"]

PREFIX = "api/v1/"


class Described(NamedTuple):
    """An operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    permission: str
    parameters: list[dict[str, Any]]
    """Each with name, place, type, required and description."""
    fields: list[dict[str, Any]]
    """Of the request's body; likewise."""
    answer: str
    """Status and kind of the answer."""


def schema() -> dict[str, Any]:
    """Return the description; problems have their own media type."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX))
    for operations in found["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if int(status) >= 400 and "application/json" in content:
                    response["content"] = {"application/problem+json": content["application/json"]}
    return found


def groups() -> dict[str, list[Described]]:
    """Return the operations by tag, in the order of their declaration."""
    whole = schema()
    found: dict[str, list[Described]] = {}
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            found.setdefault(operation["tags"][0], []).append(_described(whole, path, method, operation))
    return found


def _described(whole: dict[str, Any], path: str, method: str, said: dict[str, Any]) -> Described:
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    resolved = _resolved(whole, body)
    required = set(resolved.get("required", ()))
    status, answer = next(iter(said["responses"].items()))
    kind = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return Described(
        said["operationId"],
        method.upper(),
        path,
        said.get("summary", ""),
        said.get("description", ""),
        said.get("x-permission", ""),
        [
            {
                "name": one["name"],
                "place": one["in"],
                "type": _kind(one["schema"]),
                "required": one.get("required", False),
            }
            for one in said.get("parameters", ())
        ],
        [
            {"name": name, "type": _kind(one), "required": name in required}
            for name, one in resolved.get("properties", {}).items()
        ],
        f"{status} {_kind(kind)}".strip(),
    )


def _resolved(whole: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    name = said.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = whole["components"]["schemas"].get(name, said)
    return found


def _kind(said: dict[str, Any]) -> str:
    """Return a type in a few words."""
    if "$ref" in said:
        return str(said["$ref"]).rpartition("/")[2]
    if "enum" in said:
        return " | ".join(map(str, said["enum"]))
    for choice in ("anyOf", "oneOf"):
        if choice in said:
            return " | ".join(dict.fromkeys(_kind(one) for one in said[choice]))
    if said.get("type") == "array":
        return f"[{_kind(said.get('items', {}))}]"
    return str(said.get("format") or said.get("type") or "")
