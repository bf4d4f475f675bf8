//! What needs neither root nor a network: files held against each other, rules, charts and dashboards asked of the tools that
//! will read them, parsers. Each suite is a module, named as its file and its folder.

mod alerts;
mod chart;
mod dashboards;
mod doors_fuzz;
mod iproute2;
mod parse_corpus;
mod parse_facts;
mod supply_chain;
mod support;
