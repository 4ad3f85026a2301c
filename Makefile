# SPDX-License-Identifier: Apache-2.0
# A thin front: CMake does the work. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := all

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
LTO ?= ON
CONFIGURE := cmake -G Ninja -S . -DTHEATER_WERROR=ON
# The folder's tests, several at a time; those labelled serial run alone.
CTEST := ctest --output-on-failure --no-tests=error -j $(JOBS)

# gcc's thread sanitizer cannot map its shadow where the kernel spreads
# addresses over 32 bits; where the sandbox allows it, they are not spread.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: all run test asan tsan check-clang bench bench-peers guard-update \
    torture soak fuzz coverage fmt lint clean help setup engine build check \
    install uninstall docs-api package

all: build ## set up, build the engine once, build everything

setup:
	@scripts/setup.sh

engine: setup
	@deps/build-wasmtime.sh

build/build.ninja: | engine
	$(CONFIGURE) -B build -DTHEATER_LTO=$(LTO)

build: engine | build/build.ninja
	@cmake --build build -j $(JOBS)

run: engine | build/build.ninja ## the command and the examples, then two actors that exchange messages
	@cmake --build build -j $(JOBS) --target theater \
	    examples/{ping_pong,broadcast,pipeline,channels}/all
	build/theater run build/examples/ping_pong/theater.toml

test: build ## all, then every test
	@cd build && $(CTEST)

check: test

install: build ## the command, libraries, headers: PREFIX=/usr/local DESTDIR=
	@DESTDIR="$(DESTDIR)" cmake --install build \
	    $(if $(PREFIX),--prefix "$(PREFIX)")

uninstall: ## what the last install put there; DESTDIR= as with it
	@DESTDIR="$(DESTDIR)" cmake --build build --target uninstall

docs-api: | build/build.ninja ## the reference of the C API: build/api/html
	@scripts/setup.sh --extra
	@cmake build >/dev/null && cmake --build build --target docs-api

package: build ## Debian packages and an archive: build/packages
	@scripts/setup.sh --extra
	@cd build && cpack

build-asan/build.ninja: | engine
	$(CONFIGURE) -B build-asan -DTHEATER_SANITIZE=address,undefined

asan: engine | build-asan/build.ninja ## with address and undefined-behaviour sanitizers
	@cmake --build build-asan -j $(JOBS)
	@cd build-asan && $(CTEST) -LE 'lint|languages'

build-tsan/build.ninja: | setup
	$(CONFIGURE) -B build-tsan -DTHEATER_SANITIZE=thread \
	    -DTHEATER_ENGINE=OFF

tsan: setup | build-tsan/build.ninja ## the tests without the engine, with the thread sanitizer
	@cmake --build build-tsan -j $(JOBS)
	@cd build-tsan && $(FIXED_ADDRESSES) $(CTEST) -LE lint

build-clang/build.ninja: | engine
	$(CONFIGURE) -B build-clang -DCMAKE_C_COMPILER=clang-19

check-clang: engine | build-clang/build.ninja ## built by clang, warnings are errors; the unit tests
	@cmake --build build-clang -j $(JOBS)
	@cd build-clang && $(CTEST) -L unit

bench: build ## all benchmarks; writes the tables of docs/benchmarks.md
	@scripts/bench.sh build/theater

guard-update: build ## record what a message costs now as the guard's budget
	@tests/guard/update.sh build

bench-peers: build ## the same workloads on Erlang, CAF and Go, in one table
	@scripts/bench-peers.sh

torture: build ## all that tries to break it, with fresh seeds
	@scripts/torture.sh

fuzz: setup ## SECONDS_EACH=n (60) of every fuzzer; a crash's input is kept
	@tests/fuzz/run.sh --seconds $(or $(SECONDS_EACH),60)

soak: build ## HOURS=n (0.05 is 3 minutes) of conservation rounds: nothing may grow
	@scripts/soak.sh $(HOURS)

coverage: setup ## lines and branches of messaging and queue that tests run
	@JOBS=$(JOBS) scripts/coverage.sh

fmt: setup ## lay out all C files as .clang-format says
	@scripts/lint.sh --fix-format

lint: build ## the rules that no compiler checks
	@scripts/lint.sh

clean: ## remove the build folders (the engine stays)
	rm -rf build build-asan build-tsan build-clang build-coverage build-fuzz

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' \
	    $(MAKEFILE_LIST)
