//! What mdBook logs. It goes on after most of what is wrong in a book, and only its log tells of it.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{dispatcher, Dispatch, Event, Level, Metadata, Subscriber};

/// Does the work, and returns with what it returns what was logged meanwhile, in this thread, as a
/// warning or as an error.
pub(crate) fn collect<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let complaints = Complaints::default();
    let told = Arc::clone(&complaints.0);
    let done = dispatcher::with_default(&Dispatch::new(complaints), work);
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    (done, std::mem::take(&mut *told))
}

#[derive(Default)]
struct Complaints(Arc<Mutex<Vec<String>>>);

impl Subscriber for Complaints {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What an error was caused by comes after it, as a warning of its own.
        match (message.0.strip_prefix("Caused By: "), told.last_mut()) {
            (Some(cause), Some(error)) => *error += &format!(": {cause}"),
            _ => told.push(message.0),
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1) // they are not told apart
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The text of an event. mdBook logs nothing else.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // To write to memory does not fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}
