//! WeChat's error numbers: what sort of remedy each needs, and what to tell the person who can help.

/// What sort of remedy an error needs. Only [`Class::UserUnreachable`] leads to another channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The access token is no good. The client has tried to mend that by itself before it says so.
    RefreshToken,
    /// Later, with growing pauses.
    RetryLater,
    /// A quota is used up: not before it is filled again.
    QuotaStop,
    /// This person cannot be reached this way; use another.
    UserUnreachable,
    /// The code of a sign-in is used, old or wrong: begin the sign-in again.
    RestartSignIn,
    /// The content is not accepted: mend it, do not repeat it.
    Content,
    /// The account or our settings: an administrator must act.
    Configuration,
    /// It had been done before: take it as success.
    AlreadyDone,
    /// We call it wrongly.
    Bug,
    /// A number that we do not know.
    Unknown,
}

/// What the number means and what to do, for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// In English.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}

/// One row of the table: all numbers from `from` to `to`.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// First number.
    pub from: i64,
    /// Last number; the same for a single one.
    pub to: i64,
    /// What sort of remedy it needs.
    pub class: Class,
    /// What to do.
    pub advice: Advice,
}

const fn row(from: i64, to: i64, class: Class, en: &'static str, zh: &'static str) -> Entry {
    Entry { from, to, class, advice: Advice { en, zh } }
}

const fn one(code: i64, class: Class, en: &'static str, zh: &'static str) -> Entry {
    row(code, code, class, en, zh)
}

/// The table, by number.
#[rustfmt::skip]
pub const CODES: &[Entry] = &[
    one(-1, Class::RetryLater, "WeChat is busy. It will be tried again.", "微信系统繁忙，稍后会重试。"),
    one(40001, Class::RefreshToken, "The access token or the AppSecret is wrong. Check the AppSecret in the settings.", "access_token 或 AppSecret 不正确，请核对设置里的 AppSecret。"),
    one(40003, Class::UserUnreachable, "This openid is wrong or belongs to another account.", "openid 不正确，或不属于这个公众号。"),
    one(40007, Class::Content, "The media_id is wrong or older than three days. Upload the file again.", "media_id 不正确或已超过三天，请重新上传。"),
    one(40013, Class::Configuration, "The AppID is wrong. Check the settings.", "AppID 不正确，请核对设置。"),
    one(40014, Class::RefreshToken, "The access token belongs to another account or is damaged.", "access_token 不合法，或属于其他公众号。"),
    row(40015, 40028, Class::Configuration, "WeChat does not accept this menu. Check its names, number of buttons and links.", "菜单不符合微信的要求，请检查名称、按钮数量和链接。"),
    one(40029, Class::RestartSignIn, "The sign-in code is wrong. Open the page again.", "登录 code 无效，请重新打开页面。"),
    one(40030, Class::RestartSignIn, "The refresh token is wrong. Sign in again.", "refresh_token 无效，请重新登录。"),
    one(40033, Class::Content, "There are characters in it that WeChat does not accept.", "内容里有微信不接受的字符。"),
    one(40035, Class::Content, "A parameter is not accepted; WeChat's text names it.", "参数不合法，具体见微信返回的说明。"),
    one(40037, Class::Configuration, "The template was removed or its id is wrong. Load the templates again and choose one.", "模板已被删除或编号不正确，请重新读取模板并选择。"),
    row(40054, 40055, Class::Configuration, "A link in a sub-menu is not accepted.", "子菜单里的链接不合法。"),
    one(40097, Class::Content, "A parameter is not accepted; WeChat's text names it.", "参数不合法，具体见微信返回的说明。"),
    one(40125, Class::Configuration, "The AppSecret is wrong. Check the settings.", "AppSecret 不正确，请核对设置。"),
    one(40163, Class::RestartSignIn, "The sign-in code was used already. Open the page again.", "登录 code 已被使用过，请重新打开页面。"),
    one(40164, Class::Configuration, "Our server's address is not on the account's IP allow-list. Add the address in WeChat's text.", "服务器 IP 不在公众号的白名单里，请把微信返回的 IP 加进去。"),
    one(40200, Class::Configuration, "This kind of account may not do that.", "这类账号不支持该功能。"),
    one(40226, Class::UserUnreachable, "WeChat considers this person's account unsafe and refuses it.", "微信判定该用户有风险，拒绝服务。"),
    one(40243, Class::Configuration, "The AppSecret is frozen. Unfreeze it on WeChat's page.", "AppSecret 已被冻结，请到公众平台解冻。"),
    row(41001, 41009, Class::Bug, "A parameter is missing. Please report this.", "缺少参数，请反馈给开发者。"),
    one(41030, Class::Configuration, "That page is not in the published mini program.", "已发布的小程序里没有这个页面。"),
    one(42001, Class::RefreshToken, "The access token has run out.", "access_token 已过期。"),
    one(42002, Class::RestartSignIn, "The refresh token has run out. Sign in again.", "refresh_token 已过期，请重新登录。"),
    one(42003, Class::RestartSignIn, "The sign-in code has run out. Open the page again.", "登录 code 已过期，请重新打开页面。"),
    one(42007, Class::RestartSignIn, "The person has changed the WeChat password. Sign in again.", "用户修改了微信密码，请重新登录。"),
    row(43001, 43003, Class::Bug, "Called by the wrong method. Please report this.", "请求方式不正确，请反馈给开发者。"),
    one(43004, Class::UserUnreachable, "This person does not follow the account.", "对方没有关注公众号。"),
    one(43019, Class::UserUnreachable, "This person is on the account's blacklist.", "对方在公众号的黑名单里。"),
    one(43101, Class::UserUnreachable, "This person has refused such messages or has no subscription left.", "对方拒绝接收，或订阅次数已用完。"),
    one(44002, Class::Bug, "The body is empty. Please report this.", "请求内容为空，请反馈给开发者。"),
    one(45002, Class::Content, "The text is too long.", "内容过长。"),
    one(45009, Class::QuotaStop, "Today's quota for this interface is used up. It is filled again at midnight.", "该接口今日额度已用完，零点恢复。"),
    one(45011, Class::RetryLater, "Too many calls within a minute.", "调用过于频繁，请稍后再试。"),
    one(45015, Class::UserUnreachable, "The person has not written within 48 hours, so a chat message cannot be sent.", "用户 48 小时内没有互动，不能发送客服消息。"),
    one(45028, Class::QuotaStop, "No mass messages are left this month.", "群发次数已用完。"),
    one(45047, Class::UserUnreachable, "No more chat messages until the person writes again.", "客服消息条数已达上限，需等用户再次互动。"),
    row(45056, 45058, Class::Configuration, "This tag cannot be made or changed.", "标签数量已满，或该标签不能修改。"),
    one(45064, Class::Configuration, "The mini program is not tied to this account.", "该小程序没有关联到这个公众号。"),
    one(45065, Class::AlreadyDone, "This mass message was sent before.", "这条群发已发送过。"),
    one(45066, Class::RetryLater, "Mass messages follow each other too fast.", "群发过快，请稍后再试。"),
    one(45067, Class::Bug, "The mass message's id is too long. Please report this.", "群发编号过长，请反馈给开发者。"),
    one(45072, Class::Bug, "The typing command is wrong. Please report this.", "输入状态命令不正确，请反馈给开发者。"),
    row(45083, 45084, Class::Configuration, "The mass-sending speed is not accepted.", "群发速度设置不正确。"),
    one(45103, Class::Bug, "WeChat no longer offers this interface. Please report this.", "微信已不再支持该接口，请反馈给开发者。"),
    one(45109, Class::Bug, "WeChat has withdrawn this interface. Please report this.", "微信已下线该接口，请反馈给开发者。"),
    row(45157, 45159, Class::Configuration, "The tag's name or id is not accepted.", "标签名称或编号不合法。"),
    one(46003, Class::Configuration, "The account has no menu yet.", "公众号还没有菜单。"),
    one(46004, Class::UserUnreachable, "There is no such person.", "用户不存在。"),
    one(47001, Class::Bug, "WeChat could not read the request. Please report this.", "微信无法解析请求内容，请反馈给开发者。"),
    one(47003, Class::Content, "A field of the template breaks its rule; WeChat's text names the field.", "模板字段不符合规则，具体字段见微信返回的说明。"),
    one(48001, Class::Configuration, "The account has no right to this interface. Check its type, its verification and what was granted.", "账号没有该接口权限，请检查账号类型、认证状态和授权。"),
    one(48002, Class::UserUnreachable, "This person has turned the account's messages off.", "对方关闭了接收公众号消息。"),
    one(48004, Class::Configuration, "WeChat has blocked this interface because of a violation. See the notices on WeChat's page.", "接口因违规被封禁，请查看公众平台的站内通知。"),
    one(48006, Class::QuotaStop, "The quota has been cleared ten times this month already.", "本月清零次数已用完。"),
    one(48008, Class::Configuration, "The account may not send this kind of message.", "账号没有发送这类消息的权限。"),
    one(50001, Class::Configuration, "The account has not been granted this interface.", "账号未获得该接口授权。"),
    one(50002, Class::UserUnreachable, "WeChat has restricted this person's account.", "对方账号被微信限制。"),
    one(50005, Class::UserUnreachable, "This person does not follow the account.", "对方没有关注公众号。"),
    row(61450, 61457, Class::Configuration, "The human desk's account is wrong or missing.", "客服账号不存在或不正确。"),
    row(65301, 65320, Class::Configuration, "The menu for a group is not accepted; a menu for all must exist first.", "个性化菜单不符合要求，需要先有默认菜单。"),
    one(65400, Class::Configuration, "The human desk is not turned on. Turn it on on WeChat's page.", "客服功能未开通，请到公众平台开启。"),
    one(85079, Class::Configuration, "The mini program has not been published.", "小程序还没有发布。"),
    one(85400, Class::QuotaStop, "No mini-program links are left.", "小程序链接额度已用完。"),
    one(88000, Class::Configuration, "Comments are not turned on for this account.", "账号没有留言功能。"),
    row(9_001_001, 9_001_036, Class::Bug, "Shake-around is retired. Please report this.", "摇一摇周边已下线，请反馈给开发者。"),
    row(9_410_010, 9_410_012, Class::Content, "The short key is wrong, has run out, or belongs to another account.", "短 key 无效、已过期或不属于本账号。"),
];

/// For numbers that are not in the table.
pub const UNKNOWN: Advice = Advice {
    en: "WeChat refused this. Look up the number in WeChat's documentation.",
    zh: "微信拒绝了请求，请按错误码查阅微信文档。",
};

/// Class and advice for a number.
pub fn look_up(errcode: i64) -> (Class, Advice) {
    let after = CODES.partition_point(|entry| entry.to < errcode);
    match CODES.get(after).filter(|entry| entry.from <= errcode) {
        Some(entry) => (entry.class, entry.advice),
        None => (Class::Unknown, UNKNOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_does_not_overlap() {
        assert!(CODES.iter().all(|entry| entry.from <= entry.to));
        assert!(CODES.windows(2).all(|pair| pair[0].to < pair[1].from));
    }

    #[test]
    fn every_row_is_found_by_all_of_its_numbers() {
        for entry in CODES {
            for code in [entry.from, entry.to] {
                assert_eq!(look_up(code), (entry.class, entry.advice), "{code}");
            }
        }
        for code in [1, -2, 40002, 40036, 43002 + 3000, 9_999_999, i64::MIN, i64::MAX] {
            assert_eq!(look_up(code), (Class::Unknown, UNKNOWN), "{code}");
        }
    }

    /// The classes on which behaviour hangs.
    #[test]
    fn another_channel_is_for_unreachable_people_only() {
        for code in [43004, 43019, 43101, 45015, 45047, 48002, 40003, 46004] {
            assert_eq!(look_up(code).0, Class::UserUnreachable, "{code}");
        }
        for code in [40001, 40014, 42001] {
            assert_eq!(look_up(code).0, Class::RefreshToken, "{code}");
        }
        for code in [40029, 40163, 42003] {
            assert_eq!(look_up(code).0, Class::RestartSignIn, "{code}");
        }
    }
}
