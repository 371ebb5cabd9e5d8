//! A crowd: many people with a session and a person each, who keep a list of what they were told, as people do.
//!
//! They came from a code on a poster and do not follow us, and the hospital has no phone of theirs: nobody can tell them
//! anything, so a story about a crowd says [`Hospital::expects_untold`](crate::Hospital::expects_untold).

use std::collections::{BTreeMap, BTreeSet};

use base::Lang;
use edge::Actor;
use futures_util::future::join_all;
use people::{Relation, patients};
use tokio::sync::Mutex;

use crate::answer::Answer;
use crate::browser::{Browser, key};
use crate::hospital::Hospital;
use crate::setup::FIRST;
use crate::someone::Someone;

/// So many people are put on file in one transaction.
const AT_ONCE: usize = 250;
/// How often somebody who is asked to try again does, and how long they wait before.
const TRIES: u32 = 600;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Chance, the same in every run.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Thrown from here on.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // Numbers enough for a test; Knuth's constants.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end.max(1)
    }
}

/// What came of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A place.
    Booked,
    /// It is given up.
    GaveUp,
    /// No, and why.
    Refused(String),
    /// Try again.
    TryAgain,
    /// No answer came.
    Nothing,
}

/// What somebody has, or asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    /// Asked for, and not known what came of it.
    Asked { slot: String, key: String },
    /// Confirmed.
    Has { slot: String, id: String, number: i64 },
    /// To be given up, and not known what came of it.
    Leaving { slot: String, id: String, key: String },
}

/// One of a crowd.
pub struct Member {
    /// Their browser.
    pub browser: Browser,
    /// Who is meant.
    pub person: String,
    wishes: Mutex<Vec<Wish>>,
}

impl Hospital {
    /// So many people, spread over the nodes; every second one reads English.
    ///
    /// # Panics
    /// When they can't be put on file.
    pub async fn crowd(&self, count: usize) -> Vec<Member> {
        self.expects_untold();
        let node = self.node();
        let channel = node.channels().service(FIRST).expect("a service account");
        let (vault, db) = (node.vault(), node.db());
        let mut known = Vec::with_capacity(count);
        let nths: Vec<usize> = (0..count).collect();
        for part in nths.chunks(AT_ONCE) {
            let mut tx = db.begin().await.unwrap();
            for _ in part {
                let openid = format!("o{}", uuid::Uuid::new_v4().simple().to_string().split_at(27).0);
                let account =
                    people::wechat_user::account_of_openid(&mut tx, FIRST, channel.id, &openid, true);
                let account = account.await.unwrap().expect("it was made");
                let who = Someone::adult("王伟");
                let new = self.patient_on_file(&who, None);
                let person = patients::add(&mut tx, &vault, FIRST, &new).await.unwrap();
                patients::bind(&mut tx, FIRST, account, person, Relation::Oneself).await.unwrap();
                known.push((account, person));
            }
            tx.commit().await.unwrap();
        }
        let mut members = Vec::with_capacity(count);
        for part in known.chunks(AT_ONCE) {
            let opened = join_all(part.iter().map(|(account, person)| async move {
                let browser = self.browser().await;
                browser.has_session(&self.session(FIRST, Actor::Account(*account)).await).await;
                Member { browser, person: person.to_string(), wishes: Mutex::default() }
            }));
            members.extend(opened.await);
        }
        for (nth, member) in members.iter().enumerate() {
            member.browser.is_served_by(nth % self.nodes().len());
            member.browser.reads(if nth % 2 == 0 { Lang::Zh } else { Lang::En });
        }
        members
    }
}

impl Member {
    /// Asks for a place, once.
    pub async fn asks_for(&self, slot: &str) -> Heard {
        let mut wishes = self.wishes.lock().await;
        wishes.push(Wish::Asked { slot: slot.to_owned(), key: key() });
        let nth = wishes.len() - 1;
        self.goes_on(&mut wishes, nth).await
    }

    /// Gives up one of the places that they know of, once. Nothing when they know of none.
    pub async fn gives_up(&self, dice: &mut Dice) -> Heard {
        let mut wishes = self.wishes.lock().await;
        let has = |wish: &Wish| matches!(wish, Wish::Has { .. });
        let held: Vec<usize> = (0..wishes.len()).filter(|nth| wishes.get(*nth).is_some_and(has)).collect();
        let Some(nth) = held.get(dice.below(held.len())).copied() else { return Heard::Nothing };
        if let Wish::Has { slot, id, .. } = wishes[nth].clone() {
            wishes[nth] = Wish::Leaving { slot, id, key: key() };
        }
        self.goes_on(&mut wishes, nth).await
    }

    /// Does something: asks for one of the slots, or, three times in ten, gives a place up.
    pub async fn acts(&self, slots: &[String], dice: &mut Dice) -> Heard {
        if dice.below(10) < 3 && self.places().await > 0 {
            return self.gives_up(dice).await;
        }
        let slot = &slots[dice.below(slots.len())];
        self.asks_for(slot).await
    }

    /// Sends what a wish needs, under its own key, and notes what came of it.
    async fn goes_on(&self, wishes: &mut Vec<Wish>, nth: usize) -> Heard {
        match wishes[nth].clone() {
            Wish::Has { .. } => Heard::Booked,
            Wish::Asked { slot, key } => {
                let Ok(answer) = self.browser.booking(&slot, &self.person, &key).try_send().await else {
                    return Heard::Nothing;
                };
                match answer.status {
                    201 => {
                        let (id, number) = (answer.id().to_owned(), answer.number_at("number"));
                        wishes[nth] = Wish::Has { slot, id, number };
                        Heard::Booked
                    }
                    503 => self.is_put_off(answer),
                    _ => {
                        let code = answer.code().to_owned();
                        let _said = answer.refused(409, &code);
                        wishes.remove(nth);
                        Heard::Refused(code)
                    }
                }
            }
            Wish::Leaving { id, key, .. } => {
                let Ok(answer) = self.browser.cancelling(&id, &key).try_send().await else {
                    return Heard::Nothing;
                };
                if answer.status == 503 {
                    return self.is_put_off(answer);
                }
                assert_eq!(answer.expect(200)["state"], "cancelled");
                wishes.remove(nth);
                Heard::GaveUp
            }
        }
    }

    /// Asked to try again: as a problem in their language.
    fn is_put_off(&self, answer: Answer) -> Heard {
        let said = answer.refused(503, "try_again");
        let english = said.text_at("detail").is_ascii();
        assert_eq!(english, self.browser.reads_english(), "{}", said.text);
        Heard::TryAgain
    }

    /// Repeats what nobody knows the end of, under the same keys, until it has one.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn makes_sure(&self) {
        let mut pause = tokio::time::interval(PAUSE);
        let mut wishes = self.wishes.lock().await;
        let mut nth = 0;
        let mut tries = 0;
        while nth < wishes.len() {
            if matches!(wishes[nth], Wish::Has { .. }) {
                nth += 1;
                continue;
            }
            match self.goes_on(&mut wishes, nth).await {
                Heard::TryAgain | Heard::Nothing => {
                    tries += 1;
                    assert!(tries < TRIES, "nobody answers {}", self.person);
                    pause.tick().await;
                }
                _ => {}
            }
        }
    }

    /// How many places they know of.
    pub async fn places(&self) -> usize {
        self.wishes.lock().await.iter().filter(|wish| matches!(wish, Wish::Has { .. })).count()
    }

    /// The slots of the places they know of.
    pub async fn slots(&self) -> Vec<String> {
        let wishes = self.wishes.lock().await;
        wishes
            .iter()
            .filter_map(|wish| match wish {
                Wish::Has { slot, .. } => Some(slot.clone()),
                _ => None,
            })
            .collect()
    }

    /// Compares their list with ours, when nothing is under way; what is different, in words.
    pub async fn compares(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let list = self.browser.upcoming().await;
        let told: BTreeMap<String, (String, i64)> = list
            .items()
            .iter()
            .map(|item| {
                let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
                (text("id"), (text("slot_id"), item["number"].as_i64().unwrap_or_default()))
            })
            .collect();
        let wishes = self.wishes.lock().await;
        let mut mine = BTreeSet::new();
        for wish in wishes.iter() {
            let Wish::Has { slot, id, number } = wish else {
                wrong.push(format!("{}: {wish:?} has no end", self.person));
                continue;
            };
            mine.insert(id.clone());
            if told.get(id) != Some(&(slot.clone(), *number)) {
                wrong.push(format!(
                    "{}: was confirmed {id} with number {number}: {:?}",
                    self.person,
                    told.get(id)
                ));
            }
        }
        for id in told.keys().filter(|id| !mine.contains(*id)) {
            wrong.push(format!("{}: has {id}, which they gave up or never asked for", self.person));
        }
        wrong
    }
}

/// All of them make sure, and then compare: nobody has lost a place that was confirmed, nor has one too many.
///
/// # Panics
/// When somebody has.
pub async fn all_agree(members: &[Member]) {
    for part in members.chunks(100) {
        join_all(part.iter().map(Member::makes_sure)).await;
    }
    let mut wrong = Vec::new();
    for part in members.chunks(100) {
        wrong.extend(join_all(part.iter().map(Member::compares)).await.into_iter().flatten());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
