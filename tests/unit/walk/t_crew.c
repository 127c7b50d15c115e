// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "unit.h"
#include "world.h"

#ifndef __SANITIZE_THREAD__ /* it has its own, and sees races without this */
/* In place of the C library's, so that who waits for a lock has it at once. */
int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	static int (*real)(pthread_mutex_t *);
	int done;

	if (real == NULL) {
		void *found = dlsym(RTLD_NEXT, "pthread_mutex_unlock");

		memcpy(&real, &found, sizeof(real));
	}
	done = real(mutex);
	for (int i = 0; i < 3; i++)
		sched_yield();
	return done;
}
#endif

/* The mappings take their time to be read, and are not there meanwhile. */
static bool refresh_slowly(struct mem *mem, struct ari_error *err)
{
	static const struct maps none;
	struct maps maps = *mem->maps;

	*mem->maps = none;
	for (int i = 0; i < 20; i++)
		sched_yield();
	*mem->maps = maps;
	(void)err;
	return true;
}

/* What of main could be given back; its end is told by the mappings. */
static uint64_t trimmable(unsigned int jobs)
{
	struct locked locked = { 0 };
	struct world world;
	struct mem_ops ops;
	struct ari_error err;
	uint64_t bytes;

	world_init_three(&world, LAYOUT_RELEASE(2, 36));
	ck_works(world_walk(&world, &err), &err);
	/* They never add up, are tried again, and read the mappings anew for it. */
	for (size_t n = 0; n < 3; n++)
		world_set(&world, world.arenas[n].address, MS_SYSTEM_MEM,
			  world.arenas[n].system_mem + 0x10);
	ops = *world.fake.mem.ops;
	ops.refresh = refresh_slowly;
	world.fake.mem.ops = &ops;
	world.walk.locked = &locked;
	world.walk.jobs = jobs;
	ck_works(walk_depth(&world.walk, &err), &err);
	bytes = world.walk.model->arenas.at[0].resident.trimmable_bytes;
	world_done(&world);
	return bytes;
}

TEST(workers_do_not_race_for_the_mappings)
{
	uint64_t alone = trimmable(1);

	ck_assert_uint_gt(alone, 0);
	for (int i = 0; i < 300; i++)
		must(trimmable(4) == alone);
}

UNIT_MAIN("walk/crew", workers_do_not_race_for_the_mappings)
