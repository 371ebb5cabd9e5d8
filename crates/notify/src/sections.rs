//! What a hospital may set about telling, as the console shows it.

use edge::Section;

use crate::settings::Settings;

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![
        Section::of::<Settings>("notify", "通知", "Messages to patients")
            .key(
                "quiet",
                "免打扰时段：提醒和停诊通知等到时段结束再发，除非那时就太晚了。起止相同表示不设",
                "When phones are left in peace: reminders and calls-off wait until it is over, unless that is too late. The same time twice means never",
            )
            .key(
                "sensitive_departments",
                "消息里不写名称的科室（科室编号）：旁人可能看到手机，例如精神科、生殖医学、感染科",
                "Departments (by id) that no message names, since others may see the phone: psychiatry, reproductive medicine, infectious diseases",
            )
            .key(
                "sms_templates",
                "短信服务商的模板编号，按“通知类型.语言”填写；没写的用默认编号",
                "The vendor's template codes by kind.language; a kind that is not here has its usual code",
            )
            .number(
                "sms_per_day",
                (0, 10_000_000),
                "全院一天最多发多少条短信（含验证码）",
                "The most SMS in a day of the hospital, codes included",
            )
            .number(
                "keep_days",
                (180, 3650),
                "发送记录保留多少天（网络安全法要求至少 180 天）",
                "For how many days what was sent is kept (Cybersecurity Law: 180 at the least)",
            ),
    ]
}
