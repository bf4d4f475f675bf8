//! Networks as files: `tests/scenarios/*.yml`, network in, verdict out.
