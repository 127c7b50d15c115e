// SPDX-License-Identifier: Apache-2.0
#include <elfutils/libdwfl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "layout/debuginfo.h"
#include "layout/dwarf.h"

struct debuginfo {
	const struct image *image;
	char *search_path;
	Dwfl_Callbacks callbacks;
	Dwfl *dwfl;
	Dwfl_Module *module;
};

static bool fail_dwfl(struct ari_error *err, const char *path)
{
	return fail(err, ARI_NO_SYMBOLS, "cannot read the symbols of %s: %s", path,
		    dwfl_errmsg(-1));
}

/* Hands libdwfl a descriptor of its own: it closes what it takes. */
static bool report_image(struct debuginfo *info, struct ari_error *err)
{
	const struct image *image = info->image;
	int fd = dup(image->fd);

	dwfl_report_begin(info->dwfl);
	info->module = dwfl_report_elf(info->dwfl, image->path, image->name, fd,
				       image->bias, true);
	if (info->module == NULL) {
		fail_dwfl(err, image->path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	dwfl_report_end(info->dwfl, NULL, NULL);
	return true;
}

static int find_nothing(Dwfl_Module *module, void **user_data, const char *name,
			Dwarf_Addr base, const char *file_name, const char *debug_link,
			GElf_Word debug_link_crc, char **ret_file_name)
{
	(void)module, (void)user_data, (void)name, (void)base, (void)file_name;
	(void)debug_link, (void)debug_link_crc, (void)ret_file_name;
	return -1;
}

bool debuginfo_open(const struct image *image, const char *search_path,
		    struct debuginfo **ret, struct ari_error *err)
{
	struct debuginfo *info = calloc(1, sizeof(*info));

	if (info == NULL)
		return fail_memory(err);
	info->image = image;
	info->search_path = strdup(search_path == NULL ? "" : search_path);
	info->callbacks = (Dwfl_Callbacks){
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo =
			search_path == NULL ? find_nothing : dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &info->search_path,
	};
	if (info->search_path != NULL)
		info->dwfl = dwfl_begin(&info->callbacks);
	if (info->dwfl == NULL) {
		debuginfo_close(info);
		return fail_memory(err);
	}
	if (!report_image(info, err)) {
		debuginfo_close(info);
		return false;
	}
	*ret = info;
	return true;
}

void debuginfo_close(struct debuginfo *info)
{
	if (info == NULL)
		return;
	dwfl_end(info->dwfl);
	free(info->search_path);
	free(info);
}

const char *debuginfo_file(const struct debuginfo *info)
{
	const char *main_file = NULL, *debug_file = NULL;

	dwfl_module_info(info->module, NULL, NULL, NULL, NULL, NULL, &main_file,
			 &debug_file);
	return debug_file;
}

static void take_symbol(struct debuginfo *info, int index, struct symbols *symbols)
{
	GElf_Sym symbol;
	GElf_Addr address;
	GElf_Word section;
	Elf *elf = NULL;
	const char *name = dwfl_module_getsym_info(info->module, index, &symbol, &address,
						   &section, &elf, NULL);
	int type = GELF_ST_TYPE(symbol.st_info);
	enum symbol id;

	if (name == NULL || section == SHN_UNDEF)
		return;
	if (type == STT_TLS) /* in DWARF, aarch64's have no place */
		symbols_take_tls(symbols, name, symbol.st_value);
	if (type != STT_OBJECT && type != STT_FUNC)
		return;
	id = symbol_of(name);
	if (id == SYMBOLS || symbols->address[id] != 0)
		return;
	symbols->address[id] = address;
	symbols->bytes[id] = symbol.st_size;
	if (id == SYM_MAIN_ARENA) {
		GElf_Addr bias;

		symbols->source = elf == dwfl_module_getelf(info->module, &bias)
					  ? ARI_SYMBOLS_SYMTAB
					  : ARI_SYMBOLS_DEBUGINFO;
	}
}

bool debuginfo_symbols(struct debuginfo *info, struct symbols *ret, struct ari_error *err)
{
	struct symbols symbols = { 0 };
	int count = dwfl_module_getsymtab(info->module);

	if (count < 0)
		return fail_dwfl(err, info->image->path);
	for (int i = 0; i < count; i++)
		take_symbol(info, i, &symbols);
	if (symbols.address[SYM_MAIN_ARENA] == 0 || symbols.address[SYM_MP] == 0)
		return fail(
			err, ARI_NO_SYMBOLS,
			"%s (glibc %s, build-id %s) has no symbols for its malloc: "
			"install its debug information (Debian and Ubuntu: libc6-dbg, "
			"Fedora and RHEL: glibc-debuginfo), name its folder with "
			"--debug-dir, or allow --debuginfod",
			info->image->path,
			info->image->version == NULL ? "unknown" : info->image->version,
			info->image->build_id == NULL ? "unknown"
						      : info->image->build_id);
	*ret = symbols;
	return true;
}

bool debuginfo_layout(struct debuginfo *info, const struct symbols *symbols,
		      struct layout *ret, struct ari_error *err)
{
	Dwarf_Addr bias = 0;
	Dwarf *dwarf = dwfl_module_getdwarf(info->module, &bias);
	Dwarf_Die *unit = NULL;
	struct layout layout = { .arch = info->image->arch, .source = ARI_LAYOUT_DWARF };

	if (dwarf == NULL)
		return fail(err, ARI_NO_SYMBOLS, "no debug information for %s: %s",
			    info->image->path, dwfl_errmsg(-1));
	if (symbols->address[SYM_MALLOC_TRIM] != 0)
		unit = dwfl_module_addrdie(info->module,
					   symbols->address[SYM_MALLOC_TRIM], &bias);
	dwarf_fill_layout(dwarf, unit, &layout);
	layout_set_traits(&layout, info->image->release);
	if (!layout_complete(&layout, err))
		return false;
	*ret = layout;
	return true;
}
