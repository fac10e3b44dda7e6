//! The search that runs one interleaving of each class, against those that run all of them: on random
//! programs, each of which is known by its seed.

use pool_model::reduced::{explore, Exploration, Found, Rule, RULES};
use pool_model::sync::atomic::{AtomicUsize, Ordering};
use pool_model::sync::{mpsc, Arc, Condvar, Mutex};
use pool_model::{explore_case, search_any, thread, Case, Pool};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::time::Duration;
use std::{env, panic};

/// What a thread of a random program does.
#[derive(Clone, Copy, Debug)]
enum Act {
    Lock(usize),
    Unlock(usize),
    TryLock(usize),
    Send(usize),
    TrySend,
    Receive(usize),
    TryReceive(usize),
    ReceiveTimeout(usize),
    DropSenders,
    DropReceiver(usize),
    Load(usize),
    Store(usize),
    Add(usize),
    Wait,
    WaitTimeout,
    NotifyOne,
    NotifyAll,
    /// What comes next is done only if what was seen last is not 0.
    IfSeen,
    Panic,
}

/// A program: what its threads do, and how many messages its second channel holds.
#[derive(Clone, Debug)]
struct Program {
    threads: Vec<Vec<Act>>,
    bound: usize,
}

/// xorshift, by Marsaglia.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

impl Program {
    fn new(seed: u64) -> Program {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..5 {
            random.below(2);
        }
        let kind = random.below(8);
        let bound = random.below(3);
        let count = 2 + random.below(2);
        let threads = (0..count).map(|_| {
            let acts = 1 + random.below(if count == 2 { 5 } else { 3 });
            (0..acts).map(|_| act(kind, &mut random)).collect()
        });
        Program {
            threads: threads.collect(),
            bound,
        }
    }
}

/// One of what this kind of programs does.
fn act(kind: usize, random: &mut Random) -> Act {
    let one = random.below(2);
    let locks = [Act::Lock(one), Act::Lock(0), Act::Unlock(one), Act::Load(0)];
    let tries = [
        Act::TryLock(one),
        Act::Lock(one),
        Act::Unlock(one),
        Act::IfSeen,
    ];
    let atomics = [Act::Load(one), Act::Store(one), Act::Add(one), Act::IfSeen];
    let channels = [
        Act::Send(0),
        Act::Receive(0),
        Act::Send(0),
        Act::Receive(0),
        Act::DropSenders,
        Act::DropReceiver(0),
        Act::IfSeen,
        Act::Store(0),
    ];
    let bounded = [
        Act::Send(1),
        Act::Receive(1),
        Act::TrySend,
        Act::TryReceive(1),
        Act::DropSenders,
        Act::DropReceiver(1),
    ];
    let deadlines = [
        Act::TryReceive(one),
        Act::ReceiveTimeout(one),
        Act::Send(one),
        Act::WaitTimeout,
        Act::NotifyOne,
        Act::IfSeen,
    ];
    let conditions = [
        Act::Wait,
        Act::NotifyOne,
        Act::NotifyAll,
        Act::Lock(0),
        Act::Unlock(0),
        Act::WaitTimeout,
    ];
    let panics = [
        Act::Panic,
        Act::Lock(0),
        Act::Store(0),
        Act::IfSeen,
        Act::Load(0),
    ];
    let mut of = |acts: &[Act]| acts[random.below(acts.len())];
    match kind {
        0 => of(&locks),
        1 => of(&tries),
        2 => of(&atomics),
        3 => of(&channels),
        4 => of(&bounded),
        5 => of(&conditions),
        6 => of(&panics),
        _ => {
            let all = [
                of(&locks),
                of(&tries),
                of(&atomics),
                of(&channels),
                of(&bounded),
                of(&deadlines),
                of(&conditions),
            ];
            of(&all)
        }
    }
}

struct Shared {
    locks: [Mutex<usize>; 2],
    condvar: Condvar,
    cells: [AtomicUsize; 2],
    receivers: [Mutex<Option<mpsc::Receiver<usize>>>; 2],
}

#[derive(Clone)]
struct Senders(Option<mpsc::Sender<usize>>, Option<mpsc::SyncSender<usize>>);

/// Does the acts, and says what was seen.
fn perform(shared: &Shared, mut senders: Senders, acts: &[Act]) -> String {
    const SOON: Duration = Duration::from_millis(1);
    let mut guards = [None, None];
    let mut said = String::new();
    let mut seen = 0;
    let mut skip = false;
    for &act in acts {
        if std::mem::take(&mut skip) {
            continue;
        }
        let received = |result: Result<usize, ()>| result.map_or(0, |message| message + 1);
        let lock = |c: usize| shared.receivers[c].lock().unwrap();
        match act {
            Act::Lock(m) if guards[m].is_none() => guards[m] = shared.locks[m].lock().ok(),
            Act::TryLock(m) if guards[m].is_none() => {
                guards[m] = shared.locks[m].try_lock().ok();
                seen = usize::from(guards[m].is_some());
            }
            Act::Lock(_) | Act::TryLock(_) => {}
            Act::Unlock(m) => guards[m] = None,
            Act::Send(0) => {
                seen = senders
                    .0
                    .as_ref()
                    .map_or(2, |s| usize::from(s.send(1).is_ok()))
            }
            Act::Send(_) => {
                seen = senders
                    .1
                    .as_ref()
                    .map_or(2, |s| usize::from(s.send(1).is_ok()))
            }
            Act::TrySend => {
                seen = senders
                    .1
                    .as_ref()
                    .map_or(2, |s| usize::from(s.try_send(2).is_ok()));
            }
            Act::Receive(c) => {
                seen = lock(c)
                    .as_ref()
                    .map_or(9, |r| received(r.recv().map_err(drop)));
            }
            Act::TryReceive(c) => {
                seen = lock(c).as_ref().map_or(9, |r| match r.try_recv() {
                    Ok(message) => message + 1,
                    Err(mpsc::TryRecvError::Empty) => 0,
                    Err(mpsc::TryRecvError::Disconnected) => 8,
                });
            }
            Act::ReceiveTimeout(c) => {
                seen = lock(c).as_ref().map_or(9, |r| match r.recv_timeout(SOON) {
                    Ok(message) => message + 1,
                    Err(mpsc::RecvTimeoutError::Timeout) => 0,
                    Err(mpsc::RecvTimeoutError::Disconnected) => 8,
                });
            }
            Act::DropSenders => senders = Senders(None, None),
            Act::DropReceiver(c) => drop(lock(c).take()),
            Act::Load(a) => seen = shared.cells[a].load(Ordering::SeqCst),
            Act::Store(a) => shared.cells[a].store(1, Ordering::SeqCst),
            Act::Add(a) => seen = shared.cells[a].fetch_add(1, Ordering::SeqCst),
            Act::IfSeen => skip = seen == 0,
            Act::Wait => {
                let guard = guards[0].take().or_else(|| shared.locks[0].lock().ok());
                guards[0] = guard.and_then(|guard| shared.condvar.wait(guard).ok());
            }
            Act::WaitTimeout => {
                let guard = guards[0].take().or_else(|| shared.locks[0].lock().ok());
                let waited = guard.and_then(|guard| shared.condvar.wait_timeout(guard, SOON).ok());
                if let Some((guard, result)) = waited {
                    guards[0] = Some(guard);
                    seen = usize::from(result.timed_out());
                }
            }
            Act::NotifyOne => shared.condvar.notify_one(),
            Act::NotifyAll => shared.condvar.notify_all(),
            Act::Panic => panic!("on purpose"),
        }
        if let Some(guard) = &mut guards[0] {
            **guard += 1;
            seen += 10 * **guard;
        }
        write!(said, "{seen} ").unwrap();
    }
    said
}

/// Runs the program, and says what its threads have seen.
fn run(program: &Program) -> String {
    let (sender, receiver) = mpsc::channel();
    let (bounded, from_bounded) = mpsc::sync_channel(program.bound);
    let shared = Arc::new(Shared {
        locks: [Mutex::new(0), Mutex::new(0)],
        condvar: Condvar::new(),
        cells: [AtomicUsize::new(0), AtomicUsize::new(0)],
        receivers: [Mutex::new(Some(receiver)), Mutex::new(Some(from_bounded))],
    });
    let senders = Senders(Some(sender), Some(bounded));
    let others: Vec<_> = program.threads[1..]
        .iter()
        .map(|acts| {
            let (shared, acts, senders) = (Arc::clone(&shared), acts.clone(), senders.clone());
            thread::spawn(move || perform(&shared, senders, &acts))
        })
        .collect();
    let mut said = perform(&shared, senders, &program.threads[0]);
    for other in others {
        said += "| ";
        said += &other.join().unwrap();
    }
    said
}

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
fn plain(program: &Program, most: usize) -> Option<Outcomes> {
    let (run, said) = collecting(program);
    let endings = search_any(run, most, |_| ControlFlow::Continue(())).ok()?;
    Some(Outcomes {
        said: said(),
        finish: endings.finish > 0,
        deadlock: endings.deadlock > 0,
        panic: endings.panic > 0,
    })
}

/// Orders of a program, at most: those with more are left out.
const MOST: usize = 1_000;

/// What is wrong with the search of this program. `None`: it has too many orders to compare.
fn compared(seed: u64) -> Option<Result<(usize, usize), String>> {
    let program = Program::new(seed);
    let (all, of_all) = explored(&program, Exploration::all(MOST));
    if !all.complete {
        return None;
    }
    let (classes, of_classes) = explored(&program, Exploration::classes(MOST));
    let wrong = |what: String| Some(Err(format!("seed {seed}: {what}\n  {program:?}")));
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
    // Where a thread asks again, some orders are left out as unfair.
    let asks = |act: &Act| {
        use Act::{ReceiveTimeout, TryLock, TryReceive, TrySend, WaitTimeout};
        matches!(
            act,
            TryLock(_) | TrySend | TryReceive(_) | ReceiveTimeout(_) | WaitTimeout
        )
    };
    let orders = all.endings.all();
    let is_fair = !program.threads.iter().flatten().any(asks);
    if is_fair && classes.orders > orders as f64 * 1.000_001 {
        return wrong(format!(
            "{} orders are said, and there are {orders}",
            classes.orders
        ));
    }
    if of_classes != of_all {
        return wrong(format!("{of_classes:?}\n  instead of {of_all:?}"));
    }
    // Who waits with a deadline once more lets others do a step first (see `modeled::clock`). A step of
    // shuttle's condition variables is smaller than one here.
    let waits_again = |acts: &Vec<Act>| {
        let waits = acts.iter().filter(|act| matches!(act, Act::WaitTimeout));
        waits.count() > 1
    };
    match plain(&program, 10 * MOST) {
        Some(plain) if plain != of_all && !program.threads.iter().any(waits_again) => {
            wrong(format!("{of_all:?}\n  instead of shuttle's {plain:?}"))
        }
        _ => Some(Ok((orders, classes.endings.all()))),
    }
}

/// `SEEDS=1..10001 cargo test -p pool-model --test reduced` compares more.
#[test]
fn each_class_of_random_programs_is_run_once() {
    pool_model::silence();
    let seeds = env::var("SEEDS").unwrap_or("1..301".to_owned());
    let (from, to) = seeds.split_once("..").expect("SEEDS is FROM..TO");
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
    let (mut programs, mut all, mut classes) = (0, 0, 0);
    let mut wrong = Vec::new();
    for seed in from..to {
        match compared(seed) {
            None => {}
            Some(Ok((of_all, of_classes))) => {
                programs += 1;
                all += of_all;
                classes += of_classes;
            }
            Some(Err(problem)) => wrong.push(problem),
        }
    }
    println!(
        "{programs} programs compared: {classes} classes of {all} orders, {} wrong",
        wrong.len()
    );
    let shown = &wrong[..wrong.len().min(10)];
    println!("{}", shown.join("\n"));
    assert!(wrong.is_empty(), "see above");
}

/// A pool that starts a thread for each job.
struct Threads(std::cell::RefCell<Vec<thread::JoinHandle<()>>>);

impl Pool for Threads {
    fn new(_: usize) -> Threads {
        Threads(Vec::new().into())
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.borrow_mut().push(thread::spawn(job));
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.0
            .take()
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }
}

/// The same, and nobody waits for the threads.
struct Forgotten(Threads);

impl Pool for Forgotten {
    fn new(size: usize) -> Forgotten {
        Forgotten(Threads::new(size))
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.execute(job);
    }
}

impl Drop for Forgotten {
    fn drop(&mut self) {
        self.0 .0.take();
    }
}

/// The same, and each of the threads starts another for the job.
struct Nested(Threads);

impl Pool for Nested {
    fn new(size: usize) -> Nested {
        Nested(Threads::new(size))
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.execute(|| thread::spawn(job).join().unwrap());
    }
}

/// What a search finds of three pools, with or without a rule.
fn of_pools(without: Option<Rule>) -> Vec<Found> {
    let exploration = Exploration {
        without,
        ..Exploration::classes(FEW)
    };
    let cases = [(2, true), (1, false)].map(|(jobs, meet)| Case {
        workers: 1,
        jobs,
        meet,
        pause: false,
    });
    let found = |case| {
        [
            explore_case::<Threads>(exploration, case),
            explore_case::<Forgotten>(exploration, case),
            explore_case::<Nested>(exploration, case),
        ]
    };
    cases.into_iter().flat_map(found).collect()
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
    let programs = (1..3000).filter_map(|seed| {
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
