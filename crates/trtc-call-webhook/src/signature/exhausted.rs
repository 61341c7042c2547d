//! The small functions of the signature, over all that their arguments can be, each against the
//! plainest way of saying the same.

use super::*;

/// Takes only so many of the cases where each step is slow.
const STRIDE: usize = if cfg!(miri) { 37 } else { 1 };

/// A digest with every digit in it.
const DIGITS: &str = "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100";

/// Characters of two, three and four bytes, among them digits that are none of ASCII.
const BEYOND_ASCII: [char; 8] =
    ['\u{80}', 'é', '٣', '\u{7ff}', '令', '３', '\u{feff}', '\u{10ffff}'];

/// 64 digits of base 16, in pairs.
fn digest(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[track_caller]
fn reads_as_it_should(hex: &str) {
    let read = Sign::from_hex(hex);
    assert_eq!(read.map(|sign| sign.0.to_vec()), digest(hex), "{hex:?}");
    if let Some(sign) = read {
        assert_eq!(sign.to_hex(), hex.to_ascii_lowercase());
    }
}

#[test]
fn every_character_at_every_place_of_a_sign() {
    assert!(digest(DIGITS).is_some());
    let characters = ('\0'..='\x7f').chain(BEYOND_ASCII);
    let cases = characters.flat_map(|character| (0..64).map(move |place| (character, place)));
    for (character, place) in cases.step_by(STRIDE) {
        let (before, behind) = (&DIGITS[..place], &DIGITS[place..]);
        // In the place of one digit, of as many as it has bytes, and of none.
        for replaced in [1, character.len_utf8(), 0] {
            let behind = behind.get(replaced..).unwrap_or_default();
            reads_as_it_should(&format!("{before}{character}{behind}"));
        }
    }
}

#[test]
fn every_length_of_a_sign() {
    for length in 0..=130 {
        reads_as_it_should(&DIGITS.repeat(3)[..length]);
    }
}

/// The same in whole numbers that nothing here exceeds.
fn is_within(window: Duration, time: u64, now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() / 1_000_000_000;
    let (now, time) = (i128::try_from(now).unwrap(), i128::from(time));
    (now - time).abs() <= i128::from(window.as_secs())
}

/// The clocks that the platform has of these: before, at and after 1970, with and without a
/// fraction of a second.
fn clocks() -> impl Iterator<Item = SystemTime> {
    let day = Duration::from_secs(86_400);
    let before = [day, Duration::from_secs(1), Duration::from_nanos(1_500_000_000)];
    let before = before.into_iter().filter_map(|before| UNIX_EPOCH.checked_sub(before));
    let seconds = [0, 1, 59, 60, 61, 1_741_231_296, 1 << 40, u64::MAX / 4, u64::MAX / 2];
    let since = seconds.into_iter().flat_map(|seconds| {
        [0, 1, 999_999_999].map(|nanoseconds| Duration::new(seconds, nanoseconds))
    });
    before.chain(since.filter_map(|since| UNIX_EPOCH.checked_add(since)))
}

#[test]
fn every_edge_of_the_replay_window() {
    let windows = [1, 60, 86_400, u64::MAX - 1, u64::MAX].map(Duration::from_secs);
    let fractions = [Duration::from_millis(1_999), Duration::MAX];
    for window in windows.into_iter().chain(fractions) {
        for now in clocks() {
            let (seconds, width) = (unix_seconds(now), window.as_secs());
            let edges = [seconds, seconds.saturating_sub(width), seconds.saturating_add(width)];
            let near =
                edges.into_iter().flat_map(|t| [t.saturating_sub(1), t, t.saturating_add(1)]);
            let far = [0, 1, i64::MAX.unsigned_abs(), 9_999_999_999_999_999_999, u64::MAX];
            for time in near.chain(far) {
                let expected = is_within(window, time, now);
                assert_eq!(within(window, time, now), expected, "{window:?} {time} {now:?}");
            }
        }
    }
}
