use super::*;
use crate::modeled::sync::mpsc;
use crate::modeled::thread;
use crate::{Case, Pool};

type Job = Box<dyn FnOnce() + Send>;

/// A single worker, which owns the receiver.
struct OneWorker {
    sender: Option<mpsc::Sender<Job>>,
    worker: Option<thread::JoinHandle<()>>,
}

impl Pool for OneWorker {
    fn new(_: usize) -> OneWorker {
        let (sender, receiver) = mpsc::channel::<Job>();
        let worker = thread::spawn(move || receiver.into_iter().for_each(|job| job()));
        let (sender, worker) = (Some(sender), Some(worker));
        OneWorker { sender, worker }
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let sender = self.sender.as_ref().unwrap();
        sender.send(Box::new(job)).unwrap();
    }
}

impl Drop for OneWorker {
    fn drop(&mut self) {
        drop(self.sender.take());
        self.worker.take().unwrap().join().unwrap();
    }
}

const CASE: Case = Case {
    workers: 1,
    jobs: 1,
    meet: false,
    pause: false,
};

#[test]
fn a_run_is_told_with_its_lines_and_the_same_again_from_its_schedule() {
    let first = replay::<OneWorker>(CASE, file!(), &[]).unwrap();
    assert_eq!(first.ending, Ending::Finish);
    let sends = first.steps.iter().find(|step| step.what == "sends 1");
    let sends = sends.expect("it sends its job");
    assert_eq!(sends.said, "Main sends job 1.");
    let line = usize::try_from(sends.line.expect("it has a line")).unwrap();
    let line = include_str!("tests.rs").lines().nth(line - 1).unwrap();
    assert_eq!(line.trim(), "sender.send(Box::new(job)).unwrap();");

    let again = replay::<OneWorker>(CASE, file!(), &first.schedule).unwrap();
    assert_eq!(again.steps, first.steps);
}

#[test]
fn a_schedule_that_does_not_fit_is_refused() {
    let error = |schedule: &[usize]| replay::<OneWorker>(CASE, file!(), schedule).unwrap_err();
    assert_eq!(
        error(&[0, 7]),
        "the schedule does not fit: at its place 2, worker 6 cannot go on"
    );
    let mut schedule = replay::<OneWorker>(CASE, file!(), &[]).unwrap().schedule;
    let whole = schedule.len();
    schedule.push(0);
    assert_eq!(
        error(&schedule),
        format!(
            "the schedule does not fit: the run ends after {whole} of its {} choices",
            whole + 1
        )
    );
}

#[test]
fn a_run_is_found_in_which_something_is_said() {
    let wanted = [
        "Worker 0 calls recv, and waits: the queue is empty.",
        "Main drops the sender.",
        "Worker 0 gets job 1.",
    ];
    let found = find::<OneWorker>(CASE, Ending::Finish, &wanted, 500).expect("there is one");
    let steps = replay::<OneWorker>(CASE, file!(), &found).unwrap().steps;
    let mut said = steps.iter().map(|step| step.said.as_str());
    assert!(wanted.iter().all(|wanted| said.any(|said| said == *wanted)));

    let never = ["Main drops the sender.", "Main sends job 1."];
    assert_eq!(find::<OneWorker>(CASE, Ending::Finish, &never, 500), None);
}

#[test]
fn a_schedule_is_written_and_read() {
    let schedule = vec![0, 1, 10, 35];
    assert_eq!(written(&schedule), "01az");
    assert_eq!(read("01az"), Ok(schedule));
    assert_eq!(read("0-"), Err("`-` is no thread of a schedule".to_owned()));
}
