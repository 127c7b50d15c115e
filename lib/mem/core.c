// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "layout/machine.h"
#include "mem/core_notes.h"

static struct core *core_of(struct mem *mem)
{
	return (struct core *)mem;
}

static const struct core_part *part_of(const struct core *core, uint64_t address)
{
	ptrdiff_t i =
		list_floor(core->parts.at, core->parts.count, sizeof(struct core_part),
			   offsetof(struct core_part, start), address);

	return i < 0 || core->parts.at[i].end <= address ? NULL : &core->parts.at[i];
}

/* ---- the memory ---- */

bool core_lacks(const struct core *core, uint64_t address)
{
	const struct core_part *part = part_of(core, address);

	return part == NULL || address >= part->dumped_end;
}

static uint8_t state_of(const struct core *core, uint64_t page)
{
	const struct core_part *part = part_of(core, page);
	const struct map *map;

	if (part == NULL)
		return PAGE_ABSENT;
	if (page + core->mem.page_bytes <= part->dumped_end)
		return PAGE_NOT_ALONE;
	map = maps_find(&core->maps, page);
	if (map == NULL || map_is_anonymous(map) || (map->flags & MAP_WRITE))
		return PAGE_UNREADABLE;
	return PAGE_ABSENT;
}

static bool core_pages(struct mem *mem, uint64_t start, size_t count, uint8_t *states,
		       struct ari_error *err)
{
	uint64_t bytes, end;

	if (__builtin_mul_overflow(count, mem->page_bytes, &bytes) ||
	    __builtin_add_overflow(start, bytes, &end))
		return fail_at(err, ARI_FAULT, start,
			       "an address beyond the address space");
	for (size_t i = 0; i < count; i++)
		states[i] = state_of(core_of(mem), start + i * mem->page_bytes);
	return true;
}

/* The parts that are in the file: one run each. */
static bool core_runs(struct mem *mem, uint64_t start, uint64_t end,
		      struct page_run *runs, size_t room, size_t *ret_count,
		      uint64_t *ret_reached, struct ari_error *err)
{
	const struct core *core = core_of(mem);
	uint64_t page = mem->page_bytes;
	ptrdiff_t i =
		list_floor(core->parts.at, core->parts.count, sizeof(struct core_part),
			   offsetof(struct core_part, start), start);

	(void)err;
	*ret_reached = end;
	*ret_count = 0;
	for (size_t part = i < 0 ? 0 : (size_t)i; part < core->parts.count; part++) {
		const struct core_part *at = &core->parts.at[part];
		uint64_t from = at->start > start ? at->start : start;
		uint64_t to = at->dumped_end - at->dumped_end % page;

		if (from >= end)
			break;
		if (*ret_count == room) {
			*ret_reached = from;
			break;
		}
		if (to > end)
			to = end;
		if (from < to)
			runs[(*ret_count)++] =
				(struct page_run){ from, to, PAGE_NOT_ALONE, false };
	}
	return true;
}

/* What was resident, a core does not say. */
static bool core_rss(struct mem *mem, struct rss_span *spans, size_t count,
		     struct ari_error *err)
{
	(void)mem, (void)err;
	for (size_t i = 0; i < count; i++)
		spans[i].resident = spans[i].swapped = ARI_UNKNOWN;
	return true;
}

static bool fault(struct ari_error *err, uint64_t address)
{
	return fail_at(err, ARI_FAULT, address,
		       "the core does not have the memory at 0x%" PRIx64, address);
}

static bool copy_range(struct core *core, const struct mem_range *range,
		       struct ari_error *err)
{
	for (size_t done = 0; done < range->length;) {
		uint64_t at = range->address + done;
		const struct core_part *part = part_of(core, at);
		size_t want = range->length - done;
		ssize_t got;

		/* The process had it: as good as in swap, and no damage. */
		if (part != NULL && at >= part->dumped_end)
			return fail_at(err, ARI_SWAPPED, at,
				       "the core lacks the memory at 0x%" PRIx64, at);
		if (part == NULL)
			return fault(err, at);
		if (want > part->dumped_end - at)
			want = part->dumped_end - at;
		got = pread(core->fd, (uint8_t *)range->to + done, want,
			    (off_t)(part->offset + (at - part->start)));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fault(err, at);
		done += (size_t)got;
	}
	return true;
}

static bool core_copy(struct mem *mem, const struct mem_range *ranges, size_t count,
		      size_t *ret_done, struct ari_error *err)
{
	for (*ret_done = 0; *ret_done < count; ++*ret_done)
		if (!copy_range(core_of(mem), &ranges[*ret_done], err))
			return false;
	return true;
}

static bool core_file(struct mem *mem, const struct map *map, uint64_t address, void *to,
		      size_t length, struct ari_error *err)
{
	struct core *core = core_of(mem);
	ssize_t got;

	if (core->backing_fd < 0 || strcmp(core->backing_path, map->path) != 0)
		return fault(err, address);
	got = pread(core->backing_fd, to, length,
		    (off_t)(map->offset + (address - map->start)));
	if (got < 0)
		return fault(err, address);
	memset((uint8_t *)to + got, 0, length - (size_t)got);
	return true;
}

void core_back(struct core *core, const char *path, int fd)
{
	core->backing_path = path;
	core->backing_fd = fd;
}

/* It does not change. */
static bool core_refresh(struct mem *mem, struct ari_error *err)
{
	(void)mem, (void)err;
	return true;
}

static const struct mem_ops core_ops = {
	.pages = core_pages,
	.mapped_pages = core_pages,
	.runs = core_runs,
	.rss = core_rss,
	.copy = core_copy,
	.file = core_file,
	.refresh = core_refresh,
};

/* ---- its headers ---- */

static unsigned int map_flags(const GElf_Phdr *phdr)
{
	return (phdr->p_flags & PF_R ? MAP_READ : 0) |
	       (phdr->p_flags & PF_W ? MAP_WRITE : 0) |
	       (phdr->p_flags & PF_X ? MAP_EXEC : 0);
}

static bool add_part(struct core *core, const GElf_Phdr *phdr, struct ari_error *err)
{
	uint64_t page = core->mem.page_bytes, end, dumped = phdr->p_filesz;
	struct core_part *part;
	struct map *map;

	if (phdr->p_memsz == 0)
		return true;
	if (__builtin_add_overflow(phdr->p_vaddr, phdr->p_memsz, &end) ||
	    phdr->p_vaddr % page != 0 || phdr->p_filesz > phdr->p_memsz ||
	    (core->parts.count > 0 &&
	     core->parts.at[core->parts.count - 1].end > phdr->p_vaddr))
		return fail(err, ARI_IO,
			    "the core's program headers are not those of a core");
	if (phdr->p_offset >= core->file_bytes)
		dumped = 0;
	else if (dumped > core->file_bytes - phdr->p_offset)
		dumped = core->file_bytes - phdr->p_offset;
	core->cut |= dumped < phdr->p_filesz;
	part = list_add(&core->parts, err);
	map = part == NULL ? NULL : list_add(&core->maps.list, err);
	if (map == NULL)
		return false;
	*part = (struct core_part){ phdr->p_vaddr, end, phdr->p_vaddr + dumped,
				    phdr->p_offset };
	*map = (struct map){ .start = phdr->p_vaddr, .end = end, .path = "" };
	map->flags = map_flags(phdr);
	return true;
}

static bool for_headers(struct core *core, Elf *elf, uint32_t type, struct ari_error *err)
{
	size_t count = 0, notes_left = NOTES_MAX;
	GElf_Phdr phdr;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, (int)i, &phdr) == NULL || phdr.p_type != type)
			continue;
		if (type == PT_LOAD
			    ? !add_part(core, &phdr, err)
			    : !core_take_notes(core, elf, &phdr, &notes_left, err))
			return false;
	}
	return true;
}

static bool read_headers(struct core *core, Elf *elf, const char *file,
			 struct ari_error *err)
{
	GElf_Ehdr header;

	if (elf == NULL || gelf_getehdr(elf, &header) == NULL || header.e_type != ET_CORE)
		return fail(err, ARI_IO, "%s is not a core file", file);
	core->arch = machine_find(header.e_machine, header.e_ident[EI_CLASS]);
	if (core->arch == NULL || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return fail(err, ARI_NOT_GLIBC,
			    "%s is of a machine that is not known (ELF machine %u, %s)",
			    file, header.e_machine,
			    header.e_ident[EI_CLASS] == ELFCLASS32 ? "32-bit" : "64-bit");
	/* Headers of memory first: the notes name it. */
	if (!for_headers(core, elf, PT_LOAD, err) ||
	    !for_headers(core, elf, PT_NOTE, err))
		return false;
	return core->parts.count > 0 || fail(err, ARI_IO, "%s has no memory in it", file);
}

/* Cores are kept compressed by systemd-coredump and others. */
static const struct packing {
	const char *magic, *program;
	size_t length;
} packings[] = {
	{ "\x28\xb5\x2f\xfd", "zstd -d", 4 },
	{ "\xfd"
	  "7zXZ",
	  "xz -d", 5 },
	{ "\x04\x22\x4d\x18", "lz4 -d", 4 },
	{ "\x1f\x8b", "gzip -d", 2 },
};

static bool refuse_packed(int fd, const char *file, struct ari_error *err)
{
	char head[8] = "";

	if (pread(fd, head, sizeof(head), 0) < 2)
		return fail(err, ARI_IO, "%s is empty, or cannot be read", file);
	for (size_t i = 0; i < sizeof(packings) / sizeof(*packings); i++)
		if (memcmp(head, packings[i].magic, packings[i].length) == 0)
			return fail(err, ARI_IO,
				    "%s is compressed: unpack it first (%s, or "
				    "`coredumpctl dump PID --output=FILE`)",
				    file, packings[i].program);
	return true;
}

bool core_open(const char *file, struct core *ret, struct ari_error *err)
{
	struct core core = { .fd = open(file,
					O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
			     .backing_fd = -1 };
	struct stat status;
	Elf *elf = NULL;
	bool done;

	if (core.fd < 0 || fstat(core.fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		fail(err, ARI_IO, "cannot open %s: %s", file,
		     core.fd < 0 ? strerror(errno) : "not a regular file");
		core_close(&core);
		return false;
	}
	core.file_bytes = (uint64_t)status.st_size;
	core.mem = (struct mem){ &core_ops, NULL, 4096, false };
	elf_version(EV_CURRENT);
	done = refuse_packed(core.fd, file, err);
	if (done) {
		elf = elf_begin(core.fd, ELF_C_READ_MMAP, NULL);
		done = read_headers(&core, elf, file, err);
		elf_end(elf);
	}
	if (!done) {
		core_close(&core);
		return false;
	}
	*ret = core;
	ret->mem.maps = &ret->maps;
	return true;
}

void core_close(struct core *core)
{
	cleanup_close(&core->fd);
	core->fd = core->backing_fd = -1;
	list_done(&core->parts);
	list_done(&core->threads);
	maps_done(&core->maps);
}
