//! Random numbers that cannot be guessed: a forged answer would have to contain them.

use super::packet::Cookie;

/// A random value that cannot be guessed.
#[must_use]
pub(crate) fn random<T: Guessless>() -> T {
    T::random()
}

/// Types that [`random`] can return.
pub(crate) trait Guessless {
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
        // Every kernel this runs on has getrandom(2); a guessable number would only weaken the
        // check.
        fastrand::fill(&mut bytes);
    }
    bytes
}
