# `make demo` shows what it is for, `make test` is what must pass before a change goes in.

# Network namespaces need root; nothing else here does.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# Test binaries are built as the user and run as root.
RUN_AS_ROOT := $(if $(SUDO),--config "target.'cfg(unix)'.runner='sudo -E'")
LAB := target/release/examples/lab

.PHONY: demo test soak fuzz setup build lab-clean audit

# DEMO_SECONDS=N ends it after N seconds, 0 right after the story; without it Ctrl-C does.
demo: setup build
	$(SUDO) $(LAB) demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

test: setup
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
	cargo test --locked --doc
	cargo test --locked --lib --bins $(RUN_AS_ROOT)
	cargo test --locked --test '*' $(RUN_AS_ROOT) -- --test-threads=3

# The long forms of what `make test` does in short; prints its figures. About 15 minutes.
soak: setup build
	$(SUDO) $(LAB) soak --minutes $(or $(SOAK_MINUTES),10)
	$(SUDO) $(LAB) notice --times 20

# Every parser against random bytes, FUZZ_SECONDS each, starting from the captures of tests/corpus. Needs a nightly Rust.
fuzz:
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	@for target in $$(cargo +nightly fuzz list); do \
		mkdir -p fuzz/corpus/$$target && \
		cargo +nightly fuzz run $$target fuzz/corpus/$$target tests/corpus -- -max_total_time=$(or $(FUZZ_SECONDS),60) \
			-max_len=65536 || exit 1; \
	done

setup:
	@scripts/setup.sh

build:
	cargo build --locked --release --bin vxlan_exporter --example lab

# After a run that was killed and could not clean up.
lab-clean:
	cargo build --locked --release --example lab
	$(SUDO) $(LAB) clean

# Known flaws, licences and sources of the dependencies (deny.toml).
audit:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check licenses bans sources
	cargo deny check advisories
