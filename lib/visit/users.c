// SPDX-License-Identifier: Apache-2.0
#include "visit/users.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "model/model.h"

#define ENTRY_BYTES 16384 /* of a user in the system's files; names have 32 at most */

static bool ask(struct ari_variable *user, struct ari_error *err)
{
	uid_t uid = (uid_t)strtoul(user->name, NULL, 10);
	struct passwd entry, *found = NULL;
	char text[ENTRY_BYTES];

	if (getpwuid_r(uid, &entry, text, sizeof(text), &found) != 0 || found == NULL)
		return model_set_string(&user->value, user->name, err);
	return model_set_string(&user->value, found->pw_name, err);
}

static const struct ari_variable *find(struct users *users, const char *number,
				       struct ari_error *err)
{
	struct ari_variable *user;

	for (size_t i = 0; i < users->list.count; i++)
		if (strcmp(users->list.at[i].name, number) == 0)
			return &users->list.at[i];
	user = list_add(&users->list, err);
	if (user == NULL || !model_set_string(&user->name, number, err) ||
	    !ask(user, err))
		return NULL;
	return user;
}

bool users_name(struct users *users, char **user, struct ari_error *err)
{
	const struct ari_variable *found;

	if (*user == NULL)
		return true;
	found = find(users, *user, err);
	return found != NULL && model_set_string(user, found->value, err);
}

void users_done(struct users *users)
{
	for (size_t i = 0; i < users->list.count; i++) {
		free(users->list.at[i].name);
		free(users->list.at[i].value);
	}
	list_done(&users->list);
}
