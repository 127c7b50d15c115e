#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds JSON documents against the JSON Schema that ships with the program.

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

SCHEMA = pathlib.Path(__file__).parents[2] / "lib/snapshot/arenainspect-1.schema.json"


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    schema = load(SCHEMA)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    found = 0
    for path in sys.argv[1:]:
        for error in list(validator.iter_errors(load(path)))[:5]:
            print(f"{path}: {list(error.absolute_path)}: {error.message}")
            found += 1
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
