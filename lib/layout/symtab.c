// SPDX-License-Identifier: Apache-2.0
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "layout/symtab.h"

static void take(const struct image *image, const GElf_Sym *symbol, const char *name,
		 struct symbols *symbols)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	enum symbol id;

	if (name == NULL || symbol->st_shndx == SHN_UNDEF)
		return;
	if (type == STT_TLS)
		symbols_take_tls(symbols, name, symbol->st_value);
	if (type != STT_OBJECT && type != STT_FUNC)
		return;
	id = symbol_of(name);
	if (id == SYMBOLS || symbols->address[id] != 0)
		return;
	symbols->address[id] = image->bias + symbol->st_value;
	symbols->bytes[id] = symbol->st_size;
}

static Elf_Scn *section_of_type(Elf *elf, uint32_t type, GElf_Shdr *ret)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)) != NULL)
		if (gelf_getshdr(section, ret) != NULL && ret->sh_type == type)
			return section;
	return NULL;
}

bool symtab_symbols(const struct image *image, struct symbols *ret)
{
	GElf_Shdr header;
	Elf_Scn *section = section_of_type(image->elf, SHT_SYMTAB, &header);
	Elf_Data *data = section == NULL ? NULL : elf_getdata(section, NULL);
	struct symbols symbols = { .source = ARI_SYMBOLS_SYMTAB };
	GElf_Sym symbol;

	if (data == NULL || header.sh_entsize == 0)
		return false;
	for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++)
		if (gelf_getsym(data, (int)i, &symbol) != NULL)
			take(image, &symbol,
			     elf_strptr(image->elf, header.sh_link, symbol.st_name),
			     &symbols);
	*ret = symbols;
	return symbols.address[SYM_MAIN_ARENA] != 0 && symbols.address[SYM_MP] != 0;
}

uint64_t symtab_object(const struct image *image, const char *name)
{
	GElf_Shdr header;
	Elf_Scn *section = section_of_type(image->elf, SHT_SYMTAB, &header);
	Elf_Data *data = section == NULL ? NULL : elf_getdata(section, NULL);
	GElf_Sym symbol;

	if (data == NULL || header.sh_entsize == 0)
		return 0;
	for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++) {
		const char *found;

		if (gelf_getsym(data, (int)i, &symbol) == NULL ||
		    GELF_ST_TYPE(symbol.st_info) != STT_OBJECT ||
		    symbol.st_shndx == SHN_UNDEF)
			continue;
		found = elf_strptr(image->elf, header.sh_link, symbol.st_name);
		if (found != NULL && strcmp(found, name) == 0)
			return image->bias + symbol.st_value;
	}
	return 0;
}

bool symtab_has_debugdata(const struct image *image)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(image->elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(image->elf, section)) != NULL) {
		const char *name;

		if (gelf_getshdr(section, &header) == NULL)
			continue;
		name = elf_strptr(image->elf, names, header.sh_name);
		if (name != NULL && strcmp(name, ".gnu_debugdata") == 0)
			return true;
	}
	return false;
}

/* The tables of a dynamic section, as offsets into the file. */
struct dynamic {
	uint64_t symbols, strings, strings_bytes;
};

/* Where an address of the file lies in it; 0: nowhere. */
static uint64_t offset_of(const struct image *image, uint64_t address)
{
	uint64_t offset;

	return image_offset(image, image->bias + address, &offset) ? offset : 0;
}

static bool read_dynamic(const struct image *image, struct dynamic *ret)
{
	Elf *elf = image->elf;
	size_t count = 0;
	GElf_Phdr phdr;
	GElf_Dyn entry;
	Elf_Data *data = NULL;

	*ret = (struct dynamic){ 0 };
	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count && data == NULL; i++)
		if (gelf_getphdr(elf, (int)i, &phdr) != NULL && phdr.p_type == PT_DYNAMIC)
			data = elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset,
						    phdr.p_filesz, ELF_T_DYN);
	for (int i = 0; data != NULL && gelf_getdyn(data, i, &entry) != NULL; i++) {
		if (entry.d_tag == DT_SYMTAB)
			ret->symbols = offset_of(image, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRTAB)
			ret->strings = offset_of(image, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRSZ)
			ret->strings_bytes = entry.d_un.d_val;
	}
	return ret->symbols != 0 && ret->strings > ret->symbols;
}

bool symtab_exported(const struct image *image, const char *name, uint64_t *ret_address,
		     uint64_t *ret_bytes)
{
	struct dynamic dynamic;
	Elf_Data *symbols, *strings;
	GElf_Sym symbol;

	if (!read_dynamic(image, &dynamic))
		return false;
	/* Every linker puts the strings behind the symbols. */
	symbols = elf_getdata_rawchunk(image->elf, (int64_t)dynamic.symbols,
				       dynamic.strings - dynamic.symbols, ELF_T_SYM);
	strings = elf_getdata_rawchunk(image->elf, (int64_t)dynamic.strings,
				       dynamic.strings_bytes, ELF_T_BYTE);
	if (symbols == NULL || strings == NULL)
		return false;
	for (int i = 0; gelf_getsym(symbols, i, &symbol) != NULL; i++) {
		const char *at = (const char *)strings->d_buf + symbol.st_name;

		if (symbol.st_name >= strings->d_size || symbol.st_shndx == SHN_UNDEF ||
		    strncmp(at, name, strings->d_size - symbol.st_name) != 0)
			continue;
		*ret_address = image->bias + symbol.st_value;
		*ret_bytes = symbol.st_size;
		return true;
	}
	return false;
}
