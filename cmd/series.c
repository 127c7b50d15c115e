// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "out/refuse.h"
#include "series.h"

static size_t count_metrics(void)
{
	struct ari_metric is;
	size_t count = 0;

	while (ari_metric_describe(count, &is))
		count++;
	return count;
}

void series_init(struct series_list *list, bool per_arena)
{
	*list = (struct series_list){ .metrics = count_metrics(),
				      .per_arena = per_arena };
}

static void done_one(struct series *series)
{
	free(series->comm);
	free(series->group);
	free(series->values);
	free(series->arena_values);
	*series = (struct series){ 0 };
}

void series_done(struct series_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		done_one(&list->at[i]);
	free(list->at);
	*list = (struct series_list){ 0 };
}

/* ---- labels ---- */

static int compare_texts(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int by_labels(const void *a, const void *b)
{
	const struct series *one = a, *other = b;
	int order = compare_texts(one->comm, other->comm);

	if (order == 0)
		order = compare_texts(one->group_is, other->group_is);
	return order != 0 ? order : compare_texts(one->group, other->group);
}

/* Labels of a process; borrowed from the model. */
static struct series labels_of(const struct ari_model *model)
{
	const struct ari_process *process = &model->process;
	const struct ari_cgroup *cgroup = &process->cgroup;
	bool has_unit = cgroup->unit != NULL;

	return (struct series){
		.comm = process->comm == NULL ? "" : process->comm,
		.group_is = has_unit ? "unit" : "cgroup",
		.group = has_unit ? cgroup->unit : cgroup->path,
	};
}

static struct series *find(const struct series_list *list, const struct series *labels)
{
	for (size_t i = 0; i < list->count; i++)
		if (by_labels(&list->at[i], labels) == 0)
			return &list->at[i];
	return NULL;
}

static bool make_room(struct series_list *list)
{
	size_t room = list->room == 0 ? 16 : 2 * list->room;
	struct series *at;

	if (list->count < list->room)
		return true;
	at = realloc(list->at, room * sizeof(*at));
	if (at == NULL)
		return false;
	list->at = at;
	list->room = room;
	return true;
}

/* NULL: out of memory. */
static struct series *add(struct series_list *list, const struct series *labels)
{
	struct series series = {
		.comm = strdup(labels->comm),
		.group_is = labels->group_is,
		.group = labels->group == NULL ? NULL : strdup(labels->group),
		.values = calloc(list->metrics, sizeof(*series.values)),
	};

	if (series.comm != NULL && (series.group != NULL || labels->group == NULL) &&
	    series.values != NULL && make_room(list))
		return memcpy(&list->at[list->count++], &series, sizeof(series));
	done_one(&series);
	return NULL;
}

/* ---- values ---- */

static void put(struct ari_value *at, size_t metric, bool first,
		const struct ari_value *value)
{
	*at = first ? *value : ari_metric_add(metric, at, value);
}

static bool is_torn(const struct ari_model *model)
{
	for (size_t i = 0; i < model->arenas.count; i++)
		if (model->arenas.at[i].state == ARI_STATE_TORN)
			return true;
	return false;
}

static bool room_for_arenas(const struct series_list *list, struct series *series,
			    size_t arenas)
{
	struct ari_value *values;

	if (arenas <= series->arenas)
		return true;
	values = realloc(series->arena_values, arenas * list->metrics * sizeof(*values));
	if (values == NULL)
		return false;
	series->arena_values = values;
	return true;
}

static bool add_arenas(const struct series_list *list, struct series *series,
		       const struct ari_model *model)
{
	struct ari_metric is;

	if (!room_for_arenas(list, series, model->arenas.count))
		return false;
	for (size_t i = 0; i < model->arenas.count; i++)
		for (size_t metric = 0; ari_metric_describe(metric, &is); metric++) {
			struct ari_value value;

			if (!is.of_arenas)
				continue;
			value = ari_metric_value_of_arena(metric, &model->arenas.at[i]);
			put(&series->arena_values[i * list->metrics + metric], metric,
			    i >= series->arenas, &value);
		}
	if (series->arenas < model->arenas.count)
		series->arenas = model->arenas.count;
	return true;
}

bool series_add(struct series_list *list, const struct ari_model *model,
		struct ari_error *err)
{
	struct series labels = labels_of(model);
	struct series *series = find(list, &labels);

	if (series == NULL)
		series = add(list, &labels);
	if (series == NULL)
		return refuse_memory(err);
	if (list->per_arena && !add_arenas(list, series, model))
		return refuse_memory(err);
	for (size_t i = 0; i < list->metrics; i++) {
		struct ari_value value = ari_metric_value(i, model);

		put(&series->values[i], i, series->processes == 0, &value);
	}
	if (model->process.rss_bytes != ARI_UNKNOWN)
		series->rss += (double)model->process.rss_bytes;
	series->torn_processes += is_torn(model);
	series->processes++;
	return true;
}

const struct ari_value *series_value(const struct series_list *list,
				     const struct series *series, uint64_t arena,
				     size_t metric)
{
	return arena == ARI_UNKNOWN
		       ? &series->values[metric]
		       : &series->arena_values[arena * list->metrics + metric];
}

/* ---- the limit ---- */

/* Of equal ones those that come first by their labels, so that runs agree. */
static int largest_first(const void *a, const void *b)
{
	const struct series *one = a, *other = b;

	if (one->rss != other->rss)
		return one->rss > other->rss ? -1 : 1;
	return by_labels(a, b);
}

void series_limit(struct series_list *list, size_t limit)
{
	size_t arenas_left = limit;

	if (list->count > 1)
		qsort(list->at, list->count, sizeof(*list->at), largest_first);
	for (; list->count > limit; list->count--) {
		struct series *last = &list->at[list->count - 1];

		list->cut_series++;
		list->cut_processes += last->processes;
		list->cut_arenas += last->arenas;
		done_one(last);
	}
	for (size_t i = 0; i < list->count; i++) {
		struct series *series = &list->at[i];
		size_t kept = series->arenas < arenas_left ? series->arenas : arenas_left;

		list->cut_arenas += series->arenas - kept;
		series->arenas = kept;
		arenas_left -= kept;
	}
	if (list->count > 1)
		qsort(list->at, list->count, sizeof(*list->at), by_labels);
}
