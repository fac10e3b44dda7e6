//! What a pool prints goes to the recorder, not to the terminal: a search would print millions of
//! lines. These macros come in the place of std's.

use crate::record::{note, What};
use std::fmt::{Arguments, Debug};

/// As `std::println`.
#[macro_export]
macro_rules! println {
    () => { $crate::modeled::print($crate::format_args!("")) };
    ($($text:tt)*) => { $crate::modeled::print($crate::format_args!($($text)*)) };
}

/// As `std::print`.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::modeled::print($crate::format_args!($($text)*)) };
}

/// As `std::eprintln`.
#[macro_export]
macro_rules! eprintln {
    () => { $crate::modeled::print($crate::format_args!("")) };
    ($($text:tt)*) => { $crate::modeled::print($crate::format_args!($($text)*)) };
}

/// As `std::eprint`.
#[macro_export]
macro_rules! eprint {
    ($($text:tt)*) => { $crate::modeled::print($crate::format_args!($($text)*)) };
}

/// As `std::dbg`.
#[macro_export]
macro_rules! dbg {
    () => { $crate::modeled::print($crate::format_args!("")) };
    ($value:expr $(,)?) => {
        match $value {
            value => {
                $crate::modeled::debug($crate::stringify!($value), &value);
                value
            }
        }
    };
    ($($value:expr),+ $(,)?) => { ($($crate::dbg!($value)),+,) };
}

/// As `std::thread_local`: each run of a search has its own.
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = const { $init:expr } $(; $($rest:tt)*)?) => {
        $crate::thread_local!($(#[$attribute])* $vis static $name: $type = $init);
        $($crate::thread_local!($($rest)*);)?
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = const $init:block $(; $($rest:tt)*)?) => {
        $crate::thread_local!($(#[$attribute])* $vis static $name: $type = $init);
        $($crate::thread_local!($($rest)*);)?
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$attribute])* $vis static $name: $crate::thread::LocalKey<$type> =
            $crate::thread::LocalKey::from_init(|| $init);
        $($crate::thread_local!($($rest)*);)?
    };
}

/// Notes the text for a recorder.
#[track_caller]
pub fn print(text: Arguments) {
    note(|| What::Prints(text.to_string().trim_end_matches('\n').to_owned()));
}

/// As `dbg!` prints it.
#[track_caller]
pub fn debug(code: &str, value: &dyn Debug) {
    note(|| What::Prints(format!("{code} = {value:?}")));
}
