// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "base/set.h"
#include "model/model.h"
#include "walk/threads.h"

/* What became of the search for struct pthreads. */
struct outcome {
	bool any;     /* the kernel led to some */
	bool refused; /* it did not say of some */
	bool whole;   /* those who are not found were not made by glibc */
	size_t foreign;
};

/* The place that a thread's list of robust futexes leads to, if it is one. */
static bool follow_robust(struct walk *walk, const struct thread_clue *clue,
			  struct thread_place *place, struct ari_error *err)
{
	uint16_t offset = walk->layout->arch->pthread_robust_head;
	uint64_t address = clue->robust_head - offset;
	enum ari_yesno is;

	if (clue->robust_head == ARI_UNKNOWN || clue->robust_head <= offset)
		return true;
	if (!pthread_check(walk, address, clue->ns_tid, &is, err))
		return false;
	/* In swap, it is what the thread told the kernel. */
	if (is != ARI_NO)
		place->pthread = address;
	return true;
}

/*
 * On machines where struct pthread is at the thread pointer.  A thread that was made
 * without one of its own has its maker's.
 */
static bool follow_pointer(struct walk *walk, const struct thread_clue *clue,
			   bool is_shared, struct thread_place *place,
			   struct ari_error *err)
{
	enum ari_yesno is;
	int32_t tid;

	if (clue->pointer == 0 || walk->layout->arch->tls_variant != 2)
		return true;
	if (!pthread_check(walk, clue->pointer, ARI_UNKNOWN, &is, err))
		return false;
	if (is != ARI_YES)
		return true;
	if (!pthread_tid(walk, clue->pointer, &tid, err))
		return mem_is_fault(err);
	if (is_shared && (uint64_t)tid != clue->tid)
		return true;
	place->pthread = clue->pointer;
	if (tid > 0)
		place->ns_tid = (uint64_t)tid;
	return true;
}

static bool add_place(struct walk *walk, const struct thread_clue *clue, bool is_shared,
		      struct ari_error *err)
{
	struct thread_place *place = list_add(&walk->threads, err);

	if (place == NULL)
		return false;
	*place = (struct thread_place){ .tid = clue->tid,
					.ns_tid = clue->ns_tid,
					.arena = ARI_UNKNOWN,
					.tcache = ARI_UNKNOWN };
	return clue->ended || (follow_robust(walk, clue, place, err) &&
			       follow_pointer(walk, clue, is_shared, place, err));
}

/* The thread pointers that more than one thread has. */
static bool find_shared(const struct thread_clues *clues, struct set *ret,
			struct ari_error *err)
{
	struct set seen = { 0 };
	bool done = true;

	for (size_t i = 0; i < clues->list.count && done; i++) {
		uint64_t pointer = clues->list.at[i].pointer;

		if (pointer != 0)
			done = set_add(set_find(&seen, pointer, NULL) ? ret : &seen,
				       pointer, 0, err);
	}
	set_done(&seen);
	return done;
}

/* pointers[i]: what the clue says, where only this thread has it. */
static bool add_places(struct walk *walk, const struct thread_clues *clues,
		       const struct set *shared, uint64_t *pointers,
		       struct outcome *outcome, struct ari_error *err)
{
	list_done(&walk->threads);
	walk->first_ended = false;
	for (size_t i = 0; i < clues->list.count; i++) {
		const struct thread_clue *clue = &clues->list.at[i];
		bool is_shared =
			clue->pointer != 0 && set_find(shared, clue->pointer, NULL);

		if (!deadline_ok(walk->deadline, err) ||
		    !add_place(walk, clue, is_shared, err))
			return false;
		if (walk->layout->arch->tls_variant == 1 && !is_shared)
			pointers[i] = clue->pointer;
		outcome->any |= walk->threads.at[i].pthread != 0;
		outcome->refused |= !clue->ended && clue->robust_head == ARI_UNKNOWN;
		walk->first_ended |= i == 0 && clue->ended;
	}
	return true;
}

/* Of those that live: is nothing known of where its variables are? */
static bool is_missing(const struct walk *walk, const struct thread_clues *clues,
		       const uint64_t *pointers, size_t i)
{
	return !clues->list.at[i].ended && walk->threads.at[i].pthread == 0 &&
	       pointers[i] == 0;
}

static size_t count_missing(const struct walk *walk, const struct thread_clues *clues,
			    const uint64_t *pointers)
{
	size_t missing = 0;

	for (size_t i = 0; i < walk->threads.count; i++)
		missing += is_missing(walk, clues, pointers, i);
	return missing;
}

/*
 * A glibc that tells the kernel of one thread tells it of all, the newest when it
 * starts to run.
 */
static bool find_missing(struct walk *walk, const struct thread_clues *clues,
			 const uint64_t *pointers, struct outcome *outcome,
			 struct ari_error *err)
{
	outcome->whole = outcome->any && !outcome->refused;
	if (outcome->whole || count_missing(walk, clues, pointers) == 0)
		return true;
	if (!pthreads_from_lists(walk, clues->stacks, &outcome->whole, err))
		return false;
	return outcome->whole || count_missing(walk, clues, pointers) == 0 ||
	       pthreads_by_search(walk, &outcome->whole, err);
}

/* A thread alone in a process with one arena can have no other. */
static void settle_single(struct walk *walk)
{
	const struct ari_model *model = walk->model;
	struct thread_place *place = walk->threads.at;

	if (walk->threads.count == 1 && place->arena == ARI_UNKNOWN &&
	    model->arenas.count == 1 && !walk->ring_break.found &&
	    model->arenas.at[0].system_bytes != ARI_UNKNOWN &&
	    model->arenas.at[0].system_bytes > 0)
		place->arena = model->arenas.at[0].address;
}

/* Those that have no struct pthread, and those that have ended. */
static void settle_others(struct walk *walk, const struct thread_clues *clues,
			  const uint64_t *pointers, const struct set *owned,
			  struct outcome *outcome)
{
	settle_single(walk);
	for (size_t i = 0; i < walk->threads.count; i++) {
		const struct thread_clue *clue = &clues->list.at[i];
		struct thread_place *place = &walk->threads.at[i];
		bool foreign = is_missing(walk, clues, pointers, i) &&
			       (outcome->whole || set_find(owned, clue->pointer, NULL));

		if (place->arena != ARI_UNKNOWN || !(foreign || clue->ended))
			continue;
		place->arena = place->tcache = 0;
		outcome->foreign += foreign;
	}
}

/* The struct pthreads of those who have one. */
static bool index_owned(const struct walk *walk, struct set *ret, struct ari_error *err)
{
	for (size_t i = 0; i < walk->threads.count; i++)
		if (walk->threads.at[i].pthread != 0 &&
		    !set_add(ret, walk->threads.at[i].pthread, i, err))
			return false;
	return true;
}

static bool settle(struct walk *walk, const struct thread_clues *clues,
		   const uint64_t *pointers, struct outcome *outcome,
		   struct ari_error *err)
{
	struct set owned = { 0 };
	bool done = index_owned(walk, &owned, err);

	if (done)
		settle_others(walk, clues, pointers, &owned, outcome);
	set_done(&owned);
	return done;
}

static bool add_rows(struct walk *walk, const struct thread_clues *clues,
		     const struct set *arenas, struct ari_error *err)
{
	walk->model->threads.known = true;
	for (size_t i = 0; i < walk->threads.count; i++) {
		const struct thread_place *place = &walk->threads.at[i];
		struct ari_thread *thread = model_add_thread(walk->model, err);

		if (thread == NULL ||
		    !model_set_string(&thread->name, clues->list.at[i].name, err))
			return false;
		thread->tid = place->tid;
		thread->ns_tid = place->ns_tid;
		if (place->arena != 0)
			set_find(arenas, place->arena, &thread->arena);
	}
	return true;
}

static bool note_foreign(struct walk *walk, size_t foreign, struct ari_error *err)
{
	return foreign == 0 ||
	       model_add_note(walk->model, err,
			      "%zu of %zu threads were not made by glibc (or only just "
			      "start): they have no arena",
			      foreign, walk->threads.count);
}

/* Where malloc has no memory yet, nobody has an arena. */
static bool note_unknown(struct walk *walk, struct ari_error *err)
{
	size_t unknown = 0;

	for (size_t i = 0; i < walk->threads.count; i++)
		unknown += walk->threads.at[i].arena == ARI_UNKNOWN;
	return unknown == 0 || walk->model->arenas.count == 0 ||
	       walk->model->arenas.at[0].system_bytes == 0 ||
	       model_add_note(walk->model, err,
			      "which arena %zu of %zu threads use could not be read",
			      unknown, walk->threads.count);
}

/* From address to index. */
static bool index_arenas(const struct ari_model *model, struct set *ret,
			 struct ari_error *err)
{
	for (size_t i = 0; i < model->arenas.count; i++)
		if (!set_add(ret, model->arenas.at[i].address, model->arenas.at[i].index,
			     err))
			return false;
	return true;
}

static bool read_places(struct walk *walk, const struct thread_clues *clues,
			uint64_t *pointers, const struct set *arenas,
			struct outcome *outcome, struct ari_error *err)
{
	struct set shared = { 0 };
	bool done = find_shared(clues, &shared, err) &&
		    add_places(walk, clues, &shared, pointers, outcome, err);

	set_done(&shared);
	return done && find_missing(walk, clues, pointers, outcome, err) &&
	       tls_read(walk, clues, arenas, pointers, err) &&
	       settle(walk, clues, pointers, outcome, err);
}

bool walk_threads(struct walk *walk, const struct thread_clues *clues,
		  struct ari_error *err)
{
	autofree uint64_t *pointers = calloc(clues->list.count + 1, sizeof(*pointers));
	struct outcome outcome = { 0 };
	struct set arenas = { 0 };
	bool done;

	if (pointers == NULL)
		return fail_memory(err);
	done = index_arenas(walk->model, &arenas, err) &&
	       read_places(walk, clues, pointers, &arenas, &outcome, err) &&
	       add_rows(walk, clues, &arenas, err);
	set_done(&arenas);
	return done && note_foreign(walk, outcome.foreign, err) &&
	       note_unknown(walk, err);
}
