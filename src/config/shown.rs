//! The configuration as `/config` shows it: without comments, and without what may be a secret.

use serde_yaml::Value;

/// In place of a value, as in Prometheus.
const SECRET: &str = "<secret>";

/// The text of a configuration that was parsed, with each file name replaced: people paste the secret
/// where the name of its file belongs.
pub(super) fn without_secrets(text: &str) -> String {
    let mut value: Value = serde_yaml::from_str(text).unwrap_or_default();
    redact(&mut value);
    if value.is_null() { String::new() } else { serde_yaml::to_string(&value).unwrap_or_default() }
}

fn redact(value: &mut Value) {
    match value {
        Value::Mapping(mapping) => {
            for (key, value) in mapping.iter_mut() {
                let is_file = key.as_str().is_some_and(|key| key.ends_with("_file") || key == "agent_socket");
                if is_file && !value.is_null() {
                    *value = SECRET.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Sequence(list) => list.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_what_may_be_a_secret() {
        let text = "site: a # here\nrouters:\n- name: dc\n  ssh: {address: 10.0.0.1, private_key_file: hunter2, \
                    agent_socket: hunter2}\n  api: {key_file: hunter2, ca_file: }\nreflector: {secret_file: hunter2}\n";
        assert_eq!(
            without_secrets(text),
            "site: a\nrouters:\n- name: dc\n  ssh:\n    address: 10.0.0.1\n    private_key_file: <secret>\n    \
             agent_socket: <secret>\n  api:\n    key_file: <secret>\n    ca_file: null\nreflector:\n  \
             secret_file: <secret>\n"
        );
        assert_eq!(without_secrets("# nothing\n"), "");
    }
}
