"""Loaded by schemathesis: a request that fits the document may be refused for the reasons listed in exceptions.ts."""

import json
import os

import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import positive_data_acceptance as accepts

REFUSALS = {(each["path"], each["message"]) for each in json.loads(os.environ["FUZZ_REFUSALS"])}

CHECKS.unregister(accepts.__name__)  # the one below takes its place, under its name and with its settings


def is_listed(error, case):
    """In the stateful phase an id may be what another operation answered, whether it fits this one's schema or not."""
    is_passed_on = case.meta.phase.name == TestPhase.STATEFUL and error["path"] in (case.path_parameters or {})
    return is_passed_on or (error["path"], error["message"]) in REFUSALS


def may_be_refused(response, case):
    """Whether each mistake that the problem names is a listed one: any other one beside it is a failure."""
    if response.status_code != 400 or case.meta is None:
        return False
    try:
        errors = response.json().get("errors") or []
        return bool(errors) and all(is_listed(each, case) for each in errors)
    except (ValueError, AttributeError, KeyError, TypeError):
        return False


@schemathesis.check
def positive_data_acceptance(ctx, response, case):
    return None if may_be_refused(response, case) else accepts(ctx, response, case)
