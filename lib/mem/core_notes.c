// SPDX-License-Identifier: Apache-2.0
/* What the notes of a core file tell. */
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "mem/core_notes.h"

/* Places in the notes of 64-bit Linux: struct elf_prstatus, elf_prpsinfo. */
enum { PRSTATUS_PID = 32, PRPSINFO_PID = 24, PRPSINFO_COMM = 40, COMM_BYTES = 16 };

/* Whose notes they are; tools add others. */
static const char owner[] = "CORE";
static const char linux_owner[] = "LINUX";

/* A row of the note of files, and several; path is in the note. */
struct file_row {
	uint64_t start, end, offset;
	const char *path;
};
struct mapped {
	ARI_LIST(struct file_row);
};

bool core_name(struct core *core, uint64_t start, uint64_t end, uint64_t offset,
	       const char *path, struct ari_error *err)
{
	struct maps *maps = &core->maps;
	ptrdiff_t floor = list_floor(maps->list.at, maps->list.count, sizeof(struct map),
				     offsetof(struct map, start), start);
	char **slot = list_add(&maps->paths, err);

	if (slot == NULL)
		return false;
	*slot = strdup(path);
	if (*slot == NULL)
		return fail_memory(err);
	for (size_t i = floor < 0 ? 0 : (size_t)floor; i < maps->list.count; i++) {
		struct map *map = &maps->list.at[i];

		if (map->start < start)
			continue;
		if (map->start >= end)
			break;
		map->path = *slot;
		map->offset = offset + (map->start - start);
		map->inode = 1; /* some file's: all that is asked of it */
		map->flags |= maps_path_length(path) < strlen(path) ? MAP_DELETED : 0;
	}
	return true;
}

/* Whether nothing of [start, end) is among the mappings. */
static bool is_free(const struct core *core, uint64_t start, uint64_t end)
{
	const struct maps *maps = &core->maps;
	ptrdiff_t last = list_floor(maps->list.at, maps->list.count, sizeof(struct map),
				    offsetof(struct map, start), end - 1);

	return start < end && (last < 0 || maps->list.at[last].end <= start);
}

static int by_start(const void *a, const void *b)
{
	uint64_t first = ((const struct map *)a)->start;
	uint64_t second = ((const struct map *)b)->start;

	return (first > second) - (first < second);
}

/*
 * Mappings of which the dump has not even a header: gdb makes none for what it leaves
 * out.  Their rights are not known, and nothing is read from them.
 */
static bool add_missing(struct core *core, const struct mapped *missing,
			struct ari_error *err)
{
	for (size_t i = 0; i < missing->count; i++) {
		struct map *map = list_add(&core->maps.list, err);

		if (map == NULL)
			return false;
		*map = (struct map){ .start = missing->at[i].start,
				     .end = missing->at[i].end,
				     .path = "" };
	}
	if (missing->count > 0)
		qsort(core->maps.list.at, core->maps.list.count,
		      sizeof(*core->maps.list.at), by_start);
	for (size_t i = 0; i < missing->count; i++)
		if (!core_name(core, missing->at[i].start, missing->at[i].end,
			       missing->at[i].offset, missing->at[i].path, err))
			return false;
	return true;
}

/*
 * count, page size, count times {start, end, offset in pages}, then the names; in address
 * order, so that all of them cost no more than the mappings.
 */
static bool take_rows(struct core *core, const uint8_t *at, size_t length,
		      struct mapped *missing, struct ari_error *err)
{
	uint64_t head[2], row[3], rows, end = 0, offset;
	const char *name;

	if (length < sizeof(head))
		return true;
	memcpy(head, at, sizeof(head));
	rows = head[0];
	if (rows > (length - sizeof(head)) / sizeof(row))
		return true;
	name = (const char *)at + sizeof(head) + rows * sizeof(row);
	for (uint64_t i = 0; i < rows; i++, end = row[1]) {
		size_t left = (size_t)((const char *)at + length - name);
		struct file_row *slot;

		memcpy(row, at + sizeof(head) + i * sizeof(row), sizeof(row));
		if (memchr(name, '\0', left) == NULL || row[0] < end || row[1] < row[0] ||
		    __builtin_mul_overflow(row[2], head[1], &offset))
			return true;
		core->names_files = true;
		if (!is_free(core, row[0], row[1])) {
			if (!core_name(core, row[0], row[1], offset, name, err))
				return false;
		} else if ((slot = list_add(missing, err)) == NULL) {
			return false;
		} else {
			*slot = (struct file_row){ row[0], row[1], offset, name };
		}
		name += strlen(name) + 1;
	}
	return true;
}

static bool take_files(struct core *core, const uint8_t *at, size_t length,
		       struct ari_error *err)
{
	struct mapped missing = { 0 };
	bool done = take_rows(core, at, length, &missing, err) &&
		    add_missing(core, &missing, err);

	list_done(&missing);
	return done;
}

static void take_auxv(struct core *core, const uint8_t *at, size_t length)
{
	for (uint64_t pair[2]; length >= sizeof(pair); length -= sizeof(pair)) {
		memcpy(pair, at, sizeof(pair));
		if (pair[0] == AT_PHDR)
			core->headers = pair[1];
		if (pair[0] == AT_PHNUM)
			core->headers_count = pair[1];
		/* 4, 16 or 64 KiB on the machines that are known. */
		if (pair[0] == AT_PAGESZ &&
		    (pair[1] == 4096 || pair[1] == 16384 || pair[1] == 65536))
			core->mem.page_bytes = pair[1];
		at += sizeof(pair);
	}
}

static void take_process(struct core *core, const uint8_t *at, size_t length)
{
	int32_t pid;

	if (length < PRPSINFO_COMM + COMM_BYTES)
		return;
	memcpy(&pid, at + PRPSINFO_PID, sizeof(pid));
	core->pid = pid > 0 ? (uint64_t)pid : 0;
	memcpy(core->comm, at + PRPSINFO_COMM, COMM_BYTES);
}

/* A note that lacks the pointer leaves it unknown. */
static bool take_thread(struct core *core, const uint8_t *at, size_t length,
			struct ari_error *err)
{
	struct core_thread *thread = list_add(&core->threads, err);
	size_t pointer = core->arch->prstatus_pointer;
	int32_t tid = 0;

	if (thread == NULL)
		return false;
	if (length >= PRSTATUS_PID + sizeof(tid))
		memcpy(&tid, at + PRSTATUS_PID, sizeof(tid));
	thread->tid = tid > 0 ? (uint64_t)tid : ARI_UNKNOWN;
	if (pointer != 0 && length >= pointer + sizeof(thread->pointer))
		memcpy(&thread->pointer, at + pointer, sizeof(thread->pointer));
	return true;
}

/* Follows the NT_PRSTATUS of its thread. */
static void take_pointer(struct core *core, const uint8_t *at, size_t length)
{
	struct core_thread *thread;

	if (core->threads.count == 0 || length < sizeof(thread->pointer))
		return;
	thread = &core->threads.at[core->threads.count - 1];
	memcpy(&thread->pointer, at, sizeof(thread->pointer));
}

static bool take_note(struct core *core, const GElf_Nhdr *note, const uint8_t *at,
		      struct ari_error *err)
{
	switch (note->n_type) {
	case NT_PRSTATUS:
		return take_thread(core, at, note->n_descsz, err);
	case NT_PRPSINFO:
		take_process(core, at, note->n_descsz);
		return true;
	case NT_AUXV:
		take_auxv(core, at, note->n_descsz);
		return true;
	case NT_FILE:
		return take_files(core, at, note->n_descsz, err);
	default:
		return true;
	}
}

/* *left: how much of notes is still looked at, so that headers cannot repeat them. */
bool core_take_notes(struct core *core, Elf *elf, const GElf_Phdr *phdr, size_t *left,
		     struct ari_error *err)
{
	Elf_Data *data;
	GElf_Nhdr note;
	size_t at = 0, name, desc;

	if (phdr->p_filesz > *left)
		return true;
	*left -= phdr->p_filesz;
	data = elf_getdata_rawchunk(elf, (int64_t)phdr->p_offset, phdr->p_filesz,
				    ELF_T_NHDR);
	while (data != NULL && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (note.n_type == NT_ARM_TLS && core->arch->prstatus_pointer == 0 &&
		    note.n_namesz == sizeof(linux_owner) &&
		    memcmp(bytes + name, linux_owner, sizeof(linux_owner)) == 0)
			take_pointer(core, (const uint8_t *)bytes + desc, note.n_descsz);
		if (note.n_namesz != sizeof(owner) ||
		    memcmp(bytes + name, owner, sizeof(owner)) != 0)
			continue;
		if (!take_note(core, &note, (const uint8_t *)bytes + desc, err))
			return false;
	}
	return true;
}
