//! Logging in to a router: with a key and its passphrase, a password, or an agent that holds keys.
//!
//! Faults in the files are found before the router is contacted: there, a connection without a
//! login counts against this address. For a missing or wrong passphrase libssh2 reports an
//! unsupported key format; so the key is inspected and opened once in advance.
//!
//! An agent that accepts the connection and never answers is detected by a request of our own,
//! within the deadline. An agent that answers this and then waits for somebody to confirm each
//! signature blocks the calling thread: libssh2 has no deadline there.

use std::{
    env,
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Instant,
};

use openssl::base64;
use ssh2::{KeyboardInteractivePrompt, Prompt, Session};
use zeroize::Zeroizing;

use super::failure;
use crate::{
    model::{
        plan::{Credential, SshPlan},
        snapshot::ScrapeError,
        types::FailureReason,
    },
    process::regular_file,
    router::{
        parse,
        shell::{time_left, timed_out},
        trust::ssh_encoding::SshBytes,
    },
    vendor::Vyos,
};

/// A credential, read from its files. Never printed, and wiped when dropped; libssh2 wipes its own
/// copies.
pub(crate) enum LoadedCredential {
    Key { key: Zeroizing<String>, passphrase: Option<Zeroizing<String>> },
    Password(Zeroizing<String>),
    Agent { socket: PathBuf },
}

impl LoadedCredential {
    /// Reads the files and checks that they can be used.
    pub(crate) fn read(credential: &Credential) -> Result<Self, ScrapeError> {
        match credential {
            Credential::PrivateKey { file, passphrase_file } => {
                let key = read("private_key_file", file)?;
                let passphrase = match passphrase_file {
                    Some(file) => Some(first_line("passphrase_file", file)?),
                    None => None,
                };
                let passphrase_of = passphrase.as_ref().map(|it| it.as_str()).zip(passphrase_file.as_deref());
                key_opens(&key, file, passphrase_of)?;
                Ok(Self::Key { key, passphrase })
            }
            Credential::Password(file) => first_line("password_file", file).map(Self::Password),
            Credential::Agent { socket } => {
                let socket = socket.clone().or_else(|| env::var_os("SSH_AUTH_SOCK").map(PathBuf::from));
                let socket = socket.ok_or_else(|| {
                    config(
                        "`agent: true`, but the environment has no SSH_AUTH_SOCK: give `agent_socket`"
                            .to_owned(),
                    )
                })?;
                Ok(Self::Agent { socket })
            }
        }
    }

    /// Whether it can be used now: an agent must answer and hold a key.
    pub(crate) fn ready(&self, deadline: Instant) -> Result<(), ScrapeError> {
        let Self::Agent { socket } = self else { return Ok(()) };
        match keys_of_agent(socket, deadline) {
            Ok(0) => {
                Err(config(format!("the agent at {} holds no key: add one with `ssh-add`", socket.display())))
            }
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(timed_out("asking the agent for its keys"))
            }
            Err(error) => Err(config(format!(
                "cannot ask the agent at {} for its keys: {error}; does it run, as a user whose socket this one may use?",
                socket.display()
            ))),
        }
    }
}

/// Logs in. Fails with `auth` if the router refuses; `open` tells whether the connection is still
/// open.
pub(crate) fn login(
    session: &Session,
    plan: &SshPlan,
    secret: &LoadedCredential,
    peer: &str,
    open: impl Fn() -> bool,
) -> Result<(), ScrapeError> {
    let user = &plan.username;
    let answer = match secret {
        LoadedCredential::Key { key, passphrase } => {
            let passphrase = passphrase.as_ref().map(|it| it.as_str());
            session.userauth_pubkey_memory(user, None, key, passphrase).map_err(LoginFailure::from)
        }
        LoadedCredential::Password(password) => by_password(session, user, password),
        LoadedCredential::Agent { socket } => by_agent(session, user, socket).map_err(LoginFailure::from),
    };
    let (with, remedy) = match &plan.credential {
        Credential::PrivateKey { file, .. } => (file.display().to_string(), Vyos::add_public_key(user)),
        Credential::Password(file) => (file.display().to_string(), "check the password in it".to_owned()),
        Credential::Agent { .. } => ("the keys of the agent".to_owned(), Vyos::add_public_key(user)),
    };
    answer.map_err(|LoginFailure { error, remedy: better }| {
        failure::login(&error, peer, open()).unwrap_or_else(|| {
            let why = error.message();
            let offers = offered(session, user)
                .map_or_else(String::new, |methods| format!("; the router offers {}", methods.join(", ")));
            let remedy = better.unwrap_or(remedy);
            let message = format!("{peer} refused the login of {user} with {with} ({why}){offers}; {remedy}");
            ScrapeError::new(FailureReason::Auth, message)
        })
    })
}

/// Why a login failed, and a remedy if a better one is known than that for the kind of credential.
struct LoginFailure {
    error: ssh2::Error,
    remedy: Option<String>,
}

impl From<ssh2::Error> for LoginFailure {
    fn from(error: ssh2::Error) -> Self {
        Self { error, remedy: None }
    }
}

/// The login methods that the router offers this user, by their SSH names; `None` if it does not
/// say.
fn offered(session: &Session, user: &str) -> Option<Vec<String>> {
    let methods = session.auth_methods(user).ok()?;
    Some(methods.split(',').map(parse::excerpt).filter(|method| !method.is_empty()).collect())
}

/// Logs in by the method `password`, or, if the router has only that, by answering the one question
/// of `keyboard-interactive` (RFC 4256), as PAM asks it.
fn by_password(session: &Session, user: &str, password: &str) -> Result<(), LoginFailure> {
    let methods = offered(session, user);
    // The request for the list of methods is a login with method `none`; some servers accept it.
    if session.authenticated() {
        return Ok(());
    }
    let has = |method: &str| methods.as_ref().is_none_or(|all| all.iter().any(|it| it == method));
    if has("password") || !has("keyboard-interactive") {
        let remedy = || {
            format!(
                "it accepts no password: log in with a key (`private_key_file`), or let its SSH server \
                 accept passwords \
                 (`PasswordAuthentication`; {})",
                Vyos::LET_PASSWORDS_IN
            )
        };
        let remedy = (!has("password")).then(remedy);
        return session.userauth_password(user, password).map_err(|error| LoginFailure { error, remedy });
    }
    let mut answers = Answers { password, given: false, unanswered: None };
    session.userauth_keyboard_interactive(user, &mut answers).map_err(|error| {
        let remedy = answers.unanswered.map(|asked| {
            format!(
                "it asks for more than a password (`{asked}`), which the exporter cannot answer: log in \
                 with a key"
            )
        });
        LoginFailure { error, remedy }
    })
}

/// Answers one hidden question with the password, and no other question.
struct Answers<'a> {
    password: &'a str,
    given: bool,
    /// A question that was not answered.
    unanswered: Option<String>,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        match prompts {
            [] => Vec::new(),
            [Prompt { echo: false, .. }] if !self.given => {
                self.given = true;
                vec![self.password.to_owned()]
            }
            [first, ..] => {
                self.unanswered.get_or_insert_with(|| parse::excerpt(first.text.trim()));
                vec![String::new(); prompts.len()]
            }
        }
    }
}

/// Tries the agent's keys in its order until the router accepts one.
fn by_agent(session: &Session, user: &str, socket: &Path) -> Result<(), ssh2::Error> {
    let mut agent = session.agent()?;
    agent.set_identity_path(socket)?;
    agent.connect()?;
    agent.list_identities()?;
    let mut last = Ok(());
    for key in agent.identities()? {
        last = agent.userauth(user, &key);
        // If the connection is lost, no other key can be tried.
        if last.as_ref().map_or_else(|error| failure::login(error, "", false).is_some(), |()| true) {
            break;
        }
    }
    last
}

/// `SSH_AGENTC_REQUEST_IDENTITIES` (draft-ietf-sshm-ssh-agent): the number of keys.
fn keys_of_agent(socket: &Path, deadline: Instant) -> io::Result<u32> {
    let left = || {
        let left =
            time_left(deadline, "asking the agent").map_err(|_| io::Error::from(ErrorKind::TimedOut))?;
        Ok::<_, io::Error>(Some(left))
    };
    let mut agent = UnixStream::connect(socket)?;
    agent.set_write_timeout(left()?)?;
    agent.set_read_timeout(left()?)?;
    agent.write_all(&[0, 0, 0, 1, 11])?;
    // Length, `SSH_AGENT_IDENTITIES_ANSWER`, number of keys.
    let mut answer = [0; 9];
    agent.read_exact(&mut answer)?;
    match (answer[4], SshBytes(&answer[5..]).u32()) {
        (12, Some(keys)) => Ok(keys),
        _ => Err(io::Error::other("what listens there is not an SSH agent")),
    }
}

fn read(option: &str, file: &Path) -> Result<Zeroizing<String>, ScrapeError> {
    regular_file::read_secret_text(file).map_err(|error| {
        let (file, why) = (file.display(), &error.why);
        config(format!("cannot read {option} {file}: {why}; put it there and let this user read it"))
    })
}

fn first_line(option: &str, file: &Path) -> Result<Zeroizing<String>, ScrapeError> {
    match read(option, file)?.lines().next() {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => {
            let what = option.trim_end_matches("_file");
            Err(config(format!(
                "the first line of {option} {} is empty: put the {what} there",
                file.display()
            )))
        }
    }
}

fn config(message: String) -> ScrapeError {
    ScrapeError::new(FailureReason::Config, message)
}

/// Checks that the key can be used with this passphrase; the paths are for messages.
fn key_opens(key: &str, file: &Path, passphrase: Option<(&str, &Path)>) -> Result<(), ScrapeError> {
    let file = file.display();
    let encrypted = is_encrypted(key);
    match passphrase {
        None if encrypted => Err(config(format!(
            "private_key_file {file} is encrypted: name the file with its passphrase in `passphrase_file`, \
             or remove the passphrase with `ssh-keygen -p -f {file}`"
        ))),
        _ if opens(key, passphrase.map(|(passphrase, _)| passphrase)) => Ok(()),
        Some((_, from)) if encrypted => Err(config(format!(
            "the passphrase in passphrase_file {} does not open private_key_file {file}",
            from.display()
        ))),
        _ if key.starts_with("ssh-") || key.starts_with("ecdsa-") => {
            Err(config(format!("private_key_file {file} is a public key: name the private one")))
        }
        _ => Err(config(format!(
            "private_key_file {file} holds no usable private key (ed25519, ecdsa or rsa, in OpenSSH's form or PEM)"
        ))),
    }
}

/// Whether a private key is encrypted with a passphrase.
fn is_encrypted(key: &str) -> bool {
    // PKCS#8, and PEM as of RFC 1421.
    if key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || key.contains("Proc-Type: 4,ENCRYPTED") {
        return true;
    }
    // OpenSSH's PROTOCOL.key: a magic string, then the name of the cipher.
    let cipher = || -> Option<Vec<u8>> {
        let (_, rest) = key.split_once("-----BEGIN OPENSSH PRIVATE KEY-----")?;
        let (body, _) = rest.split_once("-----END")?;
        let bytes = Zeroizing::new(body.split_whitespace().collect::<String>());
        let bytes = Zeroizing::new(base64::decode_block(&bytes).ok()?);
        Some(SshBytes(bytes.strip_prefix(b"openssh-key-v1\0")?).string()?.to_owned())
    };
    cipher().is_some_and(|cipher| cipher != b"none")
}

/// Whether libssh2 can open the key. It does so before it sends anything, so an unconnected session
/// is enough to try.
fn opens(key: &str, passphrase: Option<&str>) -> bool {
    let Ok(session) = Session::new() else { return false };
    let tried = session.userauth_pubkey_memory("nobody", None, key, passphrase);
    tried.is_err_and(|error| failure::code(&error) == failure::SOCKET_SEND)
}

#[cfg(test)]
mod tests;
