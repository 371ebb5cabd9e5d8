//! Lists in pages.

use serde::Serialize;

/// A page of a list. `next` is what the caller sends as `after` to get the next one; it is opaque.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last one.
    pub next: Option<String>,
}
