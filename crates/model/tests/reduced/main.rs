//! The search that runs one interleaving of each class, against those that run all of them: on random
//! programs, each of which is known by its seed.

mod pools;
mod programs;

use pool_model::reduced::{explore, Exploration, Found, Rule, RULES};
use pool_model::sync::atomic::{AtomicUsize, Ordering};
use pool_model::sync::{mpsc, Arc, Mutex};
use pool_model::{search_any, thread};
use pools::of_pools;
use programs::{run, Act, Program};
use std::collections::BTreeSet;
use std::env;
use std::ops::ControlFlow;

/// What the runs of a search have said, and how they ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcomes {
    said: BTreeSet<String>,
    finish: bool,
    deadlock: bool,
    panic: bool,
}

/// Collects what the runs say.
fn collecting(
    program: &Program,
) -> (
    impl Fn() + Send + Sync + Clone,
    impl Fn() -> BTreeSet<String>,
) {
    let said = std::sync::Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let program = program.clone();
    let all = std::sync::Arc::clone(&said);
    let run = move || {
        let said = run(&program);
        all.lock().unwrap().insert(said);
    };
    (run, move || said.lock().unwrap().clone())
}

fn explored(program: &Program, exploration: Exploration) -> (Found, Outcomes) {
    let (run, said) = collecting(program);
    let found = explore(exploration, run);
    let outcomes = Outcomes {
        said: said(),
        finish: found.endings.finish > 0,
        deadlock: found.endings.deadlock > 0,
        panic: found.endings.panic > 0,
    };
    (found, outcomes)
}

/// What shuttle's own operations, and a search through all their orders, come to.
fn plain(program: &Program, most: usize) -> Option<(usize, Outcomes)> {
    let (run, said) = collecting(program);
    let endings = search_any(run, most, |_| ControlFlow::Continue(())).ok()?;
    let outcomes = Outcomes {
        said: said(),
        finish: endings.finish > 0,
        deadlock: endings.deadlock > 0,
        panic: endings.panic > 0,
    };
    Some((endings.all(), outcomes))
}

/// Orders of a program, at most: those with more are left out.
const MOST: usize = 1_000;

/// How many runs of a program were compared.
#[derive(Debug, Default)]
struct Runs {
    all: usize,
    classes: usize,
    /// shuttle's own. 0: they are too many.
    plain: usize,
}

/// What is wrong with the search of this program. `None`: it has too many orders to compare. With
/// shuttle's own search, it is not compared where that has more than `most_plain`.
fn compared(program: &Program, most: usize, most_plain: usize) -> Option<Result<Runs, String>> {
    let (all, of_all) = explored(program, Exploration::all(most));
    if !all.complete {
        return None;
    }
    let (classes, of_classes) = explored(program, Exploration::classes(most));
    let wrong = |what: String| Some(Err(format!("{what}\n  {program:?}")));
    if !classes.complete || classes.classes != all.classes {
        return wrong(format!(
            "{} classes of {}",
            classes.classes.len(),
            all.classes.len()
        ));
    }
    if classes.endings.all() != classes.classes.len() {
        return wrong(format!("a class was run twice: {classes:?}"));
    }
    if of_classes != of_all {
        return wrong(format!("{of_classes:?}\n  instead of {of_all:?}"));
    }
    let plain = plain(program, most_plain);
    match plain {
        Some((_, plain)) if plain != of_all => {
            wrong(format!("{of_all:?}\n  instead of shuttle's {plain:?}"))
        }
        _ => Some(Ok(Runs {
            all: all.endings.all(),
            classes: classes.endings.all(),
            plain: plain.map_or(0, |(runs, _)| runs),
        })),
    }
}

/// `SEEDS=1..10001 cargo test -p pool-model --test reduced` compares more.
#[test]
fn each_class_of_random_programs_is_run_once() {
    pool_model::silence();
    let seeds = env::var("SEEDS").unwrap_or("1..301".to_owned());
    let (from, to) = seeds.split_once("..").expect("SEEDS is FROM..TO");
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
    let (mut programs, mut of_shuttle) = (0, 0);
    let mut runs = Runs::default();
    let mut wrong = Vec::new();
    for seed in from..to {
        match compared(&Program::new(seed), MOST, 10 * MOST) {
            None => {}
            Some(Ok(Runs {
                all,
                classes,
                plain,
            })) => {
                programs += 1;
                of_shuttle += usize::from(plain > 0);
                runs.all += all;
                runs.classes += classes;
                runs.plain += plain;
            }
            Some(Err(problem)) => wrong.push(format!("seed {seed}: {problem}")),
        }
    }
    println!(
        "{programs} programs compared, {of_shuttle} of them with shuttle's own search: {runs:?}, {} wrong",
        wrong.len()
    );
    let shown = &wrong[..wrong.len().min(10)];
    println!("{}", shown.join("\n"));
    assert!(wrong.is_empty(), "see above");
}

/// Eight programs of which the searches have once found different things: a thread that asked for the
/// second time let others come first that had not been first in all orders of a class, and a sender that
/// waited for room in a channel was kept its place.
#[test]
fn what_differed_once_is_the_same() {
    use Act::*;
    pool_model::silence();
    let two = |first: &[Act], second: &[Act]| vec![first.to_vec(), second.to_vec()];
    let programs = [
        (
            1,
            two(
                &[Receive(1)],
                &[
                    DropSenders,
                    TryReceive(1),
                    DropSenders,
                    TryReceive(1),
                    DropReceiver(1),
                ],
            ),
        ),
        (
            2,
            two(
                &[Receive(1), DropSenders, Send(1)],
                &[TryReceive(1), TryReceive(1), DropSenders, DropReceiver(1)],
            ),
        ),
        (
            0,
            two(
                &[Receive(1), DropReceiver(1), DropSenders],
                &[TryReceive(1), TryReceive(1), DropReceiver(1)],
            ),
        ),
        (
            2,
            two(
                &[DropSenders, Receive(1), Send(1), TryReceive(1), DropSenders],
                &[TrySend, TryReceive(1), TryReceive(1), DropReceiver(1)],
            ),
        ),
        (
            0,
            two(
                &[TryReceive(1), DropSenders, DropSenders],
                &[
                    TryReceive(1),
                    TryReceive(1),
                    DropReceiver(1),
                    Receive(1),
                    DropSenders,
                ],
            ),
        ),
        (0, vec![vec![Wait], vec![Wait], vec![WaitTimeout; 2]]),
        (
            0,
            vec![vec![Wait], vec![Wait, Unlock(0)], vec![WaitTimeout; 3]],
        ),
        (
            1,
            two(
                &[Send(1), Send(1), IfSeen, DropSenders],
                &[TryReceive(1), NotifyAll, TrySend, DropReceiver(1), Lock(0)],
            ),
        ),
    ];
    for (bound, threads) in programs {
        let program = Program { threads, bound };
        // With three threads, shuttle's own are tens of thousands, and nearly all end in a deadlock.
        let most_plain = if program.threads.len() == 2 {
            100 * MOST
        } else {
            0
        };
        let is_right = |runs: &Runs| (runs.plain > 0) == (most_plain > 0);
        let compared = compared(&program, 10 * MOST, most_plain);
        assert!(
            matches!(&compared, Some(Ok(runs)) if is_right(runs)),
            "{compared:?}"
        );
    }
}

/// The run that is tried first comes to no look at the clock before a deadline has passed, and that was
/// nobody's concern then.
#[test]
fn a_late_look_at_the_clock_counts() {
    pool_model::silence();
    let threads = vec![
        vec![Act::NotifyOne, Act::Look],
        vec![Act::Sleep, Act::IfSeen],
    ];
    let compared = compared(&Program { threads, bound: 0 }, MOST, 10 * MOST);
    assert!(
        matches!(compared, Some(Ok(Runs { plain: 1.., .. }))),
        "{compared:?}"
    );
}

/// Two programs that the search once had too few classes of: where a channel is full and its receiver
/// leaves, and where a thread is kept from going on in a run that is cut off. Which order is tried
/// first decides whether it shows, so the threads are started in each order.
#[test]
fn what_was_missed_once_is_found() {
    pool_model::silence();
    let sends = vec![Act::Send(1)];
    let leaves = vec![Act::Send(1), Act::DropReceiver(1)];
    let other = vec![leaves.clone(), sends.clone()];
    for threads in [vec![sends, leaves], other] {
        let program = Program { threads, bound: 1 };
        let (all, of_all) = explored(&program, Exploration::all(10 * MOST));
        let (classes, of_classes) = explored(&program, Exploration::classes(MOST));
        assert!(all.complete && of_classes.deadlock, "{program:?}");
        assert_eq!((classes.classes, of_classes), (all.classes, of_all));
    }

    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let said = std::sync::Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let seen = std::sync::Arc::clone(&said);
        explore(Exploration::classes(MOST), move || {
            let outcome = cut_off(order);
            seen.lock().unwrap().insert(outcome);
        });
        let each = [(0, 0), (0, 1), (1, 0), (1, 1)];
        assert_eq!(*said.lock().unwrap(), BTreeSet::from(each), "{order:?}");
    }
}

/// One stores and sends; two stores, and receives with the lock; zero loads around the lock. They are
/// started in this order. Returns what zero has seen.
fn cut_off(order: [usize; 3]) -> (usize, usize) {
    let cells = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let lock = Arc::new(Mutex::new(()));
    let (sender, receiver) = mpsc::channel();
    let (mut sender, mut receiver) = (Some(sender), Some(receiver));
    let mut threads = [None, None, None];
    for number in order {
        let (cells, lock) = (Arc::clone(&cells), Arc::clone(&lock));
        let (sender, receiver) = match number {
            0 => (None, None),
            1 => (sender.take(), None),
            _ => (None, receiver.take()),
        };
        threads[number] = Some(thread::spawn(move || match (sender, receiver) {
            (Some(sender), _) => {
                cells[0].store(1, Ordering::SeqCst);
                sender.send(()).unwrap();
                (0, 0)
            }
            (_, Some(receiver)) => {
                cells[1].store(1, Ordering::SeqCst);
                let guard = lock.lock().unwrap();
                receiver.recv().unwrap();
                drop(guard);
                (0, 0)
            }
            _ => {
                let y = cells[1].load(Ordering::SeqCst);
                drop(lock.lock().unwrap());
                (y, cells[0].load(Ordering::SeqCst))
            }
        }));
    }
    let [zero, one, two] = threads.map(Option::unwrap);
    one.join().unwrap();
    two.join().unwrap();
    zero.join().unwrap()
}

/// Orders of a program with which the rules are tested, at most.
const FEW: usize = 300;

/// `cargo test -p pool-model --test reduced -- --ignored` takes a minute or more.
#[test]
#[ignore = "takes a minute or more"]
fn without_any_of_its_rules_the_comparison_fails() {
    pool_model::silence();
    let programs = (1..4000).filter_map(|seed| {
        let program = Program::new(seed);
        let (all, of_all) = explored(&program, Exploration::all(FEW));
        all.complete.then_some((seed, program, all.classes, of_all))
    });
    let programs: Vec<_> = programs.collect();
    let classes = |found: Vec<Found>| found.into_iter().map(|found| found.classes);
    let of_pools_with_all: Vec<_> = classes(of_pools(None)).collect();
    let mut needless = Vec::new();
    for &rule in RULES {
        let exploration = Exploration {
            without: Some(rule),
            ..Exploration::classes(FEW)
        };
        let mut differs = None;
        let mut misses = None;
        for (seed, program, classes, of_all) in &programs {
            let (found, outcomes) = explored(program, exploration);
            if outcomes != *of_all {
                misses = Some(seed);
                break;
            }
            if found.classes != *classes {
                differs = differs.or(Some(seed));
            }
        }
        let Rule {
            operation, part, ..
        } = rule;
        let of_pools = || classes(of_pools(Some(rule))).eq(of_pools_with_all.iter().cloned());
        match (misses, differs) {
            (Some(seed), _) => println!("{operation}, {part}: misses an outcome of seed {seed}"),
            (None, Some(seed)) => println!("{operation}, {part}: other classes of seed {seed}"),
            (None, None) if !of_pools() => println!("{operation}, {part}: other classes of a pool"),
            (None, None) => needless.push(format!("{operation}, {part}")),
        }
    }
    assert!(needless.is_empty(), "nobody notices without: {needless:#?}");
}
