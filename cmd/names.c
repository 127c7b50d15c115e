// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

struct folded {
	const char *name;
	const struct ari_thread *thread;
};

static size_t fold(const char *name, char *to)
{
	size_t length = 0;

	while (*name != '\0') {
		bool digit = isdigit((unsigned char)*name);

		to[length++] = digit ? '*' : *name;
		do
			name++;
		while (digit && isdigit((unsigned char)*name));
	}
	to[length] = '\0';
	return length;
}

/* Lives as long as the document; NULL stays NULL. */
static const char *name_fold(struct document *document, const char *name)
{
	char *folded =
		name == NULL ? NULL : document_memory(document, strlen(name) + 1, 1);

	if (folded != NULL)
		fold(name, folded);
	return folded;
}

static int by_name(const void *a, const void *b)
{
	const struct folded *left = a, *right = b;

	if (left->name == NULL || right->name == NULL)
		return (left->name == NULL) - (right->name == NULL);
	return strcmp(left->name, right->name);
}

static int by_arena_and_name(const void *a, const void *b)
{
	uint64_t left = ((const struct folded *)a)->thread->arena;
	uint64_t right = ((const struct folded *)b)->thread->arena;

	return left != right ? (left > right) - (left < right) : by_name(a, b);
}

/* Adds a thread to the group, whose name folds when the thread's is another one. */
static void join(struct name_group *group, const struct folded *folded)
{
	const char *name = folded->thread->name;

	if (group->count == 0)
		group->name = name;
	else if (group->name != NULL && name != NULL && strcmp(group->name, name) != 0)
		group->name = folded->name;
	group->threads[group->count++] = folded->thread;
}

static struct folded *fold_all(struct document *document, const struct ari_model *model)
{
	size_t count = model->threads.count;
	struct folded *folded = document_memory(document, count, sizeof(*folded));

	for (size_t i = 0; i < count && folded != NULL; i++) {
		folded[i].thread = &model->threads.at[i];
		folded[i].name = name_fold(document, model->threads.at[i].name);
	}
	return folded;
}

struct name_group *name_groups(struct document *document, const struct ari_model *model,
			       bool by_arena, size_t *ret_count)
{
	int (*order)(const void *, const void *) = by_arena ? by_arena_and_name : by_name;
	size_t count = model->threads.count, groups = 0;
	struct name_group *group = document_memory(document, count, sizeof(*group));
	const struct ari_thread **threads =
		document_memory(document, count, sizeof(const struct ari_thread *));
	struct folded *folded = fold_all(document, model);

	*ret_count = 0;
	if (group == NULL || threads == NULL || folded == NULL)
		return NULL;
	if (count > 0)
		qsort(folded, count, sizeof(*folded), order);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || order(&folded[i - 1], &folded[i]) != 0)
			group[groups++].threads = threads + i;
		join(&group[groups - 1], &folded[i]);
	}
	*ret_count = groups;
	return group;
}
