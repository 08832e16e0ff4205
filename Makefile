# Builds, tests and shows Slim. `make help` tells what there is.

SHELL := /bin/bash
.DEFAULT_GOAL := all

PREFIX ?= /usr
DESTDIR ?=
# The Swift runtime is part of the programs: no Swift is needed where they run. The library needs none.
SWIFT_BUILD := swift build -c release
SWIFT_BUILD_STATIC := $(SWIFT_BUILD) --static-swift-stdlib

PACKAGES := libnl-3-dev libnl-route-3-dev libmnl-dev libnftables-dev libbpf-dev linux-libc-dev pkg-config nftables iproute2 iperf3 \
	nginx-light \
	redis-server redis-tools apache2-utils musl-tools curl iputils-ping \
	haproxy memcached postgresql-15 openssh-server openssl socat wrk sockperf systemd python3 nodejs \
	openjdk-17-jdk-headless zookeeper nftables faketime \
	qemu-system-x86 gcc-12 sparse cpio xz-utils kmod
# What the packages above would start. The tests run servers of their own, in namespaces.
SERVICES := nginx.service redis-server.service haproxy.service memcached.service postgresql.service \
	postgresql@15-main.service ssh.service ssh.socket nftables.service

# Swift's own clang knows the BPF target.
BPF_CC ?= clang
BPF_FLAGS := -O2 -g -Wall -Wextra -Werror -target bpf -mcpu=v2 -Ibpf -Ikmod/uapi \
	-I/usr/include/$(shell $(CC) -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)

BPF_OBJECTS := slim_guard slim_guard_lsm slim_pairs slim_ends

PROGRAMS := slimctl slimrouter slimprobe slimbench
SWIFT_SOURCES := Package.swift Sources Tests Benchmarks

.PHONY: all help deps build demo test test-kernels bench bench-results bench-quick scale soak attacks fuzz install clean lint

all: build ## build build/bin/slimctl, build/bin/slimrouter and build/lib/libslimsocket.so

help: ## show this
	@echo "Slim: a container network that carries TCP at the host's own speed"; echo
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

deps: ## install the packages that are missing (as root)
	@missing=$$(for package in $(PACKAGES); do \
		dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed || echo $$package; \
	done); \
	[ -n "$$missing" ] || exit 0; \
	[ "$$(id -u)" = 0 ] || { echo "make deps: missing:" $$missing "; run it as root" >&2; exit 2; }; \
	echo "Installing" $$missing; \
	masked=; \
	if [ -d /run/systemd/system ]; then for service in $(SERVICES); do \
		systemctl cat $$service >/dev/null 2>&1 || { systemctl mask --quiet $$service; masked="$$masked $$service"; }; \
	done; fi; \
	status=0; \
	{ apt-get -qq update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y --no-install-recommends $$missing </dev/null; } || status=$$?; \
	for service in $$masked; do \
		systemctl unmask --quiet $$service; systemctl disable --quiet $$service 2>/dev/null || true; \
	done; \
	exit $$status

build:
	@echo "Building Slim; the first time takes some minutes"
	@set -e; mkdir -p build/bin build/lib; \
	bin=$$($(SWIFT_BUILD) --show-bin-path); \
	echo "libslimsocket.so"; $(SWIFT_BUILD) --product slimsocket; \
	install -m 755 $$bin/libslimsocket.so build/lib/libslimsocket.so; \
	for program in $(PROGRAMS); do \
		echo "$$program"; $(SWIFT_BUILD_STATIC) --product $$program; \
		install -m 755 $$bin/$$program build/bin/$$program; \
	done
	@set -e; for object in $(BPF_OBJECTS); do \
		echo "$$object.bpf.o"; $(BPF_CC) $(BPF_FLAGS) -c bpf/$$object.bpf.c -o build/lib/$$object.bpf.o; \
	done
	@ls -sh build/bin/slimctl build/bin/slimrouter build/lib/libslimsocket.so

demo: deps build ## show iperf3, nginx and redis over host, plain overlay and Slim (as root)
	@build/bin/slimbench demo

test: deps build ## install what is missing, build, run every test (as root)
	@# Apart: programs in labs are waited for, and must not wait for what keeps every processor busy. They wait most of the
	@# time themselves: so two at once, which swift test does not do.
	@status=0; swift test --skip '^(IntegrationTests|KernelModuleTests)\.' || status=1; \
	swift test --skip-build --filter '^KernelModuleTests\.' || status=1; \
	printf '%s\n' '--filter ^IntegrationTests[.] --skip /Resilience/' '--filter /Resilience/' | xargs -P 2 -L 1 \
		env NO_COLOR=1 $$(swift build --show-bin-path)/slimPackageTests.xctest --testing-library swift-testing || status=1; exit $$status

# KERNELS="6.1 6.12" for both. What the release does not have comes from its backports, with their emulator.
KERNELS ?= 6.12
test-kernels: deps build ## run the kernel module on Linux 6.12, alone and with the whole system (as root)
	SLIM_TEST_KERNELS="$(KERNELS)" swift test --filter '^KernelModuleTests\.'

# ROUNDS=9 for steadier medians.
ROUNDS ?= 5
bench: deps build ## compare host, plain overlay and Slim by many programs: build/bench.md, .svg and .json (as root)
	@build/bin/slimbench full --rounds $(ROUNDS)

bench-results: ## keep what make bench wrote last, as README shows it
	@for file in bench.md bench.svg bench.json; do \
		test -s build/$$file || { echo "make bench-results: build/$$file is missing; run make bench first" >&2; exit 2; }; \
	done
	install -D -m 644 -t Benchmarks/results build/bench.md build/bench.svg build/bench.json

bench-quick: deps build ## measure what is promised in numbers, in less than 90 seconds (as root)
	@build/bin/slimbench quick --output build/bench.json

scale: deps build ## measure how cost grows: a million connections in the tables, 15,000 live ones, 8 hosts with 64 containers (as root)
	@build/bin/slimbench scale

# The kernel module and BPF LSM are attacked in emulated machines of this kernel; `make test` boots 6.1.
KERNEL ?= 6.12
attacks: deps build ## try what hostile containers do with host sockets, and write the table in docs/threat-model.md (as root)
	@$(MAKE) -s -C kmod attacks KERNEL=$(KERNEL)
	@build/bin/slimbench attacks --machines build/kmod/$(KERNEL)

# FUZZ="preambles policies" for these two only, FUZZ_RUNS and FUZZ_MINUTES for how much, whichever is first. What is found is in
# build/fuzz, by the name of its harness; after it is mended it belongs into Tests/Fuzz/Corpora.
FUZZ ?= applications control policies preambles netlink library configurations
FUZZ_RUNS ?= 10000000
FUZZ_MINUTES ?= 20
FUZZ_JOBS ?= 2
FUZZ_BUILD := --scratch-path .build/fuzz --product slimfuzz -Xswiftc -O -Xcc -O2
fuzz: deps ## look for inputs that a parser or the router does not stand: ten million each, or twenty minutes (as root)
	@export SLIM_FUZZER=$$($(BPF_CC) -print-file-name=libclang_rt.fuzzer_no_main-$$(uname -m).a) SWIFT_BACKTRACE=enable=no; \
	swift build $(FUZZ_BUILD) && mkdir -p build/fuzz && \
	printf '%s\n' $(FUZZ) | xargs -P $(FUZZ_JOBS) -I{} bash -c 'set -o pipefail; \
		.build/fuzz/debug/slimfuzz {} -runs=$(FUZZ_RUNS) -max_total_time=$$(($(FUZZ_MINUTES) * 60)) 2>&1 \
		| tee build/fuzz/{}.log | stdbuf -oL grep -E "pulse|DONE|Finding|ERROR|SUMMARY|Test unit|stat::number" | sed -u "s/^/{}: /"; \
		exit $${PIPESTATUS[0]}' || \
	{ echo "make fuzz: found something:" $$(ls build/fuzz/*-{crash,oom,timeout}-* 2>/dev/null) >&2; exit 1; }

# MINUTES=2 for a short one.
MINUTES ?= 10
soak: deps build ## run real programs for ten minutes while routers are killed: nothing is lost, nothing leaks (as root)
	@build/bin/slimbench soak --minutes $(MINUTES)

install: ## install what is built below DESTDIR, with an example configuration and shell completions
	@test -x build/bin/slimrouter || { echo "make install: nothing is built; run make first" >&2; exit 2; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/slim $(DESTDIR)/etc/slim
	install -m 755 build/bin/slimctl build/bin/slimrouter $(DESTDIR)$(PREFIX)/bin
	strip --strip-debug $(DESTDIR)$(PREFIX)/bin/slimctl $(DESTDIR)$(PREFIX)/bin/slimrouter
	install -m 755 build/lib/libslimsocket.so $(DESTDIR)$(PREFIX)/lib/slim
	install -m 644 $(BPF_OBJECTS:%=build/lib/%.bpf.o) $(DESTDIR)$(PREFIX)/lib/slim
	install -d $(DESTDIR)$(PREFIX)/share/slim
	build/bin/slimctl secure profile >$(DESTDIR)$(PREFIX)/share/slim/seccomp.json
	install -m 644 docs/router.example.json $(DESTDIR)/etc/slim/router.example.json
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	@for program in slimctl slimrouter; do \
		build/bin/$$program --generate-completion-script bash \
			>$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program && \
		build/bin/$$program --generate-completion-script zsh \
			>$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_$$program && \
		build/bin/$$program --generate-completion-script fish \
			>$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$program.fish || exit 1; \
	done

lint: ## check the style of all Swift sources
	swift format lint --strict --parallel --recursive --configuration .swift-format $(SWIFT_SOURCES)

clean: ## remove everything that was built
	rm -rf .build build
