//! From what arrived at a door to an operation's typed input; every error names the parameter.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Operation;
use crate::error::{Code, Error, Result};

/// What arrived: a JSON body (may be empty), path parameters, and query parameters, all still text.
#[derive(Debug, Clone, Default)]
pub struct Input<'a> {
    /// The body's bytes.
    pub body: &'a [u8],
    /// Path parameters.
    pub path: Vec<(String, String)>,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
}

impl<'a> Input<'a> {
    /// An input that is one JSON object.
    pub fn json(body: &'a [u8]) -> Self {
        Input { body, ..Input::default() }
    }

    /// One JSON object of all parameters. A body alone passes through untouched.
    pub(super) fn into_json(self, operation: &Operation) -> Result<std::borrow::Cow<'a, [u8]>> {
        if self.path.is_empty() && self.query.is_empty() && !self.body.is_empty() {
            // A list would pass for an object of which nothing is required.
            if self.body.trim_ascii_start().starts_with(b"[") {
                return Err(Error::new(Code::InvalidRequest, "The body must be a JSON object."));
            }
            return Ok(self.body.into());
        }
        let mut object = match self.body {
            [] => Map::new(),
            body => parse_object(body)?,
        };
        let schema = (!self.query.is_empty()).then(|| schema_of(operation));
        for (name, text) in self.query {
            let value = typed(schema.as_ref(), &name, text)?;
            insert(&mut object, name, value)?;
        }
        for (name, text) in self.path {
            insert(&mut object, name, Value::String(text))?;
        }
        let bytes = serde_json::to_vec(&Value::Object(object)).map_err(Error::internal)?;
        Ok(bytes.into())
    }
}

fn parse_object(body: &[u8]) -> Result<Map<String, Value>> {
    let wrong = |detail: String| Error::new(Code::InvalidRequest, detail);
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(wrong("The body must be a JSON object.".into())),
        Err(error) => Err(wrong(format!("The body is not JSON: {error}."))),
    }
}

fn insert(object: &mut Map<String, Value>, name: String, value: Value) -> Result<()> {
    if object.contains_key(&name) {
        return Err(Error::invalid(name, "Given twice."));
    }
    object.insert(name, value);
    Ok(())
}

fn schema_of(operation: &Operation) -> Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    (operation.input)(&mut generator).to_value()
}

/// Query parameters are text; the schema says which of them are numbers or flags.
fn typed(schema: Option<&Value>, name: &str, text: String) -> Result<Value> {
    let property = schema.and_then(|schema| schema.get("properties")).and_then(|all| all.get(name));
    let is = |kind: &str| match property.and_then(|property| property.get("type")) {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(many)) => many.iter().any(|one| one == kind),
        _ => false,
    };
    if is("integer") {
        let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
        return match text.parse::<u64>() {
            Ok(number) if digits => Ok(number.into()),
            _ => Err(Error::invalid(name, "Must be a whole number.")),
        };
    }
    if is("boolean") {
        return text
            .parse::<bool>()
            .map(Value::Bool)
            .map_err(|_| Error::invalid(name, "Must be true or false."));
    }
    Ok(Value::String(text))
}

/// Reads the typed input.
pub(super) fn typed_input<T: DeserializeOwned>(
    mut json: serde_json::Deserializer<serde_json::de::SliceRead<'_>>,
) -> Result<T> {
    let input = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        explain(&path, error.inner())
    })?;
    json.end()
        .map_err(|error| Error::new(Code::InvalidRequest, format!("The body is not JSON: {error}.")))?;
    Ok(input)
}

fn explain(path: &str, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let named = |prefix: &str| {
        let name = text.strip_prefix(prefix)?.split('`').next()?;
        let base = path.trim_end_matches('.').strip_suffix(name).unwrap_or(path).trim_end_matches('.');
        Some(if base.is_empty() || base == "?" { name.to_owned() } else { format!("{base}.{name}") })
    };
    if let Some(param) = named("unknown field `") {
        let known = text.split_once("expected ").map_or("", |(_, rest)| rest);
        let detail = if known.is_empty() {
            "This parameter is not known.".to_owned()
        } else {
            format!("This parameter is not known; expected {known}.")
        };
        return Error::new(Code::UnknownParameter, detail).param(param);
    }
    if let Some(param) = named("missing field `") {
        return Error::new(Code::MissingParameter, "This parameter is required.").param(param);
    }
    let path = path.trim_end_matches('?').trim_end_matches('.');
    if path.is_empty() {
        return Error::new(Code::InvalidRequest, format!("The body is not the JSON object wanted: {text}."));
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    let code = match last {
        "amount" | "unit_amount" => Code::InvalidAmount,
        "currency" => Code::InvalidCurrency,
        _ => Code::InvalidRequest,
    };
    Error::new(code, format!("{}.", capital(&in_plain_words(text)))).param(path)
}

/// Names of Rust types mean nothing to people who write JSON.
fn in_plain_words(text: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("expected i64", "expected a whole number"),
        ("expected u64", "expected a whole number that is not negative"),
        ("expected u32", "expected a whole number that is not negative"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected an object"),
        ("expected struct", "expected an object:"),
    ];
    WORDS.iter().fold(text.to_owned(), |text, (rust, plain)| text.replace(rust, plain))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::input::CreateOrder;

    #[track_caller]
    fn refused(json: &str, code: Code, param: Option<&str>) {
        let got = typed_input::<CreateOrder>(serde_json::Deserializer::from_slice(json.as_bytes()));
        let error = got.expect_err("must be refused");
        assert_eq!((error.code, error.param.as_deref()), (code, param), "{}", error.detail);
    }

    #[test]
    fn every_refusal_names_its_parameter() {
        refused(r#"{"amount":1.5}"#, Code::InvalidAmount, Some("amount"));
        refused(r#"{"amount":"1"}"#, Code::InvalidAmount, Some("amount"));
        refused(r#"{"amount":99999999999999999999}"#, Code::InvalidAmount, Some("amount"));
        refused(r#"{"amount":1,"currency":"XXQ"}"#, Code::InvalidCurrency, Some("currency"));
        refused(r#"{"amount":1,"currency":"CNY"}"#, Code::MissingParameter, Some("subject"));
        refused(r#"{"amount":1,"colour":"red"}"#, Code::UnknownParameter, Some("colour"));
        refused(
            r#"{"line_items":[{"name":"a","quantity":-1,"unit_amount":1}]}"#,
            Code::InvalidRequest,
            Some("line_items[0].quantity"),
        );
        refused(
            r#"{"line_items":[{"name":"a","size":1}]}"#,
            Code::UnknownParameter,
            Some("line_items[0].size"),
        );
        refused("[]", Code::InvalidRequest, None);
        refused("{", Code::InvalidRequest, None);
    }
}
