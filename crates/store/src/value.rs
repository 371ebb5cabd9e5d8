//! Values that go to the database and come back, in a closed set that both databases know.

use std::sync::Arc;

use base::{Date, Fen, HalfDay, HospitalId, Lang, UnixMs, WallTime};

use crate::{Result, StoreError};

/// A value for a statement's parameter or out of a row. `None` is NULL, still of its type (PostgreSQL wants to know).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// BIGINT.
    Int(Option<i64>),
    /// TEXT.
    Text(Option<String>),
    /// BLOB or BYTEA.
    Bytes(Option<Vec<u8>>),
    /// BIGINT[], PostgreSQL only.
    Ints(Vec<i64>),
    /// TEXT[], PostgreSQL only.
    Texts(Vec<Option<String>>),
}

/// Parameters of a statement: `args![hospital, person, now]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::ToValue::to_value($value)),*] };
}

/// A row, decoded by column name.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) names: Arc<[Box<str>]>,
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// [`StoreError::Decode`] when there is no such column or its value is of another shape.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T> {
        let value = self.names.iter().position(|n| &**n == column).and_then(|i| self.values.get(i));
        let decode = |what: String| StoreError::Decode { column: column.to_owned(), what };
        T::from_value(value.ok_or_else(|| decode("no such column".into()))?).map_err(decode)
    }

    /// The value of the only or first column.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn first<T: FromValue>(&self) -> Result<T> {
        let decode = |what: String| StoreError::Decode { column: "first".into(), what };
        T::from_value(self.values.first().ok_or_else(|| decode("no column".into()))?).map_err(decode)
    }
}

/// A type that a row can be read into.
pub trait FromRow: Sized {
    /// Reads a row.
    ///
    /// # Errors
    /// [`StoreError::Decode`] when a column is missing or of another shape.
    fn from_row(row: &Row) -> Result<Self>;
}

impl FromRow for Row {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(row.clone())
    }
}

/// The only column of a row: `db.opt::<One<i64>>(COUNT, args![])`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct One<T>(pub T);

impl<T: FromValue> FromRow for One<T> {
    fn from_row(row: &Row) -> Result<Self> {
        row.first().map(One)
    }
}

/// A type that one value can be read into.
pub trait FromValue: Sized {
    /// Reads a value; the error says what is wrong with it.
    ///
    /// # Errors
    /// When the value is NULL or of another shape.
    fn from_value(value: &Value) -> Result<Self, String>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Int(Some(n)) => Ok(*n),
            other => Err(format!("expected a number, found {}", other.shape())),
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(Some(text)) => Ok(text.clone()),
            other => Err(format!("expected a text, found {}", other.shape())),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bytes(Some(bytes)) => Ok(bytes.clone()),
            other => Err(format!("expected bytes, found {}", other.shape())),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Result<Self, String> {
        match i64::from_value(value)? {
            0 => Ok(false),
            1 => Ok(true),
            n => Err(format!("expected 0 or 1, found {n}")),
        }
    }
}

macro_rules! small_ints {
    ($($t:ty),+) => {$(
        impl FromValue for $t {
            fn from_value(value: &Value) -> Result<Self, String> {
                <$t>::try_from(i64::from_value(value)?).map_err(|e| e.to_string())
            }
        }
        impl ToValue for $t {
            const NULL: Value = Value::Int(None);
            fn to_value(self) -> Value {
                Value::Int(Some(i64::from(self)))
            }
        }
    )+};
}
small_ints!(i32, u32, u16, i16, u8);

/// A type that can be bound to a parameter.
pub trait ToValue: Sized {
    /// The NULL of its kind: PostgreSQL wants to know which.
    const NULL: Value;
    /// The value to bind.
    fn to_value(self) -> Value;
}

impl<T: ToValue> ToValue for Option<T> {
    const NULL: Value = T::NULL;
    fn to_value(self) -> Value {
        self.map_or(T::NULL, ToValue::to_value)
    }
}

macro_rules! bound {
    ($($t:ty => $shape:ident, $write:expr;)+) => {$(
        impl ToValue for $t {
            const NULL: Value = Value::$shape(None);
            fn to_value(self) -> Value {
                Value::$shape(Some($write(self)))
            }
        }
    )+};
}

bound! {
    i64 => Int, |n| n;
    bool => Int, i64::from;
    UnixMs => Int, |v: UnixMs| v.0;
    Fen => Int, |v: Fen| v.0;
    HospitalId => Int, |v: HospitalId| v.0;
    &str => Text, |t: &str| t.to_owned();
    String => Text, |t| t;
    &String => Text, |t: &String| t.clone();
    Date => Text, |v: Date| v.to_string();
    WallTime => Text, |v: WallTime| v.to_string();
    HalfDay => Text, |v: HalfDay| v.code().to_owned();
    Lang => Text, |v: Lang| v.code().to_owned();
    serde_json::Value => Text, |v: serde_json::Value| v.to_string();
    Vec<u8> => Bytes, |b| b;
}

impl ToValue for Vec<Option<String>> {
    const NULL: Value = Value::Texts(Vec::new());
    fn to_value(self) -> Value {
        Value::Texts(self)
    }
}

impl ToValue for Vec<i64> {
    const NULL: Value = Value::Ints(Vec::new());
    fn to_value(self) -> Value {
        Value::Ints(self)
    }
}

impl FromValue for UnixMs {
    fn from_value(value: &Value) -> Result<Self, String> {
        i64::from_value(value).map(UnixMs)
    }
}
impl FromValue for Fen {
    fn from_value(value: &Value) -> Result<Self, String> {
        i64::from_value(value).map(Fen)
    }
}
impl FromValue for HospitalId {
    fn from_value(value: &Value) -> Result<Self, String> {
        i64::from_value(value).map(HospitalId)
    }
}
impl FromValue for Date {
    fn from_value(value: &Value) -> Result<Self, String> {
        String::from_value(value)?.parse().map_err(|_| "not a date".to_owned())
    }
}
impl FromValue for WallTime {
    fn from_value(value: &Value) -> Result<Self, String> {
        String::from_value(value)?.parse().map_err(|_| "not a time".to_owned())
    }
}
impl FromValue for HalfDay {
    fn from_value(value: &Value) -> Result<Self, String> {
        Self::from_code(&String::from_value(value)?).ok_or_else(|| "not a half day".to_owned())
    }
}
impl FromValue for Lang {
    fn from_value(value: &Value) -> Result<Self, String> {
        Self::from_code(&String::from_value(value)?).ok_or_else(|| "not a language".to_owned())
    }
}

impl Value {
    fn is_null(&self) -> bool {
        matches!(self, Self::Int(None) | Self::Text(None) | Self::Bytes(None))
    }

    fn shape(&self) -> &'static str {
        match self {
            _ if self.is_null() => "NULL",
            Self::Int(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Ints(_) | Self::Texts(_) => "an array",
        }
    }
}

/// Declares typed ids ([`base::typed_id!`]) that can be bound to and read from the database.
#[macro_export]
macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {
        $crate::base::typed_id! { $($(#[$doc])* $name = $prefix;)+ }
        $(
 impl $crate::ToValue for $name {
                const NULL: $crate::Value = $crate::Value::Text(None);
                fn to_value(self) -> $crate::Value {
                    $crate::Value::Text(Some(self.db()))
                }
            }
            impl $crate::FromValue for $name {
                fn from_value(value: &$crate::Value) -> ::std::result::Result<Self, String> {
                    let text = <String as $crate::FromValue>::from_value(value)?;
                    $name::from_db(&text).map_err(|e| e.to_string())
                }
            }
        )+
    };
}

/// Declares an enum whose variants have a text code in the database, in JSON and in the API description.
///
/// ```ignore
/// store::text_enum! {
///     /// Where an appointment stands.
///     #[derive(utoipa::ToSchema)]
///     pub enum State {
///         /// Booked.
///         Booked = "booked",
///     }
/// }
/// ```
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $code)] $variant),+
        }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Reads [`Self::code`].
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

 impl $crate::ToValue for $name {
            const NULL: $crate::Value = $crate::Value::Text(None);
            fn to_value(self) -> $crate::Value {
                $crate::Value::Text(Some(self.code().to_owned()))
            }
        }
        impl $crate::FromValue for $name {
            fn from_value(value: &$crate::Value) -> ::std::result::Result<Self, String> {
                let text = <String as $crate::FromValue>::from_value(value)?;
                Self::from_code(&text).ok_or_else(|| format!("`{text}` is not a {}", stringify!($name)))
            }
        }
    };
}

/// Binding and decoding for sqlx, once for each database.
pub(crate) mod bind {
    use super::{Arc, Row, Value};
    use crate::{Result, StoreError};
    use sqlx::{Column as _, Decode, Postgres, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

    pub(crate) fn sqlite(
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>> {
        no_nul(&values)?;
        Ok(values.into_iter().fold(sqlx::query(sql), |q, v| match v {
            Value::Int(n) => q.bind(n),
            Value::Text(t) => q.bind(t),
            Value::Bytes(b) => q.bind(b),
            // SQLite has no arrays: a list travels as JSON for json_each().
            Value::Ints(n) => q.bind(serde_json::to_string(&n).unwrap_or_default()),
            Value::Texts(t) => q.bind(serde_json::to_string(&t).unwrap_or_default()),
        }))
    }

    pub(crate) fn postgres(
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments>> {
        no_nul(&values)?;
        Ok(values.into_iter().fold(sqlx::query(sql), |q, v| match v {
            Value::Int(n) => q.bind(n),
            Value::Text(t) => q.bind(t),
            Value::Bytes(b) => q.bind(b),
            Value::Ints(n) => q.bind(n),
            Value::Texts(t) => q.bind(t),
        }))
    }

    /// PostgreSQL's TEXT can't hold a NUL, SQLite's can: refused on both, so that what works on one works on the other.
    fn no_nul(values: &[Value]) -> Result<()> {
        let has = |text: &str| text.as_bytes().contains(&0);
        let found = values.iter().any(|value| match value {
            Value::Text(Some(text)) => has(text),
            Value::Texts(texts) => texts.iter().flatten().any(|text| has(text)),
            _ => false,
        });
        if found { Err(StoreError::Nul) } else { Ok(()) }
    }

    pub(crate) fn rows_sqlite(rows: &[sqlx::sqlite::SqliteRow]) -> Result<Vec<Row>> {
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let names: Arc<[Box<str>]> = first.columns().iter().map(|c| c.name().into()).collect();
        rows.iter()
            .map(|row| {
                Ok(Row {
                    names: names.clone(),
                    values: (0..names.len()).map(|i| sqlite_value(row, i)).collect::<Result<_>>()?,
                })
            })
            .collect()
    }

    fn sqlite_value(row: &sqlx::sqlite::SqliteRow, index: usize) -> Result<Value> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Text(None));
        }
        let kind = match raw.type_info().name() {
            "INTEGER" | "INT4" | "INT8" | "BIGINT" => Kind::Int,
            "TEXT" => Kind::Text,
            "BLOB" => Kind::Bytes,
            other => return Err(unknown(index, other)),
        };
        match kind {
            Kind::Text => <String as Decode<Sqlite>>::decode(raw).map(|t| Value::Text(Some(t))),
            Kind::Bytes => <Vec<u8> as Decode<Sqlite>>::decode(raw).map(|b| Value::Bytes(Some(b))),
            _ => <i64 as Decode<Sqlite>>::decode(raw).map(|n| Value::Int(Some(n))),
        }
        .map_err(|e| StoreError::Decode { column: index.to_string(), what: e.to_string() })
    }

    /// How a value is decoded; found out by name without keeping the name.
    #[derive(Clone, Copy)]
    enum Kind {
        Int,
        SmallInt,
        Bool,
        Text,
        Bytes,
    }

    fn unknown(index: usize, kind: &str) -> StoreError {
        StoreError::Decode { column: index.to_string(), what: format!("type {kind}") }
    }

    pub(crate) fn rows_postgres(rows: &[sqlx::postgres::PgRow]) -> Result<Vec<Row>> {
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let names: Arc<[Box<str>]> = first.columns().iter().map(|c| c.name().into()).collect();
        rows.iter()
            .map(|row| {
                Ok(Row {
                    names: names.clone(),
                    values: (0..names.len()).map(|i| postgres_value(row, i)).collect::<Result<_>>()?,
                })
            })
            .collect()
    }

    fn postgres_value(row: &sqlx::postgres::PgRow, index: usize) -> Result<Value> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Text(None));
        }
        let kind = match raw.type_info().name() {
            "INT8" => Kind::Int,
            "INT4" => Kind::SmallInt,
            "BOOL" => Kind::Bool,
            "TEXT" | "VARCHAR" | "NAME" => Kind::Text,
            "BYTEA" => Kind::Bytes,
            other => return Err(unknown(index, other)),
        };
        match kind {
            Kind::Int => <i64 as Decode<Postgres>>::decode(raw).map(|n| Value::Int(Some(n))),
            Kind::SmallInt => <i32 as Decode<Postgres>>::decode(raw).map(|n| Value::Int(Some(n.into()))),
            Kind::Bool => <bool as Decode<Postgres>>::decode(raw).map(|b| Value::Int(Some(b.into()))),
            Kind::Text => <String as Decode<Postgres>>::decode(raw).map(|t| Value::Text(Some(t))),
            Kind::Bytes => <Vec<u8> as Decode<Postgres>>::decode(raw).map(|b| Value::Bytes(Some(b))),
        }
        .map_err(|e| StoreError::Decode { column: index.to_string(), what: e.to_string() })
    }
}
