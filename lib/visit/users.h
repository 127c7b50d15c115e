/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_USERS_H
#define VISIT_USERS_H

#include "arenainspect.h"

/* Names of users, each asked for once: the system's answer may come from afar. */
struct users {
	ARI_LIST(struct ari_variable) list; /* number, name */
};

/*
 * Replaces the number in *user by the name that the system knows for it, if it does.
 * Not for several threads.  Fails only with ARI_NO_MEMORY.
 */
bool users_name(struct users *users, char **user, struct ari_error *err)
	__attribute__((warn_unused_result));
void users_done(struct users *users);

#endif
