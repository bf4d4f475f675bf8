//! Times as they are written on a page: UTC, to the minute or second, and how long ago that was.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maud::{Markup, html};

use crate::{
    language::{Said, say},
    web::words::{HERE, around},
};

/// `2026-11-29 01:02:03 UTC`, for machines too.
pub(super) fn when(at: SystemTime) -> Markup {
    let (date, time) = date_and_time(at);
    html! { time datetime={ (date) "T" (time) "Z" } { (date) " " (time) " UTC" } }
}

/// `since 01:02:03 UTC (12 min)`, with the date where it is not today.
pub(super) fn since(at: SystemTime, now: SystemTime) -> Markup {
    let long = length(now.duration_since(at).unwrap_or_default());
    around(&say!("since {time} ({length})", time = HERE, length => long), &[moment(at, now)])
}

/// `01:02:03 UTC (12 min ago)`, with the date where it is not today.
pub(super) fn ago(at: SystemTime, now: SystemTime) -> Markup {
    let long = length(now.duration_since(at).unwrap_or_default());
    around(&say!("{time} ({length} ago)", time = HERE, length => long), &[moment(at, now)])
}

fn moment(at: SystemTime, now: SystemTime) -> Markup {
    let ((date, time), (today, _)) = (date_and_time(at), date_and_time(now));
    html! {
        time datetime={ (date) "T" (time) "Z" } {
            @if date != today { (date) " " }
            (time) " UTC"
        }
    }
}

/// `8 s`, `12 min`, `5 h 3 min`, `3 d 4 h`
pub(super) fn length(long: Duration) -> Said {
    let seconds = long.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..60 => say!("{seconds} s", seconds),
        60..3600 => say!("{minutes} min", minutes),
        3600..86_400 => say!("{hours} h {minutes} min", hours, minutes = minutes % 60),
        _ => say!("{days} d {hours} h", days, hours = hours % 24),
    }
}

/// `01:02` of a minute since 1970.
pub(super) fn clock(minute: u64) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

fn date_and_time(at: SystemTime) -> (String, String) {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    (
        format!("{year:04}-{month:02}-{day:02}"),
        format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60),
    )
}

/// Year, month and day of a day since 1970 (H. Hinnant, `civil_from_days`).
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_786, (2026, 11, 29)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(days), date, "{days}");
        }
    }

    #[test]
    fn lengths() {
        let said = [0, 59, 60, 3599, 3600, 7260, 86_400, 270_000]
            .map(|seconds| length(Duration::from_secs(seconds)));
        assert_eq!(said, ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "2 h 1 min", "1 d 0 h", "3 d 3 h"]);
    }
}
