//! `rookery call`: any action of the contract, from the command line, through the SDK.

mod description;
mod output;
mod parameters;
mod skeleton;
pub(crate) mod words;

use std::error::Error;
use std::time::Duration;

use rookery_api::codec::write_value;
use rookery_api::decode::{Node, Side, conform, json};
use rookery_api::shape::{ActionShape, ProductShape};
use rookery_client::credentials::{Chain, MachineRole, Refreshed, Sts, Variables};
use rookery_client::{Client, Credentials, Paging, Retry, Transport, Trust, TryStreamExt, list_of};

use crate::blocking;
use crate::commands::Call;
use crate::data_directory::{Endpoints, root_key};
use output::Filter;
use words::{Purpose, Words};

type Failure = Box<dyn Error>;

/// Items of a page where `--page-all` is given without `--Limit`.
const PAGE: u64 = 100;
const REAL_SERVICE: &str = "tencentcloudapi.com";

pub(crate) fn run(options: &Call) -> Result<(), Failure> {
    let Some(name) = options.product.as_deref().filter(|name| *name != "--help") else {
        description::products();
        return Ok(());
    };
    let product = product(name)?;
    let Some(name) = options.action.as_deref().filter(|name| *name != "--help") else {
        description::actions(product);
        return Ok(());
    };
    let action = product
        .action(name)
        .ok_or_else(|| format!("{} has no action `{name}`; `rookery call {0}` lists them", product.name))?;
    let words = Words::read(&options.parameters)?;
    match words.purpose {
        Purpose::Help => description::action(product, action),
        Purpose::Skeleton => println!("{}", output::pretty(&skeleton::of(action.input))?),
        Purpose::Call | Purpose::EveryPage => make(product, action, &words)?,
    }
    Ok(())
}

/// Makes the call and prints its reply.
fn make(product: &'static ProductShape, action: &'static ActionShape, words: &Words) -> Result<(), Failure> {
    // Before the call: a mistake in the expression should not cost one that changes something.
    let filter = words.filter.as_deref().map(Filter::compile).transpose()?;
    let tree = parameters::tree(action, words.input.as_deref(), &words.parameters)?;
    let value = conform(tree, action.input, Side::Request)?;
    let mut body = Vec::new();
    write_value(&value, action.input, &mut body)?;

    let client = client(words)?;
    let mut reply = if words.purpose == Purpose::EveryPage {
        every_page(&client, product, action, &body)?
    } else {
        let call = client.call_json(product.name, product.version, action.name, &body);
        json::read(blocking::wait(call)??.response.as_bytes())?
    };
    if let Some(filter) = filter {
        reply = filter.apply(&reply)?;
    }
    print!("{}", output::write(&reply, words.output)?);
    Ok(())
}

/// The product of that name.
pub(crate) fn product(name: &str) -> Result<&'static ProductShape, String> {
    rookery_api::PRODUCTS
        .iter()
        .copied()
        .find(|product| product.name == name)
        .ok_or_else(|| format!("no product `{name}`; `rookery call` lists them"))
}

/// The last page, with the items of all pages in its list.
fn every_page(
    client: &Client,
    product: &'static ProductShape,
    action: &'static ActionShape,
    body: &[u8],
) -> Result<Node, Failure> {
    let parameters: serde_json::Value = serde_json::from_slice(body)?;
    let limit = parameters["Limit"].as_u64().unwrap_or(PAGE);
    let paging = Paging::of(product.name, action.name, limit);
    let pages = client.pages_json(product, action, body, paging);
    let pages: Vec<_> = blocking::wait(pages.try_collect())??;

    let list = list_of(action.output).unwrap_or_default();
    let mut items = Vec::new();
    let mut reply = Vec::new();
    for page in pages {
        let Node::Object(mut members) = json::read(page.response.as_bytes())? else { continue };
        if let Some((_, Node::List(page))) = members.iter_mut().find(|(name, _)| name == list) {
            items.append(page);
        }
        reply = members;
    }
    if let Some((_, found)) = reply.iter_mut().find(|(name, _)| name == list) {
        *found = Node::List(items);
    }
    Ok(Node::Object(reply))
}

fn client(words: &Words) -> Result<Client, Failure> {
    let (endpoint, nearest, root) = if let Some(endpoint) = &words.endpoint {
        (endpoint.clone(), None, None)
    } else {
        let endpoints = Endpoints::of_running(&words.data)?;
        let elsewhere = words.profile.is_some() || words.metadata.is_some();
        let root = if elsewhere { None } else { Some(root_key(&words.data)?) };
        (endpoints.http, Some(endpoints.region), root)
    };
    let mut transport = Transport::new(&match &words.ca {
        Some(path) => {
            Trust::Authority(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => Trust::Public,
    })?;
    if let Some(seconds) = words.timeout {
        transport = transport.timeout(Duration::from_secs(seconds));
    }
    let client = match (root, &words.metadata) {
        (Some(key), _) => Client::new(&endpoint, Credentials::new(key.secret_id, key.secret_key.as_str()))?,
        (None, Some(at)) => Client::new(&endpoint, Refreshed::new(MachineRole::new()?.at(at)))?,
        (None, None) => {
            let sts = sts(&endpoint)?.transport(transport.clone());
            Client::new(&endpoint, Chain::local(&Variables::of_process(), &sts, words.profile.as_deref()))?
        }
    };
    let mut client = client.transport(transport).signing(words.signing).retry(Retry::times(words.retries));
    if let Some(region) = words.region.clone().or(nearest) {
        client = client.region(region);
    }
    if let Some(language) = &words.language {
        client = client.language(language);
    }
    Ok(client)
}

/// Where a profile's role is assumed: at the endpoint called, so that no key leaves for the real cloud behind the user's back.
fn sts(endpoint: &str) -> Result<Sts, Failure> {
    let real = endpoint.trim_end_matches('/').ends_with(REAL_SERVICE);
    Ok(if real && !endpoint.contains("{product}") { Sts::default() } else { Sts::new(endpoint)? })
}
