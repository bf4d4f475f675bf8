//! Tests with keys made by OpenSSH's and OpenSSL's own tools.

use std::{fs, process::Command};

use tempfile::TempDir;

use super::*;

fn run(directory: &TempDir, line: &str) {
    let output = Command::new("sh").current_dir(directory.path()).args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The reason why the key file cannot be used with the passphrase.
fn refused(directory: &TempDir, file: &str, passphrase: Option<&str>) -> String {
    open(directory, file, passphrase).map(drop).expect_err("not usable").message.to_string()
}

fn open(directory: &TempDir, file: &str, passphrase: Option<&str>) -> Result<LoadedCredential, ScrapeError> {
    let passphrase_file = passphrase.map(|passphrase| {
        let file = directory.path().join("passphrase");
        fs::write(&file, format!("{passphrase}\nnot read\n")).unwrap();
        file
    });
    let credential = Credential::PrivateKey { file: directory.path().join(file), passphrase_file };
    let secret = LoadedCredential::read(&credential);
    if let Err(error) = &secret {
        assert_eq!(error.reason, FailureReason::Config);
        assert!(!error.message.contains("correct-horse"), "{error}");
    }
    secret
}

#[test]
fn every_form_of_key_with_and_without_its_passphrase() {
    let directory = tempfile::tempdir().unwrap();
    // Few rounds: key derivation of a third of a second is not what is tested here.
    for (kind, form) in [
        ("ed25519", ""),
        ("ecdsa -b 256", ""),
        ("ecdsa -b 384", ""),
        ("rsa -b 2048", ""),
        ("rsa -b 2048", "-m PEM"),
        ("rsa -b 2048", "-m PKCS8"),
        ("ecdsa -b 256", "-m PEM"),
        ("ecdsa -b 521", "-m PKCS8"),
    ] {
        run(
            &directory,
            &format!(
                "rm -f plain* locked*
                 ssh-keygen -q -t {kind} {form} -a 1 -N '' -f plain
                 ssh-keygen -q -t {kind} {form} -a 1 -N correct-horse -f locked"
            ),
        );
        let case = format!("{kind} {form}");
        assert!(open(&directory, "plain", None).is_ok(), "{case}");
        assert!(
            open(&directory, "plain", Some("unused")).is_ok(),
            "{case}: a passphrase too many does no harm"
        );
        assert!(open(&directory, "locked", Some("correct-horse")).is_ok(), "{case}");
        let missing = refused(&directory, "locked", None);
        assert!(
            missing.contains("/locked is encrypted: name the file with its passphrase in `passphrase_file`"),
            "{case}: {missing}"
        );
        let wrong = refused(&directory, "locked", Some("wrong"));
        assert!(
            wrong.contains("the passphrase in passphrase_file")
                && wrong.contains("does not open private_key_file"),
            "{case}: {wrong}"
        );
    }
}

#[test]
fn what_is_no_private_key() {
    let directory = tempfile::tempdir().unwrap();
    run(
        &directory,
        "ssh-keygen -q -t ed25519 -N '' -f key; printf garbage > garbage; : > empty; head -n 3 key > cut",
    );
    assert!(refused(&directory, "key.pub", None).contains("is a public key: name the private one"));
    for file in ["garbage", "empty", "cut"] {
        let message = refused(&directory, file, None);
        assert!(message.contains("holds no usable private key (ed25519, ecdsa or rsa"), "{file}: {message}");
    }
    assert!(refused(&directory, "none", None).contains("cannot read private_key_file"));
    assert!(refused(&directory, "key", Some("")).contains("the first line of passphrase_file"));
}

#[test]
fn an_agent_that_is_absent_silent_or_something_else() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("agent");
    let ready = |millis| {
        let secret = LoadedCredential::read(&Credential::Agent { socket: Some(socket.clone()) })?;
        secret.ready(Instant::now() + std::time::Duration::from_millis(millis))
    };
    let absent = ready(5000).unwrap_err();
    assert_eq!(absent.reason, FailureReason::Config);
    assert!(absent.message.contains("does it run"), "{absent}");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(ready(100).unwrap_err().reason, FailureReason::Timeout);
    let other = std::thread::spawn(move || {
        // First the client that is left waiting, then one that gets another protocol's answer.
        drop(listener.accept());
        let (mut asked, _) = listener.accept().unwrap();
        asked.write_all(b"220 mail.example ESMTP\r\n").unwrap();
    });
    let message = ready(5000).unwrap_err().message;
    assert!(message.contains("is not an SSH agent"), "{message}");
    other.join().unwrap();
}

#[test]
fn only_one_hidden_question_is_answered() {
    let ask = |text: &'static str, echo| [Prompt { text: text.into(), echo }];
    let mut answers = Answers { password: "secret", given: false, unanswered: None };
    assert_eq!(answers.prompt("user", "", &[]), Vec::<String>::new());
    assert_eq!(answers.prompt("user", "", &ask("Password: ", false)), ["secret"]);
    assert_eq!(answers.prompt("user", "", &ask("Verification code: ", false)), [""]);
    assert_eq!(answers.unanswered.as_deref(), Some("Verification code:"));
    let mut answers = Answers { password: "secret", given: false, unanswered: None };
    assert_eq!(answers.prompt("user", "", &ask("Name\u{1b}: ", true)), [""], "what is shown is no password");
    assert_eq!((answers.given, answers.unanswered.as_deref()), (false, Some("Name␛:")));
}
