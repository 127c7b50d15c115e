/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarenainspect: looks into the glibc malloc of another process, from outside,
 * without stopping it or writing to it.
 *
 * A visit makes a model: plain structs that say what the heap was, in bytes and
 * in addresses of the target, with no pointer into it.  The library never
 * prints and never exits; every failure fills a struct ari_error of the caller.
 * Files of the process are read through mappings: a caller that does not trust who
 * may cut one meanwhile handles SIGBUS, as the program does.
 *
 * The names of the model's members are the keys of the JSON document.
 */
#ifndef ARENAINSPECT_H
#define ARENAINSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A number that is not known.  Text says "unknown", JSON null; never 0. */
#define ARI_UNKNOWN UINT64_MAX

/* Yes, no, or not known. */
enum ari_yesno { ARI_NO = 0, ARI_YES = 1, ARI_MAYBE = -1 };

/* ---- errors ---- */

enum ari_code {
	ARI_OK,
	ARI_USAGE,	 /* an argument that cannot be meant */
	ARI_GONE,	 /* no such process, or it ended, or ran another program */
	ARI_DENIED,	 /* the kernel refuses; the message names the right */
	ARI_NOT_GLIBC,	 /* nothing of glibc's malloc is there */
	ARI_NO_SYMBOLS,	 /* main_arena or mp_ cannot be found */
	ARI_BAD_LAYOUT,	 /* no layout could be proven */
	ARI_UNSTABLE,	 /* main_arena or the ring cannot be read consistently */
	ARI_TIMED_OUT,	 /* the time the caller gave is over */
	ARI_IO,		 /* a file of ours */
	ARI_NO_MEMORY,	 /* ours */
	ARI_FAULT,	 /* an address of the target that cannot be read */
	ARI_SWAPPED,	 /* an address whose page is in swap and stays there */
	ARI_UNSUPPORTED, /* the kernel or this build lacks it */
	ARI_CODES,	 /* no code: how many there are; a new one goes right before it */
};

/* Filled where a function fails; after one that did not, it says nothing. */
struct ari_error {
	enum ari_code code;
	uint64_t address; /* the target's, or ARI_UNKNOWN */
	char message[384];
};

/* ---- lists ---- */

/*
 * `count` elements from `at`.  `known` tells an empty list from one that could
 * not be made; JSON shows the latter as null.
 */
struct ari_list {
	void *at;
	size_t count, room;
	bool known;
};

#define ARI_LIST(type)                      \
	union {                             \
		struct ari_list raw;        \
		struct {                    \
			type *at;           \
			size_t count, room; \
			bool known;         \
		};                          \
	}

/* ---- the model ---- */

enum ari_depth { ARI_DEPTH_ARENAS, ARI_DEPTH_CHUNKS, ARI_DEPTH_PAGES };

struct ari_taken {
	uint64_t begun_ns, ended_ns; /* CLOCK_REALTIME */
	uint64_t duration_ns;	     /* by the monotonic clock */
	uint64_t depth;		     /* enum ari_depth */
};

struct ari_cgroup {
	char *path;
	char *unit;	 /* of systemd, the innermost: "nginx.service" */
	char *container; /* the id that its runtime gave it, 64 hex digits or a name */
	uint64_t memory_current_bytes;
	uint64_t memory_max_bytes; /* ARI_UNKNOWN: no limit, or not known */
	/* Of the use: cached files that nobody asks for, which the kernel drops first. */
	uint64_t memory_inactive_file_bytes;
	double cpu_quota; /* processors; NaN: none, or not known */
};

struct ari_process {
	uint64_t pid;
	uint64_t ns_pid;	   /* what it is to itself, in its own pid namespace */
	uint64_t start_time_ticks; /* since boot, clock ticks */
	char *boot_id;
	char *comm, *exe;
	char *runtime; /* "jvm", "cpython", …: what runs the program; NULL: none known */
	char *arch;
	uint64_t page_bytes;
	uint64_t tasks;
	uint64_t rss_bytes, anon_bytes, swap_bytes, virtual_bytes; /* the kernel's */
	struct ari_cgroup cgroup;
};

enum ari_symbol_source { ARI_SYMBOLS_DEBUGINFO, ARI_SYMBOLS_SYMTAB, ARI_SYMBOLS_SEARCH };
enum ari_layout_source { ARI_LAYOUT_DWARF, ARI_LAYOUT_TABLE };

struct ari_libc {
	char *kind; /* "glibc" */
	char *version;
	char *path; /* as the target's maps name it */
	char *build_id;
	uint64_t symbol_source; /* enum ari_symbol_source */
	uint64_t layout_source; /* enum ari_layout_source */
	char *debug_file;
	ARI_LIST(char *) proof;
};

struct ari_other_allocator {
	char *name, *path;
};

/*
 * Who answers when the program calls malloc: "glibc", a row of layout/allocators.def
 * ("jemalloc"), "own" (the program or a library of it that is none of those), "Go" (no
 * libc); NULL: not known.  others: those loaded besides; of glibc only a second one, as
 * dlmopen(3) loads it.
 */
struct ari_allocator {
	char *malloc_provider;
	char *provider_path; /* the file it is in, as the target's maps name it */
	ARI_LIST(struct ari_other_allocator) others;
};

struct ari_variable {
	char *name, *value;
};

enum ari_limit_source {
	ARI_LIMIT_READ,
	ARI_LIMIT_ARENA_MAX,
	ARI_LIMIT_ESTIMATED,
	ARI_LIMIT_NOT_COMPUTED,
};

struct ari_settings {
	uint64_t arena_max, arena_test;
	uint64_t arena_limit;
	uint64_t arena_limit_source; /* enum ari_limit_source */
	/* That glibc counted for that limit; unknown where it is none of processors. */
	uint64_t arena_limit_processors;
	uint64_t mmap_threshold_bytes, trim_threshold_bytes;
	enum ari_yesno thresholds_dynamic;
	uint64_t top_pad_bytes, mmaps_max;
	uint64_t tcache_max_bytes, tcache_count;
	uint64_t thp_page_bytes, huge_page_bytes;
	ARI_LIST(struct ari_variable) environment;
};

/* The classes of a present byte (contract, section 7); they add up to total. */
struct ari_resident {
	uint64_t total_bytes;
	uint64_t in_use_bytes, tcache_bytes, trimmable_bytes, retained_top_bytes,
		pinned_free_bytes, metadata_bytes, unwalked_bytes;
};

struct ari_totals {
	uint64_t arenas, idle_arenas, heaps;
	uint64_t system_bytes, max_system_bytes;
	uint64_t in_use_bytes, free_bytes, fast_bytes, tcache_bytes, top_bytes,
		overhead_bytes, unread_bytes, unwalked_bytes;
	uint64_t mmapped_chunks, mmapped_bytes;
	struct ari_resident resident;
	uint64_t trimmable_bytes, trimmable_swapped_bytes, locked_free_bytes;
};

enum ari_memory_kind {
	ARI_MEMORY_MALLOC_HEAPS,
	ARI_MEMORY_MALLOC_MMAPPED,
	ARI_MEMORY_STACKS,
	ARI_MEMORY_ANONYMOUS,
	ARI_MEMORY_FILES,
	ARI_MEMORY_SHARED,
};

/* Every byte of the address space is in one of them. */
struct ari_memory {
	uint64_t kind;	   /* enum ari_memory_kind */
	uint64_t mappings; /* that have some of it: one may count in several kinds */
	uint64_t virtual_bytes, resident_bytes, swapped_bytes;
};

struct ari_chunks {
	uint64_t chunks, bytes;
};

struct ari_top {
	uint64_t address, bytes, resident_bytes;
};

enum ari_bin_kind { ARI_BIN_FAST, ARI_BIN_UNSORTED, ARI_BIN_SMALL, ARI_BIN_LARGE };

struct ari_bin {
	uint64_t kind; /* enum ari_bin_kind */
	uint64_t index;
	uint64_t from_bytes, to_bytes; /* chunk sizes, both ends included */
	uint64_t chunks, bytes;
};

/*
 * A live chunk that keeps memory from going back.  holds_bytes: resident bytes that
 * free() and malloc_trim(0) would return beyond what malloc_trim(0) returns now, if
 * this chunk alone were freed, its own whole pages left aside.
 */
struct ari_pin {
	uint64_t address, bytes;
	uint64_t holds_bytes;
	enum ari_yesno cached; /* by a thread: the application has freed it already */
};

/*
 * The live chunk in front of top: in use, or cached.  Free memory below it is no part of
 * top, so free() gives none of it back, and malloc_trim(0) does.
 */
struct ari_last_chunk {
	uint64_t address, bytes;
	uint64_t below_bytes; /* what malloc_trim(0) gives back of the free chunk right
				 below it: resident bytes, 0 when there is none */
};

/*
 * What a page of a heap is.  The first seven are resident: `trimmable` is what
 * malloc_trim(0) would give back, any other page is what most of its bytes are, and of
 * equals the first.
 */
enum ari_page_state {
	ARI_PAGE_IN_USE,
	ARI_PAGE_CACHED, /* by threads */
	ARI_PAGE_TRIMMABLE,
	ARI_PAGE_RETAINED_TOP,
	ARI_PAGE_PINNED_FREE,
	ARI_PAGE_METADATA,
	ARI_PAGE_UNWALKED,
	/* Free, and it is not known whether it is resident, or would go back. */
	ARI_PAGE_FREE,
	ARI_PAGE_ABSENT, /* never written to, or given back */
	ARI_PAGE_SWAPPED,
	ARI_PAGE_ZERO,	  /* only read so far: the kernel's page of zeros */
	ARI_PAGE_HUGETLB, /* of a pool of huge pages, which is not in RSS */
};

/* Pages in a row that are in one state. */
struct ari_page_run {
	uint64_t pages;
	uint64_t state; /* enum ari_page_state; ARI_UNKNOWN: it could not be seen */
};

struct ari_heap {
	uint64_t address; /* the heap_info; of main: where the segment starts */
	uint64_t bytes;	  /* what the arena may use right now */
	uint64_t mprotect_bytes;
	uint64_t span_bytes; /* address space reserved */
	uint64_t resident_bytes, swapped_bytes, huge_page_bytes;
	struct ari_last_chunk last_chunk; /* of the heap that top is in */
	ARI_LIST(struct ari_pin) pins;
	/*
	 * With ARI_DEPTH_PAGES: all pages of [address, address + mprotect_bytes), in
	 * order.  While resident_bytes is known those of the resident states add up to
	 * it.  While it is not, a page has the state of what malloc has there, resident
	 * or not, and what is free is ARI_PAGE_FREE.
	 */
	ARI_LIST(struct ari_page_run) runs;
};

/*
 * Chunks by size: from_bytes <= size <= to_bytes.  Free are those of bins and fastbins;
 * while what threads cache is not known, it is in use.
 */
struct ari_size {
	uint64_t from_bytes, to_bytes;
	uint64_t in_use_chunks, in_use_bytes, free_chunks, free_bytes;
	uint64_t tcache_chunks, tcache_bytes;
};

/* What is odd in the target's heap; ids are words of the JSON document. */
struct ari_damage {
	const char *id;
	uint64_t address;
	char *message;
};

enum ari_arena_kind { ARI_ARENA_MAIN, ARI_ARENA_THREAD };
enum ari_arena_state { ARI_STATE_STEADY, ARI_STATE_BUSY, ARI_STATE_TORN };

struct ari_arena {
	uint64_t index; /* in ring order, main 0, as malloc_info's heap nr */
	uint64_t address;
	uint64_t kind; /* enum ari_arena_kind */
	uint64_t attached_threads;
	enum ari_yesno idle; /* no thread is attached */
	enum ari_yesno locked;
	uint64_t state; /* enum ari_arena_state */
	uint64_t system_bytes, max_system_bytes;
	uint64_t in_use_bytes, overhead_bytes, unread_bytes, unwalked_bytes;
	uint64_t free_bytes; /* unsorted + small + large */
	struct ari_chunks fast, unsorted, small, large, tcache;
	struct ari_top top;
	uint64_t last_remainder; /* address; 0: none */
	ARI_LIST(struct ari_bin) bins;
	ARI_LIST(struct ari_heap) heaps; /* oldest first; pieces of main by address */
	struct ari_resident resident;
	uint64_t trimmable_swapped_bytes; /* what malloc_trim(0) would drop of swap */
	uint64_t locked_free_bytes; /* of pinned_free_bytes: only because it is locked */
	ARI_LIST(struct ari_size) sizes;
	ARI_LIST(struct ari_damage) damage;
};

struct ari_thread {
	uint64_t tid, ns_tid;
	char *name;
	uint64_t arena;		  /* index */
	struct ari_chunks tcache; /* what was met of its cache, in whichever arena */
};

struct ari_mmapped_chunk {
	uint64_t address; /* the chunk's, behind the padding of an aligned one */
	uint64_t bytes;	  /* of its mapping, as malloc counts them */
	uint64_t resident_bytes;
};

struct ari_mmapped {
	ARI_LIST(struct ari_mmapped_chunk) listed;
	uint64_t more_chunks, more_bytes;
};

enum ari_severity { ARI_SEVERITY_INFO, ARI_SEVERITY_NOTICE, ARI_SEVERITY_WARNING };

struct ari_evidence {
	const char *name;
	uint64_t value;
};

struct ari_finding {
	const char *id;
	uint64_t severity; /* enum ari_severity */
	char *message;
	ARI_LIST(struct ari_evidence) evidence;
	char *advice;
};

struct ari_quality {
	enum ari_yesno consistent;
	uint64_t retries;
	int64_t rss_difference_bytes; /* INT64_MIN: not known */
	ARI_LIST(char *) notes;
};

/* One process at one time.  Owns all it points to. */
struct ari_model {
	struct ari_taken taken;
	struct ari_process process;
	struct ari_libc libc;
	struct ari_allocator allocator;
	struct ari_settings settings;
	struct ari_totals totals;
	ARI_LIST(struct ari_memory) memory;
	ARI_LIST(struct ari_arena) arenas; /* in ring order, main first */
	ARI_LIST(struct ari_thread) threads;
	struct ari_mmapped mmapped;
	ARI_LIST(struct ari_finding) findings;
	struct ari_quality quality;
	/*
	 * Why the visit ended before it was through (ARI_TIMED_OUT,
	 * ARI_UNSTABLE); code ARI_OK when it did not.
	 */
	struct ari_error stopped;
	/*
	 * What ids and names of a document that was read point at; empty after a
	 * visit, whose are static.  Not in the document.
	 */
	ARI_LIST(char *) words;
};

/* ---- what changed between two models ---- */

/*
 * Members are named as those of the model whose change they are.  A delta is the
 * value after less the value before; INT64_MIN: not known, since one of the two is
 * not, and null in JSON.
 */
struct ari_moment {
	struct ari_taken taken;
	struct ari_process process;
};

struct ari_chunks_delta {
	int64_t chunks, bytes;
};

struct ari_top_delta {
	int64_t bytes, resident_bytes;
};

struct ari_resident_delta {
	int64_t total_bytes;
	int64_t in_use_bytes, tcache_bytes, trimmable_bytes, retained_top_bytes,
		pinned_free_bytes, metadata_bytes, unwalked_bytes;
};

struct ari_totals_delta {
	int64_t arenas, idle_arenas, heaps;
	int64_t system_bytes, max_system_bytes;
	int64_t in_use_bytes, free_bytes, fast_bytes, tcache_bytes, top_bytes,
		overhead_bytes, unread_bytes, unwalked_bytes;
	int64_t mmapped_chunks, mmapped_bytes;
	struct ari_resident_delta resident;
	int64_t trimmable_bytes, trimmable_swapped_bytes, locked_free_bytes;
};

struct ari_memory_delta {
	uint64_t kind; /* enum ari_memory_kind */
	int64_t mappings, virtual_bytes, resident_bytes, swapped_bytes;
};

enum ari_arena_change {
	ARI_ARENA_KEPT,
	ARI_ARENA_NEW,	  /* was not there before: its deltas are all it has */
	ARI_ARENA_REUSED, /* no thread was attached, and now one is */
	ARI_ARENA_GONE_IDLE,
	ARI_ARENA_MISSING, /* glibc frees no arena: it was not found, and no delta is
			      known */
};

struct ari_arena_delta {
	uint64_t index; /* after; of a missing one before */
	uint64_t address;
	uint64_t kind;	 /* enum ari_arena_kind */
	uint64_t change; /* enum ari_arena_change */
	int64_t attached_threads, heaps;
	int64_t system_bytes, max_system_bytes;
	int64_t in_use_bytes, overhead_bytes, unread_bytes, unwalked_bytes;
	int64_t free_bytes;
	struct ari_chunks_delta fast, unsorted, small, large, tcache;
	struct ari_top_delta top;
	struct ari_resident_delta resident;
	int64_t trimmable_swapped_bytes, locked_free_bytes;
};

struct ari_size_delta {
	uint64_t from_bytes, to_bytes;
	int64_t in_use_chunks, in_use_bytes, free_chunks, free_bytes;
	int64_t tcache_chunks, tcache_bytes;
};

/* Owns all it points to, and nothing of the two models. */
struct ari_diff {
	struct ari_moment before, after;
	double seconds; /* from one to the other; NaN: they are of two processes */
	struct ari_totals_delta totals;
	ARI_LIST(struct ari_memory_delta) memory;
	/* In the order after, the missing ones last; not known of two processes. */
	ARI_LIST(struct ari_arena_delta) arenas;
	ARI_LIST(struct ari_size_delta) sizes; /* over all arenas, ascending */
	/* What grew, by how much, largest first; not known of two processes. */
	ARI_LIST(struct ari_finding) findings;
	/* Verdicts (GROWING-…) that what is known does not decide; as findings. */
	ARI_LIST(char *) undecided;
	ARI_LIST(char *) notes; /* how far the deltas go */
};

/* ---- visiting a process ---- */

enum ari_symbols { ARI_FIND_AUTO, ARI_FIND_DEBUGINFO, ARI_FIND_SEARCH };

/* Called with one line, no newline, for each step of a visit. */
typedef void ari_log_fn(void *data, const char *line);

/* Zeroed is the default for every member. */
struct ari_options {
	enum ari_depth depth;
	enum ari_symbols symbols;
	/*
	 * Where to look for debug files besides the usual places, or NULL.
	 * Whether debuginfod may be asked is the caller's environment alone
	 * (DEBUGINFOD_URLS): libdwfl asks it when the variable is set.
	 */
	const char *debug_dir;
	unsigned int pins;   /* of each heap at most so many, at most 16; 0: none */
	uint64_t timeout_ns; /* 0: none */
	unsigned int jobs;   /* 0: as many as there are processors, at most 8 */
	ari_log_fn *log;
	void *log_data;
};

/*
 * Visits a running process and makes a model of its malloc.  The process is not
 * stopped: the model is smeared over taken.begun_ns … taken.ended_ns.
 *
 * options  borrowed for the call
 * ret      on success a model for ari_model_free()
 * err      ARI_GONE, ARI_DENIED, ARI_NOT_GLIBC, ARI_NO_SYMBOLS, ARI_BAD_LAYOUT,
 *          ARI_UNSTABLE, ARI_TIMED_OUT, ARI_NO_MEMORY.  Damage in the target's
 *          heap is no failure; it is in the model.
 */
bool ari_visit(pid_t pid, const struct ari_options *options, struct ari_model **ret,
	       struct ari_error *err) __attribute__((warn_unused_result));

/*
 * The same from a core file.  What a core cannot tell is not known (residency,
 * threads' names, what the kernel counted); what the dump left out is unread.
 *
 * exe      the program, when it is linked statically or the core does not name
 *          its libraries; may be NULL
 * options  debug_dir is also a root below which libraries of another machine are
 *          looked for by the path that the core names
 * err      ARI_IO (no core, cut, compressed: the message says how to unpack),
 *          ARI_NOT_GLIBC, ARI_NO_SYMBOLS, ARI_BAD_LAYOUT, ARI_UNSTABLE, …
 */
bool ari_visit_core(const char *file, const char *exe, const struct ari_options *options,
		    struct ari_model **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* What a visit or ari_model_read() made; NULL is none. */
void ari_model_free(struct ari_model *model);

/*
 * What a visit of this process needs, step by step, and which of it works here.
 * The visit goes as far as it can; `error` is why it stopped (code ARI_OK when
 * it did not), `model` holds what was found until then and is never NULL.
 */
struct ari_step {
	const char *id;	    /* a word: "memory", "pagemap", … */
	const char *needed; /* what it is for, one line */
	enum ari_yesno ok;  /* ARI_MAYBE: not tried */
	char *detail;	    /* what was found, or what is missing and the way out */
};

struct ari_diagnosis {
	ARI_LIST(struct ari_step) steps;
	struct ari_model *model;
	struct ari_error error;
};

/* Fails only with ARI_NO_MEMORY; ret for ari_diagnosis_free(). */
bool ari_diagnose(pid_t pid, const struct ari_options *options,
		  struct ari_diagnosis **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

void ari_diagnosis_free(struct ari_diagnosis *diagnosis);

/* ---- numbers of a model ---- */

/* a + b; ARI_UNKNOWN if one of them is, or the sum is too large. */
uint64_t ari_plus(uint64_t a, uint64_t b);

/* The memory of that kind (enum ari_memory_kind), borrowed of the model, or NULL. */
const struct ari_memory *ari_memory_of(const struct ari_model *model, uint64_t kind);

/*
 * glibc's share of the resident set: malloc-heaps and malloc-mmapped of `memory`.
 * ARI_UNKNOWN where one of them is.
 */
uint64_t ari_malloc_resident(const struct ari_model *model);

/* ---- the JSON document ---- */

/*
 * Writes the JSON document (schema "arenainspect/1") to out, as it goes: memory
 * is bounded whatever the model's size.  Strings of the target are escaped and
 * are valid UTF-8.  err: ARI_IO.
 */
bool ari_model_write(const struct ari_model *model, FILE *out, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Reads such a document from a file, plain or packed by zstd (told by its content).
 * What is read is the model that was written.  Members that a later release has added
 * are passed over, and words it has added are unknown (ids stay what they are).
 *
 * ret  on success a model for ari_model_free()
 * err  ARI_IO: the file cannot be read, is cut, has another schema, or is none of
 *      ours; whatever it holds, that is all that happens.  ARI_NO_MEMORY
 */
bool ari_model_read(const char *file, struct ari_model **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* ---- verdicts ---- */

/*
 * What is found in a model, or between two, and what to do about it.  Texts are
 * paragraphs with an empty line between them.
 */
struct ari_verdict {
	const char *id;	     /* "TRIMMABLE" */
	uint64_t severity;   /* enum ari_severity; the least that it is found with */
	bool of_diff;	     /* of two snapshots, not of one process */
	const char *says;    /* one line */
	const char *no_help; /* what would do nothing for it */
	const char *against; /* what would speak against it */
	const char *text;    /* the long text */
};

/* The index-th verdict there is; false past the last. */
bool ari_verdict_describe(size_t index, struct ari_verdict *ret);

/*
 * What to do about it in any process: of a certain one the finding says it by what runs
 * there and how it is set.  ret: for free(); err: ARI_NO_MEMORY.
 */
bool ari_verdict_advice(size_t index, char **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Makes model->findings anew, the most severe first, and of two alike that which more
 * memory is about.  Nothing rests on a number that is not known or not certain.
 * ari_visit() and ari_visit_core() have done it.  err: ARI_NO_MEMORY.
 */
bool ari_judge(struct ari_model *model, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Whether one of the findings is a warning; not where none were made. */
bool ari_warns(const struct ari_model *model);

/* ---- comparing two models ---- */

/*
 * What changed from one model to a later one of the same process, and what grew.
 *
 * before, after  borrowed for the call
 * force          they may be of two processes (replicas): then arenas are not
 *                matched, nothing is said to grow, and no time lies between them
 * ret            on success for ari_diff_free()
 * err            ARI_USAGE: not known to be the same process (pid, start time, boot
 *                id, and no exec in between), or not in the order of time;
 *                ARI_NO_MEMORY
 */
bool ari_diff(const struct ari_model *before, const struct ari_model *after, bool force,
	      struct ari_diff **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

void ari_diff_free(struct ari_diff *diff);

/* after - before; INT64_MIN if one of them is ARI_UNKNOWN or they are too far apart. */
int64_t ari_delta(uint64_t before, uint64_t after);

/* a + b; INT64_MIN if one of them is, or the sum is too large. */
int64_t ari_delta_plus(int64_t a, int64_t b);

/*
 * Bytes that came within diff->seconds, as bytes per hour; INT64_MIN: not known, or the
 * time is less than a second, of which a rate would be mostly error.
 */
int64_t ari_diff_per_hour(const struct ari_diff *diff, int64_t bytes);

/* Writes the JSON document (schema "arenainspect-diff/1") to out.  err: ARI_IO. */
bool ari_diff_write(const struct ari_diff *diff, FILE *out, struct ari_error *err)
	__attribute__((warn_unused_result));

/* ---- finding processes ---- */

struct ari_match {
	pid_t pid;
	char exe[256]; /* cut; "" where it cannot be seen */
};

struct ari_matches {
	ARI_LIST(struct ari_match) list; /* in order of pid */
};

/*
 * The processes whose comm is exactly `comm`; NULL: of any.  Kernel threads and those
 * that vanish meanwhile are left out.  ret: for ari_matches_free(); err: ARI_NO_MEMORY,
 * ARI_IO.
 */
bool ari_find_comm(const char *comm, struct ari_matches *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * The same for those whose systemd unit (process.cgroup.unit) is `unit`; as systemctl
 * has it, a name without a suffix is that of a service.
 */
bool ari_find_unit(const char *unit, struct ari_matches *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* What *matches owns; zeroed is none. */
void ari_matches_free(struct ari_matches *matches);

/*
 * Visits of several processes.
 *
 * options     of each: timeout_ns is that of one process (0: 10 seconds), jobs how many
 *             are visited at the same time, each by one thread; log may be called from
 *             any thread, one at a time
 * timeout_ns  of all of them; 0: none
 * take        called from the calling thread, once for each, as they are done.  model
 *             is borrowed for the call, NULL where `why` says why there is none.  False
 *             fills *err and fails it all.
 */
struct ari_visits {
	const struct ari_options *options;
	const pid_t *pids;
	size_t count;
	uint64_t timeout_ns;
	bool (*take)(void *data, size_t index, const struct ari_model *model,
		     const struct ari_error *why, struct ari_error *err);
	void *data;
};

/*
 * No process holds up the others: one that hangs is given up as ARI_TIMED_OUT, and its
 * thread is left behind until the kernel lets it go.  What is found of a library serves
 * all that have it.  err: ARI_NO_MEMORY, or what take() says.
 */
bool ari_visit_all(const struct ari_visits *visits, struct ari_error *err)
	__attribute__((warn_unused_result));

/* ---- metrics ---- */

enum ari_unit { ARI_UNIT_COUNT, ARI_UNIT_BYTES, ARI_UNIT_SHARE };

/* A number that monitoring watches; `check` and `metrics` have the same ones. */
struct ari_metric {
	const char *name; /* a word of [a-z_], "trimmable" */
	enum ari_unit unit;
	bool of_arenas;	  /* one arena has it, too */
	const char *help; /* one line, no full stop */
};

/* The index-th metric; false past the last. */
bool ari_metric_describe(size_t index, struct ari_metric *ret);

/*
 * What a metric is: bytes, a count, or a share (1 is all of it).  NaN: not known.  Then
 * and where an arena is torn or unread in parts, it still lies within least … most, 0 and
 * INFINITY if nothing bounds it.  Elsewhere the three are the same.
 *
 * weight  of a share: what it is a share of; 1 otherwise
 */
struct ari_value {
	double value, least, most, weight;
};

/* index: of a metric that there is.  Of one arena: of a metric that has of_arenas. */
struct ari_value ari_metric_value(size_t index, const struct ari_model *model);
struct ari_value ari_metric_value_of_arena(size_t index, const struct ari_arena *arena);

/* Of two processes or arenas together: amounts add up, shares weigh what they are of. */
struct ari_value ari_metric_add(size_t index, const struct ari_value *a,
				const struct ari_value *b);

/* ---- all processes of the host ---- */

/* How far a process was looked into; each has what those before it have. */
enum ari_seen {
	ARI_SEEN_PROCESS,  /* what anybody may know: name, user, resident set */
	ARI_SEEN_MAPPINGS, /* which C library it has mapped */
	ARI_SEEN_ARENAS,
	ARI_SEEN_CHUNKS,
	ARI_SEEN_PAGES,
};

/* Why a process was not visited, or not to the end. */
enum ari_skip {
	ARI_SKIP_KERNEL_THREAD,
	ARI_SKIP_ZOMBIE,
	ARI_SKIP_GONE, /* it ended meanwhile, or ran another program */
	ARI_SKIP_SELF, /* the process that scans */
	ARI_SKIP_DENIED,
	ARI_SKIP_NO_LIBC,    /* none is mapped that is known, nor linked in */
	ARI_SKIP_OTHER_LIBC, /* musl, a 32-bit one, … */
	ARI_SKIP_NO_LAYOUT,  /* malloc was not found, or not proven */
	ARI_SKIP_UNSTABLE,
	ARI_SKIP_TIMEOUT, /* its time was over; what was read by then is given */
	ARI_SKIP_LIMIT,	  /* enough others were visited */
	ARI_SKIP_FAILED,
};

/* One process; the numbers are those of its model, under the same names. */
struct ari_scanned {
	uint64_t pid;
	char *comm, *user; /* the real user's name, or number */
	char *unit, *container, *cgroup;
	char *libc; /* "glibc", "musl", …, by what is mapped; NULL: none, or not known */
	uint64_t rss_bytes, anon_bytes, swap_bytes; /* the kernel's */
	uint64_t malloc_bytes; /* resident: of the arenas, and of mmapped chunks */
	uint64_t arenas, idle_arenas;
	uint64_t in_use_bytes, free_bytes;
	uint64_t trimmable_bytes, retained_top_bytes, pinned_free_bytes;
	const char *finding; /* the id of the first one; NULL: none, if judged */
	bool judged, warns;  /* not in the document; warns: one of them is a warning */
	uint64_t depth;	     /* enum ari_seen */
	uint64_t skipped;    /* enum ari_skip; ARI_UNKNOWN: it was visited */
	char *reason;	     /* of that, in words; NULL */
};

struct ari_skipped {
	uint64_t reason; /* enum ari_skip */
	uint64_t processes;
};

struct ari_scan {
	struct ari_taken taken;
	/* Those with memory of their own, what could give back most first. */
	ARI_LIST(struct ari_scanned) processes;
	ARI_LIST(struct ari_skipped) skipped; /* reasons that occurred */
};

/* Called from the thread that scans, now and then: so many of so many are done. */
typedef void ari_progress_fn(void *data, size_t done, size_t all);

struct ari_scan_options {
	/*
	 * Of each visit.  timeout_ns is that of one process (0: 10 seconds), jobs how
	 * many processes are visited at the same time, each by one thread.  log may be
	 * called from any thread, one at a time.
	 */
	struct ari_options visit;
	/* Those to look at, borrowed; NULL: every process in /proc. */
	const pid_t *pids;
	size_t pids_count;
	size_t limit; /* visits at most; 0: no limit */
	ari_progress_fn *progress;
	void *progress_data;
};

/*
 * Looks at every process in /proc, or at those named, then visits the ones that may
 * have a glibc, the largest in anonymous memory first.  No process spoils the scan: one
 * that ends, refuses or hangs is told in its row, or in the list of those skipped.  A
 * thread that hangs in the kernel is left behind and ends when the kernel lets it go.
 *
 * ret  for ari_scan_free()
 * err  ARI_IO (no /proc), ARI_NO_MEMORY
 */
bool ari_scan(const struct ari_scan_options *options, struct ari_scan **ret,
	      struct ari_error *err) __attribute__((warn_unused_result));
void ari_scan_free(struct ari_scan *scan);

/* The document "arenainspect-scan/1", as ari_model_write(). */
bool ari_scan_write(const struct ari_scan *scan, FILE *out, struct ari_error *err)
	__attribute__((warn_unused_result));

/* ---- words ---- */

/* "0.1.0" */
const char *ari_version(void);

/*
 * "812.0 MiB", "512 B", "unknown": bytes as people read them, in `room` or a literal.
 */
#define ARI_BYTES_ROOM 32
const char *ari_bytes_text(uint64_t bytes, char room[ARI_BYTES_ROOM]);

/* The word of the JSON document for a value of one of the enums above, or NULL. */
const char *ari_depth_name(uint64_t depth);
const char *ari_symbol_source_name(uint64_t source);
const char *ari_layout_source_name(uint64_t source);
const char *ari_limit_source_name(uint64_t source);
const char *ari_memory_kind_name(uint64_t kind);
const char *ari_bin_kind_name(uint64_t kind);
const char *ari_page_state_name(uint64_t state);
const char *ari_arena_kind_name(uint64_t kind);
const char *ari_arena_state_name(uint64_t state);
const char *ari_arena_change_name(uint64_t change);
const char *ari_severity_name(uint64_t severity);
const char *ari_seen_name(uint64_t seen);
const char *ari_skip_name(uint64_t skip);

#endif
