// ANCHOR: version
//! Which version of a file there is, and which one a client has.

use crate::request::Request;
use std::{
    fs::Metadata,
    iter,
    os::unix::fs::MetadataExt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A file that was changed less than this ago may change again without a change of its times.
const SETTLED: Duration = Duration::from_secs(2);

/// What tells one version of a file from another.
pub struct Version {
    /// For `ETag`, without quotes.
    tag: String,
    is_weak: bool,
    /// For `Last-Modified`, in seconds.
    modified: Option<u64>,
}

/// What to do about a request that depends on the version.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Send,
    /// The client has this version.
    NotModified,
    /// What the client asks for is not so.
    Failed,
}
// ANCHOR_END: version

// ANCHOR: of
impl Version {
    pub fn of(metadata: &Metadata, now: SystemTime) -> Version {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        // Everybody may set when a file was modified, and `cp -p` does. When it was changed in any
        // way, the system says.
        let (seconds, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
        let settled = now.checked_sub(SETTLED).unwrap_or_default().as_secs();
        let is_weak = seconds >= settled as i64;
        let (inode, size) = (metadata.ino(), metadata.size());
        // Who has a weak one gets the file once more when it has settled. It may have changed.
        let new = if is_weak { "-new" } else { "" };
        Version {
            tag: format!("{inode:x}-{size:x}-{seconds:x}.{nanoseconds:x}{new}"),
            is_weak,
            // A date in the future is none. (And what is before 1970, `httpdate` cannot write.)
            modified: u64::try_from(metadata.mtime())
                .ok()
                .filter(|seconds| *seconds <= now.as_secs()),
        }
    }

    /// The headers that tell of it.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let Version { tag, is_weak, .. } = self;
        let weak = if *is_weak { "W/" } else { "" };
        let mut headers = vec![("ETag", format!("{weak}\"{tag}\""))];
        if let Some(seconds) = self.modified {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            headers.push(("Last-Modified", date));
        }
        headers
    }
}
// ANCHOR_END: of

// ANCHOR: verdict
impl Version {
    /// Whether the client gets the file. The order is that of RFC 9110, section 13.2.2.
    pub fn verdict(&self, request: &Request) -> Verdict {
        let is_since = |header| {
            let date = request.header(header).and_then(|date| seconds(&date));
            Some(self.modified? <= date?)
        };
        let holds = match request.header("If-Match") {
            Some(tags) => self.is_in(&tags, false),
            None => is_since("If-Unmodified-Since").unwrap_or(true),
        };
        let is_known = match request.header("If-None-Match") {
            Some(tags) => self.is_in(&tags, true),
            None => is_since("If-Modified-Since").unwrap_or(false),
        };
        match (holds, is_known) {
            (false, _) => Verdict::Failed,
            (true, true) => Verdict::NotModified,
            (true, false) => Verdict::Send,
        }
    }

    /// Whether this is the version, of which the client has a part, to the last byte. That is
    /// what `If-Range` asks. A date does not say it: two versions can have the same one.
    pub fn is_exactly(&self, validator: &str) -> bool {
        !self.is_weak && validator == format!("\"{}\"", self.tag)
    }

    /// Whether its tag is in a list. A weak tag says only that it means the same.
    fn is_in(&self, list: &str, weakly: bool) -> bool {
        let is_this =
            |(is_weak, tag): (bool, &str)| tag == self.tag && (weakly || !is_weak && !self.is_weak);
        list.trim_matches([' ', '\t']) == "*" || tags(list).any(is_this)
    }
}

/// The tags in a list such as `"a", W/"b"`, and whether they are weak. A tag may have a comma in it.
fn tags(list: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = list;
    iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let strong = rest.strip_prefix("W/");
        let (tag, after) = strong.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        rest = after;
        Some((strong.is_some(), tag))
    })
}

/// The seconds from 1970 until a date in any of the three forms that HTTP has had.
fn seconds(date: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(date).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
// ANCHOR_END: verdict
