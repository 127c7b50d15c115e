// SPDX-License-Identifier: Apache-2.0
#include "visit/scan.h"

/* A number of the model's totals and that of the row it becomes. */
// clang-format off
static const struct number {
	size_t from, to;
} numbers[] = {
#define NUMBER(member, row)                                                             \
	{ offsetof(struct ari_totals, member), offsetof(struct ari_scanned, row) }
	NUMBER(arenas, arenas),
	NUMBER(idle_arenas, idle_arenas),
	NUMBER(in_use_bytes, in_use_bytes),
	NUMBER(free_bytes, free_bytes),
	NUMBER(trimmable_bytes, trimmable_bytes),
	NUMBER(resident.retained_top_bytes, retained_top_bytes),
	NUMBER(resident.pinned_free_bytes, pinned_free_bytes),
#undef NUMBER
};
// clang-format on

static enum ari_seen seen_of(const struct ari_model *model)
{
	static const enum ari_seen seen[] = {
		[ARI_DEPTH_ARENAS] = ARI_SEEN_ARENAS,
		[ARI_DEPTH_CHUNKS] = ARI_SEEN_CHUNKS,
		[ARI_DEPTH_PAGES] = ARI_SEEN_PAGES,
	};

	return seen[model->taken.depth];
}

void scan_fill_row(struct ari_scanned *row, const struct ari_model *model)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		*(uint64_t *)(void *)((char *)row + numbers[i].to) =
			*(const uint64_t *)(const void *)((const char *)&model->totals +
							  numbers[i].from);
	/* Of the same moment as malloc's numbers. */
	row->rss_bytes = model->process.rss_bytes;
	row->anon_bytes = model->process.anon_bytes;
	row->swap_bytes = model->process.swap_bytes;
	row->malloc_bytes = ari_malloc_resident(model);
	row->judged = model->findings.known;
	row->warns = ari_warns(model);
	row->finding = model->findings.count > 0 ? model->findings.at[0].id : NULL;
	row->depth = seen_of(model);
}

/* Largest first, the unknown last. */
static int compare_numbers(uint64_t a, uint64_t b)
{
	if (a == b)
		return 0;
	if (a == ARI_UNKNOWN || b == ARI_UNKNOWN)
		return a == ARI_UNKNOWN ? 1 : -1;
	return a > b ? -1 : 1;
}

int scan_compare_rows(const void *a, const void *b)
{
	const struct ari_scanned *left = a, *right = b;
	int way = compare_numbers(left->trimmable_bytes, right->trimmable_bytes);

	if (way == 0)
		way = compare_numbers(left->malloc_bytes, right->malloc_bytes);
	if (way == 0)
		way = compare_numbers(left->anon_bytes, right->anon_bytes);
	if (way == 0)
		way = left->pid < right->pid ? -1 : 1;
	return way;
}
