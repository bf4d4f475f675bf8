//! Numbers, shares, sizes and durations.

use std::{fmt, str::FromStr, time::Duration};

pub(super) fn output_limit(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let bytes_per_unit: u64 = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => 0,
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(bytes_per_unit));
    match bytes {
        Some(bytes) if (64 << 10..=1 << 30).contains(&bytes) => Ok(bytes),
        Some(_) if bytes_per_unit != 0 => Err(format!("{text} is out of range: give 64KiB to 1024MiB")),
        _ => Err(format!("{text:?} is not a size: write a whole number and KiB or MiB, e.g. 16MiB")),
    }
}

pub(super) fn number<T>(text: &str, min: T, max: T, what: &str) -> Result<T, String>
where
    T: FromStr + PartialOrd + fmt::Display + Copy,
{
    match text.parse() {
        Ok(number) if number >= min && number <= max => Ok(number),
        _ => Err(format!("{text:?} is not {what}: give a whole number from {min} to {max}")),
    }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("{text:?} is not a share of all packets: give a number from 0 to 1, 0.03 is 3 %")),
    }
}

pub(super) fn duration(text: &str, min: Duration, max: Duration) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis_per_unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(millis_per_unit));
    let Some(millis) = millis.filter(|_| millis_per_unit != 0) else {
        return Err(format!(
            "{text:?} is not a duration: write a whole number and ms, s, m or h, e.g. 500ms or 30s"
        ));
    };
    let value = Duration::from_millis(millis);
    if value < min || value > max {
        return Err(format!("{text} is out of range: give {min:?} to 1h"));
    }
    Ok(value)
}
