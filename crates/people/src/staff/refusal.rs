//! What staff are told when something can't be done.

use ::store::StoreError;
use base::{Kind, Problem};

use super::rules::{PasswordFault, RolesFault};
use crate::names::RealName;

/// Why a request was refused. Its [`Problem`] has a stable code and a sentence in both languages.
#[derive(Debug, thiserror::Error)]
pub enum StaffRefusal {
    /// 422 `sign_in_wrong`: login, password or code. Which, nobody learns.
    #[error("login, password or code is wrong")]
    Wrong,
    /// 422 `second_factor_wrong`
    #[error("the code is wrong")]
    CodeWrong,
    /// 422 `password_wrong`: of somebody who has signed in.
    #[error("the password is wrong")]
    PasswordWrong,
    /// 429 `too_many_tries` with `retry_after_s`
    #[error("too many wrong tries")]
    Locked(u32),
    /// 403 `staff_not_active`
    #[error("locked or disabled by an administrator")]
    NotActive,
    /// 410 `sign_in_expired`: begin again.
    #[error("the sign-in took too long, or is over")]
    Expired,
    /// 422 `password_unfit` with `reason`
    #[error("unfit password: {0:?}")]
    Password(PasswordFault),
    /// 422 `password_same`
    #[error("the same password again")]
    SamePassword,
    /// 422 `login_invalid`
    #[error("no login")]
    Login,
    /// 409 `login_taken`
    #[error("the login is taken")]
    LoginTaken,
    /// 422 `name_invalid`
    #[error("no real name")]
    Name,
    /// 422 `roles_missing` or `roles_not_apart`
    #[error("roles: {0:?}")]
    Roles(RolesFault),
    /// 422 `doctor_unknown`
    #[error("no such doctor")]
    Doctor,
    /// 422 `department_unknown`
    #[error("no such department")]
    Department,
    /// 422 `wecom_invalid`
    #[error("no id of WeCom's")]
    Wecom,
    /// 409 `wecom_taken`
    #[error("another member of staff has this id in WeCom")]
    WecomTaken,
    /// 409 `not_oneself`
    #[error("nobody changes their own roles or state")]
    Oneself,
    /// 409 `last_administrator`
    #[error("the last of its kind")]
    LastAdministrator,
    /// 403: the security administrator's work.
    #[error("not theirs to do")]
    Forbidden,
    /// 404
    #[error("not found")]
    NotFound,
    /// 401: the session's account is not there any more.
    #[error("signed out")]
    SignedOut,
    /// 503: too many passwords are being checked.
    #[error("too busy to check passwords")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StaffRefusal {
    /// The field of the request that is at fault, if it is one.
    fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::CodeWrong => "code",
            Self::PasswordWrong | Self::Password(_) | Self::SamePassword => "password",
            Self::Login | Self::LoginTaken => "login",
            Self::Name => "name",
            Self::Roles(_) => "roles",
            Self::Doctor => "doctor_id",
            Self::Department => "department_ids",
            Self::Wecom | Self::WecomTaken => "wecom_userid",
            _ => return None,
        })
    }
}

impl From<StaffRefusal> for Problem {
    fn from(refusal: StaffRefusal) -> Self {
        let field = refusal.field();
        let problem = match refusal {
            StaffRefusal::Store(error) => return error.into(),
            StaffRefusal::Busy => return Self::unavailable(2),
            StaffRefusal::NotFound => return Self::not_found(),
            StaffRefusal::SignedOut => return Self::sign_in(),
            StaffRefusal::Forbidden => return Self::forbidden(),
            other => told(&other),
        };
        crate::refusal::at(field, problem)
    }
}

fn told(refusal: &StaffRefusal) -> Problem {
    let invalid = |code, zh: &str, en: &str| Problem::new(Kind::Invalid, code, zh, en);
    let conflict = |code, zh: &str, en: &str| Problem::new(Kind::Conflict, code, zh, en);
    match refusal {
        StaffRefusal::Wrong => invalid(
            "sign_in_wrong",
            "账号或密码不对，请检查后再试。",
            "That login or password is not right. Please check them and try again.",
        ),
        StaffRefusal::CodeWrong => invalid(
            "second_factor_wrong",
            "验证码不对。请输入验证器当前显示的 6 位数字，或一个恢复码。",
            "That code is not right. Please enter the six digits that your app shows now, or a recovery code.",
        ),
        StaffRefusal::PasswordWrong => {
            invalid("password_wrong", "当前密码不对。", "The current password is not right.")
        }
        StaffRefusal::Locked(wait) => Problem::new(
            Kind::TooMany,
            "too_many_tries",
            "尝试次数过多，请稍后再试。",
            "Too many tries. Please try again later.",
        )
        .with("retry_after_s", *wait),
        StaffRefusal::NotActive => Problem::new(
            Kind::Forbidden,
            "staff_not_active",
            "这个账号已被锁定或停用，请联系安全管理员。",
            "This account is locked or disabled. Please ask the security administrator.",
        ),
        StaffRefusal::Expired => Problem::new(
            Kind::Gone,
            "sign_in_expired",
            "登录已超时，请重新开始。",
            "This sign-in took too long. Please start again.",
        ),
        StaffRefusal::Password(fault) => password(*fault),
        StaffRefusal::SamePassword => invalid(
            "password_same",
            "新密码不能与当前密码相同。",
            "The new password must differ from the current one.",
        ),
        StaffRefusal::Login => invalid(
            "login_invalid",
            "账号为 3 到 32 个小写字母、数字或 . _ -，以字母开头。",
            "A login has 3 to 32 small letters, digits or . _ - and starts with a letter.",
        ),
        StaffRefusal::LoginTaken => {
            conflict("login_taken", "这个账号已有人使用。", "Somebody has this login already.")
        }
        StaffRefusal::Name => invalid("name_invalid", "请填写真实姓名。", "Please enter the real name."),
        StaffRefusal::Roles(RolesFault::None) => {
            invalid("roles_missing", "请至少选择一个角色。", "Please choose at least one role.")
        }
        StaffRefusal::Roles(RolesFault::NotApart) => invalid(
            "roles_not_apart",
            "系统管理员、安全管理员、审计管理员须由不同的人担任。",
            "System, security and audit administrator must be three different people.",
        ),
        StaffRefusal::Doctor => invalid("doctor_unknown", "没有这位医生。", "There is no such doctor."),
        StaffRefusal::Department => {
            invalid("department_unknown", "没有这个科室。", "There is no such department.")
        }
        StaffRefusal::Wecom => invalid(
            "wecom_invalid",
            "请填写企业微信通讯录中的账号（userid），最长 64 个字符。",
            "Please enter the member's account (userid) in WeCom's contacts, 64 characters at most.",
        ),
        StaffRefusal::WecomTaken => conflict(
            "wecom_taken",
            "这个企业微信账号已绑定另一位员工。",
            "This WeCom account belongs to another member of staff.",
        ),
        StaffRefusal::Oneself => conflict(
            "not_oneself",
            "不能更改自己的角色或状态，请由另一位安全管理员操作。",
            "Nobody can change their own roles or state. Please ask another security administrator.",
        ),
        StaffRefusal::LastAdministrator => conflict(
            "last_administrator",
            "这是最后一位可登录的此类管理员，请先设好另一位。",
            "This is the last administrator of this kind who can sign in. Please set up another one first.",
        ),
        StaffRefusal::Busy
        | StaffRefusal::NotFound
        | StaffRefusal::SignedOut
        | StaffRefusal::Forbidden
        | StaffRefusal::Store(_) => Problem::internal(),
    }
}

fn password(fault: PasswordFault) -> Problem {
    let (reason, zh, en) = match fault {
        PasswordFault::Short => (
            "short",
            "密码至少 12 个字符；如果包含大写、小写、数字、符号中的三类，至少 10 个字符。",
            "A password needs 12 characters, or 10 with three of: capitals, small letters, digits, signs.",
        ),
        PasswordFault::Long => ("long", "密码最长 128 个字符。", "A password has 128 characters at most."),
        PasswordFault::HasLogin => {
            ("login", "密码里不能包含账号。", "The password must not contain the login.")
        }
        PasswordFault::Common => (
            "common",
            "这个密码太常见，容易被猜到，请换一个。",
            "This password is easy to guess. Please choose another.",
        ),
    };
    Problem::new(Kind::Invalid, "password_unfit", zh, en).with("reason", reason)
}

/// A real name as staff type it.
///
/// # Errors
/// [`StaffRefusal::Name`].
pub(crate) fn name(typed: &str) -> Result<RealName, StaffRefusal> {
    RealName::parse(typed).ok_or(StaffRefusal::Name)
}

#[cfg(test)]
mod tests {
    use base::Lang;

    use super::*;

    #[test]
    fn reasons_and_fields_are_in_the_body() {
        let body = Problem::from(StaffRefusal::Password(PasswordFault::Common)).body(Lang::En, "r");
        assert_eq!((&body["reason"], &body["fields"][0]["field"]), (&"common".into(), &"password".into()));
        let body = Problem::from(StaffRefusal::Locked(60)).body(Lang::Zh, "r");
        assert_eq!((&body["retry_after_s"], &body["status"]), (&60.into(), &429.into()));
        assert_eq!(Problem::from(StaffRefusal::Wrong).fields, [], "not even which of the two");
    }
}
