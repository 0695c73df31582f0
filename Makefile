# make        builds build/dragoman
# make run    installs what is missing, builds, starts the hub with a demonstration
# make test   installs what is missing, runs every test; the last line is "N passed, N failed"
# make screenshot  takes the picture of the README anew
# make bench [ARGS=--all]  measures; make fuzz [SECONDS_EACH=30]  fuzzes each parser; make faults [ARGS="--moments 20 --only power"]  kills and starves the hub; make clean
.PHONY: all setup build run test bench faults fuzz asan coverage lint screenshot clean

all: build

setup:
	@tools/setup

build: setup
	@test -d build || meson setup build >build-setup.log 2>&1 || { cat build-setup.log; exit 1; }
	@ninja -C build

run: build
	@tools/demo

test:
	@tools/test

bench: build
	@DRAGOMAN_SETUP_BENCH=1 tools/setup
	@bench/run $(ARGS)

faults: build
	@tools/faults $(ARGS)

fuzz:
	@DRAGOMAN_SETUP_FUZZ=1 tools/setup
	@tools/fuzz $(SECONDS_EACH)

asan: setup
	@test -d build-asan || meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized
	@ninja -C build-asan

coverage:
	@DRAGOMAN_SETUP_COVERAGE=1 tools/setup
	@test -d build-coverage || meson setup build-coverage -Db_coverage=true
	@ninja -C build-coverage && meson test -C build-coverage && gcovr -r . --object-directory build-coverage -e '.*_test.c' -e 'tests/.*'

lint: build
	@DRAGOMAN_SETUP_LINT=1 tools/setup
	@tools/lint

screenshot: build
	@DRAGOMAN_SETUP_TESTS=1 tools/setup
	@tools/node tests/browser/screenshot.mjs

clean:
	rm -rf build build-asan build-bench build-test build-clang build-werror build-coverage build-fuzz web/dist build-setup.log
