//! `rookery call`: any action of the contract, from the command line.

use std::error::Error;
use std::path::PathBuf;

use rookery_api::codec::write_value;
use rookery_api::decode::flattened::gather;
use rookery_api::decode::{Node, Side, conform, json};
use rookery_api::shape::{ActionShape, Kind, ProductShape};
use rookery_client::{Client, Credentials, Transport, Trust};

use crate::commands::Call;
use crate::data_directory::{Endpoints, root_key};

/// What is given beside the action's own parameters.
struct Given {
    endpoint: Option<String>,
    region: Option<String>,
    language: Option<String>,
    ca: Option<PathBuf>,
    data: PathBuf,
    help: bool,
    parameters: Vec<(String, String)>,
}

pub(crate) fn run(options: &Call) -> Result<(), Box<dyn Error>> {
    let Some(name) = options.product.as_deref().filter(|name| *name != "--help") else {
        for product in rookery_api::PRODUCTS {
            println!("{:10} {}  {} actions", product.name, product.version, product.actions.len());
        }
        return Ok(());
    };
    let product = rookery_api::PRODUCTS
        .iter()
        .find(|product| product.name == name)
        .ok_or_else(|| format!("no product `{name}`; `rookery call` lists them"))?;
    let Some(name) = options.action.as_deref().filter(|name| *name != "--help") else {
        for action in product.actions {
            println!("{}", action.name);
        }
        return Ok(());
    };
    let action = product
        .action(name)
        .ok_or_else(|| format!("{} has no action `{name}`; `rookery call {0}` lists them", product.name))?;
    let given = Given::read(&options.parameters)?;
    if given.help {
        describe(product, action);
        return Ok(());
    }
    let value = conform(tree(action, given.parameters.clone())?, action.input, Side::Request)?;
    let mut body = Vec::new();
    write_value(&value, action.input, &mut body)?;
    let reply = client(given)?.call_json(product.name, product.version, action.name, &body)?;
    let reply: serde_json::Value = serde_json::from_str(&reply.response)?;
    println!("{}", serde_json::to_string_pretty(&reply)?);
    Ok(())
}

impl Given {
    fn read(words: &[String]) -> Result<Self, String> {
        let data =
            std::env::var_os("ROOKERY_DATA").map_or_else(|| PathBuf::from("./rookery-data"), PathBuf::from);
        let mut given = Self {
            endpoint: None,
            region: std::env::var("TENCENTCLOUD_REGION").ok(),
            language: None,
            ca: None,
            data,
            help: false,
            parameters: Vec::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name =
                word.strip_prefix("--").ok_or_else(|| format!("`{word}`: parameters begin with --"))?;
            if name == "help" {
                given.help = true;
                continue;
            }
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (name, words.next().ok_or_else(|| format!("--{name} needs a value"))?.clone()),
            };
            match name {
                "endpoint" => given.endpoint = Some(value),
                "region" => given.region = Some(value),
                "language" => given.language = Some(value),
                "ca" => given.ca = Some(value.into()),
                "data" => given.data = value.into(),
                _ => given.parameters.push((name.to_owned(), value)),
            }
        }
        Ok(given)
    }
}

/// The parameters as a tree: lists and structures may be given whole as JSON, everything else by its dotted name.
fn tree(action: &ActionShape, parameters: Vec<(String, String)>) -> Result<Node, Box<dyn Error>> {
    let takes_json = |name: &str| {
        let member = action.input.members.iter().find(|member| member.name == name);
        member.is_some_and(|member| matches!(member.kind, Kind::List(_) | Kind::Structure(_)))
    };
    let (whole, dotted): (Vec<_>, Vec<_>) = parameters.into_iter().partition(|(name, _)| takes_json(name));
    let Node::Object(mut members) = gather(dotted)? else {
        return Err("parameters do not form an object".into());
    };
    for (name, text) in whole {
        // Only objects are read at the top, so the value travels in one.
        let wrapped = format!("{{\"{name}\":{text}}}");
        match json::read(wrapped.as_bytes()) {
            Ok(Node::Object(member)) => members.extend(member),
            _ => return Err(format!("--{name} takes JSON, or dotted names such as --{name}.0").into()),
        }
    }
    Ok(Node::Object(members))
}

fn client(given: Given) -> Result<Client, Box<dyn Error>> {
    let (endpoint, key, nearest) = if let Some(endpoint) = given.endpoint {
        let variable = |name: &str| {
            std::env::var(name).map_err(|_| format!("{name} is not set; a call of --endpoint needs it"))
        };
        let key = Credentials::new(variable("TENCENTCLOUD_SECRET_ID")?, variable("TENCENTCLOUD_SECRET_KEY")?);
        let token = std::env::var("TENCENTCLOUD_TOKEN");
        (endpoint, token.map_or(key.clone(), |token| key.token(token)), None)
    } else {
        let endpoints = Endpoints::of_running(&given.data)?;
        let key = root_key(&given.data)?;
        let key = Credentials::new(key.secret_id, key.secret_key.as_str());
        (endpoints.http, key, Some(endpoints.region))
    };
    let mut client = Client::new(&endpoint, key)?;
    if let Some(region) = given.region.or(nearest) {
        client = client.region(region);
    }
    if let Some(language) = given.language {
        client = client.language(language);
    }
    if let Some(ca) = given.ca {
        client = client.transport(Transport::new(&Trust::Authority(std::fs::read(ca)?))?);
    }
    Ok(client)
}

fn describe(product: &ProductShape, action: &ActionShape) {
    println!("{} {} {}\n", product.name, product.version, action.name);
    if action.input.members.is_empty() {
        println!("  takes no parameters");
    }
    for member in action.input.members {
        let required = if member.required { "  required" } else { "" };
        println!("  --{:32} {}{required}", member.name, kind(&member.kind));
    }
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::List(item) => format!("list of {}", self::kind(item)),
        Kind::Structure(shape) => {
            let members: Vec<_> = shape.members.iter().map(|member| member.name).collect();
            format!("{{{}}}", members.join(", "))
        }
        scalar => scalar.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(parameters: &[(&str, &str)]) -> Result<String, Box<dyn Error>> {
        let action = rookery_api::products::tcr::PRODUCT.action("DescribeInstances").unwrap();
        let parameters = parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let value = conform(tree(action, parameters)?, action.input, Side::Request)?;
        let mut body = Vec::new();
        write_value(&value, action.input, &mut body)?;
        Ok(String::from_utf8(body)?)
    }

    #[test]
    fn parameters_become_the_requests_json() {
        assert_eq!(
            body(&[("Limit", "5"), ("AllRegion", "true")]).unwrap(),
            r#"{"Limit":5,"AllRegion":true}"#
        );
        let filters = r#"{"Filters":[{"Name":"RegistryName","Values":["a"]}]}"#;
        assert_eq!(body(&[("Filters", r#"[{"Name":"RegistryName","Values":["a"]}]"#)]).unwrap(), filters);
        assert_eq!(
            body(&[("Filters.0.Name", "RegistryName"), ("Filters.0.Values.0", "a")]).unwrap(),
            filters
        );
        assert!(body(&[("Filters", "not json")]).is_err());
        assert!(body(&[("NoSuch", "1")]).is_err());
        assert!(body(&[("Limit", "many")]).is_err());
    }
}
