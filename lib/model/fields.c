// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "model/fields.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

// clang-format off
/* Words of an enum, in its order, and the public function that names them. */
#define WORDS(name, function, ...)                                                      \
	static const char *const name##_at[] = { __VA_ARGS__ };                         \
	static const struct words name##_words = { name##_at, COUNT(name##_at) };       \
	const char *function(uint64_t value)                                            \
	{                                                                               \
		return value < COUNT(name##_at) ? name##_at[value] : NULL;              \
	}

WORDS(depth, ari_depth_name, "arenas", "chunks", "pages")
WORDS(symbol_source, ari_symbol_source_name, "debuginfo", "symtab", "search")
WORDS(layout_source, ari_layout_source_name, "dwarf", "table")
WORDS(limit_source, ari_limit_source_name, "read", "arena_max", "estimated",
      "not-computed")
WORDS(memory_kind, ari_memory_kind_name, "malloc-heaps", "malloc-mmapped", "stacks",
      "anonymous", "files", "shared")
WORDS(bin_kind, ari_bin_kind_name, "fast", "unsorted", "small", "large")
WORDS(page_state, ari_page_state_name, "in-use", "cached", "trimmable", "retained-top",
      "pinned-free", "metadata", "unwalked", "free", "absent", "swapped", "zero", "hugetlb")
WORDS(arena_kind, ari_arena_kind_name, "main", "thread")
WORDS(arena_state, ari_arena_state_name, "steady", "busy", "torn")
WORDS(severity, ari_severity_name, "info", "notice", "warning")
WORDS(seen, ari_seen_name, "process", "mappings", "arenas", "chunks", "pages")
WORDS(skip, ari_skip_name, "kernel-thread", "zombie", "gone", "self", "denied", "no-libc",
      "other-libc", "no-layout", "unstable", "timeout", "limit", "failed")

#define RECORD(name, type)                                                              \
	static const struct record name##_record = { name##_fields,                     \
						     COUNT(name##_fields),              \
						     sizeof(struct type) }

/* A row for a member whose key is its name. */
#define ROW(in, member, kind)	      { #member, kind, offsetof(struct in, member), NULL, NULL }
#define INNER(in, member, kind, rows) { #member, kind, offsetof(struct in, member), rows, NULL }
#define WORD(in, member, words)                                                         \
	{                                                                               \
		#member, FIELD_WORD, offsetof(struct in, member), NULL, words           \
	}

#define N(member) ROW(THIS, member, FIELD_NUMBER)
#define A(member) ROW(THIS, member, FIELD_ADDRESS)
#define Y(member) ROW(THIS, member, FIELD_YESNO)
#define S(member) ROW(THIS, member, FIELD_STRING)

#define THIS ari_taken
static const struct field taken_fields[] = {
	{ "begun", FIELD_TIME, offsetof(struct ari_taken, begun_ns), NULL, NULL },
	{ "ended", FIELD_TIME, offsetof(struct ari_taken, ended_ns), NULL, NULL },
	N(duration_ns), WORD(ari_taken, depth, &depth_words),
};
RECORD(taken, ari_taken);
#undef THIS

#define THIS ari_cgroup
static const struct field cgroup_fields[] = {
	S(path), S(unit), S(container), N(memory_current_bytes), N(memory_max_bytes),
	N(memory_inactive_file_bytes),
	ROW(ari_cgroup, cpu_quota, FIELD_REAL),
};
RECORD(cgroup, ari_cgroup);
#undef THIS

#define THIS ari_process
static const struct field process_fields[] = {
	N(pid), N(ns_pid), N(start_time_ticks), S(boot_id), S(comm), S(exe), S(runtime),
	S(arch), N(page_bytes),
	N(tasks), N(rss_bytes), N(anon_bytes), N(swap_bytes), N(virtual_bytes),
	INNER(ari_process, cgroup, FIELD_RECORD, &cgroup_record),
};
RECORD(process, ari_process);
#undef THIS

#define THIS ari_libc
static const struct field libc_fields[] = {
	S(kind), S(version), S(path), S(build_id),
	WORD(ari_libc, symbol_source, &symbol_source_words),
	WORD(ari_libc, layout_source, &layout_source_words),
	S(debug_file), ROW(ari_libc, proof, FIELD_STRINGS),
};
RECORD(libc, ari_libc);
#undef THIS

#define THIS ari_other_allocator
static const struct field other_allocator_fields[] = { S(name), S(path) };
RECORD(other_allocator, ari_other_allocator);
#undef THIS

#define THIS ari_allocator
static const struct field allocator_fields[] = {
	S(malloc_provider), S(provider_path),
	INNER(ari_allocator, others, FIELD_LIST, &other_allocator_record),
};
RECORD(allocator, ari_allocator);
#undef THIS

#define THIS ari_settings
static const struct field settings_fields[] = {
	N(arena_max), N(arena_test), N(arena_limit),
	WORD(ari_settings, arena_limit_source, &limit_source_words),
	N(arena_limit_processors),
	N(mmap_threshold_bytes), N(trim_threshold_bytes), Y(thresholds_dynamic),
	N(top_pad_bytes), N(mmaps_max), N(tcache_max_bytes), N(tcache_count),
	N(thp_page_bytes), N(huge_page_bytes),
	ROW(ari_settings, environment, FIELD_PAIRS),
};
RECORD(settings, ari_settings);
#undef THIS

#define THIS ari_resident
static const struct field resident_fields[] = {
	N(total_bytes), N(in_use_bytes), N(tcache_bytes), N(trimmable_bytes),
	N(retained_top_bytes), N(pinned_free_bytes), N(metadata_bytes), N(unwalked_bytes),
};
RECORD(resident, ari_resident);
#undef THIS

#define THIS ari_totals
static const struct field totals_fields[] = {
	N(arenas), N(idle_arenas), N(heaps), N(system_bytes), N(max_system_bytes),
	N(in_use_bytes), N(free_bytes), N(fast_bytes), N(tcache_bytes), N(top_bytes),
	N(overhead_bytes), N(unread_bytes), N(unwalked_bytes), N(mmapped_chunks),
	N(mmapped_bytes), INNER(ari_totals, resident, FIELD_RECORD, &resident_record),
	N(trimmable_bytes), N(trimmable_swapped_bytes), N(locked_free_bytes),
};
RECORD(totals, ari_totals);
#undef THIS

#define THIS ari_memory
static const struct field memory_fields[] = {
	WORD(ari_memory, kind, &memory_kind_words), N(mappings), N(virtual_bytes),
	N(resident_bytes), N(swapped_bytes),
};
RECORD(memory, ari_memory);
#undef THIS

#define THIS ari_chunks
static const struct field chunks_fields[] = { N(chunks), N(bytes) };
RECORD(chunks, ari_chunks);
#undef THIS

#define THIS ari_top
static const struct field top_fields[] = { A(address), N(bytes), N(resident_bytes) };
RECORD(top, ari_top);
#undef THIS

#define THIS ari_bin
static const struct field bin_fields[] = {
	WORD(ari_bin, kind, &bin_kind_words), N(index), N(from_bytes), N(to_bytes),
	N(chunks), N(bytes),
};
RECORD(bin, ari_bin);
#undef THIS

#define THIS ari_pin
static const struct field pin_fields[] = {
	A(address), N(bytes), N(holds_bytes), Y(cached),
};
RECORD(pin, ari_pin);
#undef THIS

#define THIS ari_last_chunk
static const struct field last_chunk_fields[] = { A(address), N(bytes), N(below_bytes) };
RECORD(last_chunk, ari_last_chunk);
#undef THIS

#define THIS ari_page_run
static const struct field page_run_fields[] = {
	N(pages), WORD(ari_page_run, state, &page_state_words),
};
RECORD(page_run, ari_page_run);
#undef THIS

#define THIS ari_heap
static const struct field heap_fields[] = {
	A(address), N(bytes), N(mprotect_bytes), N(span_bytes), N(resident_bytes),
	N(swapped_bytes), N(huge_page_bytes),
	INNER(ari_heap, last_chunk, FIELD_RECORD, &last_chunk_record),
	INNER(ari_heap, pins, FIELD_LIST, &pin_record),
	INNER(ari_heap, runs, FIELD_ROWS, &page_run_record),
};
RECORD(heap, ari_heap);
#undef THIS

#define THIS ari_size
static const struct field size_fields[] = {
	N(from_bytes), N(to_bytes), N(in_use_chunks), N(in_use_bytes), N(free_chunks),
	N(free_bytes), N(tcache_chunks), N(tcache_bytes),
};
RECORD(size, ari_size);
#undef THIS

#define THIS ari_damage
static const struct field damage_fields[] = {
	ROW(ari_damage, id, FIELD_LITERAL), A(address), S(message),
};
RECORD(damage, ari_damage);
#undef THIS

#define THIS ari_arena
#define CHUNKS(member) INNER(ari_arena, member, FIELD_RECORD, &chunks_record)
static const struct field arena_fields[] = {
	N(index), A(address), WORD(ari_arena, kind, &arena_kind_words), N(attached_threads),
	Y(idle), Y(locked), WORD(ari_arena, state, &arena_state_words),
	N(system_bytes), N(max_system_bytes), N(in_use_bytes), N(overhead_bytes),
	N(unread_bytes), N(unwalked_bytes), N(free_bytes),
	CHUNKS(fast), CHUNKS(unsorted), CHUNKS(small), CHUNKS(large), CHUNKS(tcache),
	INNER(ari_arena, top, FIELD_RECORD, &top_record), A(last_remainder),
	INNER(ari_arena, bins, FIELD_LIST, &bin_record),
	INNER(ari_arena, heaps, FIELD_LIST, &heap_record),
	INNER(ari_arena, resident, FIELD_RECORD, &resident_record),
	N(trimmable_swapped_bytes), N(locked_free_bytes),
	INNER(ari_arena, sizes, FIELD_LIST, &size_record),
	INNER(ari_arena, damage, FIELD_LIST, &damage_record),
};
RECORD(arena, ari_arena);
#undef THIS

#define THIS ari_thread
static const struct field thread_fields[] = {
	N(tid), N(ns_tid), S(name), N(arena),
	INNER(ari_thread, tcache, FIELD_RECORD, &chunks_record),
};
RECORD(thread, ari_thread);
#undef THIS

#define THIS ari_mmapped_chunk
static const struct field mmapped_chunk_fields[] = {
	A(address), N(bytes), N(resident_bytes),
};
RECORD(mmapped_chunk, ari_mmapped_chunk);
#undef THIS

#define THIS ari_mmapped
static const struct field mmapped_fields[] = {
	INNER(ari_mmapped, listed, FIELD_LIST, &mmapped_chunk_record),
	N(more_chunks), N(more_bytes),
};
RECORD(mmapped, ari_mmapped);
#undef THIS

#define THIS ari_finding
static const struct field finding_fields[] = {
	ROW(ari_finding, id, FIELD_LITERAL), WORD(ari_finding, severity, &severity_words),
	S(message), ROW(ari_finding, evidence, FIELD_NUMBERS), S(advice),
};
RECORD(finding, ari_finding);
#undef THIS

#define THIS ari_quality
static const struct field quality_fields[] = {
	Y(consistent), N(retries), ROW(ari_quality, rss_difference_bytes, FIELD_SIGNED),
	ROW(ari_quality, notes, FIELD_STRINGS),
};
RECORD(quality, ari_quality);
#undef THIS

#define PART(member) INNER(ari_model, member, FIELD_RECORD, &member##_record)
static const struct field model_fields[] = {
	PART(taken), PART(process), PART(libc), PART(allocator), PART(settings), PART(totals),
	INNER(ari_model, memory, FIELD_LIST, &memory_record),
	INNER(ari_model, arenas, FIELD_LIST, &arena_record),
	INNER(ari_model, threads, FIELD_LIST, &thread_record),
	PART(mmapped),
	INNER(ari_model, findings, FIELD_LIST, &finding_record),
	PART(quality),
};

/* ---- the difference of two models ---- */

WORDS(arena_change, ari_arena_change_name, "kept", "new", "reused", "gone-idle", "missing")

#define D(member) ROW(THIS, member, FIELD_SIGNED)

#define THIS ari_moment
static const struct field moment_fields[] = {
	INNER(ari_moment, taken, FIELD_RECORD, &taken_record),
	INNER(ari_moment, process, FIELD_RECORD, &process_record),
};
RECORD(moment, ari_moment);
#undef THIS

#define THIS ari_chunks_delta
static const struct field chunks_delta_fields[] = { D(chunks), D(bytes) };
RECORD(chunks_delta, ari_chunks_delta);
#undef THIS

#define THIS ari_top_delta
static const struct field top_delta_fields[] = { D(bytes), D(resident_bytes) };
RECORD(top_delta, ari_top_delta);
#undef THIS

#define THIS ari_resident_delta
static const struct field resident_delta_fields[] = {
	D(total_bytes), D(in_use_bytes), D(tcache_bytes), D(trimmable_bytes),
	D(retained_top_bytes), D(pinned_free_bytes), D(metadata_bytes), D(unwalked_bytes),
};
RECORD(resident_delta, ari_resident_delta);
#undef THIS

#define THIS ari_totals_delta
static const struct field totals_delta_fields[] = {
	D(arenas), D(idle_arenas), D(heaps), D(system_bytes), D(max_system_bytes),
	D(in_use_bytes), D(free_bytes), D(fast_bytes), D(tcache_bytes), D(top_bytes),
	D(overhead_bytes), D(unread_bytes), D(unwalked_bytes), D(mmapped_chunks),
	D(mmapped_bytes),
	INNER(ari_totals_delta, resident, FIELD_RECORD, &resident_delta_record),
	D(trimmable_bytes), D(trimmable_swapped_bytes), D(locked_free_bytes),
};
RECORD(totals_delta, ari_totals_delta);
#undef THIS

#define THIS ari_memory_delta
static const struct field memory_delta_fields[] = {
	WORD(ari_memory_delta, kind, &memory_kind_words), D(mappings), D(virtual_bytes),
	D(resident_bytes), D(swapped_bytes),
};
RECORD(memory_delta, ari_memory_delta);
#undef THIS

#define THIS ari_arena_delta
#define CHUNKS_DELTA(member) INNER(ari_arena_delta, member, FIELD_RECORD, &chunks_delta_record)
static const struct field arena_delta_fields[] = {
	N(index), A(address), WORD(ari_arena_delta, kind, &arena_kind_words),
	WORD(ari_arena_delta, change, &arena_change_words),
	D(attached_threads), D(heaps), D(system_bytes), D(max_system_bytes), D(in_use_bytes),
	D(overhead_bytes), D(unread_bytes), D(unwalked_bytes), D(free_bytes),
	CHUNKS_DELTA(fast), CHUNKS_DELTA(unsorted), CHUNKS_DELTA(small), CHUNKS_DELTA(large),
	CHUNKS_DELTA(tcache), INNER(ari_arena_delta, top, FIELD_RECORD, &top_delta_record),
	INNER(ari_arena_delta, resident, FIELD_RECORD, &resident_delta_record),
	D(trimmable_swapped_bytes), D(locked_free_bytes),
};
RECORD(arena_delta, ari_arena_delta);
#undef THIS

#define THIS ari_size_delta
static const struct field size_delta_fields[] = {
	N(from_bytes), N(to_bytes), D(in_use_chunks), D(in_use_bytes), D(free_chunks),
	D(free_bytes), D(tcache_chunks), D(tcache_bytes),
};
RECORD(size_delta, ari_size_delta);
#undef THIS

static const struct field diff_fields[] = {
	INNER(ari_diff, before, FIELD_RECORD, &moment_record),
	INNER(ari_diff, after, FIELD_RECORD, &moment_record),
	ROW(ari_diff, seconds, FIELD_REAL),
	INNER(ari_diff, totals, FIELD_RECORD, &totals_delta_record),
	INNER(ari_diff, memory, FIELD_LIST, &memory_delta_record),
	INNER(ari_diff, arenas, FIELD_LIST, &arena_delta_record),
	INNER(ari_diff, sizes, FIELD_LIST, &size_delta_record),
	INNER(ari_diff, findings, FIELD_LIST, &finding_record),
	ROW(ari_diff, undecided, FIELD_STRINGS),
	ROW(ari_diff, notes, FIELD_STRINGS),
};

/* ---- all processes of the host ---- */

#define THIS ari_scanned
static const struct field scanned_fields[] = {
	N(pid), S(comm), S(user), S(unit), S(container), S(cgroup), S(libc),
	N(rss_bytes), N(anon_bytes), N(swap_bytes), N(malloc_bytes), N(arenas),
	N(idle_arenas), N(in_use_bytes), N(free_bytes), N(trimmable_bytes),
	N(retained_top_bytes), N(pinned_free_bytes),
	ROW(ari_scanned, finding, FIELD_LITERAL), WORD(ari_scanned, depth, &seen_words),
	WORD(ari_scanned, skipped, &skip_words), S(reason),
};
#undef THIS

#define THIS ari_skipped
static const struct field skipped_fields[] = {
	WORD(ari_skipped, reason, &skip_words), N(processes),
};
#undef THIS

static const struct field scan_fields[] = {
	INNER(ari_scan, taken, FIELD_RECORD, &taken_record),
	INNER(ari_scan, processes, FIELD_LIST, &scanned_record),
	INNER(ari_scan, skipped, FIELD_LIST, &skipped_record),
};
// clang-format on

#define PUBLIC(name, type)                                                         \
	const struct record name##_record = { name##_fields, COUNT(name##_fields), \
					      sizeof(struct type) }

PUBLIC(model, ari_model);
PUBLIC(diff, ari_diff);
PUBLIC(scan, ari_scan);
PUBLIC(scanned, ari_scanned);
PUBLIC(skipped, ari_skipped);

const struct field *record_field(const struct record *record, const char *key)
{
	for (size_t i = 0; i < record->count; i++)
		if (strcmp(record->fields[i].key, key) == 0)
			return &record->fields[i];
	return NULL;
}

static void clear_field(const struct field *field, void *at)
{
	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_ADDRESS:
	case FIELD_WORD:
	case FIELD_TIME:
		*(uint64_t *)at = ARI_UNKNOWN;
		break;
	case FIELD_SIGNED:
		*(int64_t *)at = INT64_MIN;
		break;
	case FIELD_REAL:
		*(double *)at = NAN;
		break;
	case FIELD_YESNO:
		*(enum ari_yesno *)at = ARI_MAYBE;
		break;
	case FIELD_STRING:
	case FIELD_LITERAL:
		*(const char **)at = NULL;
		break;
	case FIELD_RECORD:
		record_clear(field->record, at);
		break;
	case FIELD_LIST:
	case FIELD_ROWS:
	case FIELD_STRINGS:
	case FIELD_PAIRS:
	case FIELD_NUMBERS:
		*(struct ari_list *)at = (struct ari_list){ 0 };
		break;
	}
}

void record_clear(const struct record *record, void *at)
{
	for (size_t i = 0; i < record->count; i++)
		clear_field(&record->fields[i], (char *)at + record->fields[i].offset);
}

/* Frees a list of records, or of structs that hold `strings` pointers. */
static void list_of_strings_done(struct ari_list *list, size_t strings)
{
	char **at = list->at;

	for (size_t i = 0; i < list->count * strings; i++)
		free(at[i]);
	list_free(list);
}

static void list_of_records_done(const struct record *record, struct ari_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		record_done(record, (char *)list->at + i * record->bytes);
	list_free(list);
}

static void field_done(const struct field *field, void *at)
{
	switch (field->type) {
	case FIELD_STRING:
		free(*(char **)at);
		break;
	case FIELD_RECORD:
		record_done(field->record, at);
		break;
	case FIELD_LIST:
	case FIELD_ROWS:
		list_of_records_done(field->record, at);
		break;
	case FIELD_STRINGS:
		list_of_strings_done(at, 1);
		break;
	case FIELD_PAIRS:
		list_of_strings_done(at, 2);
		break;
	case FIELD_NUMBERS:
		list_free(at);
		break;
	default:
		break;
	}
}

void record_done(const struct record *record, void *at)
{
	for (size_t i = 0; i < record->count; i++)
		field_done(&record->fields[i], (char *)at + record->fields[i].offset);
}
