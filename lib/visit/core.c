// SPDX-License-Identifier: Apache-2.0
/* The steps that a core file takes in place of a process. */
#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "model/model.h"
#include "visit/modules.h"

#define HEADERS_MAX 256
#define DYNAMIC_MAX 1024

/* Where a member of a link of the list is. */
#define LINK(module, member) ((module) + offsetof(struct module_link, member))

/*
 * The first mapping of the program: that of its program headers, or the first that is
 * named.  NULL: the core does not tell.
 */
static const struct map *program_map(const struct core *core)
{
	const struct maps *maps = &core->maps;
	const struct map *map = maps_find(maps, core->headers);

	if (map != NULL && map->offset == 0)
		return map;
	for (size_t i = 0; i < maps->list.count; i++) {
		map = &maps->list.at[i];
		if (map->path[0] == '/' && map->offset == 0)
			return map;
	}
	return NULL;
}

/* As the core names it, or as we were told. */
static const char *program_name(const struct visit *visit)
{
	const struct map *map = program_map(&visit->core);

	return map == NULL || map->path[0] != '/' ? visit->core_exe : map->path;
}

bool visit_open_core(struct visit *visit, struct ari_error *err)
{
	struct ari_process *process = &visit->model->process;
	const struct core *core = &visit->core;

	if (!core_open(visit->core_file, &visit->core, err))
		return false;
	visit->core.mem.maps = &visit->core.maps;
	visit->mem = &visit->core.mem;
	process->pid = core->pid == 0 ? ARI_UNKNOWN : core->pid;
	process->tasks = core->threads.count == 0 ? ARI_UNKNOWN : core->threads.count;
	process->page_bytes = core->mem.page_bytes;
	if (core->cut && !model_add_note(visit->model, err,
					 "%s is cut: it ends before what its headers "
					 "announce, and the rest is unread",
					 visit->core_file))
		return false;
	return model_set_string(&process->arch, core->arch->name, err) &&
	       model_set_string(&process->comm, core->comm[0] == '\0' ? NULL : core->comm,
				err) &&
	       model_set_string(&process->exe, program_name(visit), err) &&
	       visit_tell(visit, err, "%zu parts of memory", core->parts.count);
}

/* The first page of an ELF image, as the core has it. */
struct head {
	uint8_t bytes[4096];
	Elf64_Ehdr elf;
};

static bool read_head(struct visit *visit, const struct map *map, struct head *ret)
{
	if (!mem_read(visit->mem, map->start, ret->bytes, sizeof(ret->bytes), NULL))
		return false;
	memcpy(&ret->elf, ret->bytes, sizeof(ret->elf));
	return memcmp(ret->elf.e_ident, ELFMAG, SELFMAG) == 0;
}

/*
 * Whether the core's memory at map says the build-id of the image's file: the note lies
 * in the first page, which dumps have by default.
 */
static enum ari_yesno is_same_build(struct visit *visit, const struct map *map,
				    const struct image *image)
{
	static const uint8_t note[] = { 4, 0, 0, 0, 20,	 0,   0,   0,
					3, 0, 0, 0, 'G', 'N', 'U', 0 };
	char build_id[2 * 20 + 1];
	const uint8_t *at;
	struct head head;

	if (image->build_id == NULL || core_lacks(&visit->core, map->start) ||
	    !read_head(visit, map, &head))
		return ARI_MAYBE;
	at = memmem(head.bytes, sizeof(head.bytes) - 20, note, sizeof(note));
	if (at == NULL)
		return ARI_MAYBE;
	for (size_t i = 0; i < 20; i++)
		snprintf(build_id + 2 * i, 3, "%02x", at[sizeof(note) + i]);
	return strcmp(build_id, image->build_id) == 0 ? ARI_YES : ARI_NO;
}

/* Tries one file as that of map. */
static bool try_file(struct visit *visit, const char *file, const struct map *map,
		     struct ari_error *err)
{
	enum ari_yesno same;
	struct image image;

	if (!image_open_path(file, map, &image, err))
		return false;
	same = is_same_build(visit, map, &image);
	if (image.arch != visit->core.arch) {
		fail(err, ARI_IO, "%s is of another machine than the core (%s)", file,
		     visit->core.arch->name);
	} else if (same == ARI_NO) {
		fail(err, ARI_IO,
		     "%s is not the file that the process ran on: its build-id "
		     "is another one",
		     file);
	} else if (!image.is_glibc) {
		fail(err, ARI_NOT_GLIBC, "%s is not glibc, nor has it glibc linked in",
		     file);
	} else if (same == ARI_YES ||
		   model_add_note(visit->model, err,
				  "the core lacks the build-id of %s: whether this is "
				  "the file that the process ran on is not known",
				  file)) {
		visit->image = image;
		return true;
	}
	image_done(&image);
	return false;
}

/* The file of map: below --debug-dir first, as the root of the system it is from. */
static bool open_named(struct visit *visit, const struct map *map, struct ari_error *err)
{
	const char *root = visit->options->debug_dir;
	autofree char *name = strndup(map->path, maps_path_length(map->path));
	autofree char *file = NULL;

	if (name == NULL || asprintf(&file, "%s%s", root == NULL ? "" : root, name) < 0)
		return fail_memory(err);
	/* One that is there and does not fit must not give way to this system's. */
	// cppcheck-suppress memleak ; name is autofree
	return try_file(visit, root == NULL || access(file, F_OK) == 0 ? file : name, map,
			err);
}

static bool open_library(struct visit *visit, const struct map *map,
			 struct ari_error *err)
{
	struct ari_error why;

	if (open_named(visit, map, &why))
		return true;
	return fail(err, why.code == ARI_NOT_GLIBC ? ARI_NOT_GLIBC : ARI_NO_SYMBOLS,
		    "the C library of the core cannot be had: %s (--debug-dir names the "
		    "root folder of the system that the core is from, which has it at "
		    "%.*s)",
		    why.message, (int)maps_path_length(map->path), map->path);
}

/* ---- cores that do not name the files that were mapped ---- */

/* The program's headers, and where its address 0 lies. */
struct program {
	Elf64_Phdr headers[HEADERS_MAX];
	size_t count;
	uint64_t bias;
};

static bool read_file_headers(const char *file, struct program *ret)
{
	autoclose int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	Elf64_Ehdr elf;
	ssize_t bytes;

	if (fd < 0 || pread(fd, &elf, sizeof(elf), 0) != sizeof(elf) ||
	    memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf.e_phentsize != sizeof(*ret->headers) || elf.e_phnum > HEADERS_MAX)
		return false;
	ret->count = elf.e_phnum;
	bytes = (ssize_t)(ret->count * sizeof(*ret->headers));
	return pread(fd, ret->headers, (size_t)bytes, (off_t)elf.e_phoff) == bytes;
}

/* From memory, or else from the file that --exe names. */
static bool read_program(struct visit *visit, struct program *ret)
{
	const struct core *core = &visit->core;

	ret->count = core->headers_count;
	if (core->headers == 0 || ret->count > HEADERS_MAX)
		return false;
	if (!mem_read(visit->mem, core->headers, ret->headers,
		      ret->count * sizeof(*ret->headers), NULL) &&
	    (visit->core_exe == NULL || !read_file_headers(visit->core_exe, ret)))
		return false;
	for (size_t i = 0; i < ret->count; i++) {
		if (ret->headers[i].p_type != PT_PHDR)
			continue;
		ret->bias = core->headers - ret->headers[i].p_vaddr;
		return true;
	}
	return false;
}

/* What the dynamic linker put there for debuggers; 0: there is none. */
static uint64_t dynamic_value(struct visit *visit, uint64_t address, int64_t tag)
{
	uint64_t found, value;

	for (size_t i = 0; i < DYNAMIC_MAX; i++, address += sizeof(Elf64_Dyn)) {
		if (!mem_read_word(visit->mem, address, &found, NULL) ||
		    !mem_read_word(visit->mem, address + 8, &value, NULL) ||
		    found == DT_NULL)
			return 0;
		if (found == (uint64_t)tag)
			return value;
	}
	return 0;
}

/* The dynamic linker's list of what it loaded for the program; 0: not found. */
static uint64_t first_module(struct visit *visit)
{
	struct program program;
	uint64_t debug = 0;

	if (!read_program(visit, &program))
		return 0;
	for (size_t i = 0; i < program.count; i++)
		if (program.headers[i].p_type == PT_DYNAMIC)
			debug = dynamic_value(visit,
					      program.bias + program.headers[i].p_vaddr,
					      DT_DEBUG);
	return debug == 0 ? 0 : modules_of_debug(visit, debug);
}

/* Up to its NUL, in pieces that never reach into another page; false: it has none. */
static bool read_text(struct visit *visit, uint64_t address, char *to, size_t room)
{
	for (size_t done = 0; done < room;) {
		size_t want = 64 - (address + done) % 64;

		want = want < room - done ? want : room - done;
		if (!mem_read(visit->mem, address + done, to + done, want, NULL))
			return false;
		if (memchr(to + done, '\0', want) != NULL)
			return true;
		done += want;
	}
	return false;
}

/* One module of the list: names the mapping that it begins with. */
static bool name_module(struct visit *visit, uint64_t module, struct ari_error *err)
{
	const struct map *map;
	uint64_t start, text;
	char name[4096];

	if (!mem_read_word(visit->mem, LINK(module, address), &start, NULL) ||
	    !mem_read_word(visit->mem, LINK(module, name), &text, NULL))
		return true;
	map = maps_find(&visit->core.maps, start);
	if (map == NULL || map->start != start || map->path[0] != '\0' ||
	    !read_text(visit, text, name, sizeof(name)) || name[0] != '/')
		return true;
	return core_name(&visit->core, start, map->end, 0, name, err);
}

static bool name_modules(struct visit *visit, uint64_t module, struct ari_error *err)
{
	for (size_t i = 0; module != 0 && i < MODULES_MAX; i++) {
		if (!name_module(visit, module, err))
			return false;
		if (!mem_read_word(visit->mem, LINK(module, next), &module, NULL))
			break;
	}
	return true;
}

/* The image that was found: the mappings of all its segments. */
static bool name_segments(struct visit *visit, struct ari_error *err)
{
	const struct image *image = &visit->image;
	size_t count = 0;
	GElf_Phdr phdr;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++) {
		uint64_t start, within;

		if (gelf_getphdr(image->elf, (int)i, &phdr) == NULL ||
		    phdr.p_type != PT_LOAD)
			continue;
		start = image->bias + phdr.p_vaddr;
		within = start % visit->mem->page_bytes;
		if (!core_name(&visit->core, start - within, start + phdr.p_filesz,
			       phdr.p_offset - within, image->path, err))
			return false;
	}
	return true;
}

/* ---- which libc ---- */

/* A static program, which has its libc in it. */
static bool open_program(struct visit *visit, const struct map *map,
			 struct ari_error *err)
{
	struct ari_error why;

	if (visit->core_exe != NULL)
		return try_file(visit, visit->core_exe, map, err);
	if (open_named(visit, map, &why))
		return true;
	return fail(err, why.code == ARI_NOT_GLIBC ? ARI_NOT_GLIBC : ARI_NO_SYMBOLS,
		    "no C library is mapped that is known, and the program itself: %s "
		    "(--exe names it)",
		    why.message);
}

static bool find_program(struct visit *visit, const struct libc_list *libcs,
			 struct ari_error *err)
{
	const struct map *map = program_map(&visit->core);
	const char *exe = visit->core_exe;

	if (libcs->other != NULL)
		return fail(err, ARI_NOT_GLIBC, "its C library is %s, not glibc",
			    libcs->other);
	if (map == NULL || (exe == NULL && map->path[0] == '\0'))
		return fail(err, ARI_NO_SYMBOLS,
			    "the core does not name the files that were mapped: --exe "
			    "names the program, which leads to them");
	if (map->path[0] == '\0' &&
	    !core_name(&visit->core, map->start, map->end, 0, exe, err))
		return false;
	return open_program(visit, map, err);
}

static bool open_image(struct visit *visit, struct ari_error *err)
{
	uint64_t first = first_module(visit);
	struct libc_list libcs;
	bool done;

	if (!visit->core.names_files && !name_modules(visit, first, err))
		return false;
	if (!image_list(&visit->core.maps, &libcs, err))
		return false;
	done = libcs.maps.count == 0
		       ? find_program(visit, &libcs, err)
		       : open_library(visit, visit_choose_libc(visit, &libcs, first),
				      err);
	list_done(&libcs.maps);
	return done;
}

bool visit_core_libc(struct visit *visit, struct ari_error *err)
{
	if (!open_image(visit, err) ||
	    (!visit->core.names_files && !name_segments(visit, err)))
		return false;
	core_back(&visit->core, visit->image.path, visit->image.fd);
	return visit_tell_libc(visit, err);
}
