/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYSE_VERDICTS_H
#define ANALYSE_VERDICTS_H

#include "analyse/numbers.h"

#define VERDICT_EVIDENCE 6

/*
 * A verdict.  It is found where all of these hold, and every number they ask for is
 * known; a number that is a least amount is enough if it is enough itself:
 *
 *   stake is least_bytes or more, and least_percent of `whole` or more (or, where the
 *   whole is large, MUCH)
 *   holds(), if there is one
 *
 * It is a warning where grave_bytes and grave_percent are reached, and one degree more
 * severe where graver() holds.
 */
struct verdict {
	const char *id;
	enum ari_severity severity;
	const char *says;
	enum number stake, whole;
	uint64_t least_bytes, grave_bytes; /* grave_bytes 0: it never is */
	unsigned int least_percent, grave_percent;
	bool (*holds)(const struct ari_model *model);
	bool (*graver)(const struct ari_model *model);
	bool last;    /* whatever its stake is, which is no resident memory */
	bool of_diff; /* of two snapshots, which are judged elsewhere */
	enum number evidence[VERDICT_EVIDENCE];
	const char *message, *advice, *no_help, *against;
};

/* NULL: no such verdict; past the last. */
const struct verdict *verdict_find(const char *id);
const struct verdict *verdict_at(size_t index);

#endif
