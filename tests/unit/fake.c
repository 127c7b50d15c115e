// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/list.h"
#include "fake.h"
#include "unit.h"

static unsigned int pauses;

/* Several workers may be at it. */
#define count(counter, more) __atomic_fetch_add(&(counter), more, __ATOMIC_RELAXED)

/* In place of the C library's, so that what is tried again is tried at once. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	count(pauses, 1);
	return 0;
}

unsigned int fake_pauses(void)
{
	return pauses;
}

static struct fake *fake_of(struct mem *mem)
{
	return (struct fake *)mem;
}

static struct fake_region *find_region(struct fake *fake, uint64_t address)
{
	for (size_t i = 0; i < fake->regions.count; i++) {
		struct fake_region *region = &fake->regions.at[i];

		if (address >= region->start && address - region->start < region->bytes)
			return region;
	}
	return NULL;
}

static uint8_t *state_at(struct fake *fake, uint64_t address)
{
	struct fake_region *region = find_region(fake, address);

	if (region == NULL)
		return NULL;
	return &region->states[(address - region->start) / fake->mem.page_bytes];
}

static bool fake_pages(struct mem *mem, uint64_t start, size_t count, uint8_t *states,
		       struct ari_error *err)
{
	uint64_t bytes, end;

	must(start % mem->page_bytes == 0);
	if (__builtin_mul_overflow(count, mem->page_bytes, &bytes) ||
	    __builtin_add_overflow(start, bytes, &end))
		return fail_at(err, ARI_FAULT, start, "beyond the address space");
	if (fake_of(mem)->blind)
		return fail(err, ARI_GONE, "the process went away");
	count(fake_of(mem)->lookups, 1);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *state =
			state_at(fake_of(mem), start + i * mem->page_bytes);

		states[i] = state == NULL ? PAGE_ABSENT : *state;
	}
	return true;
}

/* As the kernel has it: what is not mapped is not told from what is present. */
static bool fake_mapped_pages(struct mem *mem, uint64_t start, size_t count,
			      uint8_t *states, struct ari_error *err)
{
	if (!fake_pages(mem, start, count, states, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (state_at(fake_of(mem), start + i * mem->page_bytes) == NULL)
			states[i] = PAGE_PRESENT;
	return true;
}

static bool is_there(const uint8_t *state)
{
	return state != NULL &&
	       (page_is_present(*state) || page_state(*state) == PAGE_SWAPPED);
}

/* As slow as it is plain: the regions of a test are small, what is between is skipped. */
static bool fake_runs(struct mem *mem, uint64_t start, uint64_t end,
		      struct page_run *runs, size_t room, size_t *ret_count,
		      uint64_t *ret_reached, struct ari_error *err)
{
	struct fake *fake = fake_of(mem);
	uint64_t page = mem->page_bytes;

	(void)err;
	must(start % page == 0);
	*ret_count = 0;
	*ret_reached = end;
	for (size_t i = 0; i < fake->regions.count; i++) {
		const struct fake_region *region = &fake->regions.at[i];

		for (uint64_t at = region->start; at < region->start + region->bytes;
		     at += page) {
			const uint8_t *state =
				&region->states[(at - region->start) / page];

			if (at < start || at >= end || !is_there(state))
				continue;
			if (*ret_count > 0 && runs[*ret_count - 1].end == at &&
			    runs[*ret_count - 1].state == *state) {
				runs[*ret_count - 1].end += page;
				continue;
			}
			if (*ret_count == room) {
				*ret_reached = at;
				return true;
			}
			runs[(*ret_count)++] =
				(struct page_run){ at, at + page, *state, false };
		}
	}
	return true;
}

static void count_page(struct rss_span *span, uint64_t at, uint64_t page, uint8_t state)
{
	uint64_t from = at > span->start ? at : span->start;
	uint64_t to = at + page < span->end ? at + page : span->end;

	if (span->resident == ARI_UNKNOWN || page_state(state) == PAGE_ABSENT ||
	    page_state(state) == PAGE_ZERO)
		return;
	if (page_state(state) == PAGE_PRESENT)
		span->resident += to - from;
	else if (page_state(state) == PAGE_SWAPPED)
		span->swapped += to - from;
	else
		span->resident = span->swapped = ARI_UNKNOWN;
}

static bool fake_rss(struct mem *mem, struct rss_span *spans, size_t count,
		     struct ari_error *err)
{
	uint64_t page = mem->page_bytes, last = 0;

	(void)err;
	for (size_t i = 0; i < count; i++) {
		const struct map *map = maps_find(mem->maps, spans[i].start);

		must(spans[i].start < spans[i].end);
		must(spans[i].start >= last);
		must(map != NULL);
		must(spans[i].end <= map->end);
		last = spans[i].end;
		spans[i].resident = spans[i].swapped = 0;
		for (uint64_t at = spans[i].start - spans[i].start % page;
		     at < spans[i].end; at += page)
			count_page(&spans[i], at, page, *state_at(fake_of(mem), at));
	}
	return true;
}

static void copy_byte(struct fake *fake, const struct fake_region *region,
		      uint64_t address, uint8_t *to)
{
	uint8_t state = region->states[(address - region->start) / fake->mem.page_bytes];

	*to = region->data[address - region->start];
	if (state == PAGE_ABSENT || state == PAGE_SWAPPED)
		count(fake->disturbed, 1);
}

static bool copy_range(struct fake *fake, const struct mem_range *range,
		       struct ari_error *err)
{
	for (size_t i = 0; i < range->length; i++) {
		uint64_t address = range->address + i;
		const struct fake_region *region = find_region(fake, address);

		if (region == NULL || region->perms[0] != 'r')
			return fail_at(err, ARI_FAULT, address, "not readable");
		copy_byte(fake, region, address, (uint8_t *)range->to + i);
	}
	return true;
}

static bool fake_copy(struct mem *mem, const struct mem_range *ranges, size_t count,
		      size_t *ret_done, struct ari_error *err)
{
	struct fake *fake = fake_of(mem);

	count(fake->calls, 1);
	for (*ret_done = 0; *ret_done < count; (*ret_done)++) {
		count(fake->copies, 1);
		if (fake->before_copy != NULL)
			fake->before_copy(fake, ranges[*ret_done].address);
		if (fake->broken != ARI_OK)
			return fail(err, fake->broken, "broken by the test");
		if (!copy_range(fake, &ranges[*ret_done], err))
			return false;
	}
	return true;
}

static bool fake_file(struct mem *mem, const struct map *map, uint64_t address, void *to,
		      size_t length, struct ari_error *err)
{
	struct fake *fake = fake_of(mem);

	count(fake->files, 1);
	must(address >= map->start);
	must(address + length <= map->end);
	if (fake->file_byte < 0)
		return fail_at(err, ARI_FAULT, address, "the file is gone");
	memset(to, fake->file_byte, length);
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct fake_region *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

struct maps fake_maps(const char *text)
{
	struct maps maps = { 0 };
	struct ari_error err;
	FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	must(stream != NULL);
	ck_works(maps_read(stream, &maps, &err), &err);
	fclose(stream);
	return maps;
}

static void remap(struct fake *fake)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	qsort(fake->regions.at, fake->regions.count, sizeof(*fake->regions.at), by_start);
	for (size_t i = 0; i < fake->regions.count; i++) {
		const struct fake_region *region = &fake->regions.at[i];

		fprintf(out, "%" PRIx64 "-%" PRIx64 " %s 00000000 00:01 %d    %s\n",
			region->start, region->start + region->bytes, region->perms,
			region->path[0] == '/' ? 77 : 0, region->path);
	}
	fclose(out);
	maps_done(&fake->maps);
	fake->maps = fake_maps(text);
	free(text);
}

static bool fake_refresh(struct mem *mem, struct ari_error *err)
{
	struct fake *fake = fake_of(mem);

	count(fake->refreshes, 1);
	if (fake->broken != ARI_OK)
		return fail(err, fake->broken, "broken by the test");
	remap(fake);
	return true;
}

static const struct mem_ops fake_ops = {
	.pages = fake_pages,
	.mapped_pages = fake_mapped_pages,
	.runs = fake_runs,
	.rss = fake_rss,
	.copy = fake_copy,
	.file = fake_file,
	.refresh = fake_refresh,
};

void fake_init(struct fake *fake, uint64_t page_bytes)
{
	*fake = (struct fake){ 0 };
	fake->mem = (struct mem){ &fake_ops, &fake->maps, page_bytes, true };
}

static void region_done(struct fake_region *region)
{
	free(region->path);
	free(region->data);
	free(region->states);
}

void fake_done(struct fake *fake)
{
	for (size_t i = 0; i < fake->regions.count; i++)
		region_done(&fake->regions.at[i]);
	list_done(&fake->regions);
	maps_done(&fake->maps);
	must(fake->disturbed == 0);
}

void fake_map(struct fake *fake, uint64_t start, uint64_t bytes, const char *perms,
	      const char *path)
{
	struct ari_error err;
	struct fake_region *region = list_add(&fake->regions, &err);

	must(region != NULL);
	must(start % fake->mem.page_bytes == 0);
	must(bytes % fake->mem.page_bytes == 0);
	region->start = start;
	region->bytes = bytes;
	region->path = strdup(path);
	region->data = calloc(1, bytes);
	region->states = malloc(bytes / fake->mem.page_bytes);
	must(region->path != NULL && region->data != NULL && region->states != NULL);
	memcpy(region->perms, perms, 4);
	memset(region->states, PAGE_PRESENT, bytes / fake->mem.page_bytes);
	remap(fake);
}

void fake_unmap(struct fake *fake, uint64_t start)
{
	struct fake_region *region = find_region(fake, start);

	must(region != NULL);
	region_done(region);
	*region = fake->regions.at[--fake->regions.count];
	remap(fake);
}

void fake_protect(struct fake *fake, uint64_t start, const char *perms)
{
	struct fake_region *region = find_region(fake, start);

	must(region != NULL);
	memcpy(region->perms, perms, 4);
	remap(fake);
}

uint8_t *fake_at(struct fake *fake, uint64_t address, uint64_t bytes)
{
	struct fake_region *region = find_region(fake, address);

	if (region == NULL)
		ck_abort_msg("the test means 0x%" PRIx64 ", which is not mapped",
			     address);
	must(bytes <= region->start + region->bytes - address);
	return region->data + (address - region->start);
}

void fake_put(struct fake *fake, uint64_t address, uint64_t value)
{
	memcpy(fake_at(fake, address, sizeof(value)), &value, sizeof(value));
}

void fake_set_pages(struct fake *fake, uint64_t address, size_t count,
		    enum page_state state)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t *at = state_at(fake, address + i * fake->mem.page_bytes);

		must(at != NULL);
		*at = (uint8_t)state;
	}
}
