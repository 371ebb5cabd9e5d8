//! The words of this capability.

use ::store::{Sealed, StoreError, Tx};
use base::{Date, Lang, UnixMs};
use edge::AccountId;

::store::typed_id! {
    /// Somebody who is treated.
    PersonId = "per";
    /// One of our own WeChat accounts.
    ChannelAccountId = "cha";
    /// The tie between an account and a person.
    BindingId = "bnd";
}

::store::text_enum! {
    /// What an identity document is. The numbers are judged in [`crate::documents`].
    #[derive(utoipa::ToSchema)]
    pub enum DocumentKind {
        /// 居民身份证
        #[schema(rename = "resident_id")]
        ResidentId = "resident_id",
        /// 港澳居民来往内地通行证
        #[schema(rename = "hk_macau_permit")]
        HkMacauPermit = "hk_macau_permit",
        /// 台湾居民来往大陆通行证
        #[schema(rename = "taiwan_permit")]
        TaiwanPermit = "taiwan_permit",
        /// 港澳台居民居住证
        #[schema(rename = "hmt_residence_permit")]
        HmtResidencePermit = "hmt_residence_permit",
        /// 外国人永久居留身份证, in the form of 2017 or of 2023
        #[schema(rename = "foreign_permanent_resident")]
        ForeignPermanentResident = "foreign_permanent_resident",
        /// 护照
        #[schema(rename = "passport")]
        Passport = "passport",
        /// 出生医学证明
        #[schema(rename = "birth_certificate")]
        BirthCertificate = "birth_certificate",
    }
}

::store::text_enum! {
    /// What a card is.
    #[derive(utoipa::ToSchema)]
    pub enum CardKind {
        /// The hospital's own visit card: 就诊卡
        #[schema(rename = "visit")]
        Visit = "visit",
        /// The medical-insurance or social-security card: 医保卡、社保卡
        #[schema(rename = "insurance")]
        Insurance = "insurance",
    }
}

::store::text_enum! {
    /// A person's sex as the document says.
    #[derive(utoipa::ToSchema)]
    pub enum Sex {
        /// 男
        #[schema(rename = "male")]
        Male = "male",
        /// 女
        #[schema(rename = "female")]
        Female = "female",
        /// Not told by the document, or not on file.
        #[schema(rename = "unknown")]
        Unknown = "unknown",
    }
}

::store::text_enum! {
    /// What a person is to the holder of the account.
    #[derive(utoipa::ToSchema)]
    pub enum Relation {
        /// The holder: 本人
        #[schema(rename = "self")]
        Oneself = "self",
        /// The holder's child, of any age: 子女
        #[schema(rename = "child")]
        Child = "child",
        /// 配偶
        #[schema(rename = "spouse")]
        Spouse = "spouse",
        /// 父母
        #[schema(rename = "parent")]
        Parent = "parent",
        /// 其他
        #[schema(rename = "other")]
        Other = "other",
    }
}

::store::text_enum! {
    /// What a code that goes out by SMS is for. A code of one purpose is worth nothing for the other.
    ///
    /// Adding a person and binding one who is on file share a purpose, because a patient goes from one to the other with
    /// the same phone (`document_needed`) and should not need a second SMS for it.
    pub enum CodePurpose {
        /// To sign in with a phone.
        SignIn = "sign_in",
        /// To add or bind a person.
        Person = "person",
    }
}

::store::text_enum! {
    /// What was agreed to.
    pub enum ConsentKind {
        /// The use of a person's data for their care here.
        PersonalData = "personal_data",
        /// The same, given by the guardian of a child under 14, apart from the other.
        Guardian = "guardian",
    }
}

::store::text_enum! {
    /// Where an account's language comes from; the later in this list, the more it counts.
    pub enum LangSource {
        /// Nobody said anything.
        Default = "default",
        /// The browser's `Accept-Language` at the first sign-in.
        Browser = "browser",
        /// The person chose it.
        Chosen = "chosen",
    }
}

/// What somebody did in the chat. WeChat lets us answer by customer-service message for 48 hours after a message, and for a
/// minute after the other three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Wrote, spoke or sent a picture.
    Message,
    /// Tapped a menu item.
    Menu,
    /// Began to follow.
    Follow,
    /// Scanned one of our codes.
    Scan,
}

/// A person as an account that is bound to them may know them, without anything sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundPerson {
    /// Who.
    pub person: PersonId,
    /// The name with all but its first character covered.
    pub name_masked: String,
    /// The birth date; `None` only for persons that the hospital brought without one.
    pub birth_date: Option<Date>,
    /// The sex.
    pub sex: Sex,
    /// The kind of the main document; `None` when none is on file, and then nothing can be booked online.
    pub document_kind: Option<DocumentKind>,
    /// How many cards of theirs are on file: visit, medical insurance.
    pub cards: i64,
    /// Whether the hospital has seen the document itself. What only the person entered is checked by form, not verified.
    pub verified: bool,
    /// What the person is to the holder of the account.
    pub relation: Relation,
    /// Whether this is the person whom the account means when it names none.
    pub is_default: bool,
    /// Since when they are bound.
    pub bound_at: UnixMs,
}

impl BoundPerson {
    /// Whether they are on file with a card of their own, as children's departments want it: see
    /// [`crate::rules::has_own_card`].
    #[must_use]
    pub fn has_own_card(&self) -> bool {
        crate::rules::has_own_card(self.document_kind, self.cards)
    }
}

/// How an account can be told something.
#[derive(Debug, Clone)]
pub struct Contact {
    /// In which language.
    pub lang: Lang,
    /// Whether the account chose large type and fewer steps.
    pub elder: bool,
    /// Its identities with our WeChat accounts.
    pub wechat: Vec<WechatContact>,
    /// The phone that it has proven to hold, for [`crate::contact::open_phone`].
    pub phone: Option<Sealed>,
}

/// An account's identity with one of our WeChat accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatContact {
    /// Which of our accounts.
    pub channel_account: ChannelAccountId,
    /// Who they are there.
    pub openid: String,
    /// Whether they follow: others get no template messages.
    pub following: bool,
    /// When they last did anything in the chat; opens a minute for customer-service messages.
    pub last_active_at: Option<UnixMs>,
    /// When they last wrote; opens 48 hours for customer-service messages.
    pub last_message_at: Option<UnixMs>,
}

/// Sends a code by SMS. Implemented above this crate, by whoever owns the sending of messages.
#[async_trait::async_trait]
pub trait SendCode: Send + Sync {
    /// Has the code sent, with this transaction: a row that a sender works on after the commit. The code must not be kept
    /// readable beyond that.
    ///
    /// # Errors
    /// Any [`StoreError`]; then no code exists.
    async fn send_code(
        &self,
        tx: &mut Tx,
        hospital: &edge::Hospital,
        phone: &str,
        code: &str,
        lang: Lang,
        purpose: CodePurpose,
    ) -> Result<(), StoreError>;
}

/// Tells whether a person still has appointments to come. Implemented above this crate, by whoever owns appointments.
#[async_trait::async_trait]
pub trait Upcoming: Send + Sync {
    /// How many appointments to come the account has made for the person.
    ///
    /// # Errors
    /// Any [`StoreError`].
    async fn upcoming(
        &self,
        tx: &mut Tx,
        hospital: base::HospitalId,
        account: AccountId,
        person: PersonId,
    ) -> Result<u32, StoreError>;
}
