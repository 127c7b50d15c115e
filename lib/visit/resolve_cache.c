// SPDX-License-Identifier: Apache-2.0
#include "visit/resolve_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/list.h"

#define FILES_MAX 4096 /* of which what is found is kept */

struct file_id {
	uint64_t device, inode, bytes, changed_ns;
};

enum state { NOT_FOUND, BEING_FOUND, FOUND };

struct entry {
	struct file_id id;
	char *build_id; /* or NULL */
	enum state state;
	struct resolved resolved;
};

struct resolve_cache {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ARI_LIST(struct entry) list;
};

struct resolve_cache *resolve_cache_new(struct ari_error *err)
{
	struct resolve_cache *cache = calloc(1, sizeof(*cache));
	pthread_condattr_t clock;

	if (cache == NULL) {
		fail_memory(err);
		return NULL;
	}
	pthread_mutex_init(&cache->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&cache->changed, &clock);
	pthread_condattr_destroy(&clock);
	return cache;
}

void resolve_cache_free(struct resolve_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->list.count; i++) {
		free(cache->list.at[i].build_id);
		resolved_done(&cache->list.at[i].resolved);
	}
	list_done(&cache->list);
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

void resolved_done(struct resolved *resolved)
{
	free(resolved->debug_file);
	*resolved = (struct resolved){ 0 };
}

/* Symbols move by the bias; what was not found stays 0. */
static bool copy(const struct resolved *from, uint64_t bias, struct resolved *ret)
{
	*ret = *from;
	for (int i = 0; i < SYMBOLS; i++)
		if (ret->symbols.address[i] != 0)
			ret->symbols.address[i] += bias;
	if (from->debug_file != NULL)
		ret->debug_file = strdup(from->debug_file);
	return from->debug_file == NULL || ret->debug_file != NULL;
}

static bool identify(const struct image *image, struct file_id *ret)
{
	struct stat file;

	if (fstat(image->fd, &file) != 0)
		return false;
	*ret = (struct file_id){
		.device = file.st_dev,
		.inode = file.st_ino,
		.bytes = (uint64_t)file.st_size,
		.changed_ns = (uint64_t)file.st_ctim.tv_sec * NS_PER_SECOND +
			      (uint64_t)file.st_ctim.tv_nsec,
	};
	return true;
}

static bool same_file(const struct file_id *a, const struct file_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
	       a->changed_ns == b->changed_ns;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Under the lock; NULL: there is none. */
static struct entry *find_entry(struct resolve_cache *cache, const struct file_id *id,
				const char *build_id)
{
	for (size_t i = 0; i < cache->list.count; i++) {
		struct entry *entry = &cache->list.at[i];

		if (same_file(&entry->id, id) && same_text(entry->build_id, build_id))
			return entry;
	}
	return NULL;
}

/* Under the lock; without memory, or room, the file is found anew each time. */
static void begin_entry(struct resolve_cache *cache, const struct file_id *id,
			const char *build_id)
{
	char *copied = build_id == NULL ? NULL : strdup(build_id);
	struct entry *entry = NULL;

	if ((build_id == NULL || copied != NULL) && cache->list.count < FILES_MAX)
		entry = list_add(&cache->list, NULL);
	if (entry == NULL) {
		free(copied);
		return;
	}
	entry->id = *id;
	entry->build_id = copied;
	entry->state = BEING_FOUND;
}

static struct timespec wait_until(struct deadline deadline)
{
	uint64_t at = clock_monotonic_ns() + RESOLVE_WAIT_NS;

	if (deadline.at_ns != 0 && deadline.at_ns < at)
		at = deadline.at_ns;
	return (struct timespec){ (time_t)(at / NS_PER_SECOND),
				  (long)(at % NS_PER_SECOND) };
}

/* Under the lock: the entry once nobody is finding it; NULL: it is the caller's turn. */
static struct entry *await_entry(struct resolve_cache *cache, const struct file_id *id,
				 const char *build_id, struct deadline deadline)
{
	struct timespec until = wait_until(deadline);
	struct entry *entry;
	int waited = 0;

	for (;;) {
		entry = find_entry(cache, id, build_id); /* the list may have moved */
		if (entry == NULL || entry->state != BEING_FOUND || waited == ETIMEDOUT)
			break;
		waited = pthread_cond_timedwait(&cache->changed, &cache->lock, &until);
	}
	if (entry == NULL)
		begin_entry(cache, id, build_id);
	else if (entry->state == NOT_FOUND)
		entry->state = BEING_FOUND;
	return entry != NULL && entry->state == FOUND ? entry : NULL;
}

bool resolve_cache_find(struct resolve_cache *cache, const struct image *image,
			struct deadline deadline, struct resolved *ret)
{
	const struct entry *entry;
	struct file_id id;
	bool found;

	if (!identify(image, &id))
		return false;
	pthread_mutex_lock(&cache->lock);
	entry = await_entry(cache, &id, image->build_id, deadline);
	found = entry != NULL && copy(&entry->resolved, image->bias, ret);
	pthread_mutex_unlock(&cache->lock);
	return found;
}

void resolve_cache_settle(struct resolve_cache *cache, const struct image *image,
			  const struct resolved *found)
{
	struct entry *entry;
	struct file_id id;

	if (!identify(image, &id))
		return;
	pthread_mutex_lock(&cache->lock);
	entry = find_entry(cache, &id, image->build_id);
	if (entry != NULL && entry->state == BEING_FOUND) {
		bool kept = found != NULL && copy(found, -image->bias, &entry->resolved);

		entry->state = kept ? FOUND : NOT_FOUND;
		pthread_cond_broadcast(&cache->changed);
	}
	pthread_mutex_unlock(&cache->lock);
}
