# `make demo` shows what the exporter is for; `make test` must pass before a change is accepted.

# Network namespaces need root; nothing else here does.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# Test binaries are built as the user and run as root.
RUN_AS_ROOT := $(if $(SUDO),--config "target.'cfg(unix)'.runner='sudo -E'")
LAB := target/release/lab
# The exporter, and the tools of the package `lab` that watch it.
WITH_LAB := cargo build --locked --release -p vxlan_exporter -p lab --bin vxlan_exporter
IMAGE := dist/vxlan_exporter-image.tar
RELEASE := target/dist/release/vxlan_exporter

.PHONY: demo test test-longest test-waits test-alone test-works test-browser test-lint test-overload image image-test soak soak-short soak-loss soak-legs scale bench fuzz mutants-rules \
	alerts dashboards pictures page-pictures chart setup chart-tools build \
	lab-clean audit sbom reproducible coverage mutants

# DEMO_SECONDS=N ends the demo after N seconds, 0 right after the story; by default it ends with
# Ctrl-C.
demo: setup build
	$(SUDO) $(LAB) demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

# The exporter unoptimised: compiling it takes a fifth of the time, and in a lab it mostly waits.
UNOPTIMISED := --config profile.dev.package.vxlan_exporter.opt-level=0
# The test binary of the labs. It runs without cargo, which would wait for whatever cargo compiles.
KERNEL_TESTS := target/kernel-tests
# The longest tests, a minute to three each. Among the others, which start in order of their names,
# some of them would start last. The last line has those that take turns: they must be in one
# process, and here one that waits for its turn holds up no other.
LONGEST := soak:: monitoring:: lab_loss:: lab_fixes::what_is lab_faults::loss_ reflector::a_byte_policer \
	reflector::loss_both_ways wire::own::a_stopped wire::own::a_target cases_of_real_networks \
	many_routers::forty doors::wrong_passwords its_log_that_does_not_read
# Tests that promise an answer while they take a core themselves, or read so much that a busy machine
# does not end within the deadline of a scrape: when all else has ended.
ALONE := doors::five_thousand hostile_router::
# At low priority, beside the labs. A newer make offers cargo its own job slots: with two taken by
# labs the compiler would have few.
BESIDE := nice env --unset=MAKEFLAGS

# Tests in labs mostly wait, so compiling and computing tests run beside them on the remaining CPU
# (tests/README.md says where the time goes). The output of each part is printed when it has ended,
# and all parts are run even if one fails.
test: setup chart-tools
	cargo fmt --check
	cargo test --locked --workspace $(UNOPTIMISED) --bins --test kernel --no-run --message-format=json-render-diagnostics \
		>$(KERNEL_TESTS).json
	ln -sf "$$(sed -n 's/.*"name":"kernel".*"executable":"\([^"]*\)".*/\1/p' $(KERNEL_TESTS).json)" $(KERNEL_TESTS)
	+@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target test-longest test-waits test-works test-browser test-lint
	+@$(MAKE) --no-print-directory test-alone

# Many more threads than CPUs: nearly all of these tests mostly wait.
test-longest:
	$(SUDO) $(KERNEL_TESTS) $(LONGEST) --test-threads=8

test-waits:
	$(SUDO) $(KERNEL_TESTS) $(addprefix --skip ,$(LONGEST) $(ALONE)) --test-threads=$(or $(KERNEL_THREADS),10)

test-alone:
	$(SUDO) $(KERNEL_TESTS) $(ALONE) --test-threads=2

test-works:
	$(BESIDE) cargo test --locked --workspace $(UNOPTIMISED) --lib --bins --test plain --test scrape_memory $(RUN_AS_ROOT)
	$(BESIDE) cargo test --locked --example simulate

# The pages in Debian's Chromium, and the API against its description: about a minute, most of it the
# browser's. PAGE_PICTURES=FOLDER keeps what the browser saw.
test-browser: setup
	@scripts/setup.sh browser
	cd scripts/browser && npm ci --no-progress --silent
	scripts/api-check/api-check.sh
	$(BESIDE) cargo test --locked --lib $(UNOPTIMISED) -- web::tests::browser --ignored --nocapture

test-lint:
	cargo fetch --locked --manifest-path fuzz/Cargo.toml
	$(BESIDE) cargo clippy --locked --workspace $(UNOPTIMISED) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(BESIDE) cargo doc --locked --workspace --no-deps
	$(BESIDE) cargo test --locked --workspace $(UNOPTIMISED) --doc

# The container image of this version, as an archive to carry to the nodes. Its binary lists what it
# is made of.
image: setup
	@scripts/cargo-tools.sh cargo-auditable
	scripts/build-release.sh
	$(SUDO) scripts/image.sh $(RELEASE) $(IMAGE)

# The image of the release in the lab; `make test` does the same with the binary it has built.
image-test: setup
	scripts/build-release.sh
	IMAGE_BINARY=$(CURDIR)/$(RELEASE) cargo test --locked --test kernel $(RUN_AS_ROOT) -- image::

# Builds this commit in two folders and compares the binaries byte by byte. Takes twice as long as a
# release; not for CI.
reproducible: setup
	@scripts/cargo-tools.sh cargo-auditable
	scripts/reproducible.sh

# Half an hour in which everything goes wrong at once, by a script of SOAK_SEED: prints a table, and
# fails if anything false was reported or something was missed, lost by us or leaked.
# `make soak-short` takes three minutes.
soak: setup
	$(WITH_LAB) --bin soak
	$(SUDO) target/release/soak --minutes $(or $(SOAK_MINUTES),30) --seed $(or $(SOAK_SEED),1)

soak-short: setup
	cargo test --locked --test kernel $(RUN_AS_ROOT) -- soak:: --nocapture

# Lossy paths for a long time, and how soon a hole is noticed; prints the figures. About 15 minutes.
soak-loss: setup build
	$(SUDO) $(LAB) soak --minutes $(or $(SOAK_MINUTES),10)
	$(SUDO) $(LAB) notice --times 20

# The underlay's probes alone: `underlay_probes: always`, faults of the underlay at known times, and what
# the pings cost the routers beside what scrapes cost them. An hour and six minutes.
soak-legs: setup
	$(WITH_LAB) --bin soak
	$(SUDO) target/release/soak --legs --minutes $(or $(SOAK_MINUTES),60)

# The exporter stopped for a minute, starved by eight loops, and with 20,000 paths on one core. About
# four minutes, most of them with the whole machine.
test-overload: setup
	cargo test --locked --test kernel $(RUN_AS_ROOT) -- wire::overload:: --ignored --test-threads=1 --nocapture

# 500 routers, each read every 30 s: memory, threads, CPU. About three minutes.
scale: setup
	$(WITH_LAB) --bin scale
	$(SUDO) target/release/scale --routers $(or $(SCALE_ROUTERS),500)

# What the exporter costs, beside the least that the same packets can cost and beside other tools:
# prints a table and writes docs/performance.md. About fourteen minutes on an otherwise idle machine, once
# built. BENCH="--paths 100,1000 --routers= --together= --holes=" measures less; the other figures stay.
bench: setup
	-@scripts/setup.sh bench
	cargo bench --locked -p functions
	cargo run --quiet --locked --example simulate -- --questions >target/questions.txt
	$(WITH_LAB) --bin bench
	strip -o target/release/stripped target/release/vxlan_exporter
	$(SUDO) target/release/bench all --page docs/performance.md --binary target/release/stripped --image $(IMAGE) \
		--questions target/questions.txt $(BENCH)

# Feeds random bytes to every parser of outside data, FUZZ_SECONDS each or only FUZZ_TARGETS,
# starting from fuzz/seeds and the captures of tests/corpus.
fuzz:
	@scripts/cargo-tools.sh cargo-fuzz
	@for target in $(or $(FUZZ_TARGETS),$$(RUSTC_BOOTSTRAP=1 cargo fuzz list)); do \
		mkdir -p fuzz/corpus/$$target && \
		seeds=$$(ls -d fuzz/seeds/$$target 2>/dev/null || echo tests/corpus) && \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target fuzz/corpus/$$target $$seeds -- -max_total_time=$(or $(FUZZ_SECONDS),60) \
			-max_len=65536 || exit 1; \
	done

# Which lines of the deciding code the unit tests and the simulation reach, by file. LLVM_COV and
# LLVM_PROFDATA name the tools of rustc's own LLVM, where `rustup component add llvm-tools` is not
# possible.
coverage:
	@scripts/cargo-tools.sh cargo-llvm-cov
	cargo llvm-cov --locked --lib $(if $(COVERAGE_FAST),,--example simulate) --summary-only --json --output-path target/coverage.json
	@scripts/coverage.py target/coverage.json

# Changes the code of verdicts, proofs and detectors in every place, one at a time: unit tests,
# scenarios or the simulation should notice. All changes are built into one binary. Unit tests alone
# (MUTANTS=--units) took 20 minutes on two cores that others used too, one run of each scenario and 60
# networks 10 more; with all cases it takes a few times that. It continues after an interruption.
# MUTANTS="verdict --again" repeats one file, for those that survived.
mutants: setup
	scripts/mutants/mutants.sh $(MUTANTS)

# Changes the alert rules in every place, one at a time; their tests must notice each change. Takes
# minutes of one core.
mutants-rules: setup
	cargo test --locked --test plain -- every_mutant --ignored --nocapture

# Generates alerts/*.yml from their source, except recording.yml, which is written by hand. The
# tests check that they match.
alerts:
	python3 -B alerts/source

# Generates dashboards/*.json from their source. The tests check that they match.
dashboards:
	python3 -B dashboards/source

# Makes docs/pictures, from a recording of the lab (11 minutes) and Grafana's panel components; not
# for CI. `rm -r target/pictures` makes it record again.
RECORDING := target/pictures/recording
pictures: $(RECORDING)/phases.json
	scripts/setup.sh pictures
	cd scripts/pictures && npm ci --no-progress
	node scripts/pictures/draw.mjs $(RECORDING) docs/pictures
	$(MAKE) page-pictures

# The exporter's own pages, as the tests in the browser see them.
page-pictures:
	PAGE_PICTURES=$(CURDIR)/target/pictures/pages $(MAKE) test-browser
	pngquant --force --strip --ext=.png 64 target/pictures/pages/*.png
	cp target/pictures/pages/*.png docs/pictures/

$(RECORDING)/phases.json:
	$(MAKE) setup build
	$(SUDO) rm -rf $(RECORDING)
	$(SUDO) $(LAB) record $(RECORDING)
	$(if $(SUDO),$(SUDO) chown -R $$(id -u) $(RECORDING))

# The Helm chart with the present rules and dashboards, packed into dist/ as a repository: serve
# that directory over HTTP. CHART_URL=https://… puts absolute URLs into its index, which otherwise
# has relative names. CHART_HOME=https://… is where your copy of the project is: the chart's home and
# source.
CHART := helm/vxlan-exporter
chart: chart-tools
	rm -rf $(CHART)/files
	mkdir -p $(CHART)/files/rules $(CHART)/files/dashboards
	cp alerts/*.yml $(CHART)/files/rules/
	$(if $(wildcard dashboards/*.json),cp $(wildcard dashboards/*.json) $(CHART)/files/dashboards/)
	target/tools/helm lint --strict --quiet --set image.repository=vxlan_exporter $(CHART)
	rm -rf target/chart && mkdir -p target/chart && cp -r $(CHART) target/chart
	$(if $(CHART_HOME),sed -i 's|^home: .*|home: $(CHART_HOME)|; s|^sources: .*|sources: [$(CHART_HOME)]|' target/chart/vxlan-exporter/Chart.yaml)
	target/tools/helm package target/chart/vxlan-exporter --destination dist
	target/tools/helm repo index dist $(if $(CHART_URL),--url $(CHART_URL))

setup:
	@scripts/setup.sh

# helm and the validators of the chart; only `test` and `chart` need them.
chart-tools: setup
	@scripts/chart-tools.sh

build:
	$(WITH_LAB) --bin lab

# Cleans up after a run that was killed.
lab-clean:
	cargo build --locked --release -p lab --bin lab
	$(SUDO) $(LAB) clean

# Known vulnerabilities, licences and sources of the dependencies (deny.toml).
audit:
	@scripts/cargo-tools.sh cargo-deny
	cargo deny check licenses bans sources
	cargo deny check advisories

# The components of the binary as CycloneDX: dist/vxlan_exporter.cdx.json. The same commit gives the
# same file in every folder.
SBOM := vxlan_exporter_bin.cdx.json
sbom:
	@scripts/cargo-tools.sh cargo-cyclonedx
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) cargo cyclonedx --quiet --describe binaries --format json --spec-version 1.5
	mkdir -p dist
	sed 's|path+file://$(CURDIR)|path+file:///build|g' $(SBOM) >dist/vxlan_exporter.cdx.json
	rm $(SBOM) tests/lab/*_bin.cdx.json
