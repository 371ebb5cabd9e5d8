//! Papers as PDF: for staff who put codes up, and for people who take their data along.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Kind, Lang, Problem, Text2};
use edge::problem::ProblemBody;
use edge::{Account, ApiPath, ApiResult, Staff};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use people::records::own::{self, OnFile};
use people::{PeopleDeps, PersonId};
use print::FontError;
use schedule::DoctorId;
use serde_json::json;
use store::vault::Purpose as Opening;

use crate::codes::{self, picture_text};
use crate::model::{CodeId, Door, EnrolmentId, Purpose, Stage};
use crate::papers::{self, Block, Slip};
use crate::refusal::Refusal;
use crate::store::code as sql;
use crate::{ChannelDeps, enrol};

/// What a paper with a person's own data is made of.
#[derive(Clone)]
pub(super) struct OwnPapers {
    pub(super) channel: ChannelDeps,
    pub(super) people: PeopleDeps,
}

fn pdf(name: &str, made: Result<Vec<u8>, FontError>) -> ApiResult<Response> {
    let bytes = made.map_err(|error| {
        tracing::error!(%error, "a paper can't be printed");
        Problem::new(
            Kind::Unavailable,
            "no_font",
            "服务器没有中文字体，无法生成 PDF，请联系管理员安装（fonts-noto-cjk）。",
            "The server has no font with Chinese characters, so it can't make PDFs. Please ask the administrator to install one (fonts-noto-cjk).",
        )
    })?;
    let shown = format!("inline; filename=\"{name}.pdf\"");
    let headers = [
        (CONTENT_TYPE, "application/pdf".to_owned()),
        (CONTENT_DISPOSITION, shown),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// A poster of a code; of a Wi-Fi code the one that also joins the network.
#[utoipa::path(get, path = "/api/v1/codes/{id}/poster", tag = "codes",
    params(("id" = String, Path, description = "`cod_…`")),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 404, body = ProblemBody)))]
pub(super) async fn poster(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(id): ApiPath<CodeId>,
) -> ApiResult<Response> {
    let hospital = &who.caller.hospital;
    let code = sql::get(&deps.db, hospital.id, id).await?.filter(|c| c.purpose != Purpose::Enrolment);
    let code = code.ok_or(Refusal::NotFound)?;
    if code.closed_at.is_some() {
        return Err(Refusal::Closed.into());
    }
    let picture = picture_text(&deps, hospital, &code);
    if code.purpose != Purpose::Wifi {
        return pdf("poster", papers::poster(hospital, &code, &picture));
    }
    let wifi = codes::wifi(&deps, hospital.id, id).await?;
    let mut tx = deps.db.begin().await?;
    tx.audit(who.caller.audit("code.wifi_print", id, json!({}))).await?;
    tx.commit().await?;
    pdf("wifi", papers::wifi_poster(hospital, &code, &wifi, &picture))
}

/// A sheet of business cards with a doctor's code.
#[utoipa::path(get, path = "/api/v1/codes/{id}/cards", tag = "codes",
    params(("id" = String, Path, description = "`cod_…`")),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 404, body = ProblemBody)))]
pub(super) async fn cards(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(id): ApiPath<CodeId>,
) -> ApiResult<Response> {
    let hospital = &who.caller.hospital;
    let code = sql::get(&deps.db, hospital.id, id).await?.filter(|c| c.purpose == Purpose::Doctor);
    let code = code.ok_or(Refusal::NotFound)?;
    if code.closed_at.is_some() {
        return Err(Refusal::Closed.into());
    }
    let doctor = code.target.as_deref().and_then(|t| DoctorId::from_db(t).ok());
    let doctor = doctor.and_then(|id| deps.board.doctor_summary(hospital.id, id));
    let lines = doctor.map(|d| vec![d.department_name, d.title]).unwrap_or_default();
    let picture = picture_text(&deps, hospital, &code);
    pdf("cards", papers::cards(hospital, &code, &lines, &picture))
}

/// The slip of a joining that staff began for a relative at home.
#[utoipa::path(get, path = "/api/v1/enrolments/{id}/slip", tag = "enrolments",
    params(("id" = String, Path, description = "`enr_…`")),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 404, body = ProblemBody),
    (status = 410, body = ProblemBody)))]
pub(super) async fn slip(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(id): ApiPath<EnrolmentId>,
) -> ApiResult<Response> {
    let hospital = &who.caller.hospital;
    let shown = enrol::show(&deps, hospital, id).await?;
    let open = shown.enrolment.stage == Stage::Open && deps.db.now() < shown.enrolment.expires_at;
    if shown.enrolment.door != Door::Desk || !open {
        return Err(Refusal::Over.into());
    }
    let until = hospital.zone.date(shown.enrolment.expires_at);
    pdf(
        "slip",
        papers::slip(hospital, &Slip { name_masked: shown.name_masked, picture: shown.picture, until }),
    )
}

/// All that is on file about a person, as a paper to take along.
#[utoipa::path(get, path = "/api/v1/persons/{id}/data/pdf", tag = "persons",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody)))]
pub(super) async fn data(
    State(deps): State<OwnPapers>,
    who: Account,
    ApiPath(id): ApiPath<PersonId>,
) -> ApiResult<Response> {
    let caller = &who.caller;
    let on_file = own::on_file(&deps.people, &who, id, Opening::Export).await?;
    let say = |text: Text2| text.get(caller.lang).to_owned();
    let title = say(Text2::new("个人信息", "Personal data"));
    let made = caller.hospital.rfc3339(deps.channel.db.now());
    // Whoever finds the paper sees whose it is and when it was made.
    let note = say(Text2::new(
        format!("{made} 由本人账号导出。请妥善保管，不要交给无关的人。"),
        format!("Exported by the person's own account on {made}. Please keep it safe."),
    ));
    pdf(
        "personal-data",
        papers::data(&caller.hospital, caller.lang, &title, &note, &blocks(&deps.channel, &who, &on_file)),
    )
}

fn blocks(deps: &ChannelDeps, who: &Account, data: &OnFile) -> Vec<Block> {
    let (hospital, zh) = (&who.caller.hospital, who.caller.lang == Lang::Zh);
    let pick = |a: &'static str, b: &'static str| if zh { a } else { b };
    let line = |name: &str, value: String| format!("{name}: {value}");
    let mut person = vec![line(pick("姓名", "Name"), data.name.clone())];
    if let Some(birth) = data.birth {
        person.push(line(pick("出生日期", "Date of birth"), birth.to_string()));
    }
    if let Some(phone) = &data.phone {
        person.push(line(pick("手机号", "Phone"), phone.clone()));
    }
    if let Some((_, number)) = &data.document {
        person.push(line(pick("证件号码", "Document"), number.clone()));
    }
    for card in &data.cards {
        let name = match card.kind {
            people::CardKind::Visit => pick("就诊卡", "Visit card"),
            people::CardKind::Insurance => pick("医保卡", "Insurance card"),
        };
        person.push(line(name, card.number_masked.clone()));
    }
    let consents = data.consents.iter().map(|c| {
        let end = c.withdrawn_at.map(|at| format!(" – {}", hospital.rfc3339(at))).unwrap_or_default();
        format!("{} {} ({}), {}{end}", c.kind, c.version, c.lang, hospital.rfc3339(c.given_at))
    });
    let holders = data.holders.iter().map(|h| {
        let who = if h.you { pick("您", "you") } else { pick("其他账号", "another account") };
        format!("{who} {} {}", h.phone_masked.clone().unwrap_or_default(), hospital.rfc3339(h.since))
    });
    let visits = data.others.get("visits").and_then(|v| v.as_array()).map(Vec::as_slice).unwrap_or_default();
    let visits = visits.iter().map(|visit| {
        let text = |name: &str| visit.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        let doctor = text("doctor_id").parse().ok().and_then(|id| deps.board.doctor_summary(hospital.id, id));
        let doctor = doctor.map(|d| d.name.get(who.caller.lang).to_owned()).unwrap_or_default();
        format!("{} {} {doctor} {}", text("date"), text("half_day"), text("state"))
    });
    vec![
        Block { title: pick("基本信息", "About you"), lines: person },
        Block { title: pick("同意记录", "What was agreed to"), lines: consents.collect() },
        Block { title: pick("绑定的手机", "On whose phones"), lines: holders.collect() },
        Block { title: pick("就诊", "Visits"), lines: visits.collect() },
    ]
}
