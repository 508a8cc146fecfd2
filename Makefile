# SPDX-License-Identifier: Apache-2.0
# Everything that there is to do. Each target says in one line what it does; `make help` prints them.
.DEFAULT_GOAL := release
.PHONY: help release debug run test check bench fuzz docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

release: ## build build/release/guildford
	@tools/build release

debug: ## build build/debug/guildford with ASan and UBSan, the unit tests and the fuzz targets
	@tools/build debug

run: ## install what is missing, build, and serve the sample town on http://127.0.0.1:8080
	@tools/packages run
	@tools/build release
	@tools/run

test: ## every test, on a real PostgreSQL; the last line counts them
	@tools/packages run test
	@tools/test

check: ## format, analysers, layers, sizes, documents, the OpenAPI document
	@tools/packages run test
	@tools/check

bench: ## measure against a peer; BENCH_LARGE=1 also a million rows
	@tools/packages run test bench
	@tools/build release
	@bench/run

fuzz: ## let the fuzz targets search for new input, FUZZ_SECONDS (60) each
	@tools/packages run test
	@tools/fuzz

docs: ## write the generated documents again
	@tools/build release
	@tools/docs

clean: ## remove what was built
	rm -rf build
