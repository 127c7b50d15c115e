/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_RANGE_H
#define CMD_RANGE_H

#include <stdio.h>

#include "arenainspect.h"

/*
 * A range of the monitoring plugins' guidelines, `[@]start:end`: an alert is raised for
 * what lies outside of start … end, with @ for what lies inside; the ends belong to it.
 */
struct range {
	double start, end; /* -INFINITY ("~"), INFINITY: no end there */
	bool inside;
};

/*
 * Numbers of bytes may end in K, M, G, T or P (powers of 1024, "KiB" is the same), shares
 * in %.  ARI_USAGE: it is none.
 */
bool range_parse(const char *text, enum ari_unit unit, struct range *ret,
		 struct ari_error *err) __attribute__((warn_unused_result));

/* Whether a number within least … most raises an alert; ARI_MAYBE: some would. */
enum ari_yesno range_alerts(const struct range *range, double least, double most);

/* The same range with plain numbers. */
void range_write(FILE *out, const struct range *range);

/* A number for machines: digits, no exponent, no more of them than it needs. */
void range_number(FILE *out, double number);

#endif
