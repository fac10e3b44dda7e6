//! Random programs, over all that threads can do to each other.

use pool_model::sync::atomic::{AtomicUsize, Ordering};
use pool_model::sync::{mpsc, Arc, Condvar, Mutex};
use pool_model::thread;
use pool_model::time::Instant;
use std::fmt::Write;
use std::time::Duration;

/// What a thread of a random program does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
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
    /// Asks for a message until there is one, but no more often than this many times.
    Poll(usize),
    /// Looks whether something was stored, as often, and yields in between.
    Spin(usize),
    Sleep,
    /// Looks at the clock.
    Look,
    /// Reckons a time that whoever looks may see.
    Expect,
    Panic,
}

/// A program: what its threads do, and how many messages its second channel holds.
#[derive(Clone, Debug)]
pub struct Program {
    pub threads: Vec<Vec<Act>>,
    pub bound: usize,
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
    pub fn new(seed: u64) -> Program {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..5 {
            random.below(2);
        }
        let kind = random.below(10);
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
    let asks = [
        Act::Poll(5),
        Act::Spin(4),
        Act::Sleep,
        Act::TryReceive(0),
        Act::TryLock(0),
        Act::WaitTimeout,
        Act::Send(0),
        Act::Store(0),
        Act::NotifyOne,
        Act::DropSenders,
    ];
    let times = [
        Act::Look,
        Act::Look,
        Act::Expect,
        Act::Sleep,
        Act::ReceiveTimeout(0),
        Act::WaitTimeout,
        Act::Send(0),
        Act::NotifyOne,
        Act::IfSeen,
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
        7 => of(&asks),
        8 => of(&times),
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
    /// There if somebody reckons with it.
    start: Option<Instant>,
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
    let mut start = None;
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
            Act::Poll(times) => {
                let tried = |_| match lock(0).as_ref().map(|r| r.try_recv()) {
                    Some(Err(mpsc::TryRecvError::Empty)) => None,
                    Some(result) => Some(received(result.map_err(drop))),
                    None => Some(9),
                };
                seen = (0..times).find_map(tried).unwrap_or(7);
            }
            Act::Spin(times) => {
                let is_seen = |_: &usize| {
                    let is_stored = shared.cells[0].load(Ordering::SeqCst) > 0;
                    if !is_stored {
                        thread::yield_now();
                    }
                    is_stored
                };
                seen = usize::from((0..times).find(is_seen).is_some());
            }
            Act::Sleep => thread::sleep(2 * SOON),
            Act::Expect => {
                let then = shared.start.map(|start| start + 5 * SOON);
                seen = usize::from(then > shared.start);
            }
            Act::Look => {
                let elapsed = start.get_or_insert_with(Instant::now).elapsed();
                seen = usize::try_from(elapsed.as_millis().min(99)).unwrap();
            }
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
pub fn run(program: &Program) -> String {
    let (sender, receiver) = mpsc::channel();
    let (bounded, from_bounded) = mpsc::sync_channel(program.bound);
    let mut acts = program.threads.iter().flatten();
    let reckons = acts.any(|act| matches!(act, Act::Expect));
    let shared = Arc::new(Shared {
        start: reckons.then(Instant::now),
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
