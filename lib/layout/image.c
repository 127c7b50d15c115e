// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "layout/image.h"
#include "layout/machine.h"
#include "layout/version.h"

/* C libraries by the name of their file; the first row that matches counts. */
// clang-format off
static const struct libc_name {
	const char *pattern;
	const char *other; /* NULL: glibc; else what it is called */
} libc_names[] = {
	{ "libc.so.6", NULL },
	{ "libc-2.[0-9]*.so", NULL },
	{ "ld-musl-*", "musl" },
	{ "libc.musl-*", "musl" },
	{ "libuClibc-*", "uClibc" },
	{ "libc.so", "another C library (bionic or musl)" },
};
// clang-format on

#define HEADERS_MAX 256		      /* libraries have a dozen */
#define NOTES_MAX   ((size_t)1 << 20) /* bytes, of which they have some hundred */

static const struct libc_name *name_of(const struct map *map)
{
	const char *base = strrchr(map->path, '/');
	char name[256];
	size_t length;

	if (base == NULL || map->inode == 0)
		return NULL;
	length = maps_path_length(base + 1);
	if (length >= sizeof(name))
		return NULL;
	memcpy(name, base + 1, length);
	name[length] = '\0';
	for (size_t i = 0; i < sizeof(libc_names) / sizeof(*libc_names); i++)
		if (fnmatch(libc_names[i].pattern, name, 0) == 0)
			return &libc_names[i];
	return NULL;
}

const void *image_note(const struct image *image, const char *owner, uint32_t type,
		       size_t *ret_bytes)
{
	size_t count = 0, owner_bytes = strlen(owner) + 1, left = NOTES_MAX;
	GElf_Phdr phdr;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++) {
		Elf_Data *data;
		GElf_Nhdr note;
		size_t at = 0, name, desc;

		if (gelf_getphdr(image->elf, (int)i, &phdr) == NULL ||
		    phdr.p_type != PT_NOTE)
			continue;
		if (phdr.p_filesz > left)
			return NULL;
		left -= phdr.p_filesz;
		data = elf_getdata_rawchunk(image->elf, (int64_t)phdr.p_offset,
					    phdr.p_filesz,
					    phdr.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		while (data != NULL &&
		       (at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
			const char *bytes = data->d_buf;

			/* Go counts the padding as part of the name. */
			if (note.n_type != type || note.n_namesz < owner_bytes ||
			    note.n_namesz > owner_bytes + 3 ||
			    memcmp(bytes + name, owner, owner_bytes) != 0)
				continue;
			*ret_bytes = note.n_descsz;
			return bytes + desc;
		}
	}
	return NULL;
}

static bool hex_build_id(struct image *image, struct ari_error *err)
{
	size_t count;
	const uint8_t *bytes = image_note(image, "GNU", NT_GNU_BUILD_ID, &count);

	if (bytes == NULL || count > 64)
		return true; /* has none */
	image->build_id = malloc(count * 2 + 1);
	if (image->build_id == NULL)
		return fail_memory(err);
	image->build_id[0] = '\0';
	for (size_t n = 0; n < count; n++)
		sprintf(image->build_id + 2 * n, "%02x", bytes[n]);
	return true;
}

static bool find_arch(struct image *image, struct ari_error *err)
{
	GElf_Ehdr header;

	if (gelf_getehdr(image->elf, &header) == NULL)
		return fail(err, ARI_NOT_GLIBC, "%s is not an ELF file", image->path);
	if (header.e_ident[EI_CLASS] == ELFCLASS32)
		return fail(err, ARI_NOT_GLIBC,
			    "it is a 32-bit process: only 64-bit ones can be read");
	image->arch = machine_find(header.e_machine, header.e_ident[EI_CLASS]);
	if (image->arch == NULL || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return fail(err, ARI_NOT_GLIBC,
			    "its machine (ELF machine %u) is not one of those known",
			    header.e_machine);
	return true;
}

/* The file is the target's: whatever goes through its headers must come to an end. */
static bool check_headers(const struct image *image, struct ari_error *err)
{
	size_t count = 0;

	elf_getphdrnum(image->elf, &count);
	return count <= HEADERS_MAX ||
	       fail(err, ARI_NOT_GLIBC, "%s is no library: it has %zu program headers",
		    image->path, count);
}

/* Where the file's address 0 lies, from the mapping of a loaded segment. */
static bool find_bias(struct image *image, const struct map *map, struct ari_error *err)
{
	size_t count = 0;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;
		uint64_t page = 4096;

		if (gelf_getphdr(image->elf, (int)i, &phdr) == NULL ||
		    phdr.p_type != PT_LOAD)
			continue;
		if (map->offset + page <= phdr.p_offset ||
		    map->offset >= phdr.p_offset + phdr.p_filesz)
			continue;
		image->bias = map->start - (phdr.p_vaddr - phdr.p_offset + map->offset);
		return true;
	}
	return fail(err, ARI_NOT_GLIBC,
		    "%s is mapped in a way its program headers do not "
		    "describe",
		    image->path);
}

static bool begin_image(const struct map *map, struct image *ret, struct ari_error *err)
{
	*ret = (struct image){ .fd = -1, .path = strdup(map->path) };
	elf_version(EV_CURRENT);
	return ret->path != NULL || fail_memory(err);
}

static struct timespec last_change(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 ? file.st_ctim : (struct timespec){ 0 };
}

bool image_is_unchanged(const struct image *image)
{
	struct timespec changed = last_change(image->fd);

	return changed.tv_sec == image->changed.tv_sec &&
	       changed.tv_nsec == image->changed.tv_nsec;
}

/* The file is open; reads everything but the version. */
static bool read_elf(const struct map *map, struct image *ret, struct ari_error *err)
{
	ret->changed = last_change(ret->fd);
	ret->elf = elf_begin(ret->fd, ELF_C_READ_MMAP, NULL);
	if (ret->elf == NULL)
		return fail(err, ARI_NOT_GLIBC, "%s is not an ELF file", map->path);
	return find_arch(ret, err) && check_headers(ret, err) &&
	       find_bias(ret, map, err) && hex_build_id(ret, err);
}

bool image_covers(const struct image *image, uint64_t address)
{
	uint64_t low = UINT64_MAX, high = 0,
		 page = 65536; /* the largest of any machine */
	size_t count = 0;
	GElf_Phdr phdr;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(image->elf, (int)i, &phdr) == NULL ||
		    phdr.p_type != PT_LOAD)
			continue;
		low = phdr.p_vaddr < low ? phdr.p_vaddr : low;
		if (phdr.p_vaddr + phdr.p_memsz > high)
			high = phdr.p_vaddr + phdr.p_memsz;
	}
	/* Without headers nothing speaks against it. */
	return high == 0 || (address >= image->bias + low - low % page &&
			     address < image->bias + high);
}

bool image_is_writable(const struct image *image, uint64_t address)
{
	uint64_t at = address - image->bias;
	size_t count = 0;
	GElf_Phdr phdr;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(image->elf, (int)i, &phdr) != NULL &&
		    phdr.p_type == PT_LOAD && (phdr.p_flags & PF_W) &&
		    at >= phdr.p_vaddr - phdr.p_vaddr % 4096 &&
		    at < phdr.p_vaddr + phdr.p_memsz)
			return true;
	return false;
}

bool image_offset(const struct image *image, uint64_t address, uint64_t *ret)
{
	uint64_t at = address - image->bias;
	size_t count = 0;
	GElf_Phdr phdr;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(image->elf, (int)i, &phdr) == NULL ||
		    phdr.p_type != PT_LOAD || at < phdr.p_vaddr ||
		    at - phdr.p_vaddr >= phdr.p_filesz)
			continue;
		*ret = phdr.p_offset + (at - phdr.p_vaddr);
		return true;
	}
	return false;
}

uint64_t image_tls_bytes(const struct image *image)
{
	size_t count = 0;
	GElf_Phdr phdr;

	elf_getphdrnum(image->elf, &count);
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(image->elf, (int)i, &phdr) != NULL &&
		    phdr.p_type == PT_TLS)
			return phdr.p_memsz;
	return 0;
}

void image_done(struct image *image)
{
	elf_end(image->elf);
	cleanup_close(&image->fd);
	free(image->name);
	free(image->path);
	free(image->build_id);
	free(image->version);
	*image = (struct image){ .fd = -1 };
}

bool image_open_module(const struct target *target, const struct map *map,
		       struct image *ret, struct ari_error *err)
{
	if (!begin_image(map, ret, err) ||
	    !target_file_name(target, map, &ret->name, err) ||
	    !target_open_file(target, map, &ret->fd, err) || !read_elf(map, ret, err)) {
		image_done(ret);
		return false;
	}
	return true;
}

bool image_open(const struct target *target, const struct map *map, struct image *ret,
		struct ari_error *err)
{
	if (!image_open_module(target, map, ret, err))
		return false;
	version_find(ret);
	return true;
}

static bool open_named(const char *file, struct image *image, struct ari_error *err)
{
	image->name = strdup(file);
	if (image->name == NULL)
		return fail_memory(err);
	image->fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return image->fd >= 0 ||
	       fail(err, ARI_IO, "cannot open %s: %s", file, strerror(errno));
}

bool image_open_path(const char *file, const struct map *map, struct image *ret,
		     struct ari_error *err)
{
	if (!begin_image(map, ret, err) || !open_named(file, ret, err) ||
	    !read_elf(map, ret, err)) {
		image_done(ret);
		return false;
	}
	version_find(ret);
	return true;
}

bool image_list(const struct maps *maps, struct libc_list *ret, struct ari_error *err)
{
	*ret = (struct libc_list){ 0 };
	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];
		const struct libc_name *name = name_of(map);
		const struct map **slot;

		if (name != NULL && name->other != NULL)
			ret->other = name->other;
		if (name == NULL || name->other != NULL || map->offset != 0)
			continue;
		slot = list_add(&ret->maps, err);
		if (slot == NULL)
			return false;
		*slot = map;
	}
	return true;
}

const struct map *image_program_map(const struct target *target, const struct maps *maps)
{
	autofree char *exe = NULL;

	if (!target_exe(target, &exe, NULL))
		return NULL;
	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];

		if (map->inode != 0 && (map->inode == target->identity.exe_inode ||
					strcmp(map->path, exe) == 0))
			return map;
	}
	return NULL;
}

bool image_program(const struct target *target, const struct maps *maps,
		   struct image *ret, struct ari_error *err)
{
	autofree char *exe = NULL;
	const struct map *map;

	if (!target_exe(target, &exe, err))
		return target_denied(target, "program", err);
	map = image_program_map(target, maps);
	if (map == NULL)
		return fail(err, ARI_NOT_GLIBC,
			    "its program %s cannot be found in its mappings", exe);
	return image_open(target, map, ret, err);
}
