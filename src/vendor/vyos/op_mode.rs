//! What is run on a VyOS's shell to read it. `s NAME COMMAND…` prints one section
//! ([`crate::router::script`]).

use super::Vyos;
use crate::model::types::Method;

impl Vyos {
    /// The methods of reading it over its shell, best first. The first works on any Linux.
    pub(crate) const METHODS: [Method; 3] = [Method::Ip, Method::Raw, Method::Text];

    /// Its version, in two sections.
    pub(crate) const VERSION_FILES: &'static str =
        "s vyos cat /opt/vyatta/etc/version\ns vyos-json cat /usr/share/vyos/version.json\n";

    /// All interfaces as JSON, including bridges and underlay. For a user who may only see vxlan
    /// interfaces it falls back to those.
    pub(crate) const SHOW_RAW: &'static str = r#"raw() {
p=/usr/libexec/vyos/op_mode/interfaces.py
if o=$($p show --raw); then echo "$o"; else $p show --intf-type=vxlan --raw; fi
}
s raw raw
"#;
    /// Which versions have it, for messages.
    pub(crate) const HAS_RAW: &'static str = "VyOS 1.4 and later have it";

    /// The vxlan interfaces as text.
    pub(crate) const SHOW_TEXT: &'static str = "w=/opt/vyatta/bin/vyatta-op-cmd-wrapper
s interfaces $w show interfaces vxlan detail
";

    /// Shows the version after [`Vyos::SHOW_TEXT`], only if no file has it: each run of the wrapper
    /// costs the router half a second.
    pub(crate) const SHOW_VERSION: &'static str =
        "[ -r /opt/vyatta/etc/version ] || [ -r /usr/share/vyos/version.json ] ||\ns vyos $w show version\n";
}
