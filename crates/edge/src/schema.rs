//! Schemas of types that `base` owns, for the API description (`base` itself knows no HTTP).

/// A text in both languages: `#[schema(value_type = edge::schema::Text2Schema)]`.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Text2)]
pub struct Text2Schema {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}
