//! The description of the API, made from its types.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{HistoryReport, MOST_OFFSET, MOST_PATHS, Missing, Paths, TunnelWithHistory};
use crate::{
    model::types::Verdict,
    report::json::{PathReport, Report, RouterReport},
    web::answer::Content,
};

/// The document, in version 3.1 of `OpenAPI`.
pub(in crate::web) fn openapi() -> Content {
    Content::json(&document())
}

pub(super) fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let whole = |most: usize| json!({ "type": "integer", "minimum": 0, "maximum": most });
    let of_paths = [
        query("offset", "How many to leave out.", &whole(MOST_OFFSET)),
        query("limit", "How many to list.", &whole(MOST_PATHS)),
        query("verdict", "Only those with this verdict.", &json!({ "type": "string", "enum": verdicts })),
    ];
    let paths = json!({
        "/api/v1/overlay": get::<Report<'_>>(&mut schemas, "Everything that `check` says", None, &[]),
        "/api/v1/paths": get::<Paths<'_>>(&mut schemas, "The paths", None, &of_paths),
        "/api/v1/paths/{name}": get::<PathReport<'_>>(&mut schemas, "One path", Some("path"), &[]),
        "/api/v1/paths/{name}/history":
            get::<HistoryReport>(&mut schemas, "The last 24 hours of a path", Some("path"), &[]),
        "/api/v1/tunnels/{name}":
            get::<TunnelWithHistory<'_>>(&mut schemas, "One tunnel and its last 24 hours", Some("tunnel"), &[]),
        "/api/v1/routers/{name}": get::<RouterReport<'_>>(&mut schemas, "One router", Some("router"), &[]),
    });
    let schemas: Map<String, Value> = schemas.take_definitions(true).into_iter().collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "vxlan_exporter",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The overlay as this exporter sees it. Fields are only ever added to v1.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
}

/// A GET of this type; of a thing by its name if `kind` is one.
fn get<T: JsonSchema>(
    schemas: &mut SchemaGenerator,
    summary: &str,
    kind: Option<&str>,
    parameters: &[Value],
) -> Value {
    let schema = schemas.subschema_for::<T>();
    let error = schemas.subschema_for::<Missing<'_>>();
    let answer = |description: &str, schema: Value| json!({ "description": description, "content": { "application/json": { "schema": schema } } });
    let mut parameters = parameters.to_vec();
    let mut responses = json!({ "200": answer(summary, schema.to_value()) });
    if let Some(kind) = kind {
        responses["404"] = answer(&format!("There is no such {kind}"), error.to_value());
        parameters.push(json!({
            "name": "name",
            "in": "path",
            "required": true,
            "description": "Its name; a `/` in it is written `%2F`.",
            "schema": { "type": "string", "minLength": 1 },
        }));
    } else if !parameters.is_empty() {
        responses["400"] = answer("A parameter that cannot be used", error.to_value());
    }
    json!({ "get": { "summary": summary, "parameters": parameters, "responses": responses } })
}
