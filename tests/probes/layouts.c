// SPDX-License-Identifier: Apache-2.0
/*
 * layouts LIBC DEBUG-DIR VERSION
 *
 * Holds the table of layouts against the debug information of a libc, which may be
 * another machine's: one line for every member and struct that differ, then how many
 * agree.  Exit 1 when some differ.
 */
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "layout/debuginfo.h"
#include "layout/machine.h"
#include "layout/table.h"

/* Any: a file that no process has mapped has none. */
#define BIAS ((uint64_t)1 << 32)

struct counts {
	unsigned int equal, different;
};

_Noreturn static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "layouts: %s: %s\n", what, why);
	exit(2);
}

static struct image open_file(char *path, char *version)
{
	struct image image = { .fd = open(path, O_RDONLY | O_CLOEXEC),
			       .name = path,
			       .path = path,
			       .bias = BIAS,
			       .version = version };
	GElf_Ehdr header;

	elf_version(EV_CURRENT);
	image.release = layout_release(version);
	image.elf = elf_begin(image.fd, ELF_C_READ_MMAP, NULL);
	if (image.elf == NULL || gelf_getehdr(image.elf, &header) == NULL)
		give_up(path, "is no ELF file");
	image.arch = machine_find(header.e_machine, header.e_ident[EI_CLASS]);
	if (image.arch == NULL)
		give_up(path, "is of no known machine");
	return image;
}

static struct layout by_debuginfo(const struct image *image, const char *debug_dir)
{
	struct debuginfo *info;
	struct symbols symbols;
	struct layout layout;
	struct ari_error err;

	if (!debuginfo_open(image, debug_dir, &info, &err) ||
	    !debuginfo_symbols(info, &symbols, &err) ||
	    !debuginfo_layout(info, &symbols, &layout, &err))
		give_up(image->path, err.message);
	printf("%s %s, %s\n", image->arch->name, image->version, debuginfo_file(info));
	debuginfo_close(info);
	return layout;
}

static void compare_member(enum layout_member id, const struct layout *table,
			   const struct layout *dwarf, struct counts *counts)
{
	const struct layout_place *ours = &table->members[id];
	const struct layout_place *truth = &dwarf->members[id];

	if (ours->offset == truth->offset && ours->size == truth->size &&
	    ours->count == truth->count) {
		counts->equal++;
		return;
	}
	counts->different++;
	printf("%s.%s: the table has offset %u, size %u, count %u, "
	       "debug information %u, %u, %u\n",
	       layout_struct_name(layout_struct_of(id)), layout_member_name(id),
	       ours->offset, ours->size, ours->count, truth->offset, truth->size,
	       truth->count);
}

static void compare_bytes(enum layout_struct in, const struct layout *table,
			  const struct layout *dwarf, struct counts *counts)
{
	if (table->bytes[in] == dwarf->bytes[in]) {
		counts->equal++;
		return;
	}
	counts->different++;
	printf("%s: the table has %u bytes, debug information %u\n",
	       layout_struct_name(in), table->bytes[in], dwarf->bytes[in]);
}

int main(int argc, char **argv)
{
	struct counts counts = { 0 };
	struct layout table, dwarf;
	struct image image;

	if (argc != 4)
		give_up("usage", "layouts LIBC DEBUG-DIR VERSION");
	image = open_file(argv[1], argv[3]);
	dwarf = by_debuginfo(&image, argv[2]);
	table_layout(image.arch, image.release, &table);
	for (int id = 0; id < LAYOUT_MEMBERS; id++)
		compare_member((enum layout_member)id, &table, &dwarf, &counts);
	for (int in = 0; in < LAYOUT_STRUCTS; in++)
		compare_bytes((enum layout_struct)in, &table, &dwarf, &counts);
	printf("%u members and structs agree, %u differ\n", counts.equal,
	       counts.different);
	elf_end(image.elf);
	close(image.fd);
	return counts.different == 0 ? 0 : 1;
}
