//! Hashing passwords: Argon2id, so many at a time as the machine can bear.
//!
//! Parameters after OWASP's Password Storage Cheat Sheet (19 MiB, two passes, one lane): some ten milliseconds of one core.
//! They stand in each hash, so that they can be raised later without a reset.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::refusal::StaffRefusal;
use super::rules::normalise;

/// Memory of one hash, KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Whoever waits longer than this for a turn is asked to try again.
const PATIENCE: Duration = Duration::from_secs(5);
/// The hash of nobody's password: compared with when there is none, so that an answer takes the same time.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$eGluZ2xpbiBub2JvZHkh$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and compares passwords away from the threads that serve requests. Clones share the bound.
#[derive(Clone)]
pub struct Hasher {
    turns: Arc<Semaphore>,
    patience: Duration,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { turns: Arc::new(Semaphore::new(cores.clamp(1, 4))), patience: PATIENCE }
    }
}

impl Hasher {
    /// The hash of a password, in PHC form.
    ///
    /// # Errors
    /// [`StaffRefusal::Busy`] when too many others are at it.
    pub async fn hash(&self, password: &str) -> Result<String, StaffRefusal> {
        let password = normalise(password);
        self.work(move || {
            argon().and_then(|a| a.hash_password(password.as_bytes()).ok()).map(|h| h.to_string())
        })
        .await?
        .ok_or(StaffRefusal::Busy)
    }

    /// Whether a password is the one of a hash. `None` compares with nobody's, for as long as with somebody's.
    ///
    /// # Errors
    /// [`StaffRefusal::Busy`] when too many others are at it.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, StaffRefusal> {
        let known = hash.is_some();
        let (password, hash) = (normalise(password), hash.unwrap_or(NOBODY).to_owned());
        let same = self.work(move || {
            let (Some(argon), Ok(hash)) = (argon(), PasswordHash::new(&hash)) else { return false };
            argon.verify_password(password.as_bytes(), &hash).is_ok()
        });
        Ok(same.await? && known)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StaffRefusal> {
        let turn = tokio::time::timeout(self.patience, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(StaffRefusal::Busy) };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| StaffRefusal::Busy)
    }
}

fn argon() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_only() {
        let hasher = Hasher::default();
        let hash = hasher.hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash("correct horse battery").await.unwrap(), "each has its own salt");
        assert!(hasher.verify("correct horse battery", Some(&hash)).await.unwrap());
        // What an input method writes differently is the same password.
        assert!(hasher.verify("ｃorrect horse battery", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("correct horse batterz", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("correct horse battery", Some("nonsense")).await.unwrap());
    }

    #[tokio::test]
    async fn nobodys_password_costs_what_somebodys_does_and_is_never_right() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&hash).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, 1));
        assert!(!Hasher::default().verify("anything at all", None).await.unwrap());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_asked_to_come_again() {
        let hasher = Hasher { turns: Arc::new(Semaphore::new(0)), patience: Duration::ZERO };
        assert!(matches!(hasher.hash("x").await, Err(StaffRefusal::Busy)));
    }
}
