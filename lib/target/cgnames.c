// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "target/cgnames.h"

#define ID_DIGITS 64

/* Part of the text: the name of a group, or of what runs in it. */
struct name {
	const char *at;
	size_t length;
};

static bool ends_with(struct name name, const char *end)
{
	size_t length = strlen(end);

	return name.length > length &&
	       memcmp(name.at + name.length - length, end, length) == 0;
}

static bool begins_with(struct name name, const char *begin)
{
	size_t length = strlen(begin);

	return name.length > length && memcmp(name.at, begin, length) == 0;
}

static bool is_unit(struct name name)
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount",
					     ".swap" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (ends_with(name, kinds[i]))
			return true;
	return false;
}

/* systemd puts a _ before names that the kernel has for files of its own. */
static struct name unit_of(struct name name)
{
	if (name.at[0] == '_')
		return (struct name){ name.at + 1, name.length - 1 };
	return name;
}

/*
 * "docker-ID.scope", "cri-containerd-ID.scope", "system.slice:docker:ID", or the ID
 * alone.  conmon watches a container from outside, and has its id as well.
 */
static struct name id_of(struct name name)
{
	static const struct name none;
	struct name id;

	if (ends_with(name, ".scope"))
		name.length -= strlen(".scope");
	if (name.length < ID_DIGITS ||
	    memmem(name.at, name.length - ID_DIGITS, "conmon", strlen("conmon")) != NULL)
		return none;
	id = (struct name){ name.at + name.length - ID_DIGITS, ID_DIGITS };
	if (name.length > ID_DIGITS && strchr("-:", id.at[-1]) == NULL)
		return none;
	for (size_t i = 0; i < ID_DIGITS; i++)
		if (!isdigit((unsigned char)id.at[i]) &&
		    !(id.at[i] >= 'a' && id.at[i] <= 'f'))
			return none;
	return id;
}

static struct name container_of(struct name name, struct name parent)
{
	static const char payload[] = "lxc.payload.";

	if (begins_with(name, payload))
		return (struct name){ name.at + sizeof(payload) - 1,
				      name.length - (sizeof(payload) - 1) };
	if (parent.length == 3 && memcmp(parent.at, "lxc", 3) == 0)
		return name;
	return id_of(name);
}

struct found {
	struct name unit, container;
};

/* The names of one path, from the top down: of several the last counts. */
static void look_at_path(struct name path, struct found *found)
{
	const char *end = path.at + path.length;
	struct name parent = { path.at, 0 };

	for (const char *at = path.at; at < end;) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		struct name name = { at, (size_t)((slash == NULL ? end : slash) - at) };
		struct name container;

		at = name.at + name.length + 1;
		if (name.length == 0)
			continue;
		if (is_unit(name))
			found->unit = unit_of(name);
		container = container_of(name, parent);
		if (container.length > 0)
			found->container = container;
		parent = name;
	}
}

/* "ID:CONTROLLERS:PATH" */
static struct name path_of(struct name line)
{
	static const struct name none;
	const char *end = line.at + line.length, *colon = line.at;

	for (int i = 0; i < 2; i++) {
		colon = memchr(colon, ':', (size_t)(end - colon));
		if (colon == NULL)
			return none;
		colon++;
	}
	return (struct name){ colon, (size_t)(end - colon) };
}

/* What one hierarchy does not tell another may: version 1 has several. */
static void merge(struct found *found, const struct found *more)
{
	if (found->unit.length == 0)
		found->unit = more->unit;
	if (found->container.length == 0)
		found->container = more->container;
}

/* systemd keeps its own in the one that it made for that, or in version 2's. */
static bool is_systemds(struct name line)
{
	return memmem(line.at, line.length, ":name=systemd:", 14) != NULL ||
	       begins_with(line, "0::");
}

static void look_at_lines(const char *text, bool systemds, struct found *found)
{
	for (const char *at = text; *at != '\0';) {
		struct name line = { at, strcspn(at, "\n") };
		struct found here = { 0 };

		if (is_systemds(line) == systemds) {
			look_at_path(path_of(line), &here);
			merge(found, &here);
		}
		at += line.length;
		at += *at == '\n';
	}
}

static bool copy_name(struct name name, char **ret, struct ari_error *err)
{
	*ret = name.length == 0 ? NULL : strndup(name.at, name.length);
	return name.length == 0 || *ret != NULL || fail_memory(err);
}

bool cgnames_read(const char *text, char **ret_unit, char **ret_container,
		  struct ari_error *err)
{
	struct found found = { 0 };

	look_at_lines(text, true, &found);
	look_at_lines(text, false, &found);
	if (!copy_name(found.unit, ret_unit, err))
		return false;
	if (copy_name(found.container, ret_container, err))
		return true;
	free(*ret_unit);
	return false;
}
