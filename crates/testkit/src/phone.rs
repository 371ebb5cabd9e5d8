//! A phone with WeChat: its chats, its notices, its SMS, and a browser in it.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::browser::{Browser, Opened};
use crate::checks;
use crate::setup::APPID;
use crate::sim_control::SimControl;
use crate::someone::Someone;

/// A phone. What a [`Browser`] does, it does too: our pages open inside WeChat.
pub struct Phone {
    /// The simulator's name of it, `p1`.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// Its number.
    pub number: String,
    /// Who they are to the service account.
    pub openid: String,
    /// The person who is meant when they book, once there is one.
    pub person: Option<String>,
    browser: Browser,
    sim: SimControl,
    /// Up to where its SMS were read.
    read: AtomicU64,
    /// Up to where its cards were read.
    seen: AtomicU64,
}

impl Deref for Phone {
    type Target = Browser;
    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl Phone {
    pub(crate) fn new(browser: Browser, sim: SimControl, name: &str, made: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            id: text(&made["id"]),
            name: name.into(),
            number: text(&made["phone_number"]),
            openid: text(&made["openids"][APPID]),
            person: None,
            browser,
            sim,
            read: AtomicU64::new(0),
            seen: AtomicU64::new(0),
        }
    }

    /// The browser inside WeChat.
    #[must_use]
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// The person who is meant.
    ///
    /// # Panics
    /// When there is none yet.
    #[must_use]
    pub fn who(&self) -> &str {
        self.person.as_deref().expect("somebody to be treated")
    }

    // — WeChat

    /// Does something in WeChat; gives what the simulator says of it.
    pub async fn does(&self, action: &str, body: Value) -> Value {
        self.sim.post(&format!("/sim/v1/phones/{}/{action}", self.id), body).await
    }

    /// Follows the account; gives what the chat says to that, when our side knows that they follow.
    pub async fn follows(&self) -> String {
        let done = self.does("follow", json!({})).await;
        self.browser.hospital.settle(&self.sim).await;
        said(&done)
    }

    /// Follows no more, and our side knows.
    pub async fn unfollows(&self) {
        self.does("unfollow", json!({})).await;
        self.browser.hospital.settle(&self.sim).await;
    }

    /// Writes something; gives what the chat says to that, when our side has done what it asks for.
    pub async fn says(&self, text: &str) -> String {
        let done = self.does("say", json!({"text": text})).await;
        self.browser.hospital.settle(&self.sim).await;
        said(&done)
    }

    /// What stands in the chat.
    pub async fn chat(&self) -> Vec<Value> {
        self.list("chat").await
    }

    /// What came up on the lock screen.
    pub async fn notices(&self) -> Vec<Value> {
        self.list("notices").await
    }

    /// The SMS that came.
    pub async fn sms(&self) -> Vec<Value> {
        self.list("sms").await
    }

    async fn list(&self, what: &str) -> Vec<Value> {
        let path = format!("/sim/v1/phones/{}/{what}", self.id);
        self.sim.get(&path).await["items"].as_array().expect("a list").clone()
    }

    /// Waits for the next card (template message) with this title; gives it with its lines by label.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn receives_card(&self, title: &str) -> Card {
        loop {
            let after = self.seen.load(Ordering::SeqCst);
            let next = self.next("template", after, title).await;
            self.seen.store(next["seq"].as_u64().unwrap(), Ordering::SeqCst);
            if next["title"] == title && next["status"] == "success" {
                return Card(next.clone());
            }
        }
    }

    async fn next(&self, kind: &str, after: u64, what: &str) -> Value {
        if let Some(next) = self.sim.next(kind, &self.id, after).await {
            return next;
        }
        let told = checks::told_so_far(&self.browser.hospital.nodes[0].db()).await;
        panic!("{} ({}) waits for {what}; this is what was to be told:\n{told}", self.name, self.id);
    }

    /// The cards that have come, by title.
    pub async fn cards(&self) -> Vec<String> {
        let all = self.sim.inbox("template").await;
        let mine = all.iter().filter(|card| card["phone"] == self.id && card["status"] == "success");
        mine.map(|card| card["title"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits for the next SMS; gives it.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn receives_sms(&self) -> Value {
        let after = self.read.load(Ordering::SeqCst);
        let next = self.next("sms", after, "an SMS").await;
        self.read.store(next["seq"].as_u64().unwrap(), Ordering::SeqCst);
        next
    }

    /// Waits for the next code by SMS.
    ///
    /// # Panics
    /// When none comes, or another message.
    pub async fn receives_code(&self) -> String {
        let sms = self.receives_sms().await;
        let code = sms["params"]["code"].as_str().unwrap_or_else(|| panic!("no code in {sms}")).to_owned();
        assert!(sms["text"].as_str().unwrap().contains(&code), "{sms}");
        code
    }

    // — our pages, with what only a phone has

    /// Signs in through WeChat on the way to a page: the real redirects, there and back.
    ///
    /// # Panics
    /// When it ends elsewhere.
    pub async fn signs_in(&self) -> Answer {
        let opened = self.opens_signed_in("/departments").await;
        assert_eq!(opened.at, "/departments", "{:?}", opened.answer);
        let session = self.looks_who_it_is().await;
        assert_eq!(session["signed_in"], true, "{}", session.text);
        assert_eq!(session["channel"], "wechat", "{}", session.text);
        session
    }

    /// Goes through WeChat's sign-in on the way to a page, and says where that ends.
    pub async fn opens_signed_in(&self, to: &str) -> Opened {
        let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        self.opens(&format!("/auth/wechat?to={to}")).await
    }

    /// Signs in by SMS in a plain browser.
    pub async fn signs_in_by_sms(&self, browser: &Browser) -> Answer {
        let _sent = browser.asks_sign_in_code(&self.number).await.expect(202);
        let code = self.receives_code().await;
        browser.signs_in_with_code(&self.number, &code).await.expect(200)
    }

    /// Fills in the form for a person, with the code that comes to this phone, and sends it.
    pub async fn adds(&self, who: &Someone) -> Answer {
        let _sent = self.asks_person_code(&self.number).await.expect(202);
        let code = self.receives_code().await;
        self.post("/api/v1/persons", who.form(&self.number, &code)).await
    }

    /// As [`Self::adds`], when nothing can be wrong with it; whom they add first is meant from then on.
    pub async fn adds_person(&mut self, who: &Someone) -> String {
        let id = self.adds(who).await.expect(201).id().to_owned();
        self.person.get_or_insert_with(|| id.clone());
        id
    }

    /// Books a slot for the person who is meant, with a key of its own.
    pub async fn takes(&self, slot: &str) -> Answer {
        self.books(slot, self.who()).await
    }

    /// As [`Self::takes`], when nothing can be against it.
    pub async fn gets(&self, slot: &str) -> Answer {
        self.takes(slot).await.expect(201)
    }
}

/// A template message on a phone.
#[derive(Debug, Clone)]
pub struct Card(pub Value);

impl Card {
    /// What stands behind a label.
    ///
    /// # Panics
    /// When there is no such line.
    #[must_use]
    pub fn line(&self, label: &str) -> &str {
        let lines = self.0["lines"].as_array().expect("lines");
        let line = lines.iter().find(|line| line["label"] == label);
        line.and_then(|line| line["value"].as_str()).unwrap_or_else(|| panic!("no {label} in {}", self.0))
    }

    /// Where a tap leads.
    #[must_use]
    pub fn link(&self) -> &str {
        self.0["url"].as_str().unwrap_or("")
    }
}

/// What the chat said to something; empty when it said nothing.
///
/// # Panics
/// When the person saw an error line instead.
fn said(done: &Value) -> String {
    assert_eq!(done["push"]["error_line"], false, "the person sees an error line: {done}");
    done["push"]["reply"]["text"].as_str().unwrap_or("").to_owned()
}
