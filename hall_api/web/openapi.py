"""Writes the OpenAPI 3.1 description from the table of doors, so that it cannot differ from them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hall_api.version import VERSION
from hall_api.web.bodies import object_schema
from hall_api.web.doors import PUBLIC, ROLES, Door, Noun
from hall_api.web.shapes import SHAPES, ref

Json = dict[str, Any]
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key from the same actor gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
CSRF: Json = {
    "name": "X-CSRF-Token",
    "in": "header",
    "description": "Needed with a session cookie: `csrf` of POST /v1/sessions.",
    "schema": {"type": "string"},
}
BYTES: Json = {"type": "string", "format": "binary"}
PROBLEM: Json = {
    "description": "A refusal, with a sentence fit to show.",
    "content": {"application/problem+json": {"schema": ref("Problem")}},
}
WORDS = {200: "Done.", 201: "Issued.", 204: "Nothing to tell."}


def describe(nouns: Iterable[Noun]) -> Json:
    """The whole document."""
    nouns = list(nouns)
    paths: Json = {}
    for noun in nouns:
        for door in noun:
            paths.setdefault(f"/v1{door.template}", {})[door.method.lower()] = _operation(noun, door)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bianmin: the hall",
            "version": VERSION,
            "description": "Tickets, calling, windows and ratings of one government service hall.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": noun.name, "description": noun.help} for noun in nouns],
        "paths": paths,
        "components": {
            "schemas": dict(SHAPES),
            "responses": {"Problem": PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "bianmin_session"},
            },
        },
    }


def _operation(noun: Noun, door: Door) -> Json:
    roles = [role for role in ROLES if role in door.who]
    public = PUBLIC in door.who
    operation: Json = {
        "operationId": door.name,
        "tags": [noun.name],
        "summary": door.summary,
        "description": f"Open to: {'everyone' if public else ', '.join(roles)}.",
        "security": _security(door, public),
        "parameters": _parameters(door),
        "responses": {str(status): _answer(door, status, name) for status, name in door.gives.items()}
        | {"default": {"$ref": "#/components/responses/Problem"}},
        "x-roles": [*roles, *([PUBLIC] if public else [])],
    }
    if door.body is not None:
        required = any(field.required for field in door.body.values())
        json_body = {"application/json": {"schema": object_schema(door.body)}}
        operation["requestBody"] = {
            "required": required or bool(door.takes),
            "content": {door.takes: {"schema": BYTES}} if door.takes else json_body,
        }
    return operation


def _security(door: Door, public: bool) -> list[Json]:
    if door.session_only:
        return [{"session": []}]
    ways: list[Json] = [{"token": []}, {"session": []}]
    return [{}, *ways] if public else ways


def _parameters(door: Door) -> list[Json]:
    found: list[Json] = []
    for kind, name in _PARAMETER.findall(door.path):
        schema: Json = {"type": "integer", "minimum": 0} if kind == "int" else {"type": "string"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    for name, meaning in door.query.items():
        found.append({"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}})
    if door.streams:
        found.append({"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}})
    if door.method == "POST" and not door.answers_itself:
        found.append(KEY)
    if door.method != "GET":
        found.append(CSRF)
    return found


def _answer(door: Door, status: int, name: str) -> Json:
    answer: Json = {"description": WORDS[status]}
    if status == 204:
        return answer
    if door.sends:
        answer["content"] = {door.sends: {"schema": BYTES}}
        return answer
    answer["content"] = {"application/json": {"schema": ref(name) if name else {"type": "object"}}}
    if door.streams:
        answer["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    return answer
