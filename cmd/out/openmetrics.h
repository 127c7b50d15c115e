/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_OPENMETRICS_H
#define OUT_OPENMETRICS_H

#include <stdio.h>

/*
 * Text that is valid at once for Prometheus' text format and for OpenMetrics: families of
 * gauges one after the other, no timestamps, no empty lines, # EOF at the end.
 */

/* A label; a value that may come from the target. */
struct label {
	const char *name, *value;
};

/* Begins a family; its full name ends in _unit unless unit is NULL. */
void openmetrics_family(FILE *out, const char *name, const char *unit, const char *help);

/* One of its samples.  Labels are all different from those of its other samples. */
void openmetrics_sample(FILE *out, const char *name, const struct label *labels,
			size_t count, double value);

void openmetrics_end(FILE *out);

#endif
