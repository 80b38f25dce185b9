//! The OpenAPI 3.1 document, rendered from the operation catalogue. It is committed beside this crate, and a
//! test holds the two against each other.

use paycore::catalogue::{CATALOGUE, Operation};
use paycore::error::Code;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::http::VERSIONS;
use crate::problem::Problem;

const SCHEMAS: &str = "#/components/schemas/";

/// The whole document.
pub fn document() -> Value {
    let mut inputs = generator(SchemaSettings::for_deserialize);
    let mut outputs = generator(SchemaSettings::for_serialize);
    let problem = outputs.subschema_for::<Problem<'static>>();
    let rows: Vec<Row> =
        CATALOGUE.iter().map(|operation| Row::new(operation, &mut inputs, &mut outputs)).collect();
    let (schemas, renamed) = merged(inputs.take_definitions(true), outputs.take_definitions(true));
    let mut paths = Map::new();
    for mut row in rows {
        rename(&mut row.input, &renamed);
        let methods = paths.entry(row.operation.path).or_insert_with(|| json!({}));
        let method = row.operation.method.as_str().to_ascii_lowercase();
        methods[method] = row.render();
    }
    json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": [{"url": "/", "description": "This server 本服务"}],
        "security": [{"key": []}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {
                "type": "http",
                "scheme": "bearer",
                "description": "A secret key: `sk_test_…` for the sandbox, `sk_live_…` for live payments. HTTP Basic with the key as the user name works too.",
            }},
            "parameters": parameters(),
            "headers": headers(),
            "responses": {"Problem": {
                "description": "What went wrong, and how to mend it.",
                "headers": {"Request-Id": {"$ref": "#/components/headers/Request-Id"}},
                "content": {"application/problem+json": {"schema": problem}},
            }},
            "schemas": schemas,
        },
    })
}

/// The document as it is committed and served.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).expect("a JSON value can be written");
    text.push('\n');
    text
}

fn generator(contract: fn(SchemaSettings) -> SchemaSettings) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.trim_start_matches('#').into();
        settings.meta_schema = None;
    });
    contract(settings).into_generator()
}

fn info() -> Value {
    json!({
        "title": "paycore",
        "version": VERSIONS[0],
        "description": "Orders, refunds, balances, events and webhooks of paycore. Amounts are integers in minor units (1234 is 12.34 CNY and 1,234 JPY). Every call that changes something takes an `Idempotency-Key`: repeating it is safe. Errors are `application/problem+json` with a stable `code`; all codes are listed at `/docs/errors`.\n\n订单、退款、余额、事件与 webhook。金额均为最小货币单位的整数。所有写操作支持 `Idempotency-Key`，可安全重试；错误以 `application/problem+json` 返回，`code` 稳定不变，见 `/docs/errors`。",
        "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
    })
}

/// One tag per noun, in the order of the catalogue.
fn tags() -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for operation in CATALOGUE {
        let name = noun(operation);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| json!({"name": name})).collect()
}

fn noun(operation: &Operation) -> &'static str {
    operation.name.split('.').next().unwrap_or_default()
}

fn parameters() -> Value {
    json!({
        "Idempotency-Key": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Any text that is new for every new request, such as a UUID. The same key with the same body gives the same answer; keys are remembered for 30 days. 每个新请求使用新的值；相同的键与请求体返回相同的应答。",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "example": "3f0c5c1e-6a55-4a3b-9d0e-6f5f7d3b2a10",
        },
        "Idempotency-Key-Required": {
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "Any text that is new for every new request, such as a UUID. Required because money may move. 涉及资金，必填。",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "example": "3f0c5c1e-6a55-4a3b-9d0e-6f5f7d3b2a10",
        },
        "Paycore-Version": {
            "name": "Paycore-Version", "in": "header", "required": false,
            "description": "The dated version of the API; the newest where absent. API 版本，缺省为最新。",
            "schema": {"type": "string", "enum": VERSIONS},
        },
    })
}

fn headers() -> Value {
    json!({
        "Request-Id": {"description": "Names the request; yours where you sent one.", "schema": {"type": "string"}},
        "Paycore-Version": {"description": "The version that answered.", "schema": {"type": "string"}},
        "Idempotent-Replayed": {"description": "`true` where the answer is remembered from an earlier request with the same key.", "schema": {"type": "string", "enum": ["true"]}},
        "RateLimit": {"description": "What is left: `\"default\";r=<requests>;t=<seconds until it is whole again>`.", "schema": {"type": "string"}},
        "RateLimit-Policy": {"description": "How often a key may call: `\"default\";q=<requests>;w=<seconds>`.", "schema": {"type": "string"}},
    })
}

/// One operation with its schemas.
struct Row {
    operation: &'static Operation,
    input: Value,
    output: Schema,
}

impl Row {
    fn new(
        operation: &'static Operation,
        inputs: &mut SchemaGenerator,
        outputs: &mut SchemaGenerator,
    ) -> Self {
        let input = (operation.input)(inputs).to_value();
        Row { operation, input, output: (operation.output)(outputs) }
    }

    fn render(mut self) -> Value {
        let example: Map<String, Value> = serde_json::from_str(self.operation.example).unwrap_or_default();
        let mut parameters = self.path_parameters(&example);
        parameters.push(json!({"$ref": "#/components/parameters/Paycore-Version"}));
        let mut rendered = json!({
            "operationId": self.operation.name,
            "tags": [noun(self.operation)],
            "summary": self.operation.summary,
            "description": self.operation.summary_zh,
            "x-scope": self.operation.scope.text(),
            "x-moves-money": self.operation.moves_money,
            "responses": self.responses(),
        });
        if self.operation.method == http::Method::GET {
            parameters.extend(self.query_parameters(&example));
        } else {
            if self.operation.mutates {
                let key =
                    if self.operation.moves_money { "Idempotency-Key-Required" } else { "Idempotency-Key" };
                parameters.push(json!({"$ref": format!("#/components/parameters/{key}")}));
            }
            if let Some(body) = self.body(example) {
                rendered["requestBody"] = body;
            }
        }
        rendered["parameters"] = parameters.into();
        rendered
    }

    /// Takes the path's parameters out of the input.
    fn path_parameters(&mut self, example: &Map<String, Value>) -> Vec<Value> {
        let names = self.operation.path.split('{').skip(1).filter_map(|part| part.split('}').next());
        let mut parameters = Vec::new();
        for name in names {
            let Some(schema) = self.take(name) else { continue };
            parameters.push(parameter(name, "path", true, schema, example.get(name)));
        }
        parameters
    }

    fn query_parameters(&mut self, example: &Map<String, Value>) -> Vec<Value> {
        let names: Vec<String> = self.properties().keys().cloned().collect();
        let required: Vec<String> = self.required();
        let mut parameters = Vec::new();
        for name in names {
            let Some(schema) = self.take(&name) else { continue };
            parameters.push(parameter(&name, "query", required.contains(&name), schema, example.get(&name)));
        }
        parameters
    }

    /// The body: what is left of the input. None where nothing is.
    fn body(&self, mut example: Map<String, Value>) -> Option<Value> {
        if self.properties().is_empty() {
            return None;
        }
        let properties = self.properties();
        example.retain(|name, _| properties.contains_key(name));
        Some(json!({
            "required": !self.required().is_empty(),
            "content": {"application/json": {"schema": self.input, "example": example}},
        }))
    }

    fn responses(&self) -> Value {
        let reference = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
        let names = ["Request-Id", "Paycore-Version", "RateLimit", "RateLimit-Policy"];
        let mut headers: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), reference(name))).collect();
        if self.operation.mutates {
            headers.insert("Idempotent-Replayed".into(), reference("Idempotent-Replayed"));
        }
        json!({
            "200": {
                "description": "Done.",
                "headers": headers,
                "content": {"application/json": {"schema": self.output}},
            },
            "4XX": {"$ref": "#/components/responses/Problem"},
            "5XX": {"$ref": "#/components/responses/Problem"},
        })
    }

    fn properties(&self) -> Map<String, Value> {
        self.input.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
    }

    fn required(&self) -> Vec<String> {
        let names = self.input.get("required").and_then(Value::as_array);
        names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        if let Some(required) = self.input.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|known| known != name);
        }
        self.input.get_mut("properties").and_then(Value::as_object_mut)?.remove(name)
    }
}

fn parameter(name: &str, place: &str, required: bool, schema: Value, example: Option<&Value>) -> Value {
    let mut parameter = json!({"name": name, "in": place, "required": required});
    if let Some(description) = schema.get("description") {
        parameter["description"] = description.clone();
    }
    parameter["schema"] = schema;
    if let Some(example) = example {
        parameter["example"] = example.clone();
    }
    parameter
}

/// The schemas of inputs and outputs together. A type that looks different on the way in is listed a second time,
/// with `Input` at the end of its name; those names are returned.
fn merged(inputs: Map<String, Value>, outputs: Map<String, Value>) -> (Map<String, Value>, Vec<String>) {
    let differs =
        |(name, schema): &(&String, &Value)| outputs.get(*name).is_some_and(|known| known != *schema);
    let renamed: Vec<String> = inputs.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    let mut all = outputs;
    for (name, mut schema) in inputs {
        rename(&mut schema, &renamed);
        let name = if renamed.contains(&name) { format!("{name}Input") } else { name };
        all.insert(name, schema);
    }
    (all, renamed)
}

fn rename(schema: &mut Value, names: &[String]) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && reference.strip_prefix(SCHEMAS).is_some_and(|name| names.iter().any(|known| known == name))
            {
                reference.push_str("Input");
            }
            object.values_mut().for_each(|value| rename(value, names));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        _ => {}
    }
}

/// What a code means, in English, from its documentation.
pub fn explanation(code: Code) -> String {
    let mut generator = SchemaGenerator::default();
    let schema = <Code as schemars::JsonSchema>::json_schema(&mut generator).to_value();
    let rows = schema.get("oneOf").and_then(Value::as_array);
    let row =
        rows.into_iter().flatten().find(|row| row.get("const").and_then(Value::as_str) == Some(code.text()));
    row.and_then(|row| row.get("description")).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_up_to_date() {
        let committed = include_str!("../openapi.json");
        assert!(committed == text(), "openapi.json is out of date: run `cargo xtask gen`");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 100);
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| collect(value, references));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
            _ => {}
        }
    }

    #[test]
    fn every_operation_is_documented_in_both_languages_with_an_example() {
        let document = document();
        for operation in CATALOGUE {
            let path = operation.path.replace('~', "~0").replace('/', "~1");
            let method = operation.method.as_str().to_ascii_lowercase();
            let row = document.pointer(&format!("/paths/{path}/{method}")).expect(operation.name);
            assert_eq!(row["operationId"], operation.name);
            assert!(row["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{}", operation.name);
            assert!(
                row["description"].as_str().is_some_and(|text| text.ends_with('。')),
                "{}",
                operation.name
            );
            let placeholders = operation.path.matches('{').count();
            let parameters = row["parameters"].as_array().expect("parameters");
            let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(in_path, placeholders, "{}", operation.name);
        }
    }

    #[test]
    fn every_code_is_explained() {
        for code in Code::ALL {
            assert!(explanation(*code).len() > 10, "{}", code.text());
        }
    }
}
