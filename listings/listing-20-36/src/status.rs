// ANCHOR: statuses
//! The statuses of this server's responses, but for those of its pages.

pub const BAD_REQUEST: &str = "400 BAD REQUEST";
pub const METHOD_NOT_ALLOWED: &str = "405 METHOD NOT ALLOWED";
pub const REQUEST_TIMEOUT: &str = "408 REQUEST TIMEOUT";
pub const LENGTH_REQUIRED: &str = "411 LENGTH REQUIRED";
pub const CONTENT_TOO_LARGE: &str = "413 CONTENT TOO LARGE";
pub const LINE_TOO_LONG: &str = "414 URI TOO LONG";
pub const HEADERS_TOO_LARGE: &str = "431 REQUEST HEADER FIELDS TOO LARGE";
pub const SERVER_ERROR: &str = "500 INTERNAL SERVER ERROR";
pub const NOT_IMPLEMENTED: &str = "501 NOT IMPLEMENTED";
pub const UNAVAILABLE: &str = "503 SERVICE UNAVAILABLE";
pub const VERSION_NOT_SUPPORTED: &str = "505 HTTP VERSION NOT SUPPORTED";
// ANCHOR_END: statuses
