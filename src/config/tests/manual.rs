use super::*;

/// Every key, at any depth.
fn keys_of(schema: &serde_json::Value) -> std::collections::BTreeSet<String> {
    let properties = schema.get("properties").and_then(serde_json::Value::as_object);
    let own = properties.into_iter().flat_map(|properties| properties.keys().cloned());
    let parts = schema.as_object().into_iter().flat_map(|it| it.values());
    own.chain(parts.flat_map(keys_of)).collect()
}

/// Whatever the schema forbids the parser refuses, and vice versa.
#[test]
fn the_schema_knows_the_keys_and_no_others() {
    let schema = json_schema();
    let known: Vec<&String> = schema["properties"].as_object().expect("properties").keys().collect();
    let refused = parse("no_such_key: 1", Path::new("c.yml")).expect_err("unknown").to_string();
    assert!(known.iter().all(|key| refused.contains(key.as_str())), "{refused} {known:?}");
    let ssh = &schema["$defs"]["Ssh"];
    assert_eq!(ssh["required"], serde_json::json!(["address", "username"]));
    for part in [&schema, ssh, &schema["$defs"]["Path"], &schema["$defs"]["Web"]] {
        assert_eq!(part["additionalProperties"], serde_json::json!(false), "{part:#}");
    }
    let address = &ssh["properties"]["address"]["description"];
    assert_eq!(*address, serde_json::json!("an IP address or a DNS name"));
}

/// The manual contains the example unchanged, and names every key.
#[test]
fn the_manual_is_complete() {
    let manual = include_str!("../../../docs/configuration.md");
    assert!(manual.contains(example()), "docs/configuration.md must contain the output of `config example`");
    let keys = keys_of(&json_schema());
    assert!(keys.contains("site") && keys.contains("max_output") && keys.len() > 30, "{keys:?}");
    for key in keys {
        assert!(manual.contains(&format!("`{key}`")), "docs/configuration.md does not explain `{key}`");
    }
}
