//! Template messages: the main way to tell a follower something, at any time and without consent of its own.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::http::Request;
use super::{Client, Error};

/// What a tap on the message opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jump {
    /// A page of ours. With a mini program too, it is for phones that cannot open that.
    pub url: Option<String>,
    /// A mini program tied to the account, and its page.
    pub mini_program: Option<(String, String)>,
}

/// A message by a template that the account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateMessage {
    /// The follower's openid.
    pub to: String,
    /// Which template.
    pub template_id: String,
    /// Our own id. The same id for the same person within ten minutes is not sent twice, so an unknown outcome may be repeated in
    /// that time: always set it.
    pub client_msg_id: String,
    /// What a tap opens.
    pub jump: Jump,
    /// Key and value of each field; fit the values with [`super::field::fit_field`].
    pub data: Vec<(String, String)>,
}

/// A template that the account has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PrivateTemplate {
    /// Its id.
    pub template_id: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its text, with a place for each field, like `预约时间：{{time2.DATA}}`.
    #[serde(default)]
    pub content: String,
    /// An example of the text.
    #[serde(default)]
    pub example: String,
}

impl PrivateTemplate {
    /// The keys of the fields in their order, read from the text. Never write keys into a program: each account's template has its own.
    pub fn keys(&self) -> Vec<&str> {
        self.content
            .split("{{")
            .skip(1)
            .filter_map(|rest| rest.split_once(".DATA}}"))
            .map(|(key, _)| key.trim())
            .filter(|key| !key.is_empty() && !key.contains(['{', '}']))
            .collect()
    }
}

#[derive(Deserialize)]
struct Sent {
    msgid: u64,
}

#[derive(Deserialize)]
struct Templates {
    template_list: Vec<PrivateTemplate>,
}

impl TemplateMessage {
    fn to_json(&self) -> Result<Value, Error> {
        for (field, value) in
            [("touser", &self.to), ("template_id", &self.template_id), ("client_msg_id", &self.client_msg_id)]
        {
            if value.is_empty() {
                return Err(Error::invalid(field, "is empty"));
            }
        }
        if self.data.is_empty() {
            return Err(Error::invalid("data", "has no fields"));
        }
        let data: Map<_, _> =
            self.data.iter().map(|(key, value)| (key.clone(), json!({ "value": value }))).collect();
        let mut body = Map::new();
        body.insert("touser".into(), json!(self.to));
        body.insert("template_id".into(), json!(self.template_id));
        body.insert("client_msg_id".into(), json!(self.client_msg_id));
        if let Some(url) = &self.jump.url {
            body.insert("url".into(), json!(url));
        }
        if let Some((appid, pagepath)) = &self.jump.mini_program {
            body.insert("miniprogram".into(), json!({ "appid": appid, "pagepath": pagepath }));
        }
        body.insert("data".into(), Value::Object(data));
        Ok(Value::Object(body))
    }
}

impl Client {
    /// Sends a template message and gives WeChat's id for it. Accepted is not delivered: what became of it comes as
    /// [`crate::message::Event::TemplateSent`] with the same id, perhaps before this function returns.
    ///
    /// # Errors
    /// 43004 not a follower, 40037 no such template, 47003 a field breaks its rule ([`super::ApiError::field`]); see [`Error`].
    pub async fn send_template(&self, message: &TemplateMessage) -> Result<u64, Error> {
        // The id guards against sending twice, so the backup host may be tried.
        let request = Request::post("/cgi-bin/message/template/send", message.to_json()?).repeatable(true);
        let sent: Sent = self.typed(request).await?;
        Ok(sent.msgid)
    }

    /// The templates that the account has.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn private_templates(&self) -> Result<Vec<PrivateTemplate>, Error> {
        let templates: Templates =
            self.typed(Request::get("/cgi-bin/template/get_all_private_template")).await?;
        Ok(templates.template_list)
    }
}

#[cfg(test)]
mod tests {
    use super::PrivateTemplate;

    #[test]
    fn keys_are_read_from_the_text() {
        let template = |content: &str| PrivateTemplate {
            template_id: "t".into(),
            title: String::new(),
            content: content.into(),
            example: String::new(),
        };
        let content = "就诊人：{{thing1.DATA}}\n预约时间：{{time2.DATA}}\n单号：{{ character_string12.DATA}}";
        assert_eq!(template(content).keys(), ["thing1", "time2", "character_string12"]);
        assert!(template("{{.DATA}} {{a {{x").keys().is_empty());
    }
}
