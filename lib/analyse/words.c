// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "analyse/numbers.h"
#include "analyse/words.h"
#include "layout/layout.h"

/* ---- by what runs there ---- */

/*
 * trim     how to have malloc_trim(0) called
 * holder   how to find out what holds memory
 * outside  what of it is not malloc's
 *
 * The last row is for whatever has none of its own.  {pid} is the process's.
 */
static const struct runtime {
	const char *name; /* of process.runtime */
	const char *trim, *holder, *outside;
} runtimes[] = {
	{ "jvm",
	  "`jcmd PID System.trim_native_heap` does it where this JDK has that command (18 "
	  "and later, and updates of older ones); some also have "
	  "-XX:TrimNativeHeapInterval",
	  "the JVM's own share is told by `jcmd PID VM.native_memory`, if it was started "
	  "with -XX:NativeMemoryTracking=summary; what that lacks is of native libraries "
	  "and direct use of malloc",
	  "The Java heap is among the anonymous memory: `jcmd PID GC.heap_info` tells its "
	  "size, -Xmx bounds it" },
	{ "cpython",
	  "`ctypes.CDLL(None).malloc_trim(0)` does it, called in that Python process",
	  "tracemalloc tells which lines of Python allocated what is still there; "
	  "libraries in C it does not see",
	  "CPython keeps small objects in anonymous arenas of its own, which "
	  "sys._debugmallocstats() prints" },
	{ "ruby",
	  "Process.warmup (Ruby 3.3 and later) ends with it; before, Fiddle can call "
	  "malloc_trim(0) in that process",
	  "ObjectSpace.memsize_of_all and ObjectSpace.dump_all tell what Ruby's objects "
	  "hold",
	  "Ruby's own heap of objects is among the anonymous memory: GC.stat tells its "
	  "size" },
	{ "postgresql",
	  "PostgreSQL has no call for it: the memory goes when the session's backend ends, "
	  "so let the pool close connections after some time",
	  "`SELECT pg_log_backend_memory_contexts(PID)` (14 and later) writes to the "
	  "server's log what the backend's contexts hold",
	  "The shared memory is above all shared_buffers, which all backends have in "
	  "common" },
	{ "nodejs",
	  "Node.js has no call for it: a native addon has to call malloc_trim(0)",
	  "process.memoryUsage().external and arrayBuffers are V8's share of malloc; the "
	  "rest is native addons' and libuv's",
	  "V8's heap is among the anonymous memory: process.memoryUsage().heapTotal tells "
	  "its size, --max-old-space-size bounds it" },
	{ NULL, "the program itself has to call it",
	  "a heap profiler (heaptrack, or jemalloc's or tcmalloc's) tells which code "
	  "allocated it",
	  "`pmap -X PID` lists the mappings one by one" },
};

static const struct runtime *runtime_of(const struct ari_model *model)
{
	const char *name = model->process.runtime;
	const struct runtime *row = runtimes;

	while (row->name != NULL && (name == NULL || strcmp(row->name, name) != 0))
		row++;
	return row;
}

/* A text in which PID stands for the process's, where that is known. */
static void say_with_pid(struct text *to, const struct ari_model *model, const char *text)
{
	const char *pid;

	while ((pid = strstr(text, "PID")) != NULL && model->process.pid != ARI_UNKNOWN) {
		text_add(to, "%.*s%" PRIu64, (int)(pid - text), text, model->process.pid);
		text = pid + 3;
	}
	text_add(to, "%s", text);
}

static void say_trim(struct text *to, const struct ari_model *model)
{
	say_with_pid(to, model, runtime_of(model)->trim);
}

static void say_holder(struct text *to, const struct ari_model *model)
{
	say_with_pid(to, model, runtime_of(model)->holder);
}

static void say_outside(struct text *to, const struct ari_model *model)
{
	say_with_pid(to, model, runtime_of(model)->outside);
}

static void say_pid(struct text *to, const struct ari_model *model)
{
	say_with_pid(to, model, "PID");
}

/* ---- by the release ---- */

static bool does(const struct ari_model *model, enum layout_trait trait)
{
	const char *version = model->libc.version;

	return version != NULL && layout_release_does(layout_release(version), trait);
}

/* A variable that every release in question has, and its tunable where there are any. */
static void say_setting(struct text *to, const struct ari_model *model,
			const char *variable, const char *tunable, const char *value)
{
	text_add(to, "%s=%s", variable, value);
	if (does(model, TRAIT_TUNABLES))
		text_add(to, " (or GLIBC_TUNABLES=glibc.malloc.%s=%s)", tunable, value);
}

static void say_arena_max(struct text *to, const struct ari_model *model)
{
	say_setting(to, model, "MALLOC_ARENA_MAX", "arena_max", "N");
}

static void say_trim_threshold(struct text *to, const struct ari_model *model)
{
	say_setting(to, model, "MALLOC_TRIM_THRESHOLD_", "trim_threshold", "131072");
}

static void say_mmap_max(struct text *to, const struct ari_model *model)
{
	say_setting(to, model, "MALLOC_MMAP_MAX_", "mmap_max", "N");
}

static void say_huge_pages(struct text *to, const struct ari_model *model)
{
	if (does(model, TRAIT_TUNABLE_HUGETLB) && model->settings.thp_page_bytes != 0 &&
	    model->settings.thp_page_bytes != ARI_UNKNOWN)
		text_add(to, "this malloc asks for huge pages itself "
			     "(glibc.malloc.hugetlb=1, or the default of its machine): "
			     "start without, or ");
}

/* ---- by its settings ---- */

/* Opposite to each other: a threshold that is fixed already need not be fixed. */
static void say_lower_tops(struct text *to, const struct ari_model *model)
{
	char room[ARI_BYTES_ROOM];

	if (model->settings.thresholds_dynamic == ARI_NO) {
		text_add(
			to,
			"The trim threshold is fixed already, at %s: free() lowers only "
			"a top that has come to it.  Start the program with a lower one, "
			"or with fewer arenas: ",
			ari_bytes_text(model->settings.trim_threshold_bytes, room));
	} else {
		text_add(to,
			 "Start the program with a fixed trim threshold, which does not "
			 "grow when a large block is freed: ");
		say_trim_threshold(to, model);
		text_add(to, ".  Or with fewer arenas, which have fewer tops: ");
	}
	say_arena_max(to, model);
}

/* ---- what it is called ---- */

static const char *base_name(const char *path)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');

	return slash != NULL ? slash + 1 : path != NULL ? path : "?";
}

static void say_provider(struct text *to, const struct ari_model *model)
{
	const struct ari_allocator *allocator = &model->allocator;
	const char *word = allocator->malloc_provider;

	if (word == NULL)
		text_add(to, "not known to be glibc's");
	else if (strcmp(word, "own") == 0)
		text_add(to, "that of %s", base_name(allocator->provider_path));
	else
		text_add(to, "%s's", word);
}

/* The words of the document alone would not do in a sentence. */
static void say_other(struct text *to, const struct ari_other_allocator *other)
{
	if (other->name == NULL)
		text_add(to, "?");
	else if (strcmp(other->name, "own") == 0)
		text_add(to, "that of %s", base_name(other->path));
	else
		text_add(to, "%s%s", strcmp(other->name, "glibc") == 0 ? "a second " : "",
			 other->name);
}

static void say_others(struct text *to, const struct ari_model *model)
{
	for (size_t i = 0; i < model->allocator.others.count; i++) {
		text_add(to, "%s", i == 0 ? "" : ", ");
		say_other(to, &model->allocator.others.at[i]);
	}
}

static void say_also_others(struct text *to, const struct ari_model *model)
{
	if (model->allocator.others.count == 0)
		return;
	text_add(to, ", with ");
	say_others(to, model);
	text_add(to, " loaded, too");
}

static void say_last_chunk(struct text *to, const struct ari_model *model)
{
	const struct ari_arena *arena;
	const struct ari_heap *heap = number_pinned_heap(model, &arena);

	text_add(to, "0x%" PRIx64, heap == NULL ? 0 : heap->last_chunk.address);
}

/* ---- why it is not whole ---- */

/* Arenas that are torn: by damage, which shows again, or since they moved. */
struct torn {
	size_t damaged, moved;
	const struct ari_arena *first; /* of the damaged ones */
};

static struct torn count_torn(const struct ari_model *model)
{
	struct torn torn = { 0 };

	for (size_t i = 0; i < model->arenas.count; i++) {
		const struct ari_arena *arena = &model->arenas.at[i];

		if (arena->state != ARI_STATE_TORN)
			continue;
		if (arena->damage.count == 0) {
			torn.moved++;
			continue;
		}
		torn.damaged++;
		if (torn.first == NULL)
			torn.first = arena;
	}
	return torn;
}

/* "2 of 16 arenas"; says what joins it to what was said before. */
static void say_some(struct text *to, bool is_first, size_t some,
		     const struct ari_model *model)
{
	text_add(to, "%s%zu of %zu %s", is_first ? "" : "; ", some, model->arenas.count,
		 model->arenas.count == 1 ? "arena" : "arenas");
}

static void say_unstable(struct text *to, const struct ari_model *model)
{
	struct torn torn = count_torn(model);
	bool stopped = model->stopped.code != ARI_OK;

	if (stopped)
		text_add(to, "Time ran out before all was read");
	if (torn.damaged > 0) {
		const char *message = torn.first->damage.at[0].message;

		say_some(to, !stopped, torn.damaged, model);
		text_add(to, " %s damaged (arena %" PRIu64 ": %s)",
			 torn.damaged == 1 ? "is" : "are", torn.first->index,
			 message == NULL ? "?" : message);
	}
	if (torn.moved > 0) {
		say_some(to, !stopped && torn.damaged == 0, torn.moved, model);
		text_add(to, " did not come to rest while %s read",
			 torn.moved == 1 ? "it was" : "they were");
	}
}

static void say_look_again(struct text *to, const struct ari_model *model)
{
	struct torn torn = count_torn(model);

	if (model->stopped.code != ARI_OK)
		text_add(to, "-t gives more time.  ");
	if (torn.damaged > 0)
		text_add(to, "Something has written over malloc's own data, and looking "
			     "again shows the same: AddressSanitizer or valgrind tell "
			     "what, in a run of their own.  ");
	if (torn.moved > 0)
		text_add(to, "Look again, or when the process is less busy.  ");
}

// clang-format off
static const struct {
	const char *name;
	void (*say)(struct text *to, const struct ari_model *model);
} words[] = {
	{ "pid", say_pid },
	{ "trim", say_trim },
	{ "holder", say_holder },
	{ "outside", say_outside },
	{ "set_arena_max", say_arena_max },
	{ "set_mmap_max", say_mmap_max },
	{ "lower_tops", say_lower_tops },
	{ "asks_for_huge_pages", say_huge_pages },
	{ "provider", say_provider },
	{ "also_others", say_also_others },
	{ "last_chunk", say_last_chunk },
	{ "unstable", say_unstable },
	{ "look_again", say_look_again },
};
// clang-format on

bool word_say(struct text *to, const struct ari_model *model, const char *name,
	      size_t length)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strncmp(words[i].name, name, length) != 0 ||
		    words[i].name[length] != '\0')
			continue;
		words[i].say(to, model);
		return true;
	}
	return false;
}
