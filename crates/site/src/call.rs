//! How this program is called. It is read here, and described in `book-commands`.

use crate::{Build, Command, Serve};
use lexopt::{
    Arg::{Long, Short, Value},
    Error, Parser, ValueExt,
};
use std::ffi::OsString;

/// Each command with its options.
const USAGE: [(&str, &str); 2] = [
    ("serve", "[--hostname HOST] [--port PORT] [--open]"),
    ("build", "[--dest-dir FOLDER] [--open]"),
];

impl Command {
    /// Reads what follows `cargo book`. Nothing at all is `serve --open`.
    ///
    /// # Errors
    ///
    /// When it does not show the book. The error says what is wrong, and how it is called.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        read(Parser::from_args(&arguments)).map_err(|error| {
            let known = USAGE
                .iter()
                .find(|(name, _)| arguments.first().is_some_and(|first| first == name));
            let (usage, help) = match known {
                Some((name, options)) => (format!("{name} {options}"), format!("help {name}")),
                None => ("[COMMAND]".to_owned(), "help".to_owned()),
            };
            format!(
                "error: {error}\n\nUsage: cargo book {usage}\n\n`cargo book {help}` says more.\n"
            )
        })
    }
}

fn read(mut words: Parser) -> Result<Command, Error> {
    let mut command = match words.next()? {
        None => return Ok(Command::default()),
        Some(Value(name)) if name == "serve" => Command::Serve(Serve::default()),
        Some(Value(name)) if name == "build" => Command::Build(Build::default()),
        Some(other) => return Err(other.unexpected()),
    };
    while let Some(word) = words.next()? {
        match (&mut command, word) {
            (Command::Serve(serve), Short('n') | Long("hostname")) => {
                serve.hostname = words.value()?.string()?;
            }
            (Command::Serve(serve), Short('p') | Long("port")) => {
                let port = |number: &str| number.parse().map_err(|_| "a port is from 0 to 65535");
                serve.port = words.value()?.parse_with(port)?;
            }
            (Command::Serve(Serve { open, .. }), Short('o') | Long("open"))
            | (Command::Build(Build { open, .. }), Short('o') | Long("open")) => *open = true,
            (Command::Build(build), Short('d') | Long("dest-dir")) => {
                build.dest_dir = Some(words.value()?.into());
            }
            (_, word) => return Err(word.unexpected()),
        }
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &str) -> Result<Command, String> {
        Command::read(words.split_whitespace().map(OsString::from))
    }

    #[test]
    fn nothing_at_all_is_to_open_the_book() {
        assert_eq!(typed(""), typed("serve --open"));
        assert_ne!(typed(""), typed("serve"));
    }

    #[test]
    fn a_wrong_call_says_what_is_wrong_and_how_it_is_called() {
        for (words, parts) in [
            ("serve --prot 3001", ["'--prot'", "Usage: cargo book serve"]),
            ("serve --port 99999", ["99999", "0 to 65535"]),
            ("serve --port", ["--port", "help serve"]),
            ("serve --open=yes", ["--open", "Usage: cargo book serve"]),
            ("build --port 3001", ["'--port'", "[--dest-dir FOLDER]"]),
            ("build -- --new", ["\"--new\"", "Usage: cargo book build"]),
            ("step 20-24 a", ["\"step\"", "Usage: cargo book [COMMAND]"]),
            ("--open", ["'--open'", "Usage: cargo book [COMMAND]"]),
        ] {
            let error = typed(words).unwrap_err();
            for part in parts {
                assert!(error.contains(part), "{words}: {error}");
            }
        }
    }
}
