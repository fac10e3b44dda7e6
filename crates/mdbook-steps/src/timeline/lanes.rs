//! The lanes of a timeline: a state of a run as it is drawn in them, and as it is told.

use super::state::{Life, State};

/// What the lines of a timeline mean: a cell's class and text, and where it is drawn.
const LEGEND: [(&str, &str, &str, &str); 11] = [
    ("run", "", "runs", "\"run"),
    ("wait", "", "waits", "\"wait"),
    ("hold", "", "holds the lock", "hold"),
    ("job", "", "runs a job", "job"),
    ("run now", "", "acts in this step", "now"),
    ("run panic now", "", "panics", "panic"),
    ("run end now", "", "ends", " end"),
    ("held", "0", "a lock, held by worker 0", "\"held"),
    ("poisoned", "", "a poisoned lock", "\"poisoned"),
    ("open", "2", "a queue of two jobs", "\"open"),
    ("closed", "0", "its sender is gone", "\"closed"),
];

/// What the cells mean that are drawn in these rows.
pub(super) fn legend(rows: &str) -> String {
    let mut html = String::new();
    let drawn: Vec<_> = rows.split("<i class=").skip(1).collect();
    for (class, text, meaning, part) in LEGEND {
        let is_drawn = |cell: &&str| {
            cell.split('>')
                .next()
                .is_some_and(|class| class.contains(part))
        };
        if drawn.iter().any(is_drawn) {
            html += &format!(
                "<span><span class=\"lanes\" aria-hidden=\"true\"><i class=\"{class}\">{text}</i></span> {meaning}</span>"
            );
        }
    }
    html
}

impl State {
    /// The lanes' names.
    pub(super) fn lanes(&self) -> String {
        let mut names = vec!["main".to_owned()];
        if self.channel {
            names.push("queue".to_owned());
        }
        names.extend((0..self.locks.len()).map(|lock| self.lock_name(lock)));
        names.extend((1..self.threads.len()).map(name));
        let names = names.iter().map(|name| format!("<i>{name}</i>"));
        names.collect()
    }

    fn lock_name(&self, index: usize) -> String {
        match self.locks.len() {
            1 => "lock".to_owned(),
            _ => format!("lock {}", index + 1),
        }
    }

    /// A cell for each lane. In this row, `now` has done something.
    pub(super) fn cells(&self, now: Option<usize>) -> String {
        let mut cells = Vec::new();
        for (index, thread) in self.threads.iter().enumerate() {
            let mut classes = Vec::new();
            if !matches!(thread.life, Life::NotBegun | Life::Over) {
                let holds = self.locks.iter().any(|lock| lock.holder == Some(index));
                let waits = self.waits(index);
                let kinds = [(waits, "wait"), (holds, "hold"), (thread.in_job, "job")];
                classes.extend(kinds.iter().filter(|(is, _)| *is).map(|(_, class)| *class));
                if classes.is_empty() {
                    classes.push("run");
                }
                match thread.life {
                    Life::Begins => classes.push("start"),
                    Life::Ends => classes.push("end"),
                    Life::Panics => classes.push("panic"),
                    _ => {}
                }
            }
            if now == Some(index) {
                classes.push("now");
            }
            cells.push((classes.join(" "), String::new()));
        }
        let mut between = Vec::new();
        if self.channel {
            let class = if self.closed { "closed" } else { "open" };
            between.push((class.to_owned(), self.queue.len().to_string()));
        }
        for lock in &self.locks {
            between.push(match lock.holder {
                Some(0) => ("held".to_owned(), "m".to_owned()),
                Some(worker) => ("held".to_owned(), (worker - 1).to_string()),
                None if lock.poisoned => ("poisoned".to_owned(), String::new()),
                None => ("free".to_owned(), String::new()),
            });
        }
        cells.splice(1..1, between);
        let cells = cells.iter().map(|(class, text)| match class.as_str() {
            "" => "<i></i>".to_owned(),
            class => format!("<i class=\"{class}\">{text}</i>"),
        });
        cells.collect()
    }

    /// The same in words: `queue=job 1, job 2;channel=open;lock=worker 0`.
    pub(super) fn told(&self) -> String {
        let mut parts = Vec::new();
        if self.channel {
            let jobs: Vec<_> = self.queue.iter().map(|job| job.to_string()).collect();
            parts.push(match jobs.len() {
                0 => "queue=empty".to_owned(),
                1 => format!("queue=job {}", jobs[0]),
                _ => format!("queue=jobs {}", jobs.join(", ")),
            });
            let channel = if self.closed { "closed" } else { "open" };
            parts.push(format!("channel={channel}"));
        }
        for (index, lock) in self.locks.iter().enumerate() {
            let mut holder = lock.holder.map_or("free".to_owned(), name);
            if lock.poisoned {
                holder += ", poisoned";
            }
            parts.push(format!("{}={holder}", self.lock_name(index)));
        }
        parts.join(";")
    }
}

fn name(thread: usize) -> String {
    match thread {
        0 => "main".to_owned(),
        worker => format!("worker {}", worker - 1),
    }
}
