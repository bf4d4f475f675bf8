//! `show interfaces vxlan NAME vlan-to-vni [vlan N] [detail]`: rolling 1.5 since August 2025.

use super::{
    ParseError,
    vlan_vni::{self, Rest, VlanVnis},
};

const COMMAND: &str = "show interfaces vxlan vlan-to-vni";

/// All mappings, without counters (only the `detail` form has them).
pub(crate) fn mappings(output: &str) -> Result<VlanVnis, ParseError> {
    vlan_vni::read(COMMAND, Rest::Description, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Interface      VLAN    VNI  Description\n\
                         -----------  ------  -----  -------------\n";

    #[test]
    fn descriptions_empty_long_and_with_bars() {
        let text = format!(
            "{TABLE}vxlan1           10   1010  a | b: \"c\"\n\x20                            goes on\nvxlan1           20   1020\n"
        );
        let read = mappings(&text).unwrap();
        assert_eq!(read.rows[0].description.as_deref(), Some("a | b: \"c\" goes on"));
        assert_eq!((read.rows[1].vlan, read.rows[1].description.as_deref()), (20, Some("")));
    }

    #[test]
    fn a_cut_vni_is_not_read_as_a_smaller_one() {
        let read = mappings(&format!("{TABLE}vxlan1           10   101")).unwrap();
        assert_eq!((read.rows.len(), read.incomplete.len()), (0, 1));
        let read = mappings(&format!("{TABLE}vxlan1           10   1010")).unwrap();
        assert_eq!((read.rows.len(), read.incomplete.len()), (1, 0));
    }

    #[test]
    fn detail() {
        let text = "-----------------------------------\nInterface: vxlan1\n\n VLAN        | 10\n VNI         | 1010\n \
                    Description | Customer-A\n             | of Tokyo\n Rx Packets  | 7\n Rx Bytes    | 700\n Tx Packets  | 8\n \
                    Tx Bytes    | 800\n\n";
        let read = mappings(text).unwrap();
        assert_eq!(read.rows[0].description.as_deref(), Some("Customer-A of Tokyo"));
        assert_eq!((read.rows[0].rx_packets, read.rows[0].tx_bytes), (Some(7), Some(800)));
        let cut = mappings(&text[..text.len() - 20]).unwrap();
        assert_eq!((cut.rows.len(), cut.incomplete.len()), (0, 1));
    }

    #[test]
    fn no_mapping_and_no_table() {
        assert_eq!(
            mappings("No VLAN-to-VNI mapping found for interface vxlan1\n\n").unwrap(),
            VlanVnis::default()
        );
        assert_eq!(mappings("").unwrap(), VlanVnis::default());
        let error = mappings("Interface vxlan9 does not exist\n").unwrap_err().to_string();
        assert!(error.contains("line 1: expected `Interface VLAN VNI Description`"), "{error}");
        let error = mappings(&format!("{TABLE}vxlan1           10   none  x\n")).unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (3, "expected a VNI, saw `none`"));
    }
}
