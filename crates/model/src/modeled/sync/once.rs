use crate::modeled::run;
pub use shuttle::sync::OnceState;

/// As `std::sync::Once`. One in a `static` is another in each run of a search.
#[derive(Debug)]
pub struct Once(shuttle::sync::Once);

impl Once {
    #[allow(clippy::new_without_default)]
    #[track_caller]
    #[must_use]
    pub const fn new() -> Once {
        Once(shuttle::sync::Once::new())
    }

    pub fn call_once(&self, f: impl FnOnce()) {
        self.0.call_once(f);
    }

    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) {
        self.0.call_once_force(f);
    }

    pub fn is_completed(&self) -> bool {
        run::point();
        self.0.is_completed()
    }
}
