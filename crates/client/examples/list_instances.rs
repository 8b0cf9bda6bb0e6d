//! Every instance of TCR, page by page: `eval "$(rookery env)"`, then `cargo run -p rookery-client --example list_instances`.

#![allow(clippy::print_stdout, reason = "an example prints")]

use rookery_api::tcr::{DescribeInstancesRequest, DescribeInstancesResponse};
use rookery_client::credentials::{Environment, Variables};
use rookery_client::{Client, ClientError, Paging, TryStreamExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::var("ROOKERY_ENDPOINT")?;
    let region = std::env::var("TENCENTCLOUD_REGION")?;
    let client = Client::new(&endpoint, Environment::new(Variables::of_process()))?.region(region);

    let request = DescribeInstancesRequest::default();
    let mut instances =
        client.items(&request, Paging::records(20), |page: DescribeInstancesResponse| page.registries);
    loop {
        match instances.try_next().await {
            Ok(Some(instance)) => println!("{}  {}", instance.registry_id, instance.registry_name),
            Ok(None) => return Ok(()),
            // Refusals carry the platform's code.
            Err(error @ ClientError::Refused { .. }) => return Err(format!("refused: {error}").into()),
            Err(error) => return Err(error.into()),
        }
    }
}
