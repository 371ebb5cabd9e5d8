//! Codes and joining, for staff, machines, phones and plain browsers.

mod chat;
mod codes;
mod enrolments;
mod figures;
mod join;
mod papers;
mod plain;

use edge::routes::Rule;
use edge::{Anyone, DeviceKind, Role, Routes, SignedIn, Who};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ChannelDeps;
use papers::OwnPapers;

edge::permission! {
    /// May see codes and who came by them.
    SeeCodes = "channel.codes.see",
        Who::Roles(&[Role::Operations, Role::SystemAdmin, Role::Triage, Role::Experience, Role::Director]);
    /// May make and close codes.
    MakeCodes = "channel.codes.make", Who::Roles(&[Role::Operations, Role::SystemAdmin]);
    /// May write what the chat says, and its menus.
    RunChat = "channel.chat", Who::Roles(&[Role::Operations, Role::SystemAdmin]);
    /// May see who follows, how far they come, and who can be reached.
    SeeFigures = "channel.figures", Who::Roles(&[Role::Operations, Role::Experience, Role::Director]);
    /// May help a person in front of them to join with a phone.
    Enrol = "channel.enrol", Who::Roles(&[Role::Triage, Role::Nurse, Role::Doctor, Role::Operations]);
    /// May begin joining with a card in hand, and watch it: desks, and machines with a card reader.
    EnrolByCard = "channel.enrol.card",
        Who::RolesOrDevices(&[Role::Triage, Role::Nurse, Role::Doctor, Role::Operations], &[DeviceKind::Kiosk]);
}

/// The routes, each with its permission.
#[must_use]
pub fn routes() -> Routes<ChannelDeps> {
    Routes::new()
        .route::<SeeCodes>(routes!(codes::list))
        .route::<SeeCodes>(routes!(codes::open))
        .route::<MakeCodes>(routes!(codes::make))
        .route::<MakeCodes>(routes!(codes::close))
        .route::<Enrol>(routes!(enrolments::begin))
        .route::<EnrolByCard>(routes!(enrolments::by_card))
        .route::<EnrolByCard>(routes!(enrolments::show))
        .route::<EnrolByCard>(routes!(enrolments::end))
        .route::<SeeCodes>(routes!(papers::poster))
        .route::<SeeCodes>(routes!(papers::cards))
        .route::<RunChat>(routes!(chat::replies, chat::add))
        .route::<RunChat>(routes!(chat::change, chat::remove))
        .route::<RunChat>(routes!(chat::preview))
        .route::<RunChat>(routes!(chat::menus))
        .route::<RunChat>(routes!(chat::keep_menu))
        .route::<RunChat>(routes!(chat::publish_menu))
        .route::<SeeFigures>(routes!(figures::show))
        .route::<Enrol>(routes!(papers::slip))
        .route::<SignedIn>(routes!(join::claim))
        .route::<SignedIn>(routes!(join::show))
        .route::<SignedIn>(routes!(join::confirm))
        .route::<Anyone>(routes!(plain::scan))
}

/// The routes that also open a person's record.
#[must_use]
pub(crate) fn own_papers(channel: ChannelDeps, people: people::PeopleDeps) -> (OpenApiRouter, Vec<Rule>) {
    Routes::new().route::<SignedIn>(routes!(papers::data)).with_state(OwnPapers { channel, people })
}
