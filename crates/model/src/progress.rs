//! Says how far a search is, to a caller that asks for it.

use std::env;
use std::fmt;
use std::io::{self, Write};
use std::process;
use std::time::{Duration, Instant};

/// The caller asks by setting this variable: then, lines of standard output that begin with
/// [`MARK`] are for it, and the others are what is found.
///
/// Not standard error: shuttle prints there for each failure, so that it is best thrown away. To
/// read it takes a quarter of the time of a search in which each interleaving fails.
pub const ASKED: &str = "POOL_MODEL_PROGRESS";
/// How a line begins that says how far the search is. There follow how many interleavings were begun,
/// of how many (`-` where that is not known), and the case, each after a space.
pub const MARK: &str = "@pool-model";

/// Not more often than this.
const PAUSE: Duration = Duration::from_millis(100);
/// The clock is looked at once in so many interleavings. They are quick.
const GLANCE: usize = 256;

/// What the caller is told of a case.
pub(crate) struct Teller {
    case: String,
    all: Option<usize>,
    last: Instant,
}

impl Teller {
    /// Says that the case begins, of which `all` interleavings will be run, if that is known. `None`:
    /// nobody has asked.
    pub(crate) fn begin(case: impl fmt::Display, all: Option<usize>) -> Option<Teller> {
        env::var_os(ASKED)?;
        let teller = Teller {
            case: case.to_string(),
            all,
            last: Instant::now(),
        };
        teller.tell(0);
        Some(teller)
    }

    /// So many interleavings were begun.
    pub(crate) fn count(&mut self, begun: usize) {
        if begun.is_multiple_of(GLANCE) && self.last.elapsed() >= PAUSE {
            self.last = Instant::now();
            self.tell(begun);
        }
    }

    fn tell(&self, begun: usize) {
        let all = self.all.map_or("-".to_owned(), |all| all.to_string());
        let line = format!("{MARK} {begun} {all} {}\n", self.case);
        if io::stdout().write_all(line.as_bytes()).is_err() {
            process::exit(1); // the caller is gone: nobody waits for what is found
        }
    }
}
