//! What a hospital may set about people, staff and their sign-in, as the console shows it.

use edge::Section;

use crate::settings::{CodeRules, ConsentVersions, PersonRules, SignInRules};
use crate::staff::settings::StaffSignIn;

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![sign_in(), codes(), persons(), consent(), staff()]
}

fn sign_in() -> Section {
    Section::of::<SignInRules>(SignInRules::SECTION, "患者登录", "Patients' sign-in")
        .key(
            "wechat",
            "允许用微信登录（已接入服务号时）",
            "People may sign in through WeChat, where a service account is connected",
        )
        .key("sms", "允许用手机号和验证码登录", "People may sign in by a phone number and a code")
        .number(
            "idle_minutes",
            (1, 1440),
            "多少分钟不用就退出登录（等保三级要求患者端 30 分钟）；在微信里会自动重新登录",
            "A session ends after so many minutes without use (level 3 protection: 30 for patients); in WeChat the next one begins by itself",
        )
        .number(
            "longest_hours",
            (1, 720),
            "一次登录最长多少小时",
            "A session ends after so many hours at the latest",
        )
}

fn codes() -> Section {
    Section::of::<CodeRules>(CodeRules::SECTION, "短信验证码", "Codes by SMS")
        .number("valid_s", (60, 1800), "验证码有效多少秒", "A code holds for so many seconds")
        .number("tries", (1, 20), "一个验证码最多试几次", "A code may be tried so often")
        .number(
            "resend_after_s",
            (10, 600),
            "同一手机号隔多少秒才能再发",
            "A phone gets the next code after so many seconds",
        )
        .number(
            "per_phone_day",
            (1, 100),
            "同一手机号 24 小时内最多几条",
            "The most codes for one phone within 24 hours",
        )
        .number(
            "per_address_hour",
            (1, 100_000),
            "同一网络地址 1 小时内最多几条",
            "The most codes that one network address may ask for within an hour",
        )
        .key(
            "shared_addresses",
            "很多人共用的网络地址，例如本院 Wi-Fi 的出口",
            "Addresses behind which many people are, such as that of the hospital's own Wi-Fi",
        )
        .number(
            "per_shared_address_hour",
            (1, 1_000_000),
            "上述共用地址 1 小时内最多几条",
            "The same within an hour, for each of the shared addresses",
        )
        .number(
            "per_account_day",
            (1, 1000),
            "同一微信用户 24 小时内最多几条（含其全部就诊人）",
            "The most codes that one account may ask for within 24 hours, for all of its persons",
        )
        .number(
            "per_day",
            (1, 10_000_000),
            "全院 24 小时内最多几条，防止被恶意刷短信",
            "The most codes of the hospital within 24 hours: what an attack may cost at most",
        )
}

fn persons() -> Section {
    Section::of::<PersonRules>(PersonRules::SECTION, "就诊人", "Patients on an account")
        .number(
            "per_account",
            (0, 50),
            "一个微信用户最多绑定几位就诊人",
            "The most persons that one account may be bound to",
        )
        .number(
            "wrong_names_per_day",
            (1, 100),
            "一天内姓名或证件填错几次后，当天不能再查找就诊人",
            "After so many wrong names or details within a day an account may not look for a person any more",
        )
        .number(
            "guardians",
            (1, 10),
            "一个孩子最多绑定几位监护人",
            "The most guardians on whose phones a child's record may be",
        )
        .number(
            "hand_over_days",
            (1, 3650),
            "孩子满 18 岁后，监护人还可管理多少天",
            "For so many days after a child came of age its guardians still hold the record",
        )
        .number(
            "keep_years",
            (1, 100),
            "档案注销后保存多少年再清除（门诊病历为 15 年）",
            "For so many years a closed record is kept before it is wiped (15 for outpatient records)",
        )
        .number(
            "wrong_names_per_address_day",
            (1, 10_000),
            "同一网络地址一天内最多填错几次",
            "The same for a network address, behind which thousands of phones may be",
        )
}

fn consent() -> Section {
    Section::of::<ConsentVersions>(ConsentVersions::SECTION, "隐私与同意", "Privacy and consent")
        .key(
            "privacy_version",
            "现行隐私政策的版本号；改动后，患者会重新看到并确认",
            "The version of the privacy notice in force; after a change people see it again",
        )
        .key(
            "consent_version",
            "现行个人信息处理同意书的版本号",
            "The version of the consent to the use of a person's data",
        )
}

fn staff() -> Section {
    Section::of::<StaffSignIn>(StaffSignIn::SECTION, "员工登录", "Sign-in of staff")
        .number(
            "wrong_tries",
            (1, 50),
            "密码或验证码错几次后暂时锁定该账号",
            "After so many wrong passwords or codes a login is locked for a time",
        )
        .number(
            "wrong_tries_per_address",
            (5, 10_000),
            "同一网络地址错几次后暂时锁定（一个地址后面可能是全院）",
            "The same for a network address, behind which a whole hospital may be",
        )
        .number(
            "window_minutes",
            (1, 1440),
            "在多少分钟内累计错误次数",
            "Wrong tries are counted for so many minutes",
        )
        .number("lock_minutes", (1, 1440), "锁定多少分钟", "For so many minutes it is locked")
        .number(
            "idle_minutes",
            (5, 720),
            "多少分钟不用就退出登录",
            "A session ends after so many minutes without use",
        )
        .number(
            "longest_hours",
            (1, 24),
            "一次登录最长多少小时",
            "A session ends after so many hours at the latest",
        )
        .number(
            "code_hours",
            (1, 168),
            "一次性登录码有效多少小时",
            "A code that takes the place of a password is good for so many hours",
        )
        .key(
            "wecom",
            "允许用企业微信登录（已接入时）",
            "Staff may sign in through WeCom, where an application is connected",
        )
        .key(
            "wecom_alone_for_administrators",
            "三类管理员用企业微信登录时，不再要求第二验证（不建议）",
            "WeCom alone is enough for the three administrators; else they type their second factor, too",
        )
}
