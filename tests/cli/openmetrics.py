#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a text of metrics with the parsers of Prometheus' Python client, the strict one of
OpenMetrics and that of the text format, which must find the same, and prints it.

  openmetrics.py FILE      a line for each sample: name, labels, value, divided by tabs

Besides it holds the text to what is promised of it: gauges with a help and, if the name
ends in one, their unit; no timestamps; no label that may have any number of values.
Exit 77: python3-prometheus-client is missing.
"""

import sys

try:
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as strict
except ImportError:
    sys.exit(77)

LABELS = {"comm", "unit", "cgroup", "arena", "reason", "version"}
UNITS = ("bytes", "ratio", "seconds")


def samples(families):
    found = {}
    for family in families:
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            assert sample.timestamp is None, f"timestamp: {key}"
            found[key] = sample.value
    return found


def check_family(family):
    unit = next((unit for unit in UNITS if family.name.endswith("_" + unit)), "")
    assert family.name.startswith("arenainspect_"), family.name
    assert family.type == "gauge", f"{family.name} is {family.type}"
    assert family.unit == unit, f"{family.name}: unit {family.unit}"
    assert family.documentation, f"{family.name} has no help"
    assert family.samples, f"{family.name} is empty"
    for sample in family.samples:
        assert sample.labels.keys() <= LABELS, f"labels {sample.labels}"
        assert not {"unit", "cgroup"} <= sample.labels.keys(), f"labels {sample.labels}"


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        text = file.read()
    families = list(strict.text_string_to_metric_families(text))
    for family in families:
        check_family(family)
    found = samples(families)
    assert found == samples(parser.text_string_to_metric_families(text)), "parsers differ"
    for (name, labels), value in found.items():
        words = ",".join(f"{key}={value}" for key, value in labels)
        print(name, words, repr(value).removesuffix(".0"), sep="\t")


main()
