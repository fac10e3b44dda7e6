//! How each question is answered, in this process: by trying it.

use super::{asking::going_on, Outcome, Question};
use crate::{Pool, Refused};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;
use std::{mem, thread};

/// How long to wait for what should happen. Only a pool at fault takes that long, and a machine that
/// has much else to do may.
const LONG: Duration = Duration::from_secs(5);

/// How long to wait for what should not happen.
const SHORT: Duration = Duration::from_millis(1500);

/// Asks a pool in this process, which may hang or abort.
pub fn answer<P: Pool>(question: Question) -> Outcome {
    match question {
        Question::EveryJobOnce => every_job_once::<P>(),
        Question::AtOnce => {
            let pool = mem::ManuallyDrop::new(P::new(4));
            yes_or_no(at_once(&*pool, 4, || ()) == 4)
        }
        Question::HeldUp => held_up::<P>(),
        Question::PanicCost => panic_cost::<P>(),
        Question::DropAfterPanic => drop_after_panic::<P>(),
        Question::DropWaits => waits::<P>(drop),
        Question::QueueAtDrop => queue_at_drop::<P>(),
        Question::QueueOfIdle => queue_of_idle::<P>(),
        Question::DropInside => inside_a_job::<P>(drop),
        Question::Joins => P::JOIN.map_or(Outcome::Absent, |join| {
            waits::<P>(|pool| {
                join(&pool);
                mem::forget(pool);
            })
        }),
        Question::JoinInside => P::JOIN.map_or(Outcome::NotAsked, |join| {
            inside_a_job::<P>(move |pool| {
                join(&pool);
                mem::forget(pool);
            })
        }),
        Question::Refuses => refuses::<P>(),
        Question::Bounded => bounded::<P>(),
        Question::GivesBack => gives_back::<P>(),
    }
}

fn yes_or_no(yes: bool) -> Outcome {
    if yes {
        Outcome::Yes
    } else {
        Outcome::No
    }
}

fn panics(call: impl FnOnce()) -> bool {
    panic::catch_unwind(AssertUnwindSafe(call)).is_err()
}

/// Four threads queue 250 jobs each. A job that is lost is dropped, so the channel closes
/// in any case.
fn every_job_once<P: Pool>() -> Outcome {
    let pool = mem::ManuallyDrop::new(P::new(4));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for start in [0, 250, 500, 750] {
            let (pool, sender) = (&*pool, sender.clone());
            scope.spawn(move || {
                for number in start..start + 250 {
                    let sender = sender.clone();
                    // The type lets a pool call the job twice, which `FnOnce` would not.
                    let job: Box<dyn Fn() + Send> = Box::new(move || {
                        let _ = sender.send(number);
                    });
                    pool.execute(job);
                }
            });
        }
    });
    drop(sender);

    let mut runs = vec![0; 1000];
    receiver.iter().for_each(|number: usize| runs[number] += 1);
    match (runs.contains(&0), runs.iter().any(|&runs| runs > 1)) {
        (true, _) => Outcome::Loses,
        (false, true) => Outcome::Repeats,
        (false, false) => Outcome::Yes,
    }
}

/// How many of so many jobs are running at the same time, each of which ends with `end`.
fn at_once<P: Pool>(pool: &P, jobs: usize, end: fn()) -> usize {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let (sender, receiver) = mpsc::channel();
    for _ in 0..jobs {
        let (gate, sender) = (Arc::clone(&gate), sender.clone());
        pool.execute(move || {
            let _ = sender.send(());
            drop(gate.lock());
            end();
        });
    }
    let running = (0..jobs)
        .take_while(|_| receiver.recv_timeout(LONG).is_ok())
        .count();
    drop(closed);
    running
}

/// Has a worker run a job that ends when what this returns is dropped.
fn occupy<P: Pool>(pool: &P) -> mpsc::Sender<()> {
    let (end, may_end) = mpsc::channel();
    let (start, has_started) = mpsc::channel();
    pool.execute(move || {
        let _ = start.send(());
        let _ = may_end.recv();
    });
    let _ = has_started.recv();
    end
}

fn held_up<P: Pool>() -> Outcome {
    let pool = mem::ManuallyDrop::new(P::new(2));
    let _first = occupy(&*pool);
    let (run_second, second_has_run) = mpsc::channel();
    pool.execute(move || {
        let _ = run_second.send(());
    });
    yes_or_no(second_has_run.recv_timeout(LONG).is_err())
}

/// Has jobs panic at the same time, one in each worker, and looks whether as many can run
/// at the same time after that.
fn panic_cost<P: Pool>() -> Outcome {
    for workers in [1, 4] {
        let pool = mem::ManuallyDrop::new(P::new(workers));
        let before = at_once(&*pool, workers, || panic!("a job panics"));
        if at_once(&*pool, before, || ()) < before {
            return Outcome::Worker;
        }
    }
    Outcome::Nothing
}

/// The second job shows that the panic is over, one way or another.
fn drop_after_panic<P: Pool>() -> Outcome {
    let pool = P::new(1);
    at_once(&pool, 1, || panic!("a job panics"));
    at_once(&pool, 1, || ());
    if panics(|| drop(pool)) {
        Outcome::Panics
    } else {
        Outcome::Returns
    }
}

/// Whether `wait` still waits while a job is running.
fn waits<P: Pool>(wait: impl FnOnce(P)) -> Outcome {
    let pool = P::new(2);
    let (start, has_started) = mpsc::channel();
    let (end_wait, wait_has_ended) = mpsc::channel();
    let (end, has_ended) = mpsc::channel();
    pool.execute(move || {
        let _ = start.send(());
        let _ = end.send(wait_has_ended.recv_timeout(SHORT).is_err());
    });
    let _ = has_started.recv();
    wait(pool);
    let _ = end_wait.send(());
    yes_or_no(has_ended.recv() == Ok(true))
}

/// Drops a pool of one worker, which is kept in a job until the drop has returned, or, if
/// it waits for that job, for a while. Ten jobs are in the queue behind it.
fn queue_at_drop<P: Pool>() -> Outcome {
    let pool = P::new(1);
    let (start, has_started) = mpsc::channel();
    let (end_drop, drop_has_ended) = mpsc::channel();
    let (run, runs) = mpsc::channel();
    pool.execute(move || {
        let _ = start.send(());
        let _ = drop_has_ended.recv_timeout(SHORT);
    });
    for _ in 0..10 {
        let run = run.clone();
        pool.execute(move || {
            let _ = run.send(());
        });
    }
    drop(run);

    let _ = has_started.recv();
    drop(pool);
    let before = runs.try_iter().count();
    let _ = end_drop.send(());
    // The channel closes once every job has run, or been dropped without being run.
    match (before, runs.iter().count()) {
        (10, 0) => Outcome::Before,
        (0, 10) => Outcome::After,
        (0, 0) => Outcome::Never,
        _ => Outcome::Partly,
    }
}

/// Drops a pool right after two jobs were queued for its two workers, which were idle: again and
/// again, since it depends on who is first.
fn queue_of_idle<P: Pool>() -> Outcome {
    let mut all_before = true;
    let workers = at_once(&*mem::ManuallyDrop::new(P::new(2)), 2, || ());
    for _ in 0..100 {
        going_on();
        let pool = P::new(2);
        at_once(&pool, workers, || ());
        // Until both wait for a job again.
        thread::sleep(Duration::from_millis(2));

        let (run, runs) = mpsc::channel();
        for _ in 0..2 {
            let run = run.clone();
            pool.execute(move || {
                let _ = run.send(());
            });
        }
        drop(run);
        drop(pool);
        let before = runs.try_iter().count();
        // The channel closes once both have run, or been dropped without being run.
        if before + runs.iter().count() < 2 {
            return Outcome::Partly;
        }
        all_before &= before == 2;
    }
    match all_before {
        true => Outcome::Before,
        false => Outcome::Late,
    }
}

/// Has a job call `last` on the pool that runs it, when nothing else holds the pool.
fn inside_a_job<P: Pool>(last: impl FnOnce(P) + Send + 'static) -> Outcome {
    let pool = Arc::new(P::new(2));
    let (release, is_released) = mpsc::channel();
    let (end, has_ended) = mpsc::channel();

    let own = Arc::clone(&pool);
    pool.execute(move || {
        let _ = is_released.recv();
        let own = Arc::into_inner(own).expect("the other reference has been dropped");
        let _ = end.send(panics(|| last(own)));
    });
    drop(pool);
    let _ = release.send(());
    match has_ended.recv() {
        Ok(false) => Outcome::Returns,
        _ => Outcome::Panics,
    }
}

fn refuses<P: Pool>() -> Outcome {
    let (Some(close), Some(try_execute)) = (P::CLOSE, P::TRY_EXECUTE) else {
        return Outcome::Absent;
    };
    let mut pool = P::new(1);
    close(&mut pool);
    let (sender, receiver) = mpsc::channel();
    let job = move || {
        let _ = sender.send(());
    };
    if try_execute(&pool, Box::new(job)) == Err(Refused) && receiver.recv().is_err() {
        Outcome::AfterClose
    } else {
        Outcome::No
    }
}

fn bounded<P: Pool>() -> Outcome {
    let (Some(bounded), Some(try_execute)) = (P::BOUNDED, P::TRY_EXECUTE) else {
        return Outcome::Absent;
    };
    let pool = mem::ManuallyDrop::new(bounded(1, 1));
    let _running = occupy(&*pool);
    let fits = try_execute(&pool, Box::new(|| ()));
    yes_or_no(fits.is_ok() && try_execute(&pool, Box::new(|| ())).is_err())
}

fn gives_back<P: Pool>() -> Outcome {
    let Some(spawn) = P::SPAWN else {
        return Outcome::Nothing;
    };
    let pool = mem::ManuallyDrop::new(P::new(1));
    let result = spawn(&pool, Box::new(|| 42))();
    assert!(matches!(result, Ok(42)), "the handle gives back the result");

    let wait = spawn(&pool, Box::new(|| panic!("a task panics")));
    match panic::catch_unwind(AssertUnwindSafe(wait)) {
        Ok(Err(_)) => Outcome::ResultOrPanic,
        Err(_) => Outcome::ResultPanicking,
        Ok(Ok(_)) => unreachable!("the task returns nothing"),
    }
}
