//! Things are lent to the workers of a pool, one for each job, and a thread that sleeps until it is woken
//! takes them back. It stands for the event loop of a server, whose things are connections.

use super::programs::program;
use crate::support::told;
use book::models::{lender_mistakes, lender_name};
use book::schedules;
use libtest_mimic::Failed;
use pool_model::reduced::Exploration;
use pool_model::sync::mpsc;
use pool_model::Case;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Before the name of a listing whose lender is to have mistakes.
pub const LENDER: &str = "lender-of:";

/// What is lent. Whoever has it is its owner: there is only one.
pub struct Thing(pub usize);

/// The waker of an event loop, and who sleeps until it is used. A wake-up that comes before the sleep is
/// kept, and several of them are one. To wake never waits: a job that panics does it while it unwinds.
pub fn waker() -> (impl Fn() + Send + Sync + 'static, Sleeper) {
    let (wake, woken) = mpsc::channel();
    (
        move || wake.send(WakeUp).unwrap_or_default(),
        Sleeper(woken),
    )
}

struct WakeUp;

pub struct Sleeper(mpsc::Receiver<WakeUp>);

impl Sleeper {
    pub fn sleep(&self) {
        self.0.recv().expect("the lender has the waker");
        self.0.try_iter().for_each(drop);
    }
}

/// A lender, and what is known of its things. `IN_TIME`: it is shut down while things are lent.
pub struct Lending<L, const IN_TIME: bool> {
    pub lender: RefCell<L>,
    pub sleeper: Sleeper,
    pub back: Back,
    /// So many have been lent.
    pub lent: Cell<usize>,
}

/// The numbers of the things that are back.
#[derive(Default)]
pub struct Back(pub BTreeSet<usize>);

impl Back {
    pub fn is_new(&mut self, thing: &Thing) {
        assert!(self.0.insert(thing.0), "thing {} came back twice", thing.0);
    }
}

/// With one worker and three things, or four, each mistake in this listing's lender makes a run fail. (It
/// takes four where a thing has to be on its way back while the one before it is looked for: a job that
/// panics gives its thing back in one go, and of three, the second panics.)
pub fn problems(listing: &str) -> Result<String, Failed> {
    let mut problems = String::new();
    let lender = lender_name(listing);
    let source = schedules::source(&book::root(), &lender).map_err(told)?;
    for (mistake, ..) in lender_mistakes(&source) {
        let name = format!("{lender}-{mistake}");
        let program = program(&name).ok_or_else(|| format!("there is no {name}"))?;
        let fails = [3, 4].into_iter().any(|jobs| {
            let case = Case {
                workers: 1,
                jobs,
                meet: false,
                pause: false,
            };
            let found = (program.explore)(Exploration::classes(3_000), case);
            found.failures.iter().any(Option::is_some)
        });
        if !fails {
            writeln!(problems, "{name} does not fail")?;
        }
    }
    Ok(problems)
}

/// Makes a pool, as the search has it, of the lender in this module. A job in it gets a thing. In the
/// first program, every second job panics at its end; it gives its thing back all the same.
macro_rules! implement_pool {
    ($lender:ident) => {
        impl<const IN_TIME: bool> Pool for Lending<$lender::Lender<Thing>, IN_TIME> {
            const HAS_DEADLINE: bool = IN_TIME;

            fn new(size: usize) -> Self {
                let (wake, sleeper) = lending::waker();
                let pool = $lender::ThreadPool::new(size);
                Lending {
                    lender: $lender::Lender::new(pool, wake).into(),
                    sleeper,
                    back: Default::default(),
                    lent: Default::default(),
                }
            }

            fn execute(&self, job: impl FnOnce() + Send + 'static) {
                let thing = Thing(self.lent.replace(self.lent.get() + 1));
                let panics = !IN_TIME && thing.0 % 2 == 1;
                self.lender.borrow_mut().lend(thing, move |_| {
                    job();
                    assert!(!panics, "on purpose");
                });
            }

            fn end(self) -> Left {
                let Lending {
                    lender,
                    sleeper,
                    back,
                    lent,
                } = self;
                let (mut lender, mut back, lent) = (lender.into_inner(), back, lent.get());
                if !IN_TIME {
                    while lender.lent() > 0 {
                        sleeper.sleep();
                        while let Some(thing) = lender.take_back() {
                            back.is_new(&thing);
                        }
                    }
                    assert_eq!(back.0.len(), lent, "all are back");
                    return Left::default();
                }
                let deadline = Instant::in_run(Duration::from_secs(1));
                let (left, returned) = lender.shutdown(deadline);
                returned.iter().for_each(|thing| back.is_new(thing));
                let away = lent - returned.len();
                assert_eq!(
                    left.running, away,
                    "those that are not back are with a worker"
                );
                Left {
                    running: left.running,
                    never_begun: left.never_begun,
                }
            }
        }
    };
}

pub(super) use implement_pool;
