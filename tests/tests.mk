# How tests are built and run.  Unit tests and fuzz targets link all of volumed but its main.
TEST_BUILD  := $(BUILD)-fault
UNIT        := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZ        := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
T           ?=
UNIT_WANTED := $(if $(T),$(filter test_$(T)%,$(UNIT)),$(UNIT))
LIBRARY     := $(filter-out volumed/main.c,$(VOLUMED)) $(BASE)
# A test of the runner names the runner's files it needs by linking all but its main.
RUNNER_LIB  := $(filter-out runner/main.c,$(RUNNER)) $(BASE)
CHECK_LIBS  := $(shell pkg-config --libs check 2>/dev/null)

.PHONY: check-unit unit-programs
ifeq ($(MODE),release)
# The programs under test are built with fault points: the same make in another mode.
check-unit: ## unit tests (T=prefix for some)
	@$(MAKE) --no-print-directory MODE=fault BUILD=$(TEST_BUILD) check-unit T=$(T)
else
unit-programs: $(UNIT_WANTED:%=$(BUILD)/unit/%)
check-unit: unit-programs
	@tests/lib/run-unit $(UNIT_WANTED:%=$(BUILD)/unit/%)
endif

LIB_OBJ    = $(call obj,$(LIBRARY)) $(BUILD)/migrations.o
RLIB_OBJ   = $(call obj,$(RUNNER_LIB))
# Archives, so that a test of one floor does not need every other floor to compile.
$(BUILD)/libvolumed.a: $(LIB_OBJ)
	rm -f $@ && ar rcs $@ $^
$(BUILD)/librunner.a: $(RLIB_OBJ)
	rm -f $@ && ar rcs $@ $^
$(BUILD)/tests/%.o: CFLAGS_EXTRA += -Itests -I.
$(BUILD)/unit/test_runner_%: $(BUILD)/tests/unit/test_runner_%.o $(BUILD)/tests/lib/main.o $(BUILD)/librunner.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(CHECK_LIBS) $(RUNNER_LIBS)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/lib/main.o $(BUILD)/libvolumed.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(CHECK_LIBS) $(VOLUMED_LIBS)
$(BUILD)/fuzz/fuzz_runner_%: $(BUILD)/tests/fuzz/fuzz_runner_%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/librunner.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(RUNNER_LIBS)
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libvolumed.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS.$(MODE)) -o $@ $^ $(VOLUMED_LIBS)
