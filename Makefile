# tern: how it is built, tested and checked. `make help` lists the targets.
#
# CC, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX and DESTDIR mean what they always do; V=1 shows the commands.
# B is where everything is built, SANITIZE names the sanitizers to build with, TESTFLAGS goes to Criterion.

B := build
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
TESTFLAGS ?= -j2 --timeout 60
FUZZ_SECONDS ?= 30

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all run test check unit server load reload-load slow testssl screenshot reference sanitize lint format fuzz fuzzers bench \
    sleep-bench library-bench test-aarch64 objects install uninstall deb systemd-test clean help force

ifeq ($(origin CC),default)
CC := gcc
endif

# As many jobs as there are cores, unless the caller has said how many.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-print-directory --no-builtin-rules

Q := $(if $(V),,@)
say = @echo '  $1' $2
comma := ,

# What there is to build. scripts/layers knows which layer may see which.

layers := base trace ctl log conf green net http policy module handler proc
machine := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
object = $(addprefix $B/obj/,$(addsuffix .o,$(basename $1)))

library := $(call object,$(wildcard $(layers:%=src/%/*.c) $(layers:%=src/%/*_$(machine).S)) src/handler/status_files.S)
# Of modules nothing in the binary need know; and what stands before libc does so in the server alone.
modules := $(call object,$(wildcard src/module/*.c))
interposers := $(call object,$(wildcard src/libc/*.c))
unit_tests := $(call object,$(wildcard $(layers:%=tests/unit/%/*.c) tests/unit/libc/*.c))
server_tests := $(call object,$(wildcard tests/server/*.c))
fuzzers := $(patsubst tests/fuzz/%.c,$B/%,$(wildcard tests/fuzz/*_fuzz.c))
green_bench := $(call object,$(wildcard scripts/bench/green*.c))
thread_bench := $(call object,scripts/bench/thread_per_connection.c)
reference := $(call object,scripts/reference.c)

# Modules: the examples, and those that tests load. A library that one needs is asked of pkg-config here; a module whose
# library is not installed is not built.

needs_src/modules/hash := libcrypt
needs_src/modules/postgres := libpq
needs_tests/modules/curl_client := libcurl
needs_tests/modules/redis_client := hiredis
package = $(if $(needs_$2),$(shell pkg-config $1 $(needs_$2) 2>/dev/null))
has_needs = $(or $(if $(needs_$1),,yes),$(call package,--modversion,$1))
buildable = $(foreach module,$(basename $1),$(if $(call has_needs,$(module)),$(module)))

examples := $(patsubst src/%,$B/%.so,$(call buildable,$(wildcard src/modules/*.c)))
test_modules := $(patsubst tests/%,$B/tests/%.so,$(call buildable,$(wildcard tests/modules/*.c)))

# Flags. Fortify needs an optimiser, and stays away from the sanitizers, which see more. The switch between green
# threads rules out a shadow stack, but not the landing pads of indirect branches.

works = $(shell echo '\#include <stdlib.h>' | $(CC) -O2 $1 -Werror -E - >/dev/null 2>&1 && echo '$1')
optimises := $(filter-out -O0,$(filter -O%,$(CFLAGS)))
fortify := -U_FORTIFY_SOURCE $(or $(call works,-D_FORTIFY_SOURCE=3),-D_FORTIFY_SOURCE=2)
landing_pads := $(if $(filter x86_64,$(machine)),-fcf-protection=branch)
# On AArch64 gcc takes a guard for 64 KiB; ours is a page.
small_guard := $(if $(filter aarch64,$(machine)),$(call works,--param=stack-clash-protection-guard-size=12))
hardening := -fstack-protector-strong -fstack-clash-protection $(small_guard) $(landing_pads) $(if $(optimises),$(fortify))
sanitizers := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=undefined)
# Of gcc's two shared runtimes the second would not know where the first one writes its reports.
one_runtime := $(if $(findstring clang,$(CC)),,$(if $(findstring address,$(SANITIZE)),-static-libasan -static-libubsan))
# Optimised across files: a switch and a request cross many. The tests are linked without, for the sake of their wraps.
lto := $(if $(or $(SANITIZE),$(findstring clang,$(CC))),,-flto=auto -ffat-lto-objects)
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR)

cppflags := -D_GNU_SOURCE -DTERN_ETC='"$(SYSCONFDIR)/tern"' -DTERN_MODULES='"$(PREFIX)/lib/tern/modules"' -Isrc $(CPPFLAGS)
cflags := -std=gnu11 -fPIE -fno-omit-frame-pointer $(warnings) $(or $(sanitizers),$(hardening)) $(CFLAGS) $(lto)
ldflags := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(sanitizers) $(one_runtime) $(LDFLAGS)
tls_libs := $(if $(wildcard src/net/tls*.c),-lssl -lcrypto)
libs := -lev -lhttp_parser -lnghttp2 -lyaml -lz -lbrotlienc -lzstd -lcrypt -ljansson -ldw -lelf -lseccomp $(tls_libs) -lpthread

# The calls of libc that src/libc stands before. It exports them for modules and libraries; whatever else is linked with
# it gets __wrap_NAME, which is libc's.
calls := $(shell sed -n 's/^ *CALL.[^,]*, \([a-z0-9_]*\),.*/\1/p; s/^ *CHECKED.[^,]*, \([a-z0-9_]*\),.*/__\1_chk/p' \
    src/libc/calls.h)
# Where a unit test defines __wrap_NAME, it gets every call of NAME in the binary of the unit tests.
WRAP ?= $(patsubst __wrap_%,%,$(sort $(shell grep -rhos '\<__wrap_[a-z0-9_]*' $(layers:%=tests/unit/%))))

option = $(addprefix -Wl$(comma)--$1=,$2)
wrap_calls := $(call option,wrap,$(calls))
export_calls := $(call option,export-dynamic-symbol,$(calls))
export_modules := $(call option,export-dynamic-symbol,'tern_*')

places = B='$B' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)'

# The targets.

all: $B/tern $B/ternctl $(examples) ## builds build/tern, build/ternctl and the modules (the default)

run: ## installs what is missing, builds, and serves conf/www
	@scripts/deps build
	@$(MAKE) all
	@exec $B/tern -c conf/tern.yaml

test: ## installs what is missing, builds, and runs every test
	@scripts/deps build test
	@$(MAKE) check

check: $B/tern $B/ternctl $B/tests/unit $B/tests/server $(examples) $(test_modules) ## the same, with what is installed
	@scripts/layers
	@status=0; \
	timeout 900 $B/tests/unit $(TESTFLAGS) || status=1; \
	TERN=$B/tern timeout 900 $B/tests/server $(TESTFLAGS) || status=1; \
	exit $$status

unit: $B/tests/unit ## the unit tests alone; TESTFLAGS="--filter wheel/*" picks some
	@$B/tests/unit $(TESTFLAGS)

server: $B/tern $B/ternctl $B/tests/server $(examples) $(test_modules) ## the tests of the whole server alone
	@TERN=$B/tern $B/tests/server $(TESTFLAGS)

load: ## wrk at 1,000 connections over real files, then with workers killed under it
	@scripts/deps build test
	@$(MAKE) all
	@scripts/load-test

reload-load: ## wrk at 200 connections while the server is reloaded, and then upgraded, again and again
	@scripts/deps build test
	@$(MAKE) all
	@scripts/reload-test

testssl: ## what testssl.sh thinks of the server's TLS; about two minutes
	@scripts/deps build testssl
	@$(MAKE) all
	@scripts/tls-test

slow: ## what 10,000 clients that send a byte a second cost, and what others notice
	@scripts/deps build test
	@$(MAKE) all
	@scripts/slow-test

screenshot: ## makes docs/status.png: the status page after two minutes of some load
	@scripts/deps build test
	@$(MAKE) all
	@B='$B' scripts/screenshot docs/status.png

reference: $B/reference ## writes what directives and tern.h say of themselves: tern.yaml.5, tern-module.3, the schema
	$(call say,GEN  ,docs/tern.yaml.5 docs/tern-module.3 conf/tern.schema.json)
	$Q$< manual <docs/tern.yaml.5.in >$B/tern.yaml.5
	$Q$< schema >$B/tern.schema.json
	$Qscripts/module-manual src/tern.h docs/tern-module.3.in >$B/tern-module.3
	$Qcp $B/tern.yaml.5 $B/tern-module.3 docs
	$Qcp $B/tern.schema.json conf

sanitize: ## every test under ASan and UBSan, then the server under TSan
	@scripts/deps build test
	+@scripts/sanitize

lint: ## format, clang-tidy, cppcheck, shellcheck, layers, and no warning from gcc or clang
	@scripts/deps build test lint
	+@scripts/lint

format: ## formats the sources in place
	@scripts/deps lint
	@find src tests scripts -name '*.[ch]' -exec clang-format -i {} +

fuzz: ## each fuzzer of tests/fuzz for FUZZ_SECONDS
	@scripts/deps build lint
	@$(MAKE) B=build/fuzz CC=clang SANITIZE=address,undefined,fuzzer-no-link fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz

bench: ## what green threads cost beside other kinds of threads
	@scripts/deps build
	@$(MAKE) $B/bench/green
	@$B/bench/green

sleep-bench: ## 5,000 handlers that sleep: beside a thread per connection, and gevent
	@scripts/deps build bench
	@$(MAKE) all $B/bench/thread_per_connection
	@scripts/bench/sleep-test

library-bench: ## 500 handlers at once that wait in libpq, hiredis or libcurl, in one worker
	@scripts/deps build test
	@$(MAKE) all $B/tests/modules/redis_client.so $B/tests/modules/curl_client.so
	@scripts/bench/library-test

test-aarch64: ## the unit tests of the lower layers, cross-built, in an emulator
	@scripts/deps build aarch64
	+@scripts/test-aarch64

install: all ## installs under PREFIX and SYSCONFDIR, below DESTDIR; a configuration that is there stays
	$(call say,INST ,$(DESTDIR)$(PREFIX) $(DESTDIR)$(SYSCONFDIR)/tern)
	$Q$(places) scripts/install

uninstall: ## takes that away again, but for the configuration
	$Q$(places) scripts/install --remove

deb: ## builds a Debian package: build/tern_VERSION_ARCH.deb
	@scripts/deps build deb
	+@scripts/deb

systemd-test: ## as root: boots a system in a container, installs the package there, and tries the service
	@scripts/deps build test deb boot
	+@scripts/systemd-test

clean: ## removes build/
	@rm -rf build

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1 /p' Makefile | while read -r target what; do \
	    printf '  %-13s %s\n' "$$target" "$$what"; done

# How it is built.

objects: $(library) $(interposers) $(call object,src/main.c src/ternctl.c) $(unit_tests) $(server_tests) $(green_bench) \
    $(reference) $(thread_bench) $B/tests/faults.so $(examples) $(test_modules)

fuzzers: $(fuzzers)

$B/tern: $(call object,src/main.c) $(interposers) $(modules) $B/libtern.a
$B/ternctl: $(call object,src/ternctl.c) $B/libtern.a
$B/tests/unit: $(unit_tests) $(interposers) $B/libtern.a
$B/tests/server: $(server_tests) $B/libtern.a | $B/tests/faults.so
$B/bench/green: $(green_bench) $B/libtern.a
$B/bench/thread_per_connection: $(thread_bench)
$B/reference: $(reference) $B/libtern.a
$(fuzzers): $B/%: $B/obj/tests/fuzz/%.o $B/libtern.a

$B/tests/unit $B/tests/server: ldflags += $(if $(lto),-fno-lto)
$B/tern: ldflags += $(wrap_calls) $(export_calls) $(export_modules) $(if $(SANITIZE),$(call option,export-dynamic-symbol,'__*san_*'))
$B/tests/unit: ldflags += $(sort $(wrap_calls) $(call option,wrap,$(WRAP)))
$B/tests/unit $B/tests/server: libs += -lcriterion -lbrotlidec
$B/tests/server: libs += -lssl -lcrypto
$(fuzzers): ldflags += -fsanitize=fuzzer

$B/tern $B/ternctl $B/tests/unit $B/tests/server $B/bench/green $B/bench/thread_per_connection $B/reference $(fuzzers):
	@mkdir -p $(@D)
	$(call say,LD   ,$@)
	$Q$(CC) $(cflags) $(ldflags) -o $@ $^ $(libs)

# A module finds tern_*() in the server that loads it, and a sanitizer's runtime too: there must not be a second one.
$(examples:$B/%.so=$B/obj/src/%.o) $(test_modules:$B/%.so=$B/obj/%.o): cflags += -fPIC $(if $(lto),-fno-lto)
$(examples): $B/%.so: $B/obj/src/%.o
$(test_modules): $B/%.so: $B/obj/%.o
$(examples) $(test_modules):
	@mkdir -p $(@D)
	$(call say,LD   ,$@)
	$Q$(CC) -shared -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(LDFLAGS) -o $@ $< \
	    $(call package,--libs,$(<:$B/obj/%.o=%))

# Preloaded by tests of the whole server; plain, whatever the server is built with.
$B/tests/faults.so: tests/preload/faults.c tests/preload/faults.h $B/flags
	@mkdir -p $(@D)
	$(call say,LD   ,$@)
	$Q$(CC) $(cppflags) -std=gnu11 -fPIC $(warnings) $(hardening) $(CFLAGS) -shared -o $@ $< $(LDFLAGS)

$B/libtern.a: $(library)
	$(call say,AR   ,$@)
	$Qrm -f $@ && $(AR) rcs $@ $^

$B/obj/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC   ,$<)
	$Q$(CC) $(cppflags) $(call package,--cflags,$*) $(cflags) -MMD -MP -c -o $@ $<

# The linker alone knows who calls what stands before libc, and what modules call.
$(interposers) $(modules): cflags += -fno-lto

$B/obj/%.o: %.S $B/flags
	@mkdir -p $(@D)
	$(call say,AS   ,$<)
	$Q$(CC) $(cppflags) -g -MMD -MP -c -o $@ $<

# It has them in it, which its own dependencies do not say.
$B/obj/src/handler/status_files.o: $(wildcard src/handler/status/*)

# Changed when the compiler or its flags do, so that no object of the old kind stays.
$B/flags: force
	@mkdir -p $(@D)
	@echo '$(CC) $(cppflags) $(cflags)' | cmp -s - $@ || echo '$(CC) $(cppflags) $(cflags)' >$@

-include $(shell find $B/obj -name '*.d' 2>/dev/null)
