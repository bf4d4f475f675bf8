//! Every frame is encoded and parsed back; any other bytes are parsed without a panic.

use proptest::prelude::*;

use super::*;

fn any_frame() -> impl Strategy<Value = Frame> {
    let numbers = any::<(u32, u32, u32, u32)>();
    prop_oneof![
        any::<(u8, Nonce)>().prop_map(|(version, nonce)| Frame::Hello { version, nonce }),
        any::<Nonce>().prop_map(|nonce| Frame::Challenge { nonce }),
        any::<SecretProof>().prop_map(Frame::Proof),
        (numbers, any::<SecretProof>()).prop_map(|((interface_mtu, limit, path_mtu, _), proof)| {
            Frame::Welcome(Welcome { interface_mtu, limit, path_mtu }, proof)
        }),
        prop_oneof![
            Just(RefusalReason::Version),
            Just(RefusalReason::Secret),
            Just(RefusalReason::Full),
            Just(RefusalReason::Other)
        ]
        .prop_map(Frame::Refused),
        (any::<u32>(), SMALL..9216).prop_map(|(id, len)| Frame::Ping { id, len }),
        (any::<u32>(), SMALL..9216).prop_map(|(id, len)| Frame::Large { id, len }),
        any::<(u32, u32, u32, u32)>().prop_map(|(id, received, sent, path_mtu)| Frame::Pong {
            id,
            counts: SegmentCounts { received, sent, path_mtu }
        }),
        (any::<u32>(), SIZES, any::<bool>()).prop_map(|(id, size, large_first)| Frame::Send {
            id,
            size,
            large_first
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(frame in any_frame(), cut in any::<prop::sample::Index>(), rest in any::<[u8; 5]>()) {
        let mut bytes = frame.encode();
        let len = bytes.len();
        prop_assert_eq!(Frame::decode(&bytes[..cut.index(len)]), Ok(None));
        bytes.extend(rest);
        prop_assert_eq!(Frame::decode(&bytes), Ok(Some((frame, len))));
    }

    #[test]
    fn any_bytes_are_a_frame_an_error_or_not_enough(bytes in prop::collection::vec(any::<u8>(), 0..2 * LONGEST)) {
        if let Ok(Some((frame, len))) = Frame::decode(&bytes) {
            prop_assert!(len <= bytes.len().min(LONGEST) && len >= SMALL);
            // A request never asks for more than its own length.
            if let Frame::Send { size, .. } = frame {
                prop_assert!(size as usize * PAD <= len);
            }
        }
    }

    #[test]
    fn a_known_kind_with_any_rest_never_panics(kind in 0..12_u8, bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut all = vec![kind];
        all.extend(bytes);
        let _ = Frame::decode(&all);
    }
}

#[test]
fn a_request_shorter_than_twice_what_it_asks_for_is_refused() {
    let mut bytes = Frame::Send { id: 1, size: 1500, large_first: true }.encode();
    assert_eq!(bytes.len(), 3000);
    bytes[1..3].copy_from_slice(&2999_u16.to_be_bytes());
    assert_eq!(Frame::decode(&bytes), Err(ProtocolError::Length { kind: SEND_KIND, len: 2999 }));
}

#[test]
fn a_stray_client_is_told_apart_by_its_first_bytes() {
    assert_eq!(Frame::decode(b"GET / HTTP/1.1"), Err(ProtocolError::Kind(b'G')));
    assert_eq!(Frame::decode(&[1, 3, 88, b'X']), Err(ProtocolError::Magic));
    assert_eq!(Frame::decode(&[6, 0xff, 0xff]), Err(ProtocolError::Length { kind: 6, len: 65535 }));
}

/// The tag is after the fields of each frame that carries one, and within the smallest frame.
#[test]
fn a_tag_overwrites_no_field() {
    let ones = SegmentCounts { received: u32::MAX, sent: u32::MAX, path_mtu: u32::MAX };
    for frame in [
        Frame::Ping { id: u32::MAX, len: 0 },
        Frame::Pong { id: u32::MAX, counts: ones },
        Frame::Large { id: u32::MAX, len: SMALL },
        Frame::Send { id: u32::MAX, size: 9216, large_first: true },
    ] {
        let bytes = frame.encode();
        assert!(bytes[TAG].iter().all(|byte| *byte == 0) && TAG.end <= SMALL, "{frame:?}");
    }
}

#[test]
fn what_no_host_is_like_is_not_possible() {
    let real = Welcome { interface_mtu: 1500, limit: 1500, path_mtu: 1500 };
    assert!(real.is_possible() && Welcome { interface_mtu: 0, ..real }.is_possible());
    for wrong in [
        Welcome { interface_mtu: 67, ..real },
        Welcome { limit: 0, ..real },
        Welcome { limit: u32::MAX, ..real },
        Welcome { path_mtu: 0, ..real },
        Welcome { path_mtu: 1 << 20, ..real },
    ] {
        assert!(!wrong.is_possible(), "{wrong:?}");
    }
}

#[test]
fn every_answer_is_shorter_than_the_shortest_request() {
    let answer = Frame::Pong { id: 1, counts: SegmentCounts::default() }.encode();
    let request = Frame::Ping { id: 1, len: 0 }.encode();
    assert_eq!((answer.len(), request.len()), (SMALL, SMALL));
}
