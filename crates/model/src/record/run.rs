//! A single run that is recorded.

use super::{Ending, Recorder, Recording, What, RECORDER};
use crate::modeled::run;
use crate::search::{config, is_deadlock, lock, run as run_program, Program};
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::sync::{Arc, Mutex};
use std::thread;

/// Runs the program once, as `choose` decides: which of the threads that can go on does, with the one
/// that ran last. `None` ends the run. Returns how many of the sentences were said in their order.
pub(crate) fn record(
    program: Program,
    file: Option<&str>,
    wanted: &[String],
    choose: Choose,
) -> (Recording, usize) {
    let mut config = config();
    if file.is_some() {
        config.stack_size = 1 << 20; // to look up lines takes room
    }

    let recorder = Recorder::new(file, wanted);
    let chosen = Arc::new(Mutex::new(Vec::new()));
    let scheduler = Once {
        choose,
        chosen: Arc::clone(&chosen),
        begun: false,
    };
    // A run that ends while a panic is under way leaves its thread panicking. So each has its own.
    let whole = move || {
        RECORDER.set(Some(recorder));
        let run = run_program(scheduler, config, program);
        let ending = match run {
            Ok(()) => Ending::Finish,
            Err(message) if is_deadlock(&message) => Ending::Deadlock,
            Err(_) => Ending::Panic,
        };
        let recorder = RECORDER.take().expect("it was set above");
        (recorder, ending)
    };
    let (mut recorder, ending) = thread::spawn(whole).join().expect("its panics are caught");
    if ending == Ending::Deadlock {
        recorder.events.push((None, None, What::Stuck));
    }
    let schedule = std::mem::take(&mut *lock(&chosen));
    (
        Recording {
            schedule,
            steps: recorder.told(),
            ending,
        },
        recorder.reached,
    )
}

/// Decides which of the threads that can go on does, with the one that ran last.
pub(crate) type Choose = Box<dyn FnMut(&[usize], Option<usize>) -> Option<usize> + Send>;

/// One run, as a function decides.
struct Once {
    choose: Choose,
    chosen: Arc<Mutex<Vec<usize>>>,
    begun: bool,
}

impl Scheduler for Once {
    fn new_execution(&mut self) -> Option<Schedule> {
        let first = !std::mem::replace(&mut self.begun, true);
        first.then(|| Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _: bool,
    ) -> Option<TaskId> {
        let runnable: Vec<_> = runnable.iter().map(|task| usize::from(task.id())).collect();
        let current = current.map(usize::from);
        let next = (self.choose)(&runnable, current)?;
        run::stopped();
        RECORDER
            .with_borrow_mut(|recorder| recorder.as_mut().map(|recorder| recorder.chosen(next)));
        lock(&self.chosen).push(next);
        Some(next.into())
    }

    fn next_u64(&mut self) -> u64 {
        // One of several ways to go on with the same thread.
        let chosen = (self.choose)(&run::options(), None).unwrap_or(0);
        lock(&self.chosen).push(chosen);
        chosen as u64
    }
}
