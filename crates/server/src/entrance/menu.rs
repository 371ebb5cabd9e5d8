//! The menu under the chat. Five taps at most from here to a booked visit, and a way to English for who can't read the rest.

use people::Channel;
use wechat::api::Error;
use wechat::api::menu::{Action, Button, Menu};

/// The menu that a hospital starts with. `base` is what its addresses begin with ([`super::Deps::base_url`]).
#[must_use]
pub fn default_menu(base: &str) -> Menu {
    let opens = |name: &str, path: &str| Button {
        name: name.to_owned(),
        action: Action::View(super::chat::page(base, path)),
    };
    Menu {
        buttons: vec![
            opens("预约挂号", "/departments"),
            opens("我的预约", "/appointments"),
            Button {
                name: "更多 More".into(),
                action: Action::Lines(vec![
                    opens("就诊人 Patients", "/persons"),
                    opens("个人中心 Account", "/me"),
                    opens("使用帮助 Help", "/help"),
                    // Answered by the chat like the word itself.
                    Button { name: "English".into(), action: Action::Click("english".into()) },
                ]),
            },
        ],
    }
}

/// Puts the menu up for all followers of an account; phones show it within five minutes.
///
/// # Errors
/// See [`wechat::api::Error`]; an address that WeChat would refuse is found before anything is sent.
pub async fn set_menu(channel: &Channel, base: &str) -> Result<(), Error> {
    channel.client.create_menu(&default_menu(base)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wechat_accepts_it() {
        let menu = default_menu("https://wx.hospital.example/h/east/");
        menu.check().unwrap();
        assert_eq!(
            menu.buttons[0].action,
            Action::View("https://wx.hospital.example/h/east/auth/wechat?to=/departments".into())
        );
    }
}
