//! What happens, in sentences.

use super::What;

/// What a thread is called.
pub(crate) fn name(thread: usize) -> String {
    match thread {
        0 => "main".to_owned(),
        worker => format!("worker {}", worker - 1),
    }
}

/// Tells what happens in sentences, which need to know what has happened before.
#[derive(Clone, Debug, Default)]
pub(super) struct Teller {
    /// With more than one lock, they are told apart by numbers.
    several_locks: bool,
    locks: Vec<(usize, Option<usize>)>,
    channels: Vec<Channel>,
    waits: Vec<(usize, String)>,
    panicked: Vec<usize>,
    ended: Vec<usize>,
    /// Locks, by their numbers.
    poisoned: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Channel {
    id: usize,
    carries: &'static str,
    senders: usize,
    sent: usize,
    received: usize,
}

impl Teller {
    /// One that tells all of it from the start, knowing how many locks there are.
    pub(super) fn anew(&self) -> Teller {
        Teller {
            several_locks: self.locks.len() > 1,
            ..Teller::default()
        }
    }

    /// A word or two, and a sentence. Not everything is worth them.
    pub(super) fn tell(&mut self, thread: Option<usize>, what: &What) -> Option<(String, String)> {
        let Some(thread) = thread else {
            let waits: Vec<_> = self
                .waits
                .iter()
                .map(|(thread, why)| format!("{} {why}", name(*thread)))
                .collect();
            return Some((
                "stuck".into(),
                format!("Nobody can go on: {}.", waits.join(", ")),
            ));
        };
        let who = match name(thread) {
            main if thread == 0 => main.replace('m', "M"),
            worker => worker.replace('w', "W"),
        };
        let waited = self.waits.iter().any(|(waiting, _)| *waiting == thread);
        self.waits.retain(|(waiting, _)| *waiting != thread);
        let (word, said) = match what {
            What::Starts(started) => (
                format!("starts {started}"),
                format!("starts {}", name(*started)),
            ),
            What::Wants(id) => {
                let (number, lock) = self.lock(*id);
                let wait = match self.locks[number - 1].1 {
                    Some(holder) if holder == thread => ", which it holds itself".to_owned(),
                    Some(holder) => format!(", and waits: {} holds it", name(holder)),
                    None => String::new(),
                };
                self.waits.push((thread, format!("waits for {lock}")));
                let word = if wait.is_empty() { "wants" } else { "awaits" };
                (format!("{word} {number}"), format!("asks for {lock}{wait}"))
            }
            What::Holds(id, poisoned) => {
                let (number, lock) = self.lock(*id);
                self.locks[number - 1].1 = Some(thread);
                match poisoned {
                    false => (format!("holds {number}"), format!("gets {lock}")),
                    true => (
                        format!("holds {number} poisoned"),
                        format!("gets {lock}, inside an error: it is poisoned"),
                    ),
                }
            }
            What::Releases(id) => {
                let (number, lock) = self.lock(*id);
                self.locks[number - 1].1 = None;
                if !self.panicked.contains(&thread) {
                    (format!("releases {number}"), format!("gives {lock} back"))
                } else {
                    let how = match self.poisoned.contains(&number) {
                        true => "; it stays poisoned",
                        false => ", which poisons it",
                    };
                    self.poisoned.push(number);
                    (
                        format!("releases {number} poisoned"),
                        format!("gives {lock} back as it unwinds{how}"),
                    )
                }
            }
            What::Sleeps(id) => {
                let (number, lock) = self.lock(*id);
                self.locks[number - 1].1 = None;
                self.waits
                    .push((thread, "waits at the condition variable".into()));
                (
                    format!("sleeps {number}"),
                    format!("waits at the condition variable, and gives {lock} back"),
                )
            }
            What::Wakes(whom) => {
                let asleep = self
                    .waits
                    .iter()
                    .filter(|(_, why)| why.ends_with("variable"))
                    .count();
                let nobody = if asleep == 0 {
                    ", but nobody waits there"
                } else {
                    ""
                };
                let whom = if *whom == "one" {
                    "one that waits"
                } else {
                    "all that wait"
                };
                (
                    "wakes".into(),
                    format!("wakes {whom} at the condition variable{nobody}"),
                )
            }
            What::Opens { channel, carries } => {
                self.channels.push(Channel {
                    id: *channel,
                    carries,
                    senders: 1,
                    sent: 0,
                    received: 0,
                });
                return None;
            }
            What::Sends(id, true) => {
                let other = self.other(*id);
                let channel = self.channel(*id)?;
                channel.sent += 1;
                let (kind, number) = (channel.carries, channel.sent);
                (
                    format!("sends{other} {number}"),
                    format!("sends {kind} {number}"),
                )
            }
            What::Sends(_, false) => (
                "fails-to-send".into(),
                "cannot send: the receiver is gone".into(),
            ),
            What::ClonesSender(id) => {
                let channel = self.channel(*id)?;
                channel.senders += 1;
                let kind = channel.carries;
                match self.is_beside_jobs(*id) {
                    true => (
                        "clones-other".into(),
                        format!("makes one more sender for {kind}s"),
                    ),
                    false => ("clones-sender".into(), "makes one more sender".into()),
                }
            }
            What::DropsSender(id) => {
                let channel = self.channel(*id)?;
                channel.senders -= 1;
                let (left, kind) = (channel.senders, channel.carries);
                if self.is_beside_jobs(*id) {
                    let said = match left {
                        0 => format!("drops the last sender for {kind}s"),
                        1 => format!("drops a sender for {kind}s; one is left"),
                        _ => format!("drops a sender for {kind}s; {left} are left"),
                    };
                    return Some((format!("drops-other {left}"), format!("{who} {said}.")));
                }
                let said = match left {
                    0 => "drops the sender".to_owned(),
                    1 => "drops a sender; one is left".to_owned(),
                    _ => format!("drops a sender; {left} are left"),
                };
                (format!("drops-sender {left}"), said)
            }
            What::Receives(id) => {
                let other = self.other(*id);
                let channel = self.channel(*id)?;
                let waits = channel.sent == channel.received && channel.senders > 0;
                let kind = channel.carries;
                if waits {
                    self.waits.push((thread, "waits in recv".into()));
                }
                if waits && !other.is_empty() {
                    let said = format!("{who} calls recv, and waits for a {kind}.");
                    return Some(("awaits-other".into(), said));
                }
                match waits {
                    true => (
                        "awaits-message".into(),
                        "calls recv, and waits: the queue is empty".into(),
                    ),
                    false => ("receives".into(), "calls recv".into()),
                }
            }
            What::Received(id, true) => {
                let other = self.other(*id);
                let channel = self.channel(*id)?;
                channel.received += 1;
                let (kind, number) = (channel.carries, channel.received);
                (
                    format!("gets{other} {number}"),
                    format!("gets {kind} {number}"),
                )
            }
            What::Received(_, false) => (
                "gets-error".into(),
                "gets an error: the queue is empty, and the sender is gone".into(),
            ),
            What::FindsEmpty(id) if self.is_beside_jobs(*id) => {
                let kind = self.channel(*id)?.carries;
                ("finds-empty".into(), format!("finds no {kind}"))
            }
            What::FindsEmpty(_) => ("finds-empty".into(), "finds the queue empty".into()),
            What::TimeIsUp => (
                "time-is-up".into(),
                "has waited until its time is up".into(),
            ),
            What::Joins(other) => {
                if self.ended.contains(other) {
                    return None; // it is told of together with its end
                }
                let why = format!("waits for the end of {}", name(*other));
                self.waits.push((thread, why));
                (
                    format!("awaits-end {other}"),
                    format!("joins {}, and waits for its end", name(*other)),
                )
            }
            What::Joined(other) => {
                let name = name(*other);
                let how = match (waited, self.panicked.contains(other)) {
                    (_, true) => format!("hears from join that {name} has panicked"),
                    (true, false) => format!("has joined {name}"),
                    (false, false) => format!("joins {name}, which has ended"),
                };
                (format!("joined {other}"), how)
            }
            What::Prints(text) => ("prints".into(), format!("prints “{text}”")),
            What::Begins(job) => (format!("begins {job}"), format!("begins job {job}")),
            What::Meets(job) => {
                self.waits.push((thread, format!("waits inside job {job}")));
                (
                    format!("meets {job}"),
                    format!("waits inside job {job} until every job has begun"),
                )
            }
            What::HasRun(job) => (format!("has-run {job}"), format!("has run job {job}")),
            What::Reads(value) => ("reads".into(), format!("loads {value} from an atomic")),
            What::Writes(value) => ("writes".into(), format!("stores {value} in an atomic")),
            What::Changes(how, old) => ("changes".into(), format!("calls {how}, and gets {old}")),
            What::Ends => {
                self.ended.push(thread);
                let how = match self.panicked.contains(&thread) {
                    true => "ends with its panic",
                    false => "ends",
                };
                ("ends".into(), how.into())
            }
            What::Panics(text) => {
                self.panicked.push(thread);
                ("panics".into(), format!("panics: {text}"))
            }
            What::IsDone => (
                "is-done".into(),
                "is done: the drop has returned, and every job has run".into(),
            ),
            What::HasLeft(0, 0) => (
                "has-left 0 0".into(),
                "is told that every job has run".into(),
            ),
            What::HasLeft(running, never) => (
                format!("has-left {running} {never}"),
                format!("is told what is unfinished: {running} running, {never} never begun"),
            ),
            What::Stuck => return None,
        };
        let stop = if said.ends_with(".”") { "" } else { "." };
        Some((word, format!("{who} {said}{stop}")))
    }

    /// The how manieth lock it is, and what it is called.
    fn lock(&mut self, id: usize) -> (usize, String) {
        let index = self.locks.iter().position(|(known, _)| *known == id);
        let index = index.unwrap_or_else(|| {
            self.locks.push((id, None));
            self.locks.len() - 1
        });
        let name = match self.several_locks {
            true => format!("lock {}", index + 1),
            false => "the lock".to_owned(),
        };
        (index + 1, name)
    }

    /// Whether it carries no jobs, and another channel does.
    fn is_beside_jobs(&self, id: usize) -> bool {
        let jobs = |channel: &&Channel| channel.carries == "job";
        let with_jobs = self.channels.iter().find(jobs);
        let carries_jobs = with_jobs.is_some_and(|channel| channel.id == id);
        with_jobs.is_some() && !carries_jobs
    }

    /// What is added to a word for what is done with such a channel.
    fn other(&self, id: usize) -> &'static str {
        match self.is_beside_jobs(id) {
            true => "-other",
            false => "",
        }
    }

    fn channel(&mut self, id: usize) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == id)
    }
}
