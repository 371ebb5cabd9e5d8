//! Which of an account's templates serves which kind, found by title and labels.
//!
//! Each account's templates have ids and keys of their own, so nothing of them stands in the program. Titles and labels come
//! from the platform's library and are much alike from hospital to hospital; where a guess is wrong, an administrator sets
//! another, and that one stays.

use std::collections::BTreeMap;

use base::HospitalId;
use people::{Channel, ChannelAccountId};
use store::{Db, StoreError, Tx};
use wechat::api::template::PrivateTemplate;

use crate::model::Kind;
use crate::store::template;
use crate::text::NAMES;

pub use crate::store::template::Mapping;

/// Why templates could not be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// WeChat did not give the account's templates.
    #[error(transparent)]
    Wechat(#[from] wechat::api::Error),
    /// A field is tied to something that no message has.
    #[error("`{0}` is not an argument of any message")]
    Argument(String),
}

/// Reads an account's templates and ties the kinds that have no mapping of an administrator's to those that suit them.
/// Gives the kinds that now have a template, so that what is missing can be shown. Doing it again is harmless.
///
/// # Errors
/// [`MapError`].
pub async fn map_templates(db: &Db, channel: &Channel) -> Result<Vec<Kind>, MapError> {
    let templates = channel.client.private_templates().await?;
    let mut tx = db.begin().await?;
    for mapping in suggest(&templates) {
        template::suggest(&mut tx, channel.hospital, channel.id, &mapping).await?;
    }
    tx.commit().await?;
    Ok(mappings(db, channel.hospital, channel.id).await?.into_iter().map(|m| m.kind).collect())
}

/// The mappings of an account.
///
/// # Errors
/// Any [`StoreError`].
pub async fn mappings(
    db: &Db,
    hospital: HospitalId,
    account: ChannelAccountId,
) -> Result<Vec<Mapping>, StoreError> {
    template::of_account(db, hospital, account).await
}

/// Sets a mapping that an administrator has chosen; `by` says who.
///
/// # Errors
/// [`MapError::Argument`] when a field is tied to nothing that exists; any [`StoreError`].
pub async fn set_mapping(
    tx: &mut Tx,
    hospital: HospitalId,
    account: ChannelAccountId,
    mapping: &Mapping,
    by: &str,
) -> Result<(), MapError> {
    if let Some(unknown) = mapping.fields.values().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(MapError::Argument(unknown.clone()));
    }
    Ok(template::put(tx, hospital, account, mapping, by).await?)
}

/// A title of a kind has one word of each group.
const TITLES: &[(Kind, &[&[&str]])] = &[
    (Kind::AppointmentRestored, &[&["恢复"], &["出诊", "门诊", "停诊", "坐诊"]]),
    (Kind::AppointmentReplaced, &[&["医生", "医师", "专家"], &["变更", "更换", "替诊", "调整"]]),
    (Kind::QueueMissed, &[&["过号"]]),
    (Kind::QueueCalled, &[&["叫号"]]),
    (Kind::QueueSoon, &[&["排队", "候诊"]]),
    (Kind::PickUpReady, &[&["取件", "领取"]]),
    (Kind::AppointmentStopped, &[&["停诊"]]),
    (Kind::AppointmentMoved, &[VISIT, &["变更", "改约", "改期", "调整"]]),
    (Kind::AppointmentCancelled, &[VISIT, &["取消", "退号"]]),
    (Kind::AppointmentReminder, &[VISIT, &["提醒"]]),
    (Kind::AppointmentConfirmed, &[&["预约", "挂号"], &["成功", "确认"]]),
];
/// An account has few templates: these kinds go by that of another.
const ALIKE: &[(Kind, Kind)] =
    &[(Kind::QueueNext, Kind::QueueSoon), (Kind::PickUpReminder, Kind::PickUpReady)];
const VISIT: &[&str] = &["预约", "挂号", "就诊", "门诊"];
/// Titles about something else, whatever other words they have.
const NOT_OURS: &[&str] = &["失败", "缴费", "支付", "退款", "报告", "取药", "检查", "体检", "住院", "候补"];

/// What a label means; the first that has one of the words counts.
const LABELS: &[(&[&str], &str)] = &[
    (&["科室"], "department"),
    (&["医生", "医师", "专家", "大夫"], "doctor"),
    (&["就诊人", "患者", "病人", "姓名", "预约人"], "person"),
    (&["地点", "地址", "位置", "诊室", "院区"], "place"),
    (&["电话", "联系方式"], "phone"),
    (&["医院", "机构", "门店"], "hospital"),
    (&["原因", "说明", "备注", "提示", "须知", "事项"], "note"),
    (&["状态", "结果", "进度"], "status"),
    (&["时间", "日期", "时段"], "time"),
    (&["序号", "排号", "号序", "号码"], "number"),
    (&["物品"], "item"),
    (&["项目", "类型", "类别", "名称"], "title"),
];

/// The template for each kind, as far as there is one. Of several that suit, the first.
#[must_use]
pub fn suggest(templates: &[PrivateTemplate]) -> Vec<Mapping> {
    let mut found: Vec<Mapping> = Vec::new();
    for template in templates {
        let Some(kind) = kind_of(&template.title) else { continue };
        if found.iter().any(|m| m.kind == kind) {
            continue;
        }
        if let Some(fields) = fields_of(kind, template) {
            found.push(Mapping { kind, template_id: template.template_id.clone(), fields });
        }
    }
    for (kind, like) in ALIKE {
        if found.iter().all(|m| m.kind != *kind)
            && let Some(same) = found.iter().find(|m| m.kind == *like).cloned()
        {
            found.push(Mapping { kind: *kind, ..same });
        }
    }
    found
}

fn kind_of(title: &str) -> Option<Kind> {
    if NOT_OURS.iter().any(|word| title.contains(word)) {
        return None;
    }
    let suits = |groups: &&[&[&str]]| groups.iter().all(|any| any.iter().any(|word| title.contains(word)));
    TITLES.iter().find(|(_, groups)| suits(groups)).map(|(kind, _)| *kind)
}

/// Every field of the template with its argument; `None` when one of them can't be filled in truthfully, or the template
/// does not say when.
fn fields_of(kind: Kind, template: &PrivateTemplate) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    for (label, key) in places(&template.content) {
        let name = argument(kind, label, key)?;
        fields.insert(key.to_owned(), name.to_owned());
    }
    // A line with two places in it is none of the platform's; half of it filled in would be refused.
    if template.content.matches("{{").count() != fields.len() {
        return None;
    }
    let says_when = fields.values().any(|name| matches!(name.as_str(), "start" | "time"));
    says_when.then_some(fields)
}

fn argument(kind: Kind, label: &str, key: &str) -> Option<&'static str> {
    let sort = key.trim_end_matches(|c: char| c.is_ascii_digit());
    match sort {
        "time" | "date" => moment(kind, label),
        "phone_number" => Some("phone"),
        "number" if ["前", "人数"].iter().any(|word| label.contains(word)) => Some("ahead"),
        "number" => Some("number"),
        // We have no sums of money, plates of cars or lists of approved words to put there.
        "amount" | "car_number" | "const" | "enum" => None,
        "phrase" => Some("status"),
        _ => {
            let known = LABELS.iter().find(|(words, _)| words.iter().any(|word| label.contains(word)));
            match known {
                Some((_, "time")) if label.contains('原') => Some("old_time"),
                Some((_, name)) => Some(name),
                None => Some("note"),
            }
        }
    }
}

/// Which moment a field of time asks for. When somebody cancelled, applied or paid is not among what we tell.
fn moment(kind: Kind, label: &str) -> Option<&'static str> {
    if ["取消时间", "操作", "提交", "申请", "创建", "下单", "支付"].iter().any(|word| label.contains(word))
    {
        return None;
    }
    let before = label.contains('原') && kind == Kind::AppointmentMoved;
    Some(if before { "old_start" } else { "start" })
}

/// Label and key of each line like `就诊时间：{{time4.DATA}}`.
fn places(content: &str) -> impl Iterator<Item = (&str, &str)> {
    content.lines().filter_map(|line| {
        let (label, rest) = line.split_once("{{")?;
        let (key, _) = rest.split_once("}}")?;
        let key = key.trim().strip_suffix(".DATA")?;
        Some((label.trim().trim_end_matches(['：', ':']).trim_end(), key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(title: &str, content: &str) -> PrivateTemplate {
        PrivateTemplate {
            template_id: format!("id of {title}"),
            title: title.into(),
            content: content.into(),
            example: String::new(),
        }
    }

    fn tied(mapping: &Mapping) -> String {
        mapping.fields.iter().map(|(key, name)| format!("{key}={name}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_templates_of_a_hospital() {
        let who = "就诊人：{{thing1.DATA}}\n就诊科室：{{thing2.DATA}}\n就诊医生：{{thing3.DATA}}";
        let found = suggest(&[
            template("缴费成功通知", "金额：{{amount1.DATA}}"),
            template("预约失败通知", "时间：{{time1.DATA}}"),
            template(
                "预约挂号成功通知",
                &format!("{who}\n就诊时间：{{{{time4.DATA}}}}\n就诊地点：{{{{thing5.DATA}}}}"),
            ),
            template("预约成功通知", "预约时间：{{time2.DATA}}"),
            template(
                "预约取消通知",
                &format!("{who}\n就诊时间：{{{{time4.DATA}}}}\n取消原因：{{{{thing5.DATA}}}}"),
            ),
            template(
                "就诊提醒",
                "时间：{{time4.DATA}}\n序号: {{ character_string7.DATA }}\n温馨提示：{{thing9.DATA}}",
            ),
            template(
                "预约变更通知",
                &format!(
                    "{who}\n原就诊时间：{{{{time4.DATA}}}}\n新就诊时间：{{{{time5.DATA}}}}\n预约状态：{{{{phrase6.DATA}}}}"
                ),
            ),
            template(
                "停诊通知",
                &format!("{who}\n就诊时间：{{{{time4.DATA}}}}\n停诊说明：{{{{thing5.DATA}}}}"),
            ),
        ]);
        let of = |kind| found.iter().find(|m: &&Mapping| m.kind == kind).map(tied).unwrap();
        let who = "thing1=person thing2=department thing3=doctor";
        assert_eq!(of(Kind::AppointmentConfirmed), format!("{who} thing5=place time4=start"));
        assert_eq!(of(Kind::AppointmentCancelled), format!("{who} thing5=note time4=start"));
        assert_eq!(of(Kind::AppointmentReminder), "character_string7=number thing9=note time4=start");
        assert_eq!(of(Kind::AppointmentMoved), format!("phrase6=status {who} time4=old_start time5=start"));
        assert_eq!(of(Kind::AppointmentStopped), format!("{who} thing5=note time4=start"));
        assert_eq!(found.len(), 5);
        assert!(found.iter().flat_map(|m| m.fields.values()).all(|name| NAMES.contains(&name.as_str())));
    }

    #[test]
    fn what_can_not_be_filled_in_truthfully_is_not_used() {
        for content in [
            "取消时间：{{time1.DATA}}\n就诊时间：{{time2.DATA}}",
            "就诊时间：{{time2.DATA}}\n退款金额：{{amount3.DATA}}",
            "就诊人：{{thing1.DATA}}",
            "就诊时间：{{time2.DATA}} {{time3.DATA}}",
            "",
        ] {
            assert_eq!(suggest(&[template("预约取消通知", content)]), [], "{content}");
        }
    }
}
