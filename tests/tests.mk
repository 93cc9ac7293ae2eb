# How tests are built and run.  Unit tests and fuzz targets link all of volumed but its mains.
TEST_BUILD  := $(BUILD)-fault
UNIT        := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZ        := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
T           ?=
UNIT_WANTED := $(if $(T),$(filter test_$(T)%,$(UNIT)),$(UNIT))
ifeq ($(MODE),tsan)
# What starts confined children: they have one thread each, and a sandbox too small for the sanitizer.
UNIT_WANTED := $(filter-out test_transfer_% test_core_image_fault test_core_image_load test_core_image_remove \
                 test_core_image_save test_core_container_files test_sweep_container test_sweep_start test_sweep_lease \
                 test_sweep_recreate,$(UNIT_WANTED))
endif
LIBRARY     := $(filter-out volumed/main.c volumed/confined.c,$(VOLUMED)) $(BASE)
# A test of the runner names the runner's files it needs by linking all but its main.
RUNNER_LIB  := $(filter-out runner/main.c,$(RUNNER)) $(BASE)
CHECK_LIBS  := $(shell pkg-config --libs check 2>/dev/null)
S           ?= 60

.PHONY: check check-asan check-tsan check-unit check-fuzz check-integration check-crash check-power check-proof check-vm
.PHONY: unit-programs fuzz-programs fuzz bench lint format analyze coverage compile_commands.json demo

check: ## everything: lint, unit and fault tests, fuzz corpora, integration
	@tests/lib/check
demo: ## the main job, told as a story (root; installs what is missing)
	@tests/demo/demo
lint: ## static checks
	@tools/dev/lint
format: ## rewrite C as .clang-format wants it
	@clang-format -i $$(git ls-files '*.[ch]')
analyze: ## gcc's static analyzer over the programs, for reading; nothing depends on it
	@$(MAKE) --no-print-directory MODE=analyze BUILD=build/analyze all
coverage: ## lines that unit tests run, by floor
	@mkdir -p build/coverage && find build/coverage -name '*.gcda' -delete
	@$(MAKE) --no-print-directory MODE=coverage BUILD=build/coverage check-unit
	@tools/dev/coverage build/coverage base=85 driver=80 http=90 model=90 store=85
compile_commands.json: ## what editors and analyzers read
	@tools/dev/compile-commands $(CC) $(filter-out -MMD -MP,$(CFLAGS.all)) -Itests -I. -- $$(git ls-files '*.c') > $@
bench: all ## figures beside a peer's in the same run
	@tests/bench/bench
	@tests/bench/bench-runner
check-integration: all ## integration tests (T=prefix for some files)
	@tests/lib/run-integration $(if $(T),$(wildcard tests/integration/$(T)*.bats),)
check-proof: all ## databases on two volumes under load: sets, recreations and a major upgrade, each with a control
	@tests/proof/prove-sets 50 50
	@tests/proof/prove-recreate btrfs xfs ext4
	@tests/proof/prove-upgrade || [ $$? -eq 77 ]
check-crash: all ## kill -9 at every system call of every verb; 1,000 damaged and lying capsules
	@CRASH_STEP=1 FILE_TIMEOUT=7200 tests/lib/run-integration tests/integration/crash.bats
	@MUTANTS=1000 FILE_TIMEOUT=7200 tests/lib/run-integration tests/integration/capsule_mutants.bats
check-power: all ## power lost at 120 moments of a loop of storage verbs and recreations, and a control that loses data
	@tests/power/check-power
check-vm: all ## the runner's integration tests in a machine with cgroup v2 alone (T=prefix for some files)
	@tests/lib/run-vm $(if $(T),$(wildcard tests/integration/$(T)*.bats),)
check-asan: ## unit tests and corpora under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory MODE=asan BUILD=build/asan check-unit check-fuzz T=$(T)
check-tsan: ## unit tests under the thread sanitizer
	@TSAN_OPTIONS=report_thread_leaks=0 \
		$(MAKE) --no-print-directory MODE=tsan BUILD=build/tsan check-unit T=$(T)
fuzz: ## libFuzzer, T=noun for one target, S=seconds for each
	@tests/fuzz/fuzz "$(T)" "$(S)"

ifeq ($(MODE),release)
# The programs under test are built with fault points: the same make in another mode.
check-unit: ## unit and fault tests (T=prefix for some)
	@$(MAKE) --no-print-directory MODE=fault BUILD=$(TEST_BUILD) check-unit T=$(T)
check-fuzz: ## every fuzz target over its corpus
	@$(MAKE) --no-print-directory MODE=fault BUILD=$(TEST_BUILD) check-fuzz
else
unit-programs: $(UNIT_WANTED:%=$(BUILD)/unit/%)
fuzz-programs: $(FUZZ:%=$(BUILD)/fuzz/%)
check-unit: unit-programs
	@tests/lib/run-unit $(UNIT_WANTED:%=$(BUILD)/unit/%)
check-fuzz: fuzz-programs
	@tests/lib/run-fuzz $(FUZZ:%=$(BUILD)/fuzz/%)
endif

# Objects of tests are kept, or each run would compile them again.
.SECONDARY:
LIB_OBJ    = $(call obj,$(LIBRARY)) $(BUILD)/migrations.o
RLIB_OBJ   = $(call obj,$(RUNNER_LIB))
# Archives, so that a test of one floor does not need every other floor to compile.
$(BUILD)/libvolumed.a: $(LIB_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/librunner.a: $(RLIB_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/obj/tests/%.o: CFLAGS_EXTRA += -Itests -I.
$(BUILD)/unit/test_runner_%: $(BUILD)/obj/tests/unit/test_runner_%.o $(BUILD)/obj/tests/lib/main.o $(BUILD)/librunner.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(CHECK_LIBS) $(RUNNER_LIBS)
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/obj/tests/lib/main.o $(BUILD)/libvolumed.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(CHECK_LIBS) $(VOLUMED_LIBS)
# They start real containers.
$(BUILD)/unit/test_sweep_start $(BUILD)/unit/test_sweep_lease $(BUILD)/unit/test_sweep_recreate $(BUILD)/unit/test_sweep_scale: | $(BUILD)/runner
$(BUILD)/fuzz/fuzz_runner_%: $(BUILD)/obj/tests/fuzz/fuzz_runner_%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/librunner.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(RUNNER_LIBS)
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/libvolumed.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(VOLUMED_LIBS)
