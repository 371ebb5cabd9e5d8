//! What a person does with a phone: follows, writes, taps the menu, scans. Each act does to the platform's state what it
//! would do there, and pushes what would be pushed.

mod deed;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::push;
use crate::run::Shared;
use crate::sms;
use crate::world::{Phone, World};
use crate::wx::put;
use deed::Deed;

/// `POST /sim/v1/phones`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NewPhone {
    /// Up to 40 characters; a name is made up when there is none.
    name: Option<String>,
    /// `zh` or `en`.
    lang: Option<String>,
    phone_number: Option<String>,
}

/// `PATCH /sim/v1/phones/{id}`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PhonePatch {
    name: Option<String>,
    lang: Option<String>,
    phone_number: Option<String>,
}

/// What acts have in common: the account (needed when there are several) and whether to wait for the push to end.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Act {
    account: Option<String>,
    wait: bool,
    text: Option<String>,
    /// The choice of a menu message that the text came from.
    menu_id: Option<String>,
    scene: Option<String>,
    key: Option<String>,
    index: Option<Value>,
    /// What a scanning menu button reads.
    result: Option<String>,
    content: Option<String>,
    ticket: Option<String>,
    /// Whether someone who does not follow yet taps "follow" on the page that a code opens.
    follow: bool,
    /// For `mute`.
    on: Option<bool>,
}

impl Default for Act {
    fn default() -> Self {
        Self {
            account: None,
            wait: true,
            text: None,
            menu_id: None,
            scene: None,
            key: None,
            index: None,
            result: None,
            content: None,
            ticket: None,
            follow: true,
            on: None,
        }
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    if (1..=40).contains(&name.trim().chars().count()) {
        Ok(())
    } else {
        Err(Problem::invalid("name", "1 to 40 characters"))
    }
}

fn check_lang(lang: &str) -> Result<(), Problem> {
    if matches!(lang, "zh" | "en") { Ok(()) } else { Err(Problem::invalid("lang", "zh or en")) }
}

fn number(world: &World, wanted: &str, except: &str) -> Result<String, Problem> {
    let number = sms::normal(wanted).ok_or_else(|| Problem::invalid("phone_number", "a phone number"))?;
    if world.phones.iter().any(|phone| phone.phone_number == number && phone.id != except) {
        return Err(Problem::conflict("phone_number_taken", "another phone has this number"));
    }
    Ok(number)
}

/// Adds a phone.
pub(crate) fn add(hub: &Shared, new: NewPhone) -> Result<Value, Problem> {
    let mut world = hub.world.lock();
    if world.phones.len() >= 10_000 {
        return Err(Problem::conflict("too_many_phones", "10,000 phones are enough"));
    }
    let count = world.phones.len() + 1;
    let name = new.name.unwrap_or_else(|| format!("手机 {count}"));
    check_name(&name)?;
    let lang = new.lang.unwrap_or_else(|| "zh".to_owned());
    check_lang(&lang)?;
    let phone_number = match new.phone_number {
        Some(wanted) => number(&world, &wanted, "")?,
        None => loop {
            let made_up = format!("139{}", world.rng.digits(8));
            if world.phones.iter().all(|phone| phone.phone_number != made_up) {
                break made_up;
            }
        },
    };
    let id = format!("p{count}");
    let unionid = format!("oU{}", world.rng.url_safe(26));
    world.phones.push(Phone {
        id: id.clone(),
        name,
        lang,
        phone_number,
        openids: Default::default(),
        unionid: unionid.clone(),
        chats: Default::default(),
        notices: Vec::new(),
    });
    let appids: Vec<String> = world.accounts.iter().map(|account| account.set.appid.clone()).collect();
    for appid in appids {
        world.introduce(&id, &unionid, &appid);
    }
    world.tell(&id, "phones", json!({ "added": id }));
    describe(&world, &id)
}

/// Changes name, language or number.
pub(crate) fn change(hub: &Shared, id: &str, patch: PhonePatch) -> Result<Value, Problem> {
    let mut world = hub.world.lock();
    if let Some(name) = &patch.name {
        check_name(name)?;
    }
    if let Some(lang) = &patch.lang {
        check_lang(lang)?;
    }
    let number = patch.phone_number.map(|wanted| number(&world, &wanted, id)).transpose()?;
    let phone = world.phones.iter_mut().find(|phone| phone.id == id);
    let phone = phone.ok_or_else(|| Problem::not_found("phone", id))?;
    phone.name = patch.name.unwrap_or_else(|| phone.name.clone());
    phone.lang = patch.lang.unwrap_or_else(|| phone.lang.clone());
    phone.phone_number = number.unwrap_or_else(|| phone.phone_number.clone());
    world.tell(id, "phones", json!({ "changed": id }));
    describe(&world, id)
}

/// A phone as the control API shows it.
pub(crate) fn describe(world: &World, id: &str) -> Result<Value, Problem> {
    let phone = world.phone(id).ok_or_else(|| Problem::not_found("phone", id))?;
    let accounts: Vec<Value> = world
        .accounts
        .iter()
        .filter_map(|account| {
            let openid = phone.openids.get(&account.set.appid)?;
            let user = account.users.get(openid)?;
            Some(json!({
                "account": account.set.appid, "name": account.set.name, "openid": openid, "following": user.subscribed,
                "muted": user.muted, "windows": user.windows,
            }))
        })
        .collect();
    Ok(json!({
        "id": phone.id, "host": format!("{}.localhost", phone.id), "name": phone.name, "lang": phone.lang,
        "phone_number": phone.phone_number, "openids": phone.openids, "accounts": accounts,
    }))
}

/// Carries out `follow`, `unfollow`, `say`, `menu`, `scan` or `mute`.
pub(crate) async fn act(hub: &Shared, id: &str, action: &str, act: Act) -> Result<Value, Problem> {
    let wait = act.wait;
    let (mut answer, job) = {
        let now = hub.now();
        let mut world = hub.world.lock();
        if world.phone(id).is_none() {
            return Err(Problem::not_found("phone", id));
        }
        let mut deed = Deed { world: &mut world, now, phone: id, index: 0, appid: String::new() };
        match action {
            "follow" => deed.at(&act)?.follow(act.scene.as_deref()),
            "unfollow" => deed.at(&act)?.unfollow(),
            "say" => deed.at(&act)?.say(&act),
            "menu" => deed.at(&act)?.menu(&act),
            "scan" => deed.scan(&act),
            "mute" => deed.at(&act)?.mute(act.on.unwrap_or(true)),
            other => Err(Problem::not_found("action", other)),
        }?
    };
    put(&mut answer, "push", Value::Null);
    if let Some(job) = job {
        if wait {
            put(&mut answer, "push", push::deliver(hub, job).await);
        } else {
            let hub2 = hub.clone();
            hub.spawn(async move {
                push::deliver(&hub2, job).await;
            });
        }
    }
    Ok(answer)
}
