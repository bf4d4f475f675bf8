use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use openssl::base64;

use super::*;

const GRANTED: Admission = Admission::Granted;
const WRONG: Admission = Admission::Refused(LoginRefusal::Wrong, Duration::ZERO);
const MISSING: Admission = Admission::Refused(LoginRefusal::Missing, Duration::ZERO);
const PEER: ClientAddress = ClientAddress::V6(1);

fn users(names: &[(&str, &str)]) -> Users {
    let hash = |password: &str| bcrypt::hash(password, 4).expect("hashed").parse().expect("a hash");
    Users::new(names.iter().map(|(name, password)| ((*name).to_owned(), hash(password))).collect())
}

fn basic(text: &str) -> HeaderValue {
    HeaderValue::try_from(format!("Basic {}", base64::encode_block(text.as_bytes()))).expect("a header")
}

/// Logins, and a count of the passwords they have hashed.
fn logins() -> (Logins, Arc<AtomicUsize>) {
    let hashed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hashed);
    let hashing = Hashing::with(1, move |hash, password: &[u8]| {
        count.fetch_add(1, SeqCst);
        hash.is_of(password)
    });
    (Logins::new(hashing.expect("started")).expect("a key"), hashed)
}

#[tokio::test]
async fn the_right_password_of_the_right_user() {
    let (logins, hashed) = logins();
    let users = users(&[("one", "secret"), ("two", "other:one")]);
    for good in ["one:secret", "two:other:one", "one:secret", "two:other:one"] {
        assert_eq!(logins.admit(&users, PEER, false, Some(&basic(good))).await, GRANTED, "{good}");
    }
    assert_eq!(hashed.load(SeqCst), 2, "what was right needs no hash");
    let bad = ["one:other:one", "two:secret", "three:secret", "one:", ":", "one:secre", "one:secret "];
    for (number, bad) in (10..).zip(bad) {
        assert_eq!(
            logins.admit(&users, ClientAddress::V6(number), false, Some(&basic(bad))).await,
            WRONG,
            "{bad}"
        );
    }
    assert_eq!(hashed.load(SeqCst), 2 + bad.len(), "known or not: each is hashed");
    for (number, bad) in (10..).zip(bad) {
        assert_eq!(
            logins.admit(&users, ClientAddress::V6(number), false, Some(&basic(bad))).await,
            WRONG,
            "{bad}"
        );
    }
    assert_eq!(hashed.load(SeqCst), 2 + bad.len(), "what was wrong needs no hash either");
    assert_eq!(logins.admit(&users, PEER, false, None).await, MISSING);
    for header in ["Bearer secret", "Basic", "Basic !!!", "Basic Zm9v", "basic", "Basic "] {
        let header = HeaderValue::from_static(header);
        assert_eq!(logins.admit(&users, PEER, false, Some(&header)).await, MISSING, "{header:?}");
    }
    let lower_case = HeaderValue::from_static("basic b25lOnNlY3JldA==");
    assert_eq!(logins.admit(&users, PEER, false, Some(&lower_case)).await, GRANTED);
}

#[tokio::test]
async fn without_users_everyone() {
    assert_eq!(logins().0.admit(&users(&[]), PEER, false, None).await, GRANTED);
}

/// The file is read again, for a certificate or another user: a password stays right as long as its
/// hash is the same.
#[tokio::test]
async fn what_was_right_stays_so_while_the_hash_does() {
    let (logins, hashed) = logins();
    let first = users(&[("one", "secret")]);
    let header = basic("one:secret");
    assert_eq!(logins.admit(&first, PEER, false, Some(&header)).await, GRANTED);
    let of_one = first.hash("one").expect("a user").clone();
    let of_two = users(&[("two", "else")]).hash("two").expect("a user").clone();
    let second = Users::new([("one".to_owned(), of_one), ("two".to_owned(), of_two.clone())].into());
    assert_eq!(logins.admit(&second, PEER, false, Some(&header)).await, GRANTED);
    assert_eq!(hashed.load(SeqCst), 1);
    // Another hash means another password; without a hash there is no such user.
    let third = Users::new([("one".to_owned(), of_two.clone())].into());
    assert_eq!(logins.admit(&third, PEER, false, Some(&header)).await, WRONG);
    assert_eq!(logins.admit(&third, PEER, false, Some(&basic("one:else"))).await, GRANTED);
    let fourth = Users::new([("two".to_owned(), of_two)].into());
    assert_eq!(logins.admit(&fourth, ClientAddress::V6(2), false, Some(&basic("one:else"))).await, WRONG);
    assert_eq!(
        logins.admit(&first, ClientAddress::V6(2), false, Some(&header)).await,
        GRANTED,
        "wrong was the other"
    );
}

#[tokio::test]
async fn who_guesses_waits_and_who_was_right_does_not() {
    let (logins, hashed) = logins();
    let users = users(&[("one", "secret")]);
    assert_eq!(logins.admit(&users, PEER, false, Some(&basic("one:secret"))).await, GRANTED);
    let mut refused = 0;
    for guess in 0..100 {
        let name = if guess % 2 == 0 { "one" } else { "nobody" };
        match logins.admit(&users, PEER, false, Some(&basic(&format!("{name}:{guess}")))).await {
            WRONG => {}
            Admission::Refused(LoginRefusal::BackOff, wait) => {
                assert!(wait > Duration::ZERO);
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    let guesses = hashed.load(SeqCst) - 1;
    assert!(refused >= 50 && guesses + refused == 100, "{refused} refused, {guesses} hashed");
    assert_eq!(logins.admit(&users, PEER, false, Some(&basic("one:secret"))).await, GRANTED);
    assert_eq!(logins.admit(&users, ClientAddress::V6(2), false, Some(&basic("one:other"))).await, WRONG);
}

/// The test occupies the hashing thread as long as it likes.
#[tokio::test]
async fn while_all_is_busy_the_right_one_is_let_in_and_others_are_told_to_come_again() {
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let hashing = Hashing::with(1, move |hash, password: &[u8]| {
        if !password.starts_with(b"secret") {
            let _ = gate.lock().expect("one thread").recv_timeout(Duration::from_secs(30));
        }
        hash.is_of(password)
    });
    let logins = Logins::new(hashing.expect("started")).expect("a key");
    let users = users(&[("one", "secret")]);
    let right = basic("one:secret");
    assert_eq!(logins.admit(&users, PEER, false, Some(&right)).await, GRANTED);
    let guesses: Vec<_> = (0..40).map(|guess| basic(&format!("one:{guess}"))).collect();
    let mut waiting = Vec::new();
    for (number, guess) in (100..).zip(&guesses) {
        let mut admit = Box::pin(logins.admit(&users, ClientAddress::V6(number), false, Some(guess)));
        match futures_util::poll!(&mut admit) {
            std::task::Poll::Pending => waiting.push(admit),
            std::task::Poll::Ready(told) => {
                assert!(matches!(told, Admission::Refused(LoginRefusal::Busy, _)), "{told:?}");
            }
        }
    }
    assert!((32..=33).contains(&waiting.len()), "{}", waiting.len());
    assert_eq!(logins.admit(&users, PEER, false, Some(&right)).await, GRANTED);
    drop((go, waiting));
}
