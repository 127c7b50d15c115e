// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "target/maps.h"

size_t maps_path_length(const char *path)
{
	static const char deleted[] = " (deleted)";
	size_t length = strlen(path), appended = sizeof(deleted) - 1;

	if (length > appended && strcmp(path + length - appended, deleted) == 0)
		length -= appended;
	return length;
}

static unsigned int parse_flags(const char perms[4], const char *path)
{
	unsigned int flags = 0;

	flags |= perms[0] == 'r' ? MAP_READ : 0;
	flags |= perms[1] == 'w' ? MAP_WRITE : 0;
	flags |= perms[2] == 'x' ? MAP_EXEC : 0;
	flags |= perms[3] == 's' ? MAP_IS_SHARED : 0;
	flags |= maps_path_length(path) < strlen(path) ? MAP_DELETED : 0;
	return flags;
}

/* A copy of path that maps owns; neighbours mostly share theirs. */
static const char *keep_path(struct maps *maps, const char *path, struct ari_error *err)
{
	char **slot;

	if (*path == '\0')
		return "";
	if (maps->paths.count > 0 &&
	    strcmp(maps->paths.at[maps->paths.count - 1], path) == 0)
		return maps->paths.at[maps->paths.count - 1];
	slot = list_add(&maps->paths, err);
	if (slot == NULL)
		return NULL;
	*slot = strdup(path);
	if (*slot == NULL) {
		maps->paths.count--;
		fail_memory(err);
	}
	return *slot;
}

static bool add_line(struct maps *maps, char *line, struct ari_error *err)
{
	unsigned int major, minor;
	char perms[5] = "";
	int path_at = 0;
	struct map map = { 0 }, *slot;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &map.start, &map.end, perms, &map.offset, &major, &minor, &map.inode,
		   &path_at) < 7 ||
	    path_at == 0 || map.start >= map.end)
		return fail(err, ARI_IO, "not a line of a maps file: %.100s", line);
	if (maps->list.count > 0 && maps->list.at[maps->list.count - 1].end > map.start) {
		/*
		 * The kernel gives the file a page at a time, and mappings may
		 * merge in between: what was seen first stays.
		 */
		map.offset += maps->list.at[maps->list.count - 1].end - map.start;
		map.start = maps->list.at[maps->list.count - 1].end;
		if (map.start >= map.end)
			return true;
	}
	map.device = makedev(major, minor);
	map.flags = parse_flags(perms, line + path_at);
	map.path = keep_path(maps, line + path_at, err);
	slot = map.path == NULL ? NULL : list_add(&maps->list, err);
	if (slot == NULL)
		return false;
	*slot = map;
	return true;
}

bool maps_read(FILE *stream, struct maps *ret, struct ari_error *err)
{
	struct maps maps = { 0 };
	autofree char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stream) > 0) {
		if (!add_line(&maps, line, err)) {
			maps_done(&maps);
			return false;
		}
	}
	if (ferror(stream)) {
		maps_done(&maps);
		return fail(err, ARI_GONE, "the process went away");
	}
	*ret = maps;
	return true;
}

void maps_done(struct maps *maps)
{
	for (size_t i = 0; i < maps->paths.count; i++)
		free(maps->paths.at[i]);
	list_done(&maps->paths);
	list_done(&maps->list);
}

const struct map *maps_find(const struct maps *maps, uint64_t address)
{
	ptrdiff_t i = list_floor(maps->list.at, maps->list.count, sizeof(struct map),
				 offsetof(struct map, start), address);

	if (i < 0 || maps->list.at[i].end <= address)
		return NULL;
	return &maps->list.at[i];
}

bool map_is_hugetlb(const struct map *map)
{
	static const char name[] = "/anon_hugepage";

	return strncmp(map->path, name, sizeof(name) - 1) == 0;
}

bool maps_covers(const struct maps *maps, uint64_t address, uint64_t length,
		 unsigned int flags)
{
	uint64_t end;

	if (__builtin_add_overflow(address, length, &end))
		return false;
	while (address < end) {
		const struct map *map = maps_find(maps, address);

		if (map == NULL || (map->flags & flags) != flags)
			return false;
		address = map->end;
	}
	return true;
}

/* [vvar], [vdso] and [stack] are anonymous, too; what prctl() named is "[anon:…]". */
static bool is_plain(const struct map *map)
{
	return map_is_anonymous(map) &&
	       (map->path[0] == '\0' || strcmp(map->path, "[heap]") == 0 ||
		strncmp(map->path, "[anon", 5) == 0);
}

bool maps_is_plain(const struct maps *maps, uint64_t address, uint64_t length)
{
	uint64_t end;

	if (__builtin_add_overflow(address, length, &end))
		return false;
	while (address < end) {
		const struct map *map = maps_find(maps, address);

		if (map == NULL || !is_plain(map))
			return false;
		address = map->end;
	}
	return true;
}

size_t maps_spans(const struct maps *maps, uint64_t span)
{
	uint64_t spans = 0;

	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];

		if (map->flags & MAP_WRITE)
			spans += (map->end - 1) / span - map->start / span + 1;
	}
	return spans;
}

uint64_t maps_bytes(const struct maps *maps)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < maps->list.count; i++)
		bytes += maps->list.at[i].end - maps->list.at[i].start;
	return bytes;
}

bool map_is_anonymous(const struct map *map)
{
	return map->inode == 0 && !(map->flags & MAP_IS_SHARED);
}

bool map_is_same_file(const struct map *a, const struct map *b)
{
	return a->inode == b->inode && a->device == b->device;
}

bool map_is_own_memory(const struct map *map)
{
	if (map_is_anonymous(map))
		return true;
	return !(map->flags & MAP_IS_SHARED) &&
	       (strcmp(map->path, "/dev/zero") == 0 || map_is_hugetlb(map));
}
