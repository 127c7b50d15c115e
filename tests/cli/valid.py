#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds JSON documents against the JSON Schemas that ship with the program: each
against the one that it names.  Users may meet keys of later releases; what this one
writes must be in them.

  valid.py DOCUMENT.json…

Exit 0: all are valid; 1: what is not is listed; 77: python3-jsonschema is missing.
"""

import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

FOLDER = pathlib.Path(__file__).parents[2] / "lib/snapshot"
SCHEMAS = {
    "arenainspect/1": "arenainspect-1.schema.json",
    "arenainspect-diff/1": "diff.schema.json",
    "arenainspect-scan/1": "arenainspect-scan-1.schema.json",
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def close(schema):
    """No key but those that are described."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        schema = schema.values()
    if not isinstance(schema, str):
        for part in schema if hasattr(schema, "__iter__") else ():
            close(part)


def validator_of(name):
    schema = load(FOLDER / SCHEMAS.get(name, SCHEMAS["arenainspect/1"]))
    close(schema)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def main():
    validators = {}
    found = 0
    for path in sys.argv[1:]:
        document = load(path)
        name = document.get("schema")
        if name not in validators:
            validators[name] = validator_of(name)
        for error in list(validators[name].iter_errors(document))[:5]:
            print(f"{path}: {list(error.absolute_path)}: {error.message}")
            found += 1
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
