use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use fluent_bundle::FluentResource;
use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};
use proc_macro2::{TokenStream, TokenTree};

use super::{
    Choice, Language, Said, agree,
    catalogue::{self, identifier},
    choice::{of_browser, of_environment, of_query},
    query, say, speaking, spoken,
};

/// What a reader of Japanese has chosen.
pub(crate) const JAPANESE: Choice = Choice { language: Language::Japanese, by_address: false };

/// Four English words in a row, which no name and no Japanese sentence has. Commands, between
/// backticks, and what a packet says, between quotes, are left out.
pub(crate) fn english_in(text: &str) -> Option<String> {
    for line in text.lines() {
        let apart = |sign: char, line: &str| line.split(sign).step_by(2).collect::<Vec<_>>().join(" … ");
        let line = apart('"', &apart('`', line));
        let words: Vec<_> = line.split_whitespace().collect();
        let is_word = |word: &str| {
            let word = word.trim_matches(|char| matches!(char, ',' | '.' | ':' | ';' | '(' | ')'));
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'\'')
        };
        if let Some(found) = words.windows(4).find(|four| four.iter().all(|word| is_word(word))) {
            return Some(found.join(" "));
        }
    }
    None
}

/// The first literal of every `say!` in a file, wherever it stands.
fn sentences(tokens: TokenStream, found: &mut Vec<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (place, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let is_said = place >= 2
            && matches!(&tokens[place - 1], TokenTree::Punct(punct) if punct.as_char() == '!')
            && matches!(&tokens[place - 2], TokenTree::Ident(name) if *name == "say");
        let first = group.stream().into_iter().next();
        if let Some(TokenTree::Literal(literal)) = first.filter(|_| is_said) {
            let text: syn::LitStr = syn::parse_str(&literal.to_string()).expect("a text");
            found.push(text.value());
        }
        sentences(group.stream(), found);
    }
}

fn files(folder: &Path, found: &mut Vec<String>) {
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("language/tests.rs") {
            let text = fs::read_to_string(&path).expect("text");
            sentences(text.parse().expect("tokens"), found);
        }
    }
}

/// All English sentences of the source, by identifier.
fn english() -> BTreeMap<String, String> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50, "they are found: {}", found.len());
    let mut by_identifier = BTreeMap::new();
    for sentence in found {
        let known = by_identifier.insert(identifier(&sentence), sentence.clone());
        assert!(known.as_ref().is_none_or(|known| *known == sentence), "too alike: {known:?}, {sentence:?}");
    }
    by_identifier
}

/// The places of a translation.
fn places(pattern: &Pattern<&str>) -> Vec<String> {
    let place = |element: &PatternElement<&str>| match element {
        PatternElement::Placeable {
            expression: Expression::Inline(InlineExpression::VariableReference { id }),
        } => Some(id.name.to_owned()),
        PatternElement::Placeable { expression } => panic!("only places: {expression:?}"),
        PatternElement::TextElement { .. } => None,
    };
    let mut all: Vec<_> = pattern.elements.iter().filter_map(place).collect();
    all.sort();
    all.dedup();
    all
}

fn places_of(english: &str) -> Vec<String> {
    let parts = english.split('{').skip(1);
    let mut all: Vec<_> = parts.filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect();
    all.sort();
    all.dedup();
    all
}

/// Prints what is missing as it must be written.
#[test]
fn japanese_says_all_that_english_says() {
    let resource = parser::parse(catalogue::JAPANESE).expect("Fluent");
    let mut known = BTreeMap::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let comment = message.comment.as_ref().map(|comment| comment.content.join("\n")).unwrap_or_default();
        let value = message.value.as_ref().expect("words");
        assert!(known.insert(message.id.name, (comment, value)).is_none(), "twice: {}", message.id.name);
    }
    let all = known.clone();
    let english = english();
    let mut wrong = String::new();
    for (identifier, sentence) in &english {
        match known.remove(identifier.as_str()) {
            Some((comment, value)) => {
                if comment != *sentence {
                    let _ = write!(wrong, "# now: {sentence}\n# was: {comment}\n{identifier} = …\n\n");
                }
                if places(value) != places_of(sentence) {
                    let _ = write!(wrong, "# other places: {sentence}\n{identifier} = …\n\n");
                }
            }
            None => {
                let _ = write!(wrong, "# {}\n{identifier} = …\n\n", sentence.replace('\n', "\n# "));
            }
        }
    }
    for (name, (_, value)) in &all {
        let text = |element: &PatternElement<&str>| match element {
            PatternElement::TextElement { value } => (*value).to_owned(),
            PatternElement::Placeable { .. } => "…".to_owned(),
        };
        let words: String = value.elements.iter().map(text).collect();
        assert_eq!(english_in(&words), None, "{name}");
        assert!(!words.contains("  ") || name.contains("loss-there-back"), "{name}: {words}");
    }
    assert!(wrong.is_empty(), "src/language/locales/ja.ftl lacks:\n{wrong}");
    assert!(known.is_empty(), "nothing says this any more: {:?}", known.keys());
    assert!(FluentResource::try_new(catalogue::JAPANESE.to_owned()).is_ok());
}

#[test]
fn a_message_is_filled_in_either_language() {
    let size = 1454;
    let said = say!(
        "{what}, path MTU {mtu} of {expected} expected",
        what => say!("blackhole"),
        mtu = size,
        expected = 1500
    );
    assert_eq!(said.to_string(), "blackhole, path MTU 1454 of 1500 expected");
    assert_eq!(said.within(Language::Japanese), "ブラックホール、経路 MTU 1454（期待値 1500）");
    assert!(said == "blackhole, path MTU 1454 of 1500 expected");
    let nested = say!("unknown: {why}", why => Said::verbatim("{size}"));
    assert_eq!(nested.to_string(), "unknown: {size}", "what stands in a place is no place");
    assert_eq!(serde_json::to_string(&said).expect("JSON"), "\"blackhole, path MTU 1454 of 1500 expected\"");
}

#[test]
fn english_is_found_among_japanese() {
    assert_eq!(english_in("経路MTU: the path MTU is small"), Some("the path MTU is".to_owned()));
    assert_eq!(english_in("ip route get 10.0.0.1 は `set interfaces vxlan mtu` と入力"), None);
}

#[test]
fn places_and_names_agree() {
    assert!(agree("a {b} c {d}{b}", &["d", "b"]) && agree("a", &[]));
    assert!(!agree("a {b}", &[]) && !agree("a", &["b"]) && !agree("{bc}", &["b"]) && !agree("{b", &["c"]));
    assert_eq!(identifier("1 % – {a}: B!"), "n-1-a-B");
    assert!(identifier(&"word ".repeat(99)).len() < 104);
}

#[test]
fn a_view_speaks_one_language() {
    assert_eq!(spoken(), Language::English);
    let choice = |language| Choice { language, by_address: language == Language::Japanese };
    let inner = speaking(choice(Language::Japanese), || {
        let caught =
            std::panic::catch_unwind(|| speaking(choice(Language::English), || panic!("as a view may")));
        assert!(caught.is_err());
        (spoken(), query())
    });
    assert_eq!(inner, (Language::Japanese, "?lang=ja"));
    assert_eq!((spoken(), query()), (Language::English, ""));
}

#[test]
fn what_a_reader_wants() {
    use Language::{English, Japanese};
    for (accepts, language) in [
        ("ja", Japanese),
        ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", Japanese),
        ("en-US,en;q=0.9,ja;q=0.8", English),
        ("en;q=0.1, JA;q=0.2", Japanese),
        ("fr, de;q=0.9, ja;q=0.1", Japanese),
        ("ja;q=0, *", English),
        ("ja;q=nan,ja;q=,ja;q=x;y", English),
        ("*", English),
        ("", English),
        ("jab,jan-JP,;;q=1,,", English),
    ] {
        assert_eq!(of_browser(accepts), language, "{accepts}");
    }
    for (query, language) in [
        ("lang=ja", Some(Japanese)),
        ("paths=2&lang=ja-JP", Some(Japanese)),
        ("lang=ja&lang=en", Some(English)),
        ("lang=fr", None),
        ("xlang=ja", None),
        ("", None),
    ] {
        assert_eq!(of_query(query), language, "{query}");
    }
    for (set, language) in [
        (&[("LANG", "ja_JP.UTF-8")][..], Japanese),
        (&[("LANG", "ja_JP.utf8@x")], Japanese),
        (&[("LANG", "ja")], Japanese),
        (&[("LANG", "ja_JP.eucJP")], English),
        (&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "C.UTF-8")], English),
        (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "ja_JP.UTF-8"), ("LC_ALL", "")], Japanese),
        (&[], English),
    ] {
        let get =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(of_environment(get), language, "{set:?}");
    }
}
