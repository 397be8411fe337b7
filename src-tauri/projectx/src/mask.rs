//! Makes broker text fit for a log: tokens and keys are blanked, long texts are cut.
//!
//! Works by name (`apiKey`, `token`, `Bearer` …) and by shape (what looks like a JWT or a long key), so
//! it may blank too much. It never lets a known shape through.

/// Longest text that is kept of a message that made no sense, in characters.
pub const RAW_LIMIT: usize = 2_000;

/// Letters, digits and signs in a row from which on a mixed text counts as a key.
const KEY_LENGTH: usize = 32;

const BLANK: &str = "***";

/// The text without secrets, at most [`RAW_LIMIT`] characters of it.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut kept = String::new();
    let mut named = false;
    // No work is done on what will be cut off anyway.
    let bounded: String = text.chars().take(RAW_LIMIT * 4).collect();
    for (word, separator) in words(&bounded) {
        if !word.is_empty() {
            let is_value = named && !word.eq_ignore_ascii_case("bearer");
            kept.push_str(if is_value || is_secret(word) { BLANK } else { word });
            named = is_name(word);
        }
        kept.push_str(separator);
        named = named && separator.chars().all(|c| " \t:=\"'\\".contains(c));
    }
    match kept.char_indices().nth(RAW_LIMIT) {
        Some((cut, _)) => format!("{}…", &kept[..cut]),
        None => kept,
    }
}

/// Pairs of a word made of the characters of tokens and the text up to the next one.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (word, after) = rest.split_at(rest.find(|c| !is_token_character(c)).unwrap_or(rest.len()));
        let (separator, next) = after.split_at(after.find(is_token_character).unwrap_or(after.len()));
        rest = next;
        Some((word, separator))
    })
}

fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-+/.%".contains(c)
}

/// Whether the next word is a secret because of this one.
fn is_name(word: &str) -> bool {
    const NAMES: [&str; 8] =
        ["token", "apikey", "api_key", "password", "secret", "verifykey", "authorization", "bearer"];
    let word = word.to_ascii_lowercase();
    NAMES.iter().any(|name| word.ends_with(name))
}

fn is_secret(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    let is_mixed =
        has(char::is_ascii_digit) && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    (word.starts_with("eyJ") && word.len() > 8) || (word.len() >= KEY_LENGTH && is_mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blanked_by_name_and_by_shape() {
        for (text, expected) in [
            (r#"{"token":"abc","success":true}"#, r#"{"token":"***","success":true}"#),
            (r#"{"userName":"jdoe","apiKey":"short-key"}"#, r#"{"userName":"jdoe","apiKey":"***"}"#),
            ("wss://h/hubs/user?access_token=abc&x=1", "wss://h/hubs/user?access_token=***&x=1"),
            ("apiKey=mytoken", "apiKey=***"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            (r#"got "eyJhbGciOiJIUzI1NiJ9.eyJleHAi.c2ln""#, r#"got "***""#),
            ("key 3Fq0c1yGkX9m+V1oJr0b4mM0V8a0q3Zt9b7x3kq1nE0= end", "key ***= end"),
            (r#"{\"newToken\":\"abc\"}"#, r#"{\"newToken\":\"***\"}"#),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn ordinary_messages_stay_readable() {
        let text = r#"{"accountId":26100417,"contractId":"CON.F.US.MNQ.U26","customTag":"run7-0001-SL","creationTimestamp":"2026-06-10T14:31:07.2041183+00:00"}"#;
        assert_eq!(masked(text), text);
        let address = "wss://gateway-rtc-demo.s2f.projectx.com/hubs/user failed";
        assert_eq!(masked(address), address);
    }

    #[test]
    fn long_texts_are_cut() {
        let cut = masked(&"ä ".repeat(RAW_LIMIT));
        assert_eq!(cut.chars().count(), RAW_LIMIT + 1);
        assert!(cut.ends_with('…'));
    }
}
