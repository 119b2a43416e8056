"""
Loaded by schemathesis: lets the API reject valid requests for the reasons listed in exceptions.ts, and accept texts that
are too long only as they are sent. And reads the formats and constraints of the document, which are for people and
generators of clients, as the JSON Schema that they stand for.
"""

import json
import os
import re
import unicodedata

import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import negative_data_rejection as rejects
from schemathesis.specs.openapi.checks import positive_data_acceptance as accepts

REJECTIONS = {(each["path"], each["message"]) for each in json.loads(os.environ["FUZZ_REJECTIONS"])}

TEXT_PATTERNS = json.loads(os.environ["FUZZ_TEXT_PATTERNS"])

for check in (accepts, rejects):
    CHECKS.unregister(check.__name__)  # replaced by the one below, with its name and settings


def make_strict(node):
    """Puts patterns for the formats of texts, and the rules of `x-constraints` among those of their schema."""
    if isinstance(node, list):
        for each in node:
            make_strict(each)
    if isinstance(node, dict):
        if isinstance(node.get("format"), str) and node["format"] in TEXT_PATTERNS:
            node["pattern"] = TEXT_PATTERNS[node.pop("format")]
        node.update(node.pop("x-constraints", {}))
        for each in node.values():
            make_strict(each)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    make_strict(raw_schema)


def is_listed(error, case):
    """In the stateful phase an id may come from another operation's response, whether it fits this one's schema or not."""
    is_passed_on = case.meta.phase.name == TestPhase.STATEFUL and error["path"] in (case.path_parameters or {})
    return is_passed_on or any(
        path in ("*", error["path"]) and re.fullmatch(message, error["message"]) for path, message in REJECTIONS
    )


def may_be_rejected(response, case):
    """Returns whether the problem names listed mistakes only: any other one is a failure."""
    if response.status_code != 400 or case.meta is None:
        return False
    try:
        errors = response.json().get("errors") or []
        return bool(errors) and all(is_listed(each, case) for each in errors)
    except (ValueError, AttributeError, KeyError, TypeError):
        return False


@schemathesis.check
def positive_data_acceptance(ctx, response, case):
    return None if may_be_rejected(response, case) else accepts(ctx, response, case)


def texts_of(value):
    if isinstance(value, str):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for each in values for text in texts_of(each)]


def is_shortened(case):
    """Returns whether a text of the body or the query is too long, but not necessarily as it is kept: trimmed and composed."""
    description = getattr(case.meta and case.meta.phase.data, "description", None) or ""
    return "maxLength" in description and any(
        len(unicodedata.normalize("NFC", text.strip())) < len(text) for text in texts_of(case.body) + texts_of(case.query)
    )


@schemathesis.check
def negative_data_rejection(ctx, response, case):
    return None if is_shortened(case) else rejects(ctx, response, case)
