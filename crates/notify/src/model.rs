//! The words of telling: kinds of message, ways, states, and what a message is made of.

use std::collections::BTreeMap;

use base::{Text2, UnixMs};
use edge::AccountId;
use people::PersonId;
use serde::{Deserialize, Serialize};

store::typed_id! {
    /// Something that somebody is to be told.
    MessageId = "msg";
    /// One attempt to tell it. This id is also our reference at the other side.
    DeliveryId = "dlv";
}

store::text_enum! {
    /// What is told.
    #[derive(utoipa::ToSchema)]
    #[schema(as = NoticeKind)]
    pub enum Kind {
        /// 预约成功
        AppointmentConfirmed = "appointment_confirmed",
        /// 预约取消
        AppointmentCancelled = "appointment_cancelled",
        /// 改约
        AppointmentMoved = "appointment_moved",
        /// 就诊提醒, the day before
        AppointmentReminder = "appointment_reminder",
        /// 停诊: the hospital has called the clinic off
        AppointmentStopped = "appointment_stopped",
        /// 恢复出诊: the clinic that was called off takes place after all
        AppointmentRestored = "appointment_restored",
        /// 医生变更: another doctor sits
        AppointmentReplaced = "appointment_replaced",
        /// 候补：有号了，为您保留
        WaitlistOffer = "waitlist_offer",
        /// 候补截止
        WaitlistClosed = "waitlist_closed",
        /// 爽约记录
        NoShow = "no_show",
        /// 申诉结果
        AppealDecided = "appeal_decided",
        /// 满 18 岁, told to guardians: the record goes over to the person
        RecordHandOver = "record_hand_over",
        /// 排队进度: a few are before you still
        QueueSoon = "queue_soon",
        /// 即将就诊: you are next
        QueueNext = "queue_next",
        /// 叫号: come to the room
        QueueCalled = "queue_called",
        /// 过号: you were called and were not there
        QueueMissed = "queue_missed",
        /// 取件: it is ready
        PickUpReady = "pick_up_ready",
        /// 取件提醒: it still waits for you
        PickUpReminder = "pick_up_reminder",
        /// 退款: money that was paid is on its way back
        PaymentReturned = "payment_returned",
        /// 当天提醒: something that is paid for is due today
        ServiceToday = "service_today",
        /// 短信验证码
        SmsCode = "sms_code",
    }
}

impl Kind {
    /// A code that somebody is waiting for goes before everything else. Lower goes first.
    #[must_use]
    pub fn priority(self) -> i64 {
        match self {
            // Somebody stands before a door.
            Self::SmsCode | Self::QueueNext | Self::QueueCalled => 0,
            _ => 1,
        }
    }

    /// Kinds that follow at once from what the person has just done are told at any hour; a phone may ring for the others.
    #[must_use]
    pub fn waits_for_morning(self) -> bool {
        matches!(
            self,
            Self::AppointmentReminder
                | Self::AppointmentStopped
                | Self::AppointmentRestored
                | Self::AppointmentReplaced
                | Self::WaitlistClosed
                | Self::NoShow
                | Self::AppealDecided
                | Self::RecordHandOver
                | Self::PickUpReminder
        )
    }
}

store::text_enum! {
    /// By which way it is told, in the order in which the ways are tried.
    #[derive(utoipa::ToSchema)]
    #[schema(as = NoticeChannel)]
    pub enum Channel {
        /// A category template message to a follower of the service account.
        Template = "template",
        /// A customer-service message in the chat, while that is allowed.
        Custom = "custom",
        /// SMS.
        Sms = "sms",
    }
}

store::text_enum! {
    /// Where a message stands.
    ///
    /// waiting → sending → sent → delivered; from sending also back to waiting (another way, or later), to failed, and to
    /// unknown; from sent to failed or back to waiting when it turns out that it did not arrive; from waiting to expired or
    /// cancelled. A failure that an administrator can mend is looked at again until the message expires.
    pub enum State {
        /// A worker will take it.
        Waiting = "waiting",
        /// It is on its way, or was when a node died.
        Sending = "sending",
        /// The platform has accepted it.
        Sent = "sent",
        /// It is on the phone.
        Delivered = "delivered",
        /// The person was not told.
        Failed = "failed",
        /// Nobody can say whether it arrived; it is not sent again.
        Unknown = "unknown",
        /// Its time was over before it could be sent.
        Expired = "expired",
        /// It was no longer true before it was sent.
        Cancelled = "cancelled",
    }
}

store::text_enum! {
    /// Where one attempt stands.
    pub enum DeliveryState {
        /// Written down before it is sent.
        Sending = "sending",
        /// Accepted.
        Sent = "sent",
        /// On the phone.
        Delivered = "delivered",
        /// Surely not arrived.
        Failed = "failed",
        /// Nobody can say.
        Unknown = "unknown",
    }
}

store::text_enum! {
    /// Where a message stands, as the patient's page and staff see it.
    #[derive(utoipa::ToSchema)]
    pub enum NoticeStatus {
        /// Not sent yet.
        Waiting = "waiting",
        /// Accepted by the platform.
        Sent = "sent",
        /// On the phone.
        Delivered = "delivered",
        /// The person was not told.
        Failed = "failed",
        /// Nobody can say whether it arrived.
        Unknown = "unknown",
    }
}

impl From<State> for NoticeStatus {
    fn from(state: State) -> Self {
        match state {
            State::Waiting | State::Sending => Self::Waiting,
            State::Sent => Self::Sent,
            State::Delivered => Self::Delivered,
            State::Failed | State::Expired | State::Cancelled => Self::Failed,
            State::Unknown => Self::Unknown,
        }
    }
}

/// What became of telling something, for the page of the appointment it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeState {
    /// What was told.
    pub kind: Kind,
    /// Where it stands.
    pub state: NoticeStatus,
    /// By which way it went or was last tried; `None` before the first attempt.
    pub channel: Option<Channel>,
    /// Since when it stands there.
    pub at: UnixMs,
}

/// A part of a message. Nothing clinical, and no full names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// A text that is the same in both languages: a masked name, a room.
    Text(String),
    /// A text in both languages.
    Both(Text2),
    /// An instant, shown in the hospital's zone.
    At(UnixMs),
    /// A number.
    Number(i64),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Text2> for Arg {
    fn from(text: Text2) -> Self {
        Self::Both(text)
    }
}

impl From<UnixMs> for Arg {
    fn from(at: UnixMs) -> Self {
        Self::At(at)
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// The parts of a message by their names: see [`Visit`] for what an appointment has.
pub type Data = BTreeMap<&'static str, Arg>;

/// An appointment as messages tell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// The masked name of who is treated: 张*.
    pub person: String,
    /// The department's id. Departments that the hospital has named as sensitive are not named in a message.
    pub department_id: String,
    /// The department.
    pub department: Text2,
    /// The doctor; `None` for a clinic of the whole department.
    pub doctor: Option<Text2>,
    /// When the time segment begins …
    pub start: UnixMs,
    /// … and ends.
    pub end: Option<UnixMs>,
    /// The campus.
    pub campus: Text2,
    /// The room on it. Not told for sensitive departments, since the sign on the door names them.
    pub room: Option<Text2>,
    /// The running number.
    pub number: Option<i64>,
    /// For a moved appointment: when it was before.
    pub old_start: Option<UnixMs>,
    /// Why it was cancelled or stopped, when that can be said to the person; each kind has its own usual text.
    pub note: Option<Text2>,
}

impl Visit {
    /// The parts for [`Tell::data`].
    #[must_use]
    pub fn data(self) -> Data {
        let mut data = Data::new();
        data.insert("person", self.person.into());
        data.insert("department_id", self.department_id.into());
        data.insert("department", self.department.into());
        data.insert("start", self.start.into());
        data.insert("campus", self.campus.into());
        let more = [
            ("doctor", self.doctor.map(Arg::from)),
            ("end", self.end.map(Arg::from)),
            ("room", self.room.map(Arg::from)),
            ("number", self.number.map(Arg::from)),
            ("old_start", self.old_start.map(Arg::from)),
            ("note", self.note.map(Arg::from)),
        ];
        data.extend(more.into_iter().filter_map(|(key, arg)| Some((key, arg?))));
        data
    }
}

/// Something to tell an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Tell {
    /// What.
    pub kind: Kind,
    /// Whom.
    pub account: AccountId,
    /// Who it is about, when that is a person.
    pub person: Option<PersonId>,
    /// What it is about, `apt_…`. The same kind about the same subject is told to an account once.
    pub subject: String,
    /// Its parts; see [`Visit::data`].
    pub data: Data,
    /// The page that a tap opens, a path from `/`.
    pub link: String,
    /// Not before.
    pub send_after: Option<UnixMs>,
    /// Not from this moment on: it is of no use any more.
    pub expires_at: UnixMs,
}
