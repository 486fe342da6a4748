//! Which documents' findings are out of date, for clients that do not ask for them.
//!
//! An edit makes its document urgent and all other open ones due, since they may use it. One that was
//! computed for a text that has changed since is never sent. Findings that are as they were are
//! sent again only for the document that was edited, whose new version they are for.

use std::collections::BTreeMap;
use std::time::Instant;

use rustc_hash::FxHashMap;
use salsa::CancellationToken;

/// How soon a document's findings are wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// It was edited: somebody looks at it.
    Now,
    /// Another one was.
    Later,
}

/// A check under way.
#[derive(Debug)]
struct Running {
    token: CancellationToken,
    since: Instant,
    took_too_long: bool,
}

/// The state of all documents, by the numbers of their files.
#[derive(Debug, Default)]
pub(super) struct Push {
    due: BTreeMap<u32, Due>,
    running: FxHashMap<u32, Running>,
    /// The version and the result id that were sent last.
    sent: FxHashMap<u32, (i32, String)>,
}

impl Push {
    /// Notes that findings have to be computed.
    pub(super) fn want(&mut self, number: u32, due: Due) {
        let known = self.due.entry(number).or_insert(due);
        *known = due.min(*known);
    }

    /// The document that is next; `idle` is how many threads are free.
    pub(super) fn next(&mut self, idle: usize) -> Option<u32> {
        let fits =
            |it: &(&u32, &Due)| !self.running.contains_key(it.0) && (*it.1 == Due::Now || 1 < idle);
        let number = *self.due.iter().filter(fits).min_by_key(|it| *it.1)?.0;
        Some(number)
    }

    /// Notes that findings are being computed.
    pub(super) fn start(&mut self, number: u32, token: CancellationToken) {
        self.due.remove(&number);
        let running = Running { token, since: Instant::now(), took_too_long: false };
        self.running.insert(number, running);
    }

    /// Notes that they are no longer; whether they were ended because they took too long.
    pub(super) fn end(&mut self, number: u32) -> bool {
        self.running.remove(&number).is_some_and(|it| it.took_too_long)
    }

    /// Ends what has run since before `moment`.
    pub(super) fn end_older(&mut self, moment: Instant) {
        for it in self.running.values_mut().filter(|it| it.since < moment) {
            it.took_too_long = true;
            it.token.cancel();
        }
    }

    /// Whether anything runs.
    pub(super) fn any_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether findings say something that the client does not know.
    pub(super) fn is_news(&mut self, number: u32, version: i32, result_id: &str) -> bool {
        let news = (version, result_id.to_owned());
        if self.sent.get(&number) == Some(&news) {
            return false;
        }
        self.sent.insert(number, news);
        true
    }

    /// Forgets a document.
    pub(super) fn forget(&mut self, number: u32) {
        self.due.remove(&number);
        self.sent.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edited_document_goes_first_and_the_last_thread_is_kept_for_it() {
        let mut push = Push::default();
        push.want(1, Due::Later);
        push.want(2, Due::Now);
        push.want(2, Due::Later);
        assert_eq!(push.next(2), Some(2));
        push.start(2, CancellationToken::default());
        assert_eq!(push.next(2), Some(1));
        assert_eq!(push.next(1), None);
    }

    #[test]
    fn findings_are_news_once_a_version() {
        let mut push = Push::default();
        assert!(push.is_news(1, 1, "a"));
        assert!(!push.is_news(1, 1, "a"));
        assert!(push.is_news(1, 2, "a"));
        push.forget(1);
        assert!(push.is_news(1, 2, "a"));
    }

    #[test]
    fn a_check_that_takes_too_long_is_ended() {
        let mut push = Push::default();
        let token = CancellationToken::default();
        push.start(1, token.clone());
        push.end_older(Instant::now() + std::time::Duration::from_secs(1));
        assert!(token.is_cancelled());
        assert!(push.end(1));
        assert!(!push.any_running());
    }
}
