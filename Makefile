# Heddle: `make run` shows it, `make test` proves it. Both install what the machine lacks.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

SWIFT ?= swift
# One release build serves the demo and the tests: --build-tests compiles every target with the same flags as --product.
BUILD := $(SWIFT) build -c release
TEST := $(SWIFT) test -c release --skip-build --disable-xctest

.PHONY: help run build test deps test-deps format lint clean

help:
	@echo 'make run      build, start the demo mesh, submit to two adapters, stay until Ctrl-C'
	@echo 'make test     build and run every test, as CI does'
	@echo 'make build    build .build/release/heddle'
	@echo 'make deps     install the system packages that a build needs'
	@echo 'make format   lay out the Swift sources'
	@echo 'make clean    remove what was built'

run: build
	@exec Cluster/run-demo

build: deps
	$(BUILD) --product heddle

# The cluster tests start whole meshes, so they run alone, one after the other; everything else runs side by side.
test: deps test-deps
	$(BUILD) --build-tests
	CI=1 HEDDLE_PYTHON=$(CURDIR)/.build/venv/bin/python $(TEST) --skip '^ClusterTests\.'
	CI=1 HEDDLE_PYTHON=$(CURDIR)/.build/venv/bin/python $(TEST) --filter '^ClusterTests\.' --no-parallel

deps:
	@.ci/install-packages libzmq3-dev libprotobuf-c-dev

# protoc-c: whether the committed wire code is fresh; Python: whether the documented clients run; tmux: what top draws.
test-deps:
	@.ci/install-packages protobuf-c-compiler protobuf-compiler python3-venv tmux
	@.ci/install-python

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

lint:
	$(SWIFT) format lint --recursive Package.swift Sources Tests

clean:
	rm -rf .build
