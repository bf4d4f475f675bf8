//! The Helm chart: that helm, Kubernetes and three generations of the Prometheus operator take what it renders, that it renders
//! what it says, and that it refuses what cannot work. No cluster is asked: none is there.

#[path = "chart/api.rs"]
mod api;
#[path = "chart/documents.rs"]
mod documents;
#[path = "chart/exporter.rs"]
mod exporter;
#[path = "chart/helm.rs"]
mod helm;
#[path = "chart/network.rs"]
mod network;
#[path = "chart/notes.rs"]
mod notes;
#[path = "chart/placement.rs"]
mod placement;
#[path = "chart/privilege.rs"]
mod privilege;
#[path = "chart/refusals.rs"]
mod refusals;
#[path = "chart/rules.rs"]
mod rules;
#[path = "chart/values.rs"]
mod values;
