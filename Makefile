# Two commands: `make run` shows the compiler at work, `make test` proves it.
# Both first run ./setup, which installs what is missing on Debian 12.

.PHONY: run test setup

run: setup
	@cargo run --quiet --release -p tilec --bin tilec -- run examples --target sm_90a,sm_100a,gfx942

test: setup
	@if cargo nextest --version >/dev/null 2>&1; then \
	    cargo nextest run --workspace; \
	else \
	    cargo test --workspace --quiet; \
	fi
	@cargo test --workspace --doc --quiet

setup:
	@./setup
