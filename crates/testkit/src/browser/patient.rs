//! What a patient does on our pages, each as the request that the page makes.

use reqwest::Method;
use serde_json::json;

use super::{Browser, Call};
use crate::answer::Answer;

/// A key that no other request has.
#[must_use]
pub fn key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

impl Browser {
    /// Confirms a booking.
    pub async fn books(&self, slot: &str, person: &str) -> Answer {
        self.booking(slot, person, &key()).send().await
    }

    /// The request of a booking under this key, not sent yet.
    #[must_use]
    pub fn booking(&self, slot: &str, person: &str, key: &str) -> Call<'_> {
        let body = json!({"slot_id": slot, "person_id": person});
        self.call(Method::POST, "/api/v1/appointments").key(key).json(&body)
    }

    /// Gives an appointment up.
    pub async fn cancels(&self, appointment: &str) -> Answer {
        let path = format!("/api/v1/appointments/{appointment}/cancel");
        self.call(Method::POST, &path).key(&key()).json(&json!({})).send().await
    }

    /// The request to give an appointment up under this key, not sent yet.
    #[must_use]
    pub fn cancelling(&self, appointment: &str, key: &str) -> Call<'_> {
        let path = format!("/api/v1/appointments/{appointment}/cancel");
        self.call(Method::POST, &path).key(key).json(&json!({}))
    }

    /// The request to move an appointment under this key, not sent yet.
    #[must_use]
    pub fn moving(&self, appointment: &str, slot: &str, key: &str) -> Call<'_> {
        let path = format!("/api/v1/appointments/{appointment}/move");
        self.call(Method::POST, &path).key(key).json(&json!({"slot_id": slot}))
    }

    /// Moves an appointment to another slot.
    pub async fn moves(&self, appointment: &str, slot: &str) -> Answer {
        let path = format!("/api/v1/appointments/{appointment}/move");
        self.call(Method::POST, &path).key(&key()).json(&json!({"slot_id": slot})).send().await
    }

    /// Opens an appointment's page.
    pub async fn appointment(&self, appointment: &str) -> Answer {
        self.get(&format!("/api/v1/appointments/{appointment}")).await
    }

    /// Lists what lies ahead.
    pub async fn upcoming(&self) -> Answer {
        self.get("/api/v1/appointments?when=upcoming").await.good()
    }

    /// Asks for a code to sign in with.
    pub async fn asks_sign_in_code(&self, phone: &str) -> Answer {
        self.post("/api/v1/session/sms", json!({"phone": phone})).await
    }

    /// Signs in with a phone and the code that came.
    pub async fn signs_in_with_code(&self, phone: &str, code: &str) -> Answer {
        let answer = self.post("/api/v1/session/phone", json!({"phone": phone, "code": code})).await;
        if answer.status == 200 {
            let _page = self.looks_who_it_is().await;
        }
        answer
    }

    /// Asks for a code that proves a phone for a person.
    pub async fn asks_person_code(&self, phone: &str) -> Answer {
        self.post("/api/v1/persons/code", json!({"phone": phone})).await
    }
}
