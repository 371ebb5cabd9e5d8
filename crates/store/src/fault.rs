//! Named points at which a test lets the program die, as if the power went: before and after each commit, each send, each
//! acknowledgement.
//!
//! `XINGLIN_FAULT=booking.after:3` ends the process at the third pass of `booking.after`, without a word to anybody. Only
//! debug builds have this; in a release build [`pass`] is nothing, and the variable is never read.

/// Declares the points with their names, and [`ALL`] of them.
macro_rules! points {
    ($($(#[$doc:meta])+ $point:ident = $name:literal;)+) => {
        /// A place in the program.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[$doc])+ $point,)+
        }

        /// All points, for the story that dies at each of them.
        pub const ALL: &[Point] = &[$(Point::$point),+];

        impl Point {
            /// Its name in `XINGLIN_FAULT`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

points! {
    /// Any transaction is about to be committed.
    CommitBefore = "commit.before";
    /// Any transaction is committed; nobody knows yet.
    CommitAfter = "commit.after";
    /// A batch of bookings is about to be committed.
    BookingBefore = "booking.before";
    /// A batch of bookings is committed; nobody was answered.
    BookingAfter = "booking.after";
    /// A place is about to be given up.
    CancelBefore = "cancel.before";
    /// A place is given up; nobody was answered.
    CancelAfter = "cancel.after";
    /// An appointment is about to be moved.
    MoveBefore = "move.before";
    /// An appointment is moved; nobody was answered.
    MoveAfter = "move.after";
    /// A push of WeChat is about to be kept.
    KeepBefore = "push.keep.before";
    /// A push is kept; WeChat was not answered.
    KeepAfter = "push.keep.after";
    /// A push is kept and the answer to it is written, but not sent.
    PushAnswer = "push.answer";
    /// Pushes are taken up to be worked on.
    PushTaken = "push.taken";
    /// What a push asks for is done, but not committed.
    PushDoneBefore = "push.done.before";
    /// What a push asks for is committed together with its mark.
    PushDoneAfter = "push.done.after";
    /// Events are taken up to be handed on.
    EventTaken = "event.taken";
    /// An event's subscribers have done their work; its mark is not committed.
    EventDoneBefore = "event.done.before";
    /// An event's mark is committed.
    EventDoneAfter = "event.done.after";
    /// Jobs are taken up.
    JobTaken = "job.taken";
    /// A job's work is done; its mark is not committed.
    JobDoneBefore = "job.done.before";
    /// A job's mark is committed.
    JobDoneAfter = "job.done.after";
    /// Messages are taken up to be sent.
    MessageTaken = "message.taken";
    /// An attempt is written down; nothing was sent.
    MessageWritten = "message.written";
    /// A template message is about to be sent.
    TemplateBefore = "send.template.before";
    /// WeChat has answered to a template message; nobody knows yet.
    TemplateAfter = "send.template.after";
    /// A message of the chat is about to be sent.
    ChatBefore = "send.chat.before";
    /// WeChat has answered to a message of the chat; nobody knows yet.
    ChatAfter = "send.chat.after";
    /// An SMS is about to be sent.
    SmsBefore = "send.sms.before";
    /// The vendor has answered to an SMS; nobody knows yet.
    SmsAfter = "send.sms.after";
    /// What became of an attempt is about to be committed.
    MessageSettledBefore = "message.settled.before";
    /// What became of an attempt is committed.
    MessageSettledAfter = "message.settled.after";
    /// An attempt to pay is about to be written down.
    IntentBefore = "pay.intent.before";
    /// An attempt to pay is written down; the platform was not called.
    IntentAfter = "pay.intent.after";
    /// An order is about to be placed.
    PlaceBefore = "pay.place.before";
    /// The platform has answered to an order; nobody knows yet.
    PlaceAfter = "pay.place.after";
    /// A platform's notice is about to be kept.
    NoticeKeepBefore = "pay.notice.keep.before";
    /// A notice is kept; the platform was not answered.
    NoticeKeepAfter = "pay.notice.keep.after";
    /// What came of a notice stands; the platform was not answered.
    NoticeAnswer = "pay.notice.answer";
    /// Notices are taken up to be applied.
    NoticeTaken = "pay.notice.taken";
    /// What was observed is applied, but not committed.
    AppliedBefore = "pay.applied.before";
    /// What was observed is applied and committed.
    AppliedAfter = "pay.applied.after";
    /// A refund is about to be sent.
    RefundBefore = "pay.refund.before";
    /// The platform has answered to a refund; nobody knows yet.
    RefundAfter = "pay.refund.after";
    /// New entries of the audit log are linked, but not committed.
    LinkBefore = "audit.link.before";
    /// New entries of the audit log are linked and committed.
    LinkAfter = "audit.link.after";
}

/// The variable that names a point and, behind a colon, at which pass of it to die.
pub const VARIABLE: &str = "XINGLIN_FAULT";

/// Passes a point; does not return when this is where the test wants the program to die.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn pass(_: Point) {}

/// Passes a point; does not return when this is where the test wants the program to die.
#[cfg(debug_assertions)]
pub fn pass(point: Point) {
    armed::pass(point);
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::{ALL, Point, VARIABLE};

    /// Where to die, and how often that is passed before.
    pub(super) struct Armed {
        point: Point,
        left: AtomicU32,
    }

    impl Armed {
        /// Reads `name` or `name:n`.
        pub(super) fn parse(text: &str) -> Option<Self> {
            let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
            let point = ALL.iter().copied().find(|point| point.name() == name)?;
            let nth: u32 = nth.parse().ok().filter(|nth| *nth > 0)?;
            Some(Self { point, left: AtomicU32::new(nth) })
        }

        /// Whether this pass is the one.
        pub(super) fn is_over(&self, point: Point) -> bool {
            point == self.point && self.left.fetch_sub(1, Ordering::SeqCst) == 1
        }
    }

    pub(super) fn pass(point: Point) {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let armed = ARMED.get_or_init(|| {
            let text = std::env::var(VARIABLE).ok()?;
            let armed = Armed::parse(&text);
            if armed.is_none() {
                // A test with a wrong name would wait for a death that never comes.
                eprintln!("{VARIABLE}={text}: there is no such point");
                std::process::abort();
            }
            armed
        });
        if armed.as_ref().is_some_and(|armed| armed.is_over(point)) {
            eprintln!("dying at {}", point.name());
            std::process::abort();
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::armed::Armed;
    use super::*;

    #[test]
    fn names_are_different_and_read_back() {
        for (nth, point) in ALL.iter().enumerate() {
            assert!(ALL.iter().skip(nth + 1).all(|other| other.name() != point.name()), "{point:?}");
            assert!(Armed::parse(point.name()).unwrap().is_over(*point));
        }
        for wrong in ["", "booking", "booking.after:", "booking.after:0", "booking.after:x"] {
            assert!(Armed::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn it_is_the_nth_pass_of_that_point() {
        let armed = Armed::parse("cancel.after:2").unwrap();
        assert!(!armed.is_over(Point::CancelBefore));
        assert!(!armed.is_over(Point::CancelAfter));
        assert!(armed.is_over(Point::CancelAfter));
        assert!(!armed.is_over(Point::CancelAfter), "once");
    }
}
