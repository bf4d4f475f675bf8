//! Tests that need neither root nor a network: files compared with each other; rules, charts and
//! dashboards checked by the tools that will read them; parsers. Each suite is a module, named like
//! its file and folder.

#![allow(
    clippy::too_many_lines,
    reason = "a test tells a story or tables its cases: cutting it makes it no easier to read"
)]

mod alerts;
mod chart;
mod dashboards;
mod doors_fuzz;
mod iproute2;
mod named_files;
mod parse_corpus;
mod parse_facts;
mod supply_chain;
mod support;
