//! The Helm chart: that helm, Kubernetes and three generations of the Prometheus operator take what it renders, that it renders
//! what it says, and that it refuses what cannot work. No cluster is asked: none is there.

mod api;
mod documents;
mod exporter;
mod helm;
mod network;
mod notes;
mod placement;
mod privilege;
mod refusals;
mod rules;
mod values;
