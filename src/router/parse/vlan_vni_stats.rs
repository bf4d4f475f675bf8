//! `show interfaces vxlan NAME vlan-to-vni statistics`: rolling 1.5 since September 2025. Its
//! counters are the kernel's.

use super::{
    ParseError,
    vlan_vni::{self, Rest, VlanVnis},
};

const COMMAND: &str = "show interfaces vxlan vlan-to-vni statistics";

/// All mappings, with counters and without descriptions.
pub(crate) fn mappings(output: &str) -> Result<VlanVnis, ParseError> {
    vlan_vni::read(COMMAND, Rest::Counters, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Interface      VLAN    VNI    Rx Packets    Rx Bytes    Tx Packets    Tx Bytes\n\
                         -----------  ------  -----  ------------  ----------  ------------  ----------\n";

    #[test]
    fn counters_up_to_the_top_and_a_cut_row() {
        let row = "vxlan0           10   1001           123   18446744073709551615             0        4567";
        let read = mappings(&format!("{TABLE}{row}\n")).unwrap();
        assert_eq!(read.rows[0].rx_bytes, Some(u64::MAX));
        let row = "vxlan0           10   1001           123        4560             0        4567";
        for cut in [&row[..row.len() - 1], &row[..row.len() - 10], &row[..10]] {
            let read = mappings(&format!("{TABLE}{cut}")).unwrap();
            assert_eq!((read.rows.len(), read.incomplete.len()), (0, 1), "{cut}");
        }
        assert_eq!(mappings(&format!("{TABLE}{row}")).unwrap().rows[0].tx_bytes, Some(4567));
    }

    #[test]
    fn a_missing_column_is_an_error() {
        let error =
            mappings(&format!("{TABLE}vxlan0           10   1001           123        456             0\n"));
        let error = error.unwrap_err();
        assert_eq!(error.line, 3);
        assert!(error.message.starts_with("expected 7 columns, saw `vxlan0"), "{error}");
    }
}
