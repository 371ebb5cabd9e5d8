//! Events (`MsgType` = `event`).

use super::Fields;

/// An event by its `Event`. Names are compared without case: official accounts write `CLICK`, WeCom `click`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// `subscribe`: a person follows the account.
    Subscribe {
        /// The scene of the parametric code that led here, without its `qrscene_`; `None` when there was none.
        scene: Option<String>,
        /// The code's ticket.
        ticket: Option<String>,
    },
    /// `unsubscribe`. Personal data got through WeChat must go as the rules ask.
    Unsubscribe,
    /// `SCAN`: a follower scans a parametric code.
    Scan {
        /// The code's scene.
        scene: String,
        /// The code's ticket.
        ticket: Option<String>,
    },
    /// `LOCATION`: where the person is, if allowed, on entering the chat or every five seconds in it.
    Location {
        /// Degrees north (WGS-84).
        latitude: f64,
        /// Degrees east (WGS-84).
        longitude: f64,
        /// Metres.
        precision: f64,
    },
    /// `CLICK` on a menu line.
    Click {
        /// The line's key.
        key: String,
    },
    /// `VIEW`: a menu line opened a page.
    View {
        /// The page.
        url: String,
        /// Which menu it was.
        menu_id: Option<String>,
    },
    /// `view_miniprogram`: a menu line opened a mini program.
    ViewMiniProgram {
        /// Its page.
        path: String,
        /// Which menu it was.
        menu_id: Option<String>,
    },
    /// `scancode_push` and `scancode_waitmsg`: a menu line scanned something.
    ScanCode(Scan),
    /// `pic_sysphoto`, `pic_photo_or_album`, `pic_weixin`: pictures are chosen; they follow as image messages.
    Pictures {
        /// Where they were taken from.
        source: PictureSource,
        /// The menu line's key.
        key: String,
        /// How many.
        count: u32,
        /// Their MD5 sums, as far as sent.
        md5: Vec<String>,
    },
    /// `location_select`: a place chosen from a menu line.
    LocationSelect {
        /// The menu line's key.
        key: String,
        /// Degrees north (GCJ-02).
        latitude: f64,
        /// Degrees east (GCJ-02).
        longitude: f64,
        /// Address in words.
        label: String,
        /// Name of the place.
        poi: String,
    },
    /// `TEMPLATESENDJOBFINISH`: what became of a template message. Can come before the answer to the send.
    TemplateSent {
        /// The id that the send gave.
        msg_id: u64,
        /// What became of it.
        delivery: Delivery,
    },
    /// `subscribe_msg_popup_event`: answers in the consent window.
    ConsentAnswered(Vec<ConsentChange>),
    /// `subscribe_msg_change_event`: changed in the settings. A mini program only tells refusals.
    ConsentChanged(Vec<ConsentChange>),
    /// `subscribe_msg_sent_event`: what became of subscription messages.
    ConsentMessageSent(Vec<ConsentSent>),
    /// `MASSSENDJOBFINISH`. Its copyright and article parts stay in the raw fields.
    MassSent(MassResult),
    /// `user_info_modified`: the person changed what the account may hold.
    UserInfoModified(AuthorizationChange),
    /// `user_authorization_revoke`: delete the data named.
    AuthorizationRevoked(AuthorizationChange),
    /// `user_authorization_cancellation`: the person deleted the WeChat account.
    AuthorizationCancelled(AuthorizationChange),
    /// `user_enter_tempsession`: a mini program's customer service was opened.
    EnterTempSession {
        /// What the button said.
        session_from: String,
    },
    /// `debug_demo`: the platform's test push.
    DebugDemo {
        /// Its text.
        text: String,
    },
    /// `kf_create_session`, `kf_close_session`, `kf_switch_session`: the human desk.
    Desk(KfSession),
    /// `ShakearoundUserShake`. WeChat retired it; the type stays so that an old account's push is named in the log.
    Shake {
        /// The beacon chosen: UUID, major, minor, distance in metres as sent.
        chosen: Option<[String; 4]>,
    },
    /// `WifiConnected`. Retired too.
    WifiConnected {
        /// Seconds since 1970.
        connected_s: i64,
        /// `PlaceId`, or `ShopId` in older pushes.
        place_id: String,
        /// BSSID of the access point.
        device: String,
    },
    /// One that we do not know, or cannot read. Store and acknowledge it.
    Unknown {
        /// The `Event` as it came.
        kind: String,
    },
}

/// A scan from a menu line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The menu line's key.
    pub key: String,
    /// `qrcode` or `barcode`.
    pub kind: String,
    /// What the code says. A barcode may have its type in front: `CODE_128,123`.
    pub result: String,
    /// True for `scancode_waitmsg`: the phone shows "receiving" until we reply.
    pub waits: bool,
}

/// Where pictures came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureSource {
    /// `pic_sysphoto`: taken now.
    Camera,
    /// `pic_photo_or_album`: the person's choice.
    CameraOrAlbum,
    /// `pic_weixin`: WeChat's own album.
    WeChatAlbum,
}

/// What became of a template message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// `success`.
    Delivered,
    /// `failed:user block`: the person has turned the account's messages off.
    Blocked,
    /// `failed: system failed`, or whatever else; the text as it came.
    Failed(String),
}

/// A consent given or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentChange {
    /// For which template.
    pub template_id: String,
    /// True for `accept`; false for `reject` and for whatever is new.
    pub accepted: bool,
    /// `PopupScene`: 1 page, 2 article; 0 a mini program's page. Only in answers.
    pub scene: Option<i64>,
}

/// What became of one subscription message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentSent {
    /// Its template.
    pub template_id: String,
    /// Its id.
    pub msg_id: u64,
    /// 0 for delivered.
    pub error_code: i64,
    /// In words.
    pub error_status: String,
}

/// What became of a mass message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MassResult {
    /// Its id.
    pub msg_id: u64,
    /// `send success`, `send fail`, `err(num)`.
    pub status: String,
    /// How many people it was for.
    pub total: u64,
    /// How many were left after filters.
    pub filtered: u64,
    /// How many got it.
    pub sent: u64,
    /// How many did not.
    pub failed: u64,
}

/// What the account may hold of a person has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationChange {
    /// The person; equal to the sender in known pushes.
    pub openid: String,
    /// The same person across accounts of one owner.
    pub unionid: Option<String>,
    /// Which account or mini program.
    pub app_id: String,
    /// Kinds of data by the vendor's codes, for instance 205 nickname and avatar, 206 location, 207 chosen pictures.
    pub codes: Vec<u32>,
}

/// A talk at the human desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KfSession {
    /// It began with this agent.
    Created(String),
    /// It ended.
    Closed(String),
    /// It was handed over.
    Switched {
        /// From this agent.
        from: String,
        /// To this one.
        to: String,
    },
}

/// Never fails: what cannot be read is [`Event::Unknown`].
pub(super) fn read(fields: &Fields) -> Event {
    typed(fields).unwrap_or_else(|| Event::Unknown { kind: fields.text("Event").to_owned() })
}

fn typed(fields: &Fields) -> Option<Event> {
    let text = |name| fields.text(name).to_owned();
    let key = || text("EventKey");
    let menu_id = || fields.some_text("MenuId");
    Some(match fields.text("Event").to_ascii_lowercase().as_str() {
        "subscribe" => Event::Subscribe {
            scene: fields
                .text("EventKey")
                .strip_prefix("qrscene_")
                .filter(|scene| !scene.is_empty())
                .map(str::to_owned),
            ticket: fields.some_text("Ticket"),
        },
        "unsubscribe" => Event::Unsubscribe,
        "scan" => Event::Scan { scene: key(), ticket: fields.some_text("Ticket") },
        "location" => Event::Location {
            latitude: fields.degrees("Latitude")?,
            longitude: fields.degrees("Longitude")?,
            precision: fields.degrees("Precision").unwrap_or_default(),
        },
        "click" => Event::Click { key: key() },
        "view" => Event::View { url: key(), menu_id: menu_id() },
        "view_miniprogram" => Event::ViewMiniProgram { path: key(), menu_id: menu_id() },
        kind @ ("scancode_push" | "scancode_waitmsg") => {
            let info = fields.group("ScanCodeInfo")?;
            Event::ScanCode(Scan {
                key: key(),
                kind: info.text("ScanType").to_owned(),
                result: info.text("ScanResult").to_owned(),
                waits: kind == "scancode_waitmsg",
            })
        }
        "pic_sysphoto" => pictures(fields, PictureSource::Camera),
        "pic_photo_or_album" => pictures(fields, PictureSource::CameraOrAlbum),
        "pic_weixin" => pictures(fields, PictureSource::WeChatAlbum),
        "location_select" => {
            let info = fields.group("SendLocationInfo")?;
            Event::LocationSelect {
                key: key(),
                latitude: info.degrees("Location_X")?,
                longitude: info.degrees("Location_Y")?,
                label: info.text("Label").to_owned(),
                poi: info.text("Poiname").to_owned(),
            }
        }
        "templatesendjobfinish" => Event::TemplateSent {
            msg_id: fields.number("MsgID").or_else(|| fields.number("MsgId"))?,
            delivery: delivery(fields.text("Status")),
        },
        "subscribe_msg_popup_event" => Event::ConsentAnswered(consents(fields, "SubscribeMsgPopupEvent")),
        "subscribe_msg_change_event" => Event::ConsentChanged(consents(fields, "SubscribeMsgChangeEvent")),
        "subscribe_msg_sent_event" => Event::ConsentMessageSent(
            list(fields, "SubscribeMsgSentEvent")
                .map(|entry| {
                    Some(ConsentSent {
                        template_id: entry.text("TemplateId").to_owned(),
                        msg_id: entry.number("MsgID")?,
                        error_code: entry.number("ErrorCode")?,
                        error_status: entry.text("ErrorStatus").to_owned(),
                    })
                })
                .collect::<Option<_>>()?,
        ),
        "masssendjobfinish" => {
            let count = |name| fields.number(name).unwrap_or_default();
            Event::MassSent(MassResult {
                msg_id: fields.number("MsgID").or_else(|| fields.number("MsgId"))?,
                status: text("Status"),
                total: count("TotalCount"),
                filtered: count("FilterCount"),
                sent: count("SentCount"),
                failed: count("ErrorCount"),
            })
        }
        "user_info_modified" => Event::UserInfoModified(authorization(fields)),
        "user_authorization_revoke" => Event::AuthorizationRevoked(authorization(fields)),
        "user_authorization_cancellation" => Event::AuthorizationCancelled(authorization(fields)),
        "user_enter_tempsession" => Event::EnterTempSession { session_from: text("SessionFrom") },
        "debug_demo" => Event::DebugDemo { text: text("debug_str") },
        "kf_create_session" => Event::Desk(KfSession::Created(text("KfAccount"))),
        "kf_close_session" => Event::Desk(KfSession::Closed(text("KfAccount"))),
        "kf_switch_session" => {
            Event::Desk(KfSession::Switched { from: text("FromKfAccount"), to: text("ToKfAccount") })
        }
        "shakearoundusershake" => Event::Shake {
            chosen: fields.group("ChosenBeacon").map(|beacon| {
                ["Uuid", "Major", "Minor", "Distance"].map(|name| beacon.text(name).to_owned())
            }),
        },
        "wificonnected" => Event::WifiConnected {
            connected_s: fields.number("ConnectTime").unwrap_or_default(),
            place_id: fields.some_text("PlaceId").unwrap_or_else(|| text("ShopId")),
            device: text("DeviceNo"),
        },
        _ => return None,
    })
}

fn pictures(fields: &Fields, source: PictureSource) -> Event {
    let info = fields.group("SendPicsInfo");
    Event::Pictures {
        source,
        key: fields.text("EventKey").to_owned(),
        count: info.and_then(|info| info.number("Count")).unwrap_or_default(),
        md5: info
            .and_then(|info| info.group("PicList"))
            .into_iter()
            .flat_map(|list| list.groups("item"))
            .filter_map(|item| item.some_text("PicMd5Sum"))
            .collect(),
    }
}

/// The real texts have a space after the colon in one case and none in the other.
fn delivery(status: &str) -> Delivery {
    let plain: String =
        status.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "success" => Delivery::Delivered,
        "failed:userblock" => Delivery::Blocked,
        _ => Delivery::Failed(status.to_owned()),
    }
}

/// In XML the list stands inside an element named after the event; in JSON at the top level.
fn list<'a>(fields: &'a Fields, wrapper: &'a str) -> impl Iterator<Item = &'a Fields> {
    fields.group(wrapper).unwrap_or(fields).groups("List")
}

fn consents(fields: &Fields, wrapper: &str) -> Vec<ConsentChange> {
    list(fields, wrapper)
        .map(|entry| ConsentChange {
            template_id: entry.text("TemplateId").to_owned(),
            accepted: entry.text("SubscribeStatusString") == "accept",
            scene: entry.number("PopupScene"),
        })
        .collect()
}

fn authorization(fields: &Fields) -> AuthorizationChange {
    AuthorizationChange {
        openid: fields.text("OpenID").to_owned(),
        unionid: fields.some_text("UnionID"),
        app_id: fields.text("AppID").to_owned(),
        codes: fields.text("RevokeInfo").split(',').filter_map(|code| code.trim().parse().ok()).collect(),
    }
}
