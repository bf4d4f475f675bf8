use super::*;

#[test]
fn reflectors() {
    for (text, message) in [
        ("reflector: {^lisen: \":14790\"}".into(), "reflector: unknown key `lisen`: did you mean `listen`?"),
        ("reflector: ^{}".into(), "reflector: key `listen` is missing: add it"),
        (
            "reflector:\n  listen: ^14790".into(),
            "reflector.listen: \"14790\" is not HOST:PORT: write e.g. :14790, 192.168.100.10:14790 or [::1]:14790",
        ),
        (
            "reflector:\n  listen: :14790\n  allowed_sources: [10.0.0.0/8, ^10.0.0.1/8]".into(),
            "reflector.allowed_sources[1]: 10.0.0.1/8 has bits beyond its prefix length: write 10.0.0.0/8 or 10.0.0.1",
        ),
        (
            "reflector:\n  listen: :14790\n  allowed_sources: [^dc]".into(),
            "reflector.allowed_sources[0]: \"dc\" is not a network: write e.g. 192.168.100.0/24, fd00::/64 or one address",
        ),
        (
            "reflector:\n  listen: :14790\n  ^listen: :1".into(),
            "reflector: key `listen` is given twice: keep one",
        ),
        (
            format!("{PATH}  reflector: ^yes"),
            "paths[0].reflector: \"yes\" is not `true`, `false` or a TCP port: give a whole number from 1 to 65535",
        ),
        (
            format!("{PATH}  ^reflector_secret_file: s"),
            "paths[0]: has no reflector to use it for: add `reflector: true`, or its port",
        ),
    ] {
        refused(&text, message);
    }
    let top = "reflector: {listen: \":14790\", allowed_sources: [192.168.100.0/24, \"fd00::/64\"], secret_file: s}\n";
    let plan = plan(&format!("{top}{PATH}  reflector: 30790\n  reflector_secret_file: s"));
    let own = plan.reflector.expect("a reflector");
    assert_eq!((own.listen.to_string().as_str(), own.allowed_sources.len()), (":14790", 2));
    let secret_file = Some("/etc/vxlan_exporter/s".into());
    assert_eq!(own.secret_file, secret_file);
    assert_eq!(plan.paths[0].reflector, Some(PathReflector { port: 30790, secret_file }));
    for (value, port) in [("true", Some(14790)), ("false", None)] {
        let plan = self::plan(&format!("{PATH}  reflector: {value}"));
        assert_eq!(plan.paths[0].reflector.as_ref().map(|reflector| reflector.port), port);
    }
}
