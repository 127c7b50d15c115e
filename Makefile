# SPDX-License-Identifier: Apache-2.0
# arenainspect: `make help` lists the targets.
#
#   make WERROR=1        warnings are errors
#   make SAN=1           address and undefined behaviour sanitizers, in build-san/
#   make CC=clang B=DIR  another compiler, in a directory of its own
#   make CROSS=aarch64   for that machine, in build-aarch64/ (make cross fetches what it needs)

VERSION := 0.1.0
PREFIX  := /usr/local

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/bash

# P: programs under test are built once and plainly: a sanitizer would replace the very
# malloc they are to show.
P := build
ifneq ($(CROSS),)
B := build-$(CROSS)
P := $B
else ifeq ($(SAN),1)
B := build-san
else
B := build
endif

# ---- flags ----

# CC, CPPFLAGS, CFLAGS and LDFLAGS are the caller's; what the project needs is added.
ifneq ($(CROSS),)
sysroot    := $(CURDIR)/build/sysroots/$(CROSS)
triplet    := $(CROSS)-linux-gnu
# -L: the compiler would find a libc of its own first.
CC         := $(triplet)-gcc --sysroot=$(sysroot) -L$(sysroot)/usr/lib/$(triplet)
AR         := $(triplet)-ar
PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(sysroot) \
	      PKG_CONFIG_LIBDIR=$(sysroot)/usr/lib/$(triplet)/pkgconfig:$(sysroot)/usr/share/pkgconfig \
	      pkg-config
endif
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g
LIB_PKGS   := libdw libelf json-c libzstd
CMD_PKGS   := smartcols libzstd

cpp_flags := -D_GNU_SOURCE= -DARI_VERSION='"$(VERSION)"'
c_flags   := -std=gnu11 -Wall -Wextra -Wmissing-prototypes -pthread -fPIE
ld_flags  := -pthread -pie -Wl,-z,relro,-z,now
ifeq ($(WERROR),1)
c_flags   += -Werror
endif
ifeq ($(SAN),1)
sanitize  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
c_flags   += $(sanitize)
ld_flags  += $(sanitize)
else ifeq ($(FUZZER),1)
sanitize  := -fsanitize=address,undefined -fno-sanitize-recover=all
c_flags   += -fsanitize=fuzzer-no-link $(sanitize)
ld_flags  += -fsanitize=fuzzer $(sanitize)
else
cpp_flags += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
c_flags   += -fstack-protector-strong -fstack-clash-protection
endif

# $(call pkg,--cflags,PACKAGES): asked only when a rule needs it, so that `make help`
# and `make clean` work where nothing is installed.
pkg = $(call found,$(shell $(PKG_CONFIG) $(1) $(2) || echo MISSING),$(2))
found = $(if $(filter MISSING,$(1)),$(error $(2): not found; scripts/deps build installs \
	what is missing),$(1))

# lib and arch see each other's headers; cmd sees the public one.  What exactly may
# include what is the business of scripts/layers.
lib_flags   = -I. -Ilib $(call pkg,--cflags,$(LIB_PKGS))
cmd_flags   = -iquote lib -iquote cmd $(call pkg,--cflags,$(CMD_PKGS))
unit_flags  = $(lib_flags) -Itests/unit $(call pkg,--cflags,check)
lib_libs    = $(call pkg,--libs,$(LIB_PKGS))
cmd_libs    = $(lib_libs) $(call pkg,--libs,$(CMD_PKGS))
unit_libs   = $(lib_libs) $(call pkg,--libs,check)

# ---- files ----

lib_src    := $(wildcard arch/*.c lib/*.c lib/*/*.c)
cmd_src    := $(wildcard cmd/*.c cmd/out/*.c)
unit_src   := $(wildcard tests/unit/*/t_*.c)
unit_more  := $(filter-out $(unit_src),$(wildcard tests/unit/*.c tests/unit/*/*.c))
target_src := $(wildcard tests/targets/*.c)
fuzz_src   := $(filter-out tests/fuzz/run.c,$(wildcard tests/fuzz/*.c))
probe_src  := $(wildcard tests/probes/*.c)
bench_src  := $(wildcard tests/bench/*.c)
c_files    := $(wildcard arch/*.[ch] lib/*.[ch] lib/*/*.[ch] cmd/*.[ch] cmd/out/*.[ch] \
	      tests/*/*.[ch] tests/*/*/*.[ch])
man_pages  := $(wildcard man/*.1 man/*.7)
schemas    := $(wildcard lib/snapshot/*.schema.json)
kit        := $(wildcard scripts/kit/*)
scripts    := $(filter-out scripts/layers scripts/kit,$(wildcard scripts/* .ci/run tests/unit/run \
	      tests/aarch64/run tests/bench/run tests/*/*.bash tests/*/*/*.bash tests/*/*.sh tests/*/*/*.sh))

lib_obj  := $(lib_src:%.c=$B/%.o)
cmd_obj  := $(cmd_src:%.c=$B/%.o)
unit_obj := $(unit_src:%.c=$B/%.o) $(unit_more:%.c=$B/%.o)
probe_obj := $(probe_src:%.c=$B/%.o)
fuzz_obj := $(fuzz_src:%.c=$B/%.o) $B/tests/fuzz/run.o

library := $B/libarenainspect.a
program := $B/arenainspect
units   := $(unit_src:tests/unit/%.c=$B/unit/%)
fuzzers := $(fuzz_src:tests/%.c=$B/%)
probes  := $(probe_src:tests/%.c=$B/%)
targets := $(target_src:tests/targets/%.c=$P/targets/%)
benches := $(bench_src:tests/bench/%.c=$P/bench/%)

.PHONY: all all-targets build-all cross check check-unit check-cli check-long fuzz libfuzzer bench \
	lint lint-format lint-cppcheck lint-layers lint-shell lint-man format install clean \
	help FORCE

all: $(program) ## the program and its library (the default)
cross: ## the program and its targets for aarch64, in build-aarch64/
	scripts/sysroot
	@$(MAKE) CROSS=aarch64 all all-targets
all-targets: $(targets)
build-all: $(program) $(units) $(fuzzers) $(probes) $(targets) $(benches) ## and all that the tests need, without running any

# ---- building ----

# Rewritten only when the compiler or the flags change; then everything is made anew.
flags = $(CC) $(cpp_flags) $(CPPFLAGS) $(c_flags) $(CFLAGS) $(ld_flags) $(LDFLAGS)
$B/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(flags)) | cmp -s - $@ || \
		printf '%s\n' $(call quote,$(flags)) >$@
quote = '$(subst ','\'',$(1))'

compile = @mkdir -p $(@D); echo "  CC    $@"; \
	  $(CC) $(cpp_flags) $(1) $(CPPFLAGS) $(c_flags) $(CFLAGS) -MMD -MP -c -o $@ $<
link    = @mkdir -p $(@D); echo "  LINK  $@"; \
	  $(CC) $(c_flags) $(CFLAGS) $(ld_flags) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(1)

$(lib_obj): $B/%.o: %.c $B/flags
	$(call compile,$(lib_flags))
$(cmd_obj): $B/%.o: %.c $B/flags
	$(call compile,$(cmd_flags))
$(unit_obj) $(fuzz_obj): $B/%.o: %.c $B/flags
	$(call compile,$(unit_flags))
$(probe_obj): $B/%.o: %.c $B/flags
	$(call compile,$(lib_flags))

# Another release of the libraries makes everything anew.
ifneq ($(CROSS),)
$(lib_obj) $(cmd_obj) $(targets): $(sysroot).packages
endif

$(library): $(lib_obj)
	@echo "  AR    $@"; rm -f $@; $(AR) rcs $@ $^
$(program): $(cmd_obj) $(library)
	$(call link,$(cmd_libs))
$(units): $B/unit/%: $B/tests/unit/%.o $(unit_more:%.c=$B/%.o) $(library)
	$(call link,$(unit_libs))
# libFuzzer brings a main of its own.
$(fuzzers): $B/fuzz/%: $B/tests/fuzz/%.o $(unit_more:%.c=$B/%.o) $(library) \
		$(if $(FUZZER),,$B/tests/fuzz/run.o)
	$(call link,$(unit_libs))
$(probes): $B/%: $B/tests/%.o $(library)
	$(call link,$(lib_libs))

# A first line `// LDFLAGS: …` in a target says what it is linked with besides.
$(targets) $(benches): $P/%: tests/%.c
	@mkdir -p $(@D); echo "  CC    $@"; \
	$(CC) -std=gnu11 -D_GNU_SOURCE= -O1 -g -Wall -Wextra -pthread \
		-MMD -MP -MF $@.d -MT $@ -o $@ $< $$(sed -n '1s,^// LDFLAGS:,,p' $<)

-include $(lib_obj:.o=.d) $(cmd_obj:.o=.d) $(unit_obj:.o=.d) $(fuzz_obj:.o=.d) $(probe_obj:.o=.d) \
	 $(targets:=.d) $(benches:=.d)

# ---- tests ----

# An exit code of its own, so that no test takes a sanitizer's report for an answer.
test_env = ARENAINSPECT=$(abspath $(program)) TARGETS=$(abspath build/targets) \
	   PROBES=$(abspath $B/probes) SAN=$(SAN) \
	   ASAN_OPTIONS=exitcode=99:$$ASAN_OPTIONS \
	   UBSAN_OPTIONS=exitcode=99:print_stacktrace=1:$$UBSAN_OPTIONS
# $(call bats,FOLDER): BATS_ARGS may choose (`make check-cli BATS_ARGS='-f loops'`).
bats = set -o pipefail; $(test_env) bats --tap --print-output-on-failure $(BATS_ARGS) \
       $(1) | tee $B/$(subst /,-,$(1)).tap

check: check-unit fuzz $(program) $(probes) $(targets) ## unit tests, parsers on spoiled input, end-to-end tests
	@$(call bats,tests/cli)
check-unit: $(units) ## unit tests (Check)
	@$(test_env) tests/unit/run $B/unit.tap $(units)
check-cli: $(program) $(probes) $(targets) ## end-to-end tests (bats), BATS_ARGS='-f NAME' for some
	@$(call bats,tests/cli)
check-long: $(program) $(probes) $(targets) $(benches) ## end-to-end tests that take minutes
	@$(call bats,tests/cli/long)

# The same in every run, and the input in hand is kept.
FUZZ_ROUNDS := 1000
fuzz: $(fuzzers) ## the parsers on spoiled input, FUZZ_ROUNDS=N times each seed
	@for fuzzer in $(fuzzers); do echo "  FUZZ  $$fuzzer"; \
		$(test_env) $$fuzzer --keep $$fuzzer.input $(FUZZ_ROUNDS) || \
		{ echo "fuzz: what ended it is in $$fuzzer.input"; exit 1; }; \
	done
FUZZ_SECONDS := 60
libfuzzer: ## the same by clang's libFuzzer, for FUZZ_SECONDS=N each
	@$(MAKE) CC=clang B=build-fuzz FUZZER=1 $(fuzzers:$B/%=build-fuzz/%)
	@$(MAKE) $(fuzzers)
	@for name in $(notdir $(fuzzers)); do corpus=build-fuzz/corpus/$$name; \
		mkdir -p $$corpus && $B/fuzz/$$name --corpus $$corpus && \
		build-fuzz/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-artifact_prefix=build-fuzz/$$name- $$corpus || exit 1; \
	done

bench: $(program) $(targets) $(benches) ## ratios against the floor and a debugger, in one run
	@status=0; for bench in run walk; do \
		$(test_env) BENCH=$(abspath build/bench) tests/bench/$$bench || status=1; \
	done; exit $$status

# ---- lint ----

lint: lint-format lint-cppcheck lint-layers lint-shell lint-man ## all that can be seen without running it
lint-format:
	@echo "  LINT  format"; clang-format --dry-run -Werror $(c_files)
# Not the targets: odd uses of malloc are what they are for.
lint-cppcheck:
	@echo "  LINT  cppcheck"; cppcheck --quiet --error-exitcode=1 \
		--enable=warning,performance,portability --inline-suppr \
		--std=c11 --platform=unix64 --library=posix,gnu \
		--suppressions-list=.cppcheck-suppressions -j 2 \
		-D_GNU_SOURCE -DARI_VERSION='""' -I. -Ilib -Icmd -Itests/unit \
		$(lib_src) $(cmd_src) $(unit_src) $(unit_more) $(fuzz_src) $(probe_src)
lint-layers:
	@echo "  LINT  layers"; scripts/layers
lint-shell:
	@echo "  LINT  shell"; shellcheck -x $(scripts)
lint-man:
	@echo "  LINT  man"; mandoc -Tlint -Wwarning $(man_pages) </dev/null

format: ## rewrites the sources in the project's style
	clang-format -i $(c_files)

# ---- the rest ----

install: $(program) ## to $(DESTDIR)$(PREFIX)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(program)
	install -d $(DESTDIR)$(PREFIX)/lib/nagios/plugins
	ln -sfn ../../../bin/arenainspect $(DESTDIR)$(PREFIX)/lib/nagios/plugins/check_arenainspect
	$(foreach page,$(man_pages),install -D -m 644 \
		-t $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page))) $(page) &&) :
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/arenainspect $(schemas)
	$(foreach file,$(kit),install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/arenainspect/kit $(file) &&) :
	sed -i 's,/usr/local/,$(PREFIX)/,' $(DESTDIR)$(PREFIX)/share/arenainspect/kit/*.service
	install -D -m 644 scripts/completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/arenainspect

clean: ## removes build/ and build-*/
	rm -rf build build-*

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile
