//! Both spellings of parameters against real shapes, and every way in which they can be wrong.

use proptest::prelude::*;
use rookery_api::codec::{Binary, FromValue, Nulls, Value, WriteJson, write_value};
use rookery_api::decode::{DecodeError, Node, Side, conform, flattened, json};
use rookery_api::products::tcr;
use rookery_api::shape::{Kind, MemberShape, Status, StructureShape};
use rookery_api::{Request, Structure};

fn shape(action: &str) -> &'static StructureShape {
    tcr::PRODUCT.actions.iter().find(|candidate| candidate.name == action).map_or(&EMPTY, |found| found.input)
}

static EMPTY: StructureShape = StructureShape { name: "no such action", members: &[] };

fn from_json(action: &str, body: &str) -> Result<Value, DecodeError> {
    conform(json::read(body.as_bytes())?, shape(action), Side::Request)
}

fn from_form(action: &str, form: &str) -> Result<Value, DecodeError> {
    conform(flattened::gather(flattened::pairs(form.as_bytes())?)?, shape(action), Side::Request)
}

#[test]
fn both_spellings_give_one_value() {
    let json = from_json(
        "DescribeInstances",
        r#"{"Filters":[{"Name":"a b+c","Values":["x","y"]}],"Limit":20,"AllRegion":true}"#,
    );
    let form = from_form(
        "DescribeInstances",
        "Filters.0.Name=a+b%2Bc&Filters.0.Values.1=y&Filters.0.Values.0=x&Limit=20&AllRegion=True",
    );
    assert_eq!(json, form);
    assert!(json.is_ok());
}

#[test]
fn json_accepts_the_spellings_of_the_platforms_examples() {
    assert_eq!(
        from_json("DescribeInstances", r#"{"Limit":"20","AllRegion":"true"}"#),
        from_json("DescribeInstances", r#"{"Limit":20,"AllRegion":true,"Filters":null}"#)
    );
}

#[test]
fn every_wrong_json_is_its_own_error() {
    let path = |text: &str| text.to_owned();
    let mistyped = |text: &str, expected| DecodeError::Type { path: text.to_owned(), expected };
    let name = r#""RegistryId":"r","NamespaceName":"n","#;
    for (action, body, expected) in [
        ("DescribeInstances", "{", DecodeError::NotJson),
        ("DescribeInstances", "[]", DecodeError::NotJson),
        ("DescribeInstances", "", DecodeError::NotJson),
        ("DescribeInstances", "{} x", DecodeError::NotJson),
        ("DescribeInstances", r#"{"$schema":1}"#, DecodeError::Unknown(path("$schema"))),
        ("DescribeInstances", r#"{"limit":1}"#, DecodeError::Unknown(path("limit"))),
        ("DescribeInstances", r#"{"Filters":[{"X":1}]}"#, DecodeError::Unknown(path("Filters.0.X"))),
        (
            "DescribeInstances",
            r#"{"Filters":[{"Name":"a"}]}"#,
            DecodeError::Missing(path("Filters.0.Values")),
        ),
        ("DescribeInstances", r#"{"Limit":1,"Limit":2}"#, DecodeError::Repeated(path("Limit"))),
        ("DescribeInstances", r#"{"Limit":1.0}"#, mistyped("Limit", "int64")),
        ("DescribeInstances", r#"{"Limit":"x"}"#, mistyped("Limit", "int64")),
        ("DescribeInstances", r#"{"AllRegion":1}"#, mistyped("AllRegion", "bool")),
        ("DescribeInstances", r#"{"Filters":{}}"#, mistyped("Filters", "list")),
        ("DescribeInstances", r#"{"Registryids":[null]}"#, mistyped("Registryids.0", "string")),
        ("DescribeInstances", r#"{"Registryids":["a",7]}"#, mistyped("Registryids.1", "string")),
        ("CreateNamespace", "{}", DecodeError::Missing(path("RegistryId"))),
        ("CreateNamespace", r#"{"RegistryId":null}"#, DecodeError::Missing(path("RegistryId"))),
        ("CreateNamespace", r#"{"RegistryId":7}"#, mistyped("RegistryId", "string")),
    ] {
        assert_eq!(from_json(action, body), Err(expected), "{body}");
    }
    assert!(from_json("CreateNamespace", &format!("{{{name}\"IsPublic\":false}}")).is_ok());
}

#[test]
fn every_wrong_form_is_its_own_error() {
    let path = |text: &str| text.to_owned();
    for (form, expected) in [
        ("Limit", DecodeError::NoEquals),
        ("=1", DecodeError::EmptyName),
        ("Limit=%zz", DecodeError::Encoding(path("Limit"))),
        ("Limit=%f", DecodeError::Encoding(path("Limit"))),
        ("Registryids.0=%ff", DecodeError::Encoding(path("Registryids.0"))),
        ("Limit=1&Limit=2", DecodeError::Repeated(path("Limit"))),
        ("Limit=1&Limit.0=2", DecodeError::Repeated(path("Limit"))),
        ("Registryids.0=a&Registryids.0=b", DecodeError::Repeated(path("Registryids.0"))),
        ("Registryids.1=a", DecodeError::ArrayIndices(path("Registryids"))),
        ("Registryids.0=a&Registryids.2=b", DecodeError::ArrayIndices(path("Registryids"))),
        ("Registryids.00=a", DecodeError::ArrayIndices(path("Registryids"))),
        ("Registryids.99999999999999999999999=a", DecodeError::ArrayIndices(path("Registryids"))),
        ("Registryids.x=a", DecodeError::Type { path: path("Registryids"), expected: "list" }),
        ("Limit=-", DecodeError::Type { path: path("Limit"), expected: "int64" }),
        ("AllRegion=yes", DecodeError::Type { path: path("AllRegion"), expected: "bool" }),
        ("Nope.0=1", DecodeError::Unknown(path("Nope"))),
    ] {
        assert_eq!(from_form("DescribeInstances", form), Err(expected), "{form}");
    }
    let deep = format!("{}a=1", "a.".repeat(40));
    assert!(matches!(from_form("DescribeInstances", &deep), Err(DecodeError::Unknown(_))));
    assert!(from_form("DescribeInstances", "&&Limit=1&").is_ok());
    assert!(from_form("DescribeInstances", "AllRegion=1").is_ok(), "PHP spells true 1");
}

#[test]
fn a_request_survives_json() {
    let request = tcr::DescribeInstancesRequest {
        limit: Some(7),
        filters: Some(vec![tcr::Filter { name: "n\"".to_owned(), values: vec!["中文".to_owned()] }]),
        ..Default::default()
    };
    let text = request.to_json(Nulls::Omitted);
    let value =
        conform(json::read(&text).unwrap(), tcr::DescribeInstancesRequest::SHAPE, Side::Request).unwrap();
    let mut untyped = Vec::new();
    write_value(&value, tcr::DescribeInstancesRequest::SHAPE, &mut untyped).unwrap();
    assert_eq!(untyped, text);
    assert!(tcr::DescribeInstancesRequest::from_structure(value).unwrap() == request);
}

#[test]
fn a_client_reads_replies_leniently() {
    let shape = <tcr::DescribeInstancesRequest as Request>::Response::SHAPE;
    let value = conform(json::read(br#"{"TotalCount":1,"New":{}}"#).unwrap(), shape, Side::Reply).unwrap();
    let reply = tcr::DescribeInstancesResponse::from_structure(value).unwrap();
    assert_eq!(reply.total_count, 1);
}

#[test]
fn shapes_hold_no_secret_in_debug() {
    let request = tcr::CreateUserPersonalRequest { password: "hunter2".to_owned() };
    assert!(!format!("{request:?}").contains("hunter2"));
}

static UPLOAD: StructureShape = StructureShape {
    name: "Upload",
    members: &[
        MemberShape { name: "File", kind: Kind::Binary, required: true, nullable: false, always: false },
        MemberShape { name: "Offset", kind: Kind::Integer, required: false, nullable: false, always: false },
        MemberShape {
            name: "Texts",
            kind: Kind::List(&Kind::String),
            required: false,
            nullable: false,
            always: false,
        },
    ],
};

fn from_parts(parts: &[(&str, Node)]) -> Result<Value, DecodeError> {
    let parts = parts.iter().map(|(name, node)| ((*name).to_owned(), node.clone()));
    conform(flattened::gather_nodes(parts)?, &UPLOAD, Side::Request)
}

fn bytes(content: &[u8]) -> Node {
    Node::Bytes(content.to_vec())
}

#[test]
fn parts_are_files_or_text_as_the_shape_says() {
    let value = from_parts(&[
        ("Texts.0", bytes("中".as_bytes())),
        ("File", bytes(b"\xff\0")),
        ("Offset", bytes(b"10")),
        ("Texts.1", bytes(b"")),
    ]);
    let texts = Value::List(vec![Value::Text("中".to_owned()), Value::Text(String::new())]);
    assert_eq!(
        value,
        Ok(Value::Structure(vec![Value::Bytes(b"\xff\0".to_vec()), Value::Integer(10), texts]))
    );
    let list = json::value(br#"["a"]"#).unwrap();
    assert!(from_parts(&[("File", bytes(b"")), ("Texts", list.clone())]).is_ok());
    assert_eq!(json::value(b"[1,"), None);

    let path = |text: &str| text.to_owned();
    let file = ("File", bytes(b""));
    for (parts, expected) in [
        (vec![], DecodeError::Missing(path("File"))),
        (vec![file.clone(), file.clone()], DecodeError::Repeated(path("File"))),
        (vec![("File", list)], DecodeError::Type { path: path("File"), expected: "binary" }),
        (vec![file.clone(), ("Texts.0", bytes(b"\xff"))], DecodeError::Encoding(path("Texts.0"))),
        (
            vec![file.clone(), ("Offset", bytes(b"x"))],
            DecodeError::Type { path: path("Offset"), expected: "int64" },
        ),
        (vec![file, ("Texts.1", bytes(b""))], DecodeError::ArrayIndices(path("Texts"))),
    ] {
        assert_eq!(from_parts(&parts), Err(expected), "{parts:?}");
    }
    // Neither JSON nor flattened text has bytes.
    let mistyped = Err(DecodeError::Type { path: path("File"), expected: "binary" });
    assert_eq!(conform(json::read(br#"{"File":"x"}"#).unwrap(), &UPLOAD, Side::Request), mistyped);
    let form = flattened::gather(flattened::pairs(b"File=x").unwrap()).unwrap();
    assert_eq!(conform(form, &UPLOAD, Side::Request), mistyped);
}

#[test]
fn bytes_are_shown_as_text_and_not_in_debug() {
    let binary = Binary::from_value(Value::Bytes(b"a\xff".to_vec())).unwrap();
    let mut text = Vec::new();
    binary.write_json(&mut text, Nulls::Omitted);
    assert_eq!(text, "\"a\u{fffd}\"".as_bytes());
    assert_eq!(format!("{binary:?}"), "Binary {..}");
    assert!(Binary::from_value(Value::Text(String::new())).is_err());
}

#[test]
fn no_action_of_the_models_takes_bytes_or_is_going() {
    // What the documents say of multipart and of deprecated actions today; a model that changes this changes them.
    for action in rookery_api::PRODUCTS.iter().flat_map(|product| product.actions) {
        assert!(!action.takes_bytes() && action.status == Status::Online, "{}", action.name);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_parsers_fail_otherwise(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = json::read(&bytes).map(|node| conform(node, shape("DescribeInstances"), Side::Request));
        let _ = flattened::pairs(&bytes)
            .and_then(flattened::gather)
            .map(|node| conform(node, shape("DescribeInstances"), Side::Request));
    }

    #[test]
    fn flattening_loses_nothing(filters in proptest::collection::vec(("[^\u{0}]{0,8}", proptest::collection::vec(".{0,6}", 1..4)), 1..13)) {
        let encode = |text: &str| text.bytes().fold(String::new(), |out, b| out + &format!("%{b:02X}"));
        let mut form = Vec::new();
        for (at, (name, values)) in filters.iter().enumerate() {
            form.push(format!("Filters.{at}.Name={}", encode(name)));
            for (index, value) in values.iter().enumerate() {
                form.push(format!("Filters.{at}.Values.{index}={}", encode(value)));
            }
        }
        // The order of parameters means nothing.
        form.reverse();
        let value = from_form("DescribeInstances", &form.join("&")).unwrap();
        let request = tcr::DescribeInstancesRequest::from_structure(value).unwrap();
        let back: Vec<_> = request.filters.unwrap().into_iter().map(|f| (f.name, f.values)).collect();
        prop_assert_eq!(back, filters);
    }
}
