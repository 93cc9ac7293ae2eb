# volumed: `make`, `make demo`, `make check`; `make help` lists the rest.
MODE    ?= release
BUILD   ?= build/$(MODE)
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc

LIBS    := sqlite3 mount blkid uuid jansson libarchive libcrypto libseccomp
PKG     := $(shell pkg-config --exists $(LIBS) 2>/dev/null && echo yes)
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
           -Wvla -Walloca -Wformat=2 -Wconversion -Wnull-dereference -Wswitch-enum -Wundef \
           -Wcast-qual -Wwrite-strings -Wpointer-arith -Wdate-time -Wframe-larger-than=16384 -fno-common
WARN_GCC := -Wformat-signedness -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
           -Wjump-misses-init -Wimplicit-fallthrough=5 -Wcast-align=strict
ifeq ($(findstring clang,$(CC)),)
WARN    += $(WARN_GCC)
endif
ifeq ($(WERROR),1)
WARN    += -Werror
endif

HARDEN  := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection
CFLAGS.release := -O2 -g1 $(HARDEN) -ftrivial-auto-var-init=zero
CFLAGS.fault   := -O1 -g -DFAULT_INJECTION
CFLAGS.asan    := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -DFAULT_INJECTION
CFLAGS.tsan    := -O1 -g -fsanitize=thread -DFAULT_INJECTION
CFLAGS.coverage := -O0 -g --coverage -DFAULT_INJECTION
CFLAGS.analyze := -O1 -fanalyzer
LDFLAGS.release := -Wl,-z,relro,-z,now -pie
LDFLAGS.asan   := -fsanitize=address,undefined
LDFLAGS.tsan   := -fsanitize=thread
LDFLAGS.coverage := --coverage

VERSION := $(shell cat VERSION)
COMMON  := -std=gnu17 -D_GNU_SOURCE -DVOLUMED_VERSION='"$(VERSION)"' -Ivolumed -I. -MMD -MP $(WARN) $(CFLAGS.$(MODE))
CFLAGS.all := $(COMMON) -fPIE
VOLUMED_LIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null) -lpthread -lm
VOLCTL_LIBS  := -ljansson -luuid -lm
# The runner is one static program: no library of a container, and none of the host, is ever loaded into it.
RUNNER_LIBS  := -lseccomp -ljansson -luuid -lmd -lm
RUNNER_LINK  := $(if $(filter release fault,$(MODE)),-static)

BASE    := $(wildcard volumed/base/*.c)
VOLUMED := $(filter-out $(BASE),$(wildcard volumed/*.c volumed/*/*.c volumed/*/*/*.c))
RUNNER  := $(wildcard runner/*.c runner/*/*.c)
VOLCTL  := $(wildcard tools/volctl/*.c)
SQL     := $(sort $(wildcard schema/sql/[0-9]*.sql))
# Objects mirror the sources below obj/, so that same-named files never clash.
obj      = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
Q        := $(if $(V),,@)

.PHONY: all
all: $(BUILD)/volumed $(BUILD)/confined $(BUILD)/runner $(BUILD)/volctl

# Two programs of one archive: each gets what its main leads to, and the libraries of that.
$(BUILD)/volumed: $(call obj,volumed/main.c)
$(BUILD)/confined: $(call obj,volumed/confined.c)
$(BUILD)/volumed $(BUILD)/confined: $(BUILD)/libvolumed.a
	$(Q)$(CC) $(LDFLAGS.$(MODE)) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^) $(VOLUMED_LIBS)
$(BUILD)/runner: $(call obj,$(RUNNER)) $(call obj,$(BASE))
	$(Q)$(CC) $(LDFLAGS.$(filter-out release,$(MODE))) $(RUNNER_LINK) -Wl,-z,relro,-z,now -o $@ $^ $(RUNNER_LIBS)
$(BUILD)/volctl: $(call obj,$(VOLCTL)) $(call obj,$(BASE))
	$(Q)$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(VOLCTL_LIBS)

# The migrations travel inside the binary, in order.
$(BUILD)/migrations.c: $(SQL) tools/dev/embed-sql
	@mkdir -p $(@D)
	tools/dev/embed-sql $(SQL) > $@
$(BUILD)/migrations.o: $(BUILD)/migrations.c
	$(Q)$(CC) $(CFLAGS.all) -c -o $@ $<

$(BUILD)/obj/%.o: %.c Makefile VERSION
	$(if $(PKG),,$(error libraries are missing: run 'make deps' first (packaging/packages.txt)))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS.all) $(CFLAGS_EXTRA) -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
include $(wildcard tests/tests.mk)

.PHONY: deps demo install clean help
deps: ## install the Debian packages of packaging/packages.txt
	tools/dev/install-packages
install: all ## install programs, man pages and service files
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/libexec/volumed
	install -m 755 $(BUILD)/volumed $(DESTDIR)$(PREFIX)/sbin/volumed
	install -m 755 $(BUILD)/volctl $(DESTDIR)$(PREFIX)/bin/volctl
	install -m 755 $(BUILD)/runner $(BUILD)/confined $(DESTDIR)$(PREFIX)/libexec/volumed
	packaging/install-files "$(DESTDIR)" "$(PREFIX)"
clean: ## remove what was built
	rm -rf build
help: ## this list
	@awk -F':.*## ' '/^[a-z._-]+:.*## /{printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
