// SPDX-License-Identifier: Apache-2.0
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <string.h>

#include "layout/symtab.h"

/* Of the largest programs' symbols so many are looked at: tens of milliseconds. */
#define FUNCTIONS_MAX (1 << 20)

#define SYMBOLS_MOVED_BYTES ((uint64_t)64 << 20)

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

bool symtab_has_section(const struct image *image, const char *name)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(image->elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(image->elf, section)) != NULL) {
		const char *at;

		if (gelf_getshdr(section, &header) == NULL)
			continue;
		at = elf_strptr(image->elf, names, header.sh_name);
		if (at != NULL && strcmp(at, name) == 0)
			return true;
	}
	return false;
}

bool symtab_has_debugdata(const struct image *image)
{
	return symtab_has_section(image, ".gnu_debugdata");
}

/* The tables of a dynamic section, as offsets into the file; 0: it has none. */
struct dynamic {
	uint64_t symbols, strings, strings_bytes;
	uint64_t hash; /* DT_GNU_HASH */
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
		if (entry.d_tag == DT_GNU_HASH)
			ret->hash = offset_of(image, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRSZ)
			ret->strings_bytes = entry.d_un.d_val;
	}
	return ret->symbols != 0 && ret->strings != 0;
}

/*
 * Linkers put the strings behind the symbols.  Where a tool has moved them since, only
 * the table of hashes knows which symbols there are.
 */
static uint64_t symbols_bytes(const struct dynamic *dynamic)
{
	if (dynamic->strings > dynamic->symbols)
		return dynamic->strings - dynamic->symbols;
	return dynamic->hash != 0 ? SYMBOLS_MOVED_BYTES : 0;
}

bool symtab_open_exports(const struct image *image, struct exports *ret)
{
	struct dynamic dynamic;
	Elf_Data *symbols, *strings;
	uint64_t bytes;

	if (!read_dynamic(image, &dynamic))
		return false;
	ret->file = elf_rawfile(image->elf, &ret->file_bytes);
	bytes = symbols_bytes(&dynamic);
	if (ret->file == NULL || dynamic.symbols > ret->file_bytes)
		return false;
	if (bytes > ret->file_bytes - dynamic.symbols)
		bytes = ret->file_bytes - dynamic.symbols;
	symbols = elf_getdata_rawchunk(image->elf, (int64_t)dynamic.symbols, bytes,
				       ELF_T_SYM);
	strings = elf_getdata_rawchunk(image->elf, (int64_t)dynamic.strings,
				       dynamic.strings_bytes, ELF_T_BYTE);
	if (symbols == NULL || strings == NULL || strings->d_size == 0)
		return false;
	ret->symbols = symbols;
	ret->names = strings->d_buf;
	ret->names_bytes = strings->d_size;
	ret->hash = dynamic.hash;
	return ret->names[ret->names_bytes - 1] == '\0';
}

static size_t symbols_of(const struct exports *exports)
{
	return ((const Elf_Data *)exports->symbols)->d_size / sizeof(Elf64_Sym);
}

/* Whether the symbol of that index is one of this name that is defined. */
static bool is_export(const struct exports *exports, uint64_t index, const char *name,
		      GElf_Sym *ret)
{
	return index <= INT_MAX &&
	       gelf_getsym(exports->symbols, (int)index, ret) != NULL &&
	       ret->st_name < exports->names_bytes && ret->st_shndx != SHN_UNDEF &&
	       strcmp(exports->names + ret->st_name, name) == 0;
}

/* One after the other, where there is no table to look names up. */
static bool find_export(const struct exports *exports, const char *name, GElf_Sym *ret)
{
	size_t count = symbols_of(exports);

	for (size_t i = 0; i < count; i++)
		if (is_export(exports, i, name, ret))
			return true;
	return false;
}

/* The little-endian word at an offset of the file; 0 beyond its end. */
static uint32_t word_at(const struct exports *exports, uint64_t offset)
{
	uint32_t word;

	if (offset >= exports->file_bytes || exports->file_bytes - offset < sizeof(word))
		return 0;
	memcpy(&word, exports->file + offset, sizeof(word));
	return word;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name != '\0'; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

/*
 * DT_GNU_HASH: four words; a filter of 64-bit words with two bits for each name that is
 * there; for each bucket the index of its first symbol; and for each symbol its hash,
 * with bit 0 set in the last of a bucket.
 */
struct gnu_table {
	uint32_t buckets, first, filter_words, shift;
	uint64_t filter, bucket, chain; /* offsets */
};

static bool may_have(const struct exports *exports, const struct gnu_table *table,
		     uint32_t hash)
{
	uint64_t at = table->filter + 8 * (uint64_t)(hash / 64 % table->filter_words);
	uint64_t word = word_at(exports, at) | (uint64_t)word_at(exports, at + 4) << 32;

	return word >> hash % 64 & word >> (hash >> table->shift % 32) % 64 & 1;
}

static bool look_up_export(const struct exports *exports, const char *name, GElf_Sym *ret)
{
	uint32_t hash = gnu_hash(name);
	struct gnu_table table = {
		.buckets = word_at(exports, exports->hash),
		.first = word_at(exports, exports->hash + 4),
		.filter_words = word_at(exports, exports->hash + 8),
		.shift = word_at(exports, exports->hash + 12),
		.filter = exports->hash + 16,
	};
	size_t count = symbols_of(exports);

	if (table.buckets == 0 || table.filter_words == 0)
		return false;
	table.bucket = table.filter + 8 * (uint64_t)table.filter_words;
	table.chain = table.bucket + 4 * (uint64_t)table.buckets;
	if (!may_have(exports, &table, hash))
		return false;
	for (uint64_t i = word_at(exports,
				  table.bucket + 4 * (uint64_t)(hash % table.buckets));
	     i >= table.first && i < count; i++) {
		uint32_t found = word_at(exports, table.chain + 4 * (i - table.first));

		if ((found | 1) == (hash | 1) && is_export(exports, i, name, ret))
			return true;
		if (found & 1)
			break;
	}
	return false;
}

static bool find(const struct exports *exports, const char *name, GElf_Sym *ret)
{
	return exports->hash != 0 ? look_up_export(exports, name, ret)
				  : find_export(exports, name, ret);
}

bool symtab_exported(const struct image *image, const char *name, uint64_t *ret_address,
		     uint64_t *ret_bytes)
{
	struct exports exports;
	GElf_Sym symbol;

	if (!symtab_open_exports(image, &exports) || !find(&exports, name, &symbol))
		return false;
	*ret_address = image->bias + symbol.st_value;
	*ret_bytes = symbol.st_size;
	return true;
}

static bool is_function(const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return type == STT_FUNC || type == STT_GNU_IFUNC;
}

bool symtab_exports_function(const struct exports *exports, const char *name)
{
	GElf_Sym symbol;

	return find(exports, name, &symbol) && is_function(&symbol) &&
	       GELF_ST_BIND(symbol.st_info) != STB_LOCAL;
}

void symtab_each_function(const struct image *image, symtab_each_fn *each, void *data)
{
	GElf_Shdr header;
	Elf_Scn *section = section_of_type(image->elf, SHT_SYMTAB, &header);
	Elf_Data *table = section == NULL ? NULL : elf_getdata(section, NULL);
	GElf_Sym symbol;

	if (table == NULL)
		return;
	for (int i = 0; i < FUNCTIONS_MAX && gelf_getsym(table, i, &symbol) != NULL;
	     i++) {
		const char *name;

		if (symbol.st_shndx == SHN_UNDEF || !is_function(&symbol))
			continue;
		name = elf_strptr(image->elf, header.sh_link, symbol.st_name);
		if (name != NULL)
			each(name, data);
	}
}
