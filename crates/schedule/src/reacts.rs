//! Live topics: a doctor's clinics and a department's doctors, as they change. The schedule subscribes to nobody's events
//! and has no jobs: what happens at a time (release, cut-off) follows from the time itself.

use async_trait::async_trait;
use base::Problem;
use edge::Caller;
use edge::etag::Tagged;
use edge::live::TopicSource;

use crate::api::Answers;
use crate::model::{DepartmentId, DoctorId};

/// `doctor:doc_…`: the answer of `GET /doctors/{id}/clinics`.
pub(crate) struct DoctorTopic(pub(crate) Answers);

/// `department:dep_…`: the answer of `GET /doctors?department_id=…`.
pub(crate) struct DepartmentTopic(pub(crate) Answers);

#[async_trait]
impl TopicSource for DoctorTopic {
    fn kind(&self) -> &'static str {
        "doctor"
    }

    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem> {
        let id: DoctorId = id.parse().map_err(|_| Problem::not_found())?;
        catch_up(&self.0).await;
        value(&self.0.doctor_clinics(&caller.hospital, id)?)
    }
}

#[async_trait]
impl TopicSource for DepartmentTopic {
    fn kind(&self) -> &'static str {
        "department"
    }

    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem> {
        let id: DepartmentId = id.parse().map_err(|_| Problem::not_found())?;
        catch_up(&self.0).await;
        value(&self.0.department_doctors(&caller.hospital, id)?)
    }
}

/// Whoever is woken by another node's commit must not be shown what this node knew before it.
async fn catch_up(answers: &Answers) {
    if let Err(error) = answers.board().catch_up().await {
        tracing::debug!(%error, "a live snapshot shows what was known; the worker looks again");
    }
}

fn value(tagged: &Tagged) -> Result<serde_json::Value, Problem> {
    serde_json::from_slice(tagged.body()).map_err(|error| {
        tracing::error!(%error, "an answer in memory is not JSON");
        Problem::internal()
    })
}
