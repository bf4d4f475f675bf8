//! Numbers nobody can guess: what a forged answer would have to know.

use super::packet::Cookie;

/// A number nobody can guess.
#[must_use]
pub fn random<T: Guessless>() -> T {
    T::random()
}

/// What [`random`] can make.
pub trait Guessless {
    /// A fresh value from the operating system's generator.
    fn random() -> Self;
}

macro_rules! guessless {
    ($($integer:ty),+) => {$(
        impl Guessless for $integer {
            fn random() -> Self {
                Self::from_ne_bytes(bytes())
            }
        }
    )+};
}

guessless!(u16, u32, u64);

impl Guessless for Cookie {
    fn random() -> Self {
        bytes()
    }
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        // No kernel this runs on lacks getrandom(2); a guessable number only weakens the check.
        fastrand::fill(&mut bytes);
    }
    bytes
}
