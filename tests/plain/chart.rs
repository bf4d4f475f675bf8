//! The Helm chart: helm, Kubernetes and three generations of the Prometheus operator accept what it
//! renders, it renders what it promises, and it refuses what cannot work. No cluster is needed.

mod api;
mod cluster;
mod documents;
mod exporter;
mod helm;
mod helm_docs;
mod mesh;
mod network;
mod notes;
mod placement;
mod privilege;
mod refusals;
mod rules;
mod values;
