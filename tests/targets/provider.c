// LDFLAGS: -ldl
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider BLOCKS GLIBC_BLOCKS [load LIBRARY | map FILE]
 *
 * Blocks of 1000 bytes from whatever answers to malloc, and others from the malloc of
 * glibc itself.  Prints "malloc FILE", the module that malloc is in by the word of the
 * dynamic linker.  Before that it may load a library which keeps to itself what it
 * brings (RTLD_LOCAL, RTLD_DEEPBIND) and call its use_inside(), or map a file as data.
 */
#include "target.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

typedef void *malloc_fn(size_t bytes);

static void load(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	const char *(*use_inside)(void);

	if (handle == NULL) {
		target_print(2, dlerror());
		target_fail(" dlopen");
	}
	*(void **)&use_inside = dlsym(handle, "use_inside");
	if (use_inside == NULL)
		return;
	target_print(1, "inside ");
	target_print(1, use_inside());
	target_print(1, "\n");
}

static void map(const char *file)
{
	int fd = open(file, O_RDONLY);
	struct stat status;
	const volatile char *at;

	if (fd < 0 || fstat(fd, &status) != 0)
		target_fail("open");
	at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED || at[1] != 'E')
		target_fail("mmap");
}

static void take(malloc_fn *from, int blocks)
{
	for (int i = 0; i < blocks; i++) {
		volatile char *block = from(1000);

		if (block == NULL)
			target_fail("malloc");
		block[0] = 1;
	}
}

/* As a global: the answer is that of the lookup that all calls take. */
static malloc_fn *volatile asked = malloc;

int main(int argc, char **argv)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	malloc_fn *glibc;
	Dl_info info;

	if (argc < 3 || libc == NULL)
		target_fail("usage: provider BLOCKS GLIBC_BLOCKS [load|map FILE]");
	*(void **)&glibc = dlsym(libc, "malloc");
	if (argc > 4 && strcmp(argv[3], "load") == 0)
		load(argv[4]);
	if (argc > 4 && strcmp(argv[3], "map") == 0)
		map(argv[4]);
	take(asked, atoi(argv[1]));
	take(glibc, atoi(argv[2]));
	if (dladdr((void *)asked, &info) == 0)
		target_fail("dladdr");
	target_print(1, "malloc ");
	target_print(1, info.dli_fname);
	target_print(1, "\n");
	target_rest();
}
