// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mem/core.h"
#include "scratch.h"
#include "unit.h"

#define AT ((uint64_t)0x7f0000000000)

enum { ROOM = 0x40000, HEADERS_MAX = 8 };

/* A core file in the making: parts in the order they are added, notes behind them. */
struct made {
	Elf64_Ehdr header;
	Elf64_Phdr headers[HEADERS_MAX];
	uint8_t bytes[ROOM];
	size_t length;
	uint8_t notes[0x2000];
	size_t notes_length;
};

static void begin(struct made *made)
{
	memset(made, 0, sizeof(*made));
	memcpy(made->header.e_ident, ELFMAG, SELFMAG);
	made->header.e_ident[EI_CLASS] = ELFCLASS64;
	made->header.e_ident[EI_DATA] = ELFDATA2LSB;
	made->header.e_ident[EI_VERSION] = EV_CURRENT;
	made->header.e_type = ET_CORE;
	made->header.e_machine = EM_X86_64;
	made->header.e_version = EV_CURRENT;
	made->header.e_phoff = sizeof(Elf64_Ehdr);
	made->header.e_ehsize = sizeof(Elf64_Ehdr);
	made->header.e_phentsize = sizeof(Elf64_Phdr);
	made->length = 0x1000;
}

static Elf64_Phdr *add_header(struct made *made, uint32_t type)
{
	Elf64_Phdr *header = &made->headers[made->header.e_phnum++];

	must(made->header.e_phnum <= HEADERS_MAX);
	header->p_type = type;
	header->p_offset = made->length;
	return header;
}

/* `dumped` bytes of it are in the file: each is its address by 256, or so. */
static Elf64_Phdr *add_part(struct made *made, uint64_t start, uint64_t bytes,
			    uint64_t dumped)
{
	Elf64_Phdr *header = add_header(made, PT_LOAD);

	must(made->length + dumped <= ROOM);
	header->p_vaddr = start;
	header->p_memsz = bytes;
	header->p_filesz = dumped;
	header->p_flags = PF_R | PF_W;
	for (uint64_t i = 0; i < dumped; i++)
		made->bytes[made->length + i] = (uint8_t)((start + i) * 31 >> 3);
	made->length += dumped;
	return header;
}

static Elf64_Nhdr *add_note(struct made *made, uint32_t type, const void *desc,
			    size_t length)
{
	Elf64_Nhdr *note = (Elf64_Nhdr *)(made->notes + made->notes_length);

	*note = (Elf64_Nhdr){ .n_namesz = 5,
			      .n_descsz = (uint32_t)length,
			      .n_type = type };
	memcpy(made->notes + made->notes_length + sizeof(*note), "CORE", 5);
	memcpy(made->notes + made->notes_length + sizeof(*note) + 8, desc, length);
	made->notes_length += sizeof(*note) + 8 + (length + 3) / 4 * 4;
	return note;
}

/* rows: {start, end, offset in pages} each, and a name. */
static void add_files(struct made *made, const uint64_t (*rows)[3],
		      const char *const *names, size_t count)
{
	uint8_t desc[0x1000];
	uint64_t head[2] = { count, 4096 };
	size_t length = sizeof(head) + count * sizeof(*rows);

	memcpy(desc, head, sizeof(head));
	memcpy(desc + sizeof(head), rows, count * sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		strcpy((char *)desc + length, names[i]);
		length += strlen(names[i]) + 1;
	}
	add_note(made, NT_FILE, desc, length);
}

static void add_page_size(struct made *made, uint64_t bytes)
{
	uint64_t pairs[][2] = { { AT_PHDR, AT + 64 },
				{ AT_PAGESZ, bytes },
				{ AT_NULL, 0 } };

	add_note(made, NT_AUXV, pairs, sizeof(pairs));
}

static bool open_made(struct made *made, struct core *core, struct ari_error *err)
{
	struct scratch scratch;
	char file[128];
	Elf64_Phdr *notes;
	bool done;

	if (made->notes_length > 0) {
		notes = add_header(made, PT_NOTE);
		notes->p_filesz = made->notes_length;
		must(made->length + made->notes_length <= ROOM);
		memcpy(made->bytes + made->length, made->notes, made->notes_length);
		made->length += made->notes_length;
	}
	memcpy(made->bytes, &made->header, sizeof(made->header));
	memcpy(made->bytes + sizeof(made->header), made->headers, sizeof(made->headers));
	scratch_open(&scratch);
	scratch_file(&scratch, "core", made->bytes, made->length);
	snprintf(file, sizeof(file), "%s/core", scratch.path);
	done = core_open(file, core, err);
	if (done)
		core->mem.maps = &core->maps;
	scratch_close(&scratch);
	return done;
}

static void expect_dumped(struct core *core, uint64_t address, size_t length)
{
	static uint8_t bytes[ROOM];
	struct ari_error err;

	ck_works(mem_read(&core->mem, address, bytes, length, &err), &err);
	for (size_t i = 0; i < length; i++)
		must(bytes[i] == (uint8_t)((address + i) * 31 >> 3));
}

static void expect_fault(struct core *core, uint64_t address, enum ari_code code)
{
	struct ari_error err;
	uint64_t word;

	ck_fails(mem_read_word(&core->mem, address, &word, &err), &err, code);
	ck_assert(mem_is_fault(&err));
}

TEST(what_was_dumped_is_read_across_parts)
{
	static struct made made;
	struct ari_error err;
	struct core core;

	begin(&made);
	add_part(&made, AT, 0x3000, 0x3000);
	add_part(&made, AT + 0x3000, 0x1000, 0x1000);
	ck_works(open_made(&made, &core, &err), &err);
	expect_dumped(&core, AT, 0x4000);
	expect_dumped(&core, AT + 0x2ffc, 8);
	expect_fault(&core, AT - 8, ARI_FAULT);
	expect_fault(&core, AT + 0x4000, ARI_FAULT);
	ck_assert_uint_eq(core.maps.list.count, 2);
	ck_assert(!core.cut);
	core_close(&core);
}

TEST(what_the_dump_left_out_is_unreadable_and_no_zeros)
{
	static struct made made;
	uint8_t states[3];
	struct ari_error err;
	struct core core;

	begin(&made);
	add_part(&made, AT, 0x3000, 0x1000);
	ck_works(open_made(&made, &core, &err), &err);
	ck_works(core.mem.ops->pages(&core.mem, AT, 3, states, &err), &err);
	ck_assert_uint_eq(states[0], PAGE_NOT_ALONE);
	ck_assert_uint_eq(states[1], PAGE_UNREADABLE);
	ck_assert_uint_eq(states[2], PAGE_UNREADABLE);
	ck_assert(!core_lacks(&core, AT + 0xff8));
	ck_assert(core_lacks(&core, AT + 0x1000));
	expect_fault(&core, AT + 0x1000, ARI_SWAPPED);
	core_close(&core);
}

TEST(runs_are_what_was_dumped_of_whole_pages)
{
	static struct made made;
	struct page_run runs[4];
	struct rss_span span = { .start = AT, .end = AT + 0x1000 };
	struct ari_error err;
	struct core core;
	uint64_t reached;
	size_t count;

	begin(&made);
	add_part(&made, AT, 0x3000, 0x1800);
	add_part(&made, AT + 0x3000, 0x2000, 0);
	add_part(&made, AT + 0x8000, 0x2000, 0x2000);
	ck_works(open_made(&made, &core, &err), &err);
	ck_works(core.mem.ops->runs(&core.mem, 0, AT + 0x9000, runs, 4, &count, &reached,
				    &err),
		 &err);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(reached, AT + 0x9000);
	ck_assert_uint_eq(runs[0].start, AT);
	ck_assert_uint_eq(runs[0].end, AT + 0x1000);
	ck_assert(page_is_present(runs[0].state));
	ck_assert_uint_eq(runs[1].start, AT + 0x8000);
	ck_assert_uint_eq(runs[1].end, AT + 0x9000);
	ck_works(core.mem.ops->runs(&core.mem, AT, UINT64_MAX, runs, 1, &count, &reached,
				    &err),
		 &err);
	ck_assert_uint_eq(count, 1);
	ck_works(core.mem.ops->runs(&core.mem, reached, UINT64_MAX, runs, 1, &count,
				    &reached, &err),
		 &err);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(runs[0].end, AT + 0xa000);
	ck_works(core.mem.ops->rss(&core.mem, &span, 1, &err), &err);
	ck_assert_uint_eq(span.resident, ARI_UNKNOWN);
	ck_assert_uint_eq(span.swapped, ARI_UNKNOWN);
	core_close(&core);
}

TEST(what_was_left_out_of_a_file_is_read_from_it_and_from_no_other)
{
	static const uint64_t rows[][3] = { { AT, AT + 0x2000, 1 },
					    { AT + 0x2000, AT + 0x3000, 0 },
					    { AT + 0x3000, AT + 0x4000, 0 } };
	static const char *const names[] = { "/lib/a", "/etc/passwd", "/lib/a" };
	static struct made made;
	static uint8_t bytes[0x3000];
	struct scratch scratch;
	struct ari_error err;
	struct core core;
	uint64_t word;
	int fd;

	begin(&made);
	add_part(&made, AT, 0x2000, 0)->p_flags = PF_R | PF_X;
	add_part(&made, AT + 0x2000, 0x1000, 0)->p_flags = PF_R;
	add_part(&made, AT + 0x3000, 0x1000, 0); /* could be written */
	add_files(&made, rows, names, 3);
	ck_works(open_made(&made, &core, &err), &err);
	ck_assert(core.names_files);
	ck_assert_str_eq(maps_find(&core.maps, AT)->path, "/lib/a");
	ck_assert_uint_eq(maps_find(&core.maps, AT)->offset, 0x1000);
	expect_fault(&core, AT, ARI_FAULT);

	memset(bytes, 0x5a, sizeof(bytes));
	scratch_open(&scratch);
	scratch_file(&scratch, "a", bytes, sizeof(bytes));
	fd = openat(scratch.dir, "a", O_RDONLY | O_CLOEXEC);
	core_back(&core, "/lib/a", fd);
	ck_works(mem_read_word(&core.mem, AT + 0x1000, &word, &err), &err);
	ck_assert_uint_eq(word, 0x5a5a5a5a5a5a5a5a);
	expect_fault(&core, AT + 0x2000, ARI_FAULT);
	expect_fault(&core, AT + 0x3000, ARI_SWAPPED);
	core_close(&core);
	close(fd);
	scratch_close(&scratch);
}

TEST(mapping_that_has_no_header_is_known_by_the_note)
{
	static const uint64_t rows[][3] = { { AT, AT + 0x1000, 0 },
					    { AT + 0x1000, AT + 0x2000, 1 },
					    { AT + 0x3000, AT + 0x4000, 3 } };
	static const char *const names[] = { "/lib/a", "/lib/a", "/lib/b (deleted)" };
	static struct made made;
	struct ari_error err;
	struct core core;

	begin(&made);
	add_part(&made, AT + 0x1000, 0x1000, 0x1000);
	add_files(&made, rows, names, 3);
	ck_works(open_made(&made, &core, &err), &err);
	ck_assert_uint_eq(core.maps.list.count, 3);
	ck_assert_uint_eq(core.maps.list.at[0].start, AT);
	ck_assert_str_eq(core.maps.list.at[0].path, "/lib/a");
	ck_assert_uint_eq(core.maps.list.at[1].offset, 0x1000);
	ck_assert(core.maps.list.at[2].flags & MAP_DELETED);
	expect_fault(&core, AT, ARI_FAULT);
	expect_dumped(&core, AT + 0x1000, 0x1000);
	core_close(&core);
}

TEST(page_size_is_that_of_the_auxiliary_vector)
{
	static const uint64_t sizes[][2] = { { 16384, 16384 }, { 65536, 65536 },
					     { 4096, 4096 },   { 0, 4096 },
					     { 12345, 4096 },  { UINT64_MAX, 4096 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		static struct made made;
		struct ari_error err;
		struct core core;

		begin(&made);
		made.header.e_machine = EM_AARCH64;
		add_part(&made, AT, 0x20000, 0x18000);
		add_page_size(&made, sizes[i][0]);
		ck_works(open_made(&made, &core, &err), &err);
		ck_assert_uint_eq(core.mem.page_bytes, sizes[i][1]);
		ck_assert_uint_eq(core.headers, AT + 64);
		ck_assert_str_eq(core.arch->name, "aarch64");
		expect_dumped(&core, AT, 0x10000);
		expect_fault(&core, AT + 0x18000, ARI_SWAPPED);
		core_close(&core);
	}
}

TEST(process_is_that_of_the_notes)
{
	static struct made made;
	uint8_t info[136] = { 0 };
	int32_t pid = 4711;
	struct ari_error err;
	struct core core;

	begin(&made);
	add_part(&made, AT, 0x1000, 0x1000);
	memcpy(info + 24, &pid, sizeof(pid));
	memset(info + 40, 'x', 16);
	add_note(&made, NT_PRPSINFO, info, sizeof(info));
	for (int i = 0; i < 3; i++)
		add_note(&made, NT_PRSTATUS, info, 112);
	/* Somebody else's note of the same number says nothing. */
	memcpy((char *)(add_note(&made, NT_PRSTATUS, info, 112) + 1), "TOOL", 5);
	ck_works(open_made(&made, &core, &err), &err);
	ck_assert_uint_eq(core.pid, 4711);
	ck_assert_uint_eq(core.threads.count, 3);
	ck_assert_str_eq(core.comm, "xxxxxxxxxxxxxxxx");
	core_close(&core);
}

static void add_pointer(struct made *made, uint64_t pointer)
{
	Elf64_Nhdr *note = add_note(made, NT_ARM_TLS, &pointer, sizeof(pointer));

	note->n_namesz = 6;
	memcpy(note + 1, "LINUX", 6);
}

TEST(threads_have_the_pointers_of_the_notes)
{
	static struct made made;
	uint8_t status[336] = { 0 };
	uint64_t pointer = 0x7ffff7d8a740;
	int32_t tid = 4711;
	struct ari_error err;
	struct core core;

	for (int arm = 0; arm < 2; arm++) {
		begin(&made);
		add_part(&made, AT, 0x1000, 0x1000);
		memcpy(status + 32, &tid, sizeof(tid));
		memcpy(status + 280, &pointer, sizeof(pointer));
		if (arm) {
			made.header.e_machine = EM_AARCH64;
			/* Before any thread: nobody's. */
			add_pointer(&made, pointer);
		}
		add_note(&made, NT_PRSTATUS, status, sizeof(status));
		add_note(&made, NT_PRSTATUS, status, arm ? sizeof(status) : 112);
		if (arm)
			add_pointer(&made, pointer);
		ck_works(open_made(&made, &core, &err), &err);
		ck_assert_uint_eq(core.threads.count, 2);
		ck_assert_uint_eq(core.threads.at[0].tid, 4711);
		ck_assert_uint_eq(core.threads.at[arm].pointer, pointer);
		ck_assert_uint_eq(core.threads.at[!arm].pointer, 0);
		core_close(&core);
	}
}

TEST(headers_that_no_core_has_are_refused)
{
	for (int turn = 0; turn < 6; turn++) {
		static struct made made;
		struct ari_error err;
		struct core core;
		Elf64_Phdr *first, *second;

		begin(&made);
		first = add_part(&made, AT, 0x2000, 0x2000);
		second = add_part(&made, AT + 0x2000, 0x1000, 0x1000);
		if (turn == 0)
			second->p_vaddr = AT + 0x1000; /* overlaps */
		else if (turn == 1)
			second->p_vaddr = AT - 0x1000; /* not in order */
		else if (turn == 2)
			first->p_filesz = 0x2001;
		else if (turn == 3)
			second->p_vaddr = AT + 0x2008;
		else if (turn == 4)
			second->p_memsz = UINT64_MAX - AT;
		else
			first->p_memsz = second->p_memsz = 0; /* nothing there */
		ck_fails(open_made(&made, &core, &err), &err, ARI_IO);
	}
}

TEST(other_machines_and_other_files_are_refused)
{
	static struct made made;
	struct ari_error err;
	struct core core;

	begin(&made);
	made.header.e_machine = EM_RISCV;
	add_part(&made, AT, 0x1000, 0x1000);
	ck_fails(open_made(&made, &core, &err), &err, ARI_NOT_GLIBC);
	begin(&made);
	made.header.e_type = ET_DYN;
	add_part(&made, AT, 0x1000, 0x1000);
	ck_fails(open_made(&made, &core, &err), &err, ARI_IO);
	begin(&made);
	made.header.e_phnum = 0xfff0; /* more than there is room for */
	ck_fails(open_made(&made, &core, &err), &err, ARI_IO);
}

TEST(core_that_is_cut_says_so)
{
	static struct made made;
	struct ari_error err;
	struct core core;

	begin(&made);
	add_part(&made, AT, 0x2000, 0x2000);
	add_part(&made, AT + 0x2000, 0x2000, 0x2000);
	add_part(&made, AT + 0x4000, 0x1000, 0x1000)->p_offset = UINT64_MAX - 0x10;
	made.length = 0x1000 + 0x2000 + 0x800;
	ck_works(open_made(&made, &core, &err), &err);
	ck_assert(core.cut);
	expect_dumped(&core, AT, 0x2000);
	expect_fault(&core, AT + 0x27fc, ARI_SWAPPED);
	expect_fault(&core, AT + 0x4000, ARI_SWAPPED);
	core_close(&core);
}

TEST(absurd_notes_say_nothing_and_do_no_harm)
{
	static const uint64_t rows[][3] = { { AT, AT + 0x1000, 0 } };
	static const char *const names[] = { "/lib/a" };

	for (int turn = 0; turn < 7; turn++) {
		static struct made made;
		uint64_t words[5]; /* count, page size, start, end, offset */
		uint8_t *desc = made.notes + sizeof(Elf64_Nhdr) + 8;
		struct ari_error err;
		struct core core;
		Elf64_Nhdr *note = (Elf64_Nhdr *)made.notes;

		begin(&made);
		add_part(&made, AT, 0x1000, 0x1000);
		add_files(&made, rows, names, 1);
		memcpy(words, desc, sizeof(words));
		if (turn == 0)
			note->n_descsz = UINT32_MAX;
		else if (turn == 1)
			note->n_namesz = UINT32_MAX - 2;
		else if (turn == 2)
			note->n_descsz = 12;
		else if (turn == 3)
			words[0] = UINT64_MAX / 24 + 2; /* rows */
		else if (turn == 4)
			words[1] = UINT64_MAX, words[4] = 2; /* of pages that large */
		else if (turn == 5)
			note->n_descsz -= 1; /* no NUL ends the name */
		else
			words[2] = AT + 0x1000, words[3] = AT; /* ends before it starts */
		memcpy(desc, words, sizeof(words));
		ck_works(open_made(&made, &core, &err), &err);
		ck_assert_str_eq(maps_find(&core.maps, AT)->path, "");
		expect_dumped(&core, AT, 0x1000);
		core_close(&core);
	}
}

TEST(notes_beyond_the_file_say_nothing)
{
	static const uint64_t places[][2] = { { UINT64_MAX - 8, 64 },
					      { 0x1000, UINT64_MAX },
					      { 0x100000, 64 },
					      { 0x1000, 1 << 27 },
					      { 0x1000, 0 } };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		static struct made made;
		struct ari_error err;
		struct core core;
		Elf64_Phdr *notes;

		begin(&made);
		add_part(&made, AT, 0x1000, 0x1000);
		notes = add_header(&made, PT_NOTE);
		notes->p_offset = places[i][0];
		notes->p_filesz = places[i][1];
		ck_works(open_made(&made, &core, &err), &err);
		ck_assert_uint_eq(core.threads.count, 0);
		core_close(&core);
	}
}

TEST(compressed_core_is_told_with_its_program)
{
	static const struct {
		const char *bytes, *program;
	} packed[] = { { "\x28\xb5\x2f\xfd....", "zstd -d" },
		       { "\xfd"
			 "7zXZ...",
			 "xz -d" },
		       { "\x04\x22\x4d\x18....", "lz4 -d" },
		       { "\x1f\x8b......", "gzip -d" } };

	for (size_t i = 0; i < sizeof(packed) / sizeof(*packed); i++) {
		struct scratch scratch;
		struct ari_error err;
		struct core core;
		char file[128];

		scratch_open(&scratch);
		scratch_file(&scratch, "core", packed[i].bytes, 8);
		snprintf(file, sizeof(file), "%s/core", scratch.path);
		ck_fails(core_open(file, &core, &err), &err, ARI_IO);
		ck_assert_ptr_nonnull(strstr(err.message, packed[i].program));
		scratch_close(&scratch);
	}
}

UNIT_MAIN("mem/core", what_was_dumped_is_read_across_parts,
	  what_the_dump_left_out_is_unreadable_and_no_zeros,
	  runs_are_what_was_dumped_of_whole_pages,
	  what_was_left_out_of_a_file_is_read_from_it_and_from_no_other,
	  mapping_that_has_no_header_is_known_by_the_note,
	  page_size_is_that_of_the_auxiliary_vector, process_is_that_of_the_notes,
	  threads_have_the_pointers_of_the_notes, headers_that_no_core_has_are_refused,
	  other_machines_and_other_files_are_refused, core_that_is_cut_says_so,
	  absurd_notes_say_nothing_and_do_no_harm, notes_beyond_the_file_say_nothing,
	  compressed_core_is_told_with_its_program)
