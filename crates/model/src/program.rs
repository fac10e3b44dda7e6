//! The program that `cargo book search` builds around a reader's pool. What it is to do with the pool
//! comes as its arguments, so that the same program searches and replays.

use crate::report::report_prove;
use crate::{report, report_replay, Case, How, Pool, Sampling};
use std::env;
use std::process::ExitCode;

/// Does what the arguments say: `search POOL TRIES all|classes|random|pct CASE...` is [`report`],
/// `prove POOL` is [`report_prove`], `replay FILE CASE SCHEDULE` is [`report_replay`]. A case is `WORKERS:JOBS`, or `WORKERS:JOBS:meet`.
pub fn program<P: Pool>() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    done::<P>(&words).unwrap_or_else(|| {
        println!("error: this program is called by `cargo book search`, and not with {words:?}");
        ExitCode::from(2)
    })
}

fn done<P: Pool>(words: &[&str]) -> Option<ExitCode> {
    match words {
        ["search", pool, tries, how, cases @ ..] => {
            let how = match *how {
                "all" => How::All,
                "classes" => How::Classes,
                "random" => How::Some(Sampling::Random),
                "pct" => How::Some(Sampling::Pct),
                _ => return None,
            };
            let cases: Option<Vec<_>> = cases.iter().map(|word| case(word)).collect();
            Some(report::<P>(pool, &cases?, how, tries.parse().ok()?))
        }
        ["prove", pool] => Some(report_prove::<P>(pool)),
        ["replay", file, word, schedule] => Some(report_replay::<P>(case(word)?, file, schedule)),
        _ => None,
    }
}

fn case(word: &str) -> Option<Case> {
    let (workers, jobs, meet) = match word.split(':').collect::<Vec<_>>()[..] {
        [workers, jobs] => (workers, jobs, false),
        [workers, jobs, "meet"] => (workers, jobs, true),
        _ => return None,
    };
    Some(Case {
        workers: workers.parse().ok()?,
        jobs: jobs.parse().ok()?,
        meet,
        pause: false,
    })
}
