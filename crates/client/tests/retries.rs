//! Retries, counted by a server that fails.

mod stub;

use std::time::Duration;

use rookery_api::sts::GetCallerIdentityRequest;
use rookery_api::tcr::CreateInstanceRequest;
use rookery_client::{Client, ClientError, Credentials, Retry, TransportError};
use stub::{Answer, Stub};

const SOON: Retry = Retry::times(2).delays(Duration::from_millis(1), Duration::from_millis(2));
const ME: &str = r#""Arn":"a","AccountId":"1","UserId":"1","PrincipalId":"1","Type":"t""#;

/// A server that fails `times` times.
async fn failing(times: usize, failure: fn() -> Answer) -> Stub {
    Stub::start(move |number, _| if number < times { failure() } else { Answer::response(ME) }).await
}

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    for code in ["RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded"] {
        let stub = Stub::start(
            move |number, _| {
                if number < 2 { Answer::refusal(code) } else { Answer::response(ME) }
            },
        )
        .await;
        let reply = stub.client().retry(SOON).call(&GetCallerIdentityRequest {}).await.unwrap();
        assert_eq!((reply.response.arn.as_str(), stub.count()), ("a", 3));
    }
}

#[tokio::test]
async fn the_last_refusal_is_the_answer() {
    let stub = failing(9, || Answer::refusal("RequestLimitExceeded")).await;
    let refused = stub.client().retry(SOON).call(&GetCallerIdentityRequest {}).await.unwrap_err();
    assert_eq!((refused.code(), stub.count()), (Some("RequestLimitExceeded"), 3));
}

#[tokio::test]
async fn nothing_is_tried_again_unless_asked() {
    let stub = failing(1, || Answer::refusal("RequestLimitExceeded")).await;
    assert!(stub.client().call(&GetCallerIdentityRequest {}).await.is_err());
    assert_eq!(stub.count(), 1);
}

#[tokio::test]
async fn other_refusals_are_final() {
    for code in ["InternalError", "ResourceInUse", "AuthFailure.SignatureExpire"] {
        let stub = Stub::start(move |_, _| Answer::refusal(code)).await;
        let refused = stub.client().retry(SOON).call(&GetCallerIdentityRequest {}).await.unwrap_err();
        assert_eq!((refused.code(), stub.count()), (Some(code), 1));
    }
}

#[tokio::test]
async fn a_broken_connection_is_repeated_only_where_nothing_happens_twice() {
    let stub = failing(2, || Answer::Break).await;
    assert!(stub.client().retry(SOON).call(&GetCallerIdentityRequest {}).await.is_ok());
    assert_eq!(stub.count(), 3, "a read");

    let stub = failing(1, || Answer::Break).await;
    let refused = stub.client().retry(SOON).call(&CreateInstanceRequest::default()).await;
    assert!(matches!(refused, Err(ClientError::Transport(TransportError::Broken { .. }))));
    assert_eq!(stub.count(), 1, "a write");

    let stub = failing(1, || Answer::Break).await;
    let body = br#"{"ClientToken":"once"}"#;
    let client = stub.client().retry(SOON);
    assert!(client.call_json("cvm", "2017-03-12", "RunInstances", body).await.is_ok());
    assert_eq!(stub.count(), 2, "a write that names itself");
}

#[tokio::test]
async fn every_attempt_is_signed_anew() {
    let stub = failing(1, || Answer::refusal("RequestLimitExceeded")).await;
    let hmac = rookery_client::Signing::V1Get(rookery_client::Hmac::HmacSha256);
    stub.client().signing(hmac).retry(SOON).call(&GetCallerIdentityRequest {}).await.unwrap();
    let queries: Vec<_> =
        stub.seen().iter().map(|request| request.uri().query().unwrap().to_owned()).collect();
    assert_ne!(queries[0], queries[1], "each has a nonce of its own");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_after_all_attempts() {
    let nobody = Client::new("http://127.0.0.1:1", Credentials::new("i", "k")).unwrap().retry(SOON);
    let refused = nobody.call(&CreateInstanceRequest::default()).await;
    assert!(matches!(refused, Err(ClientError::Transport(TransportError::Connect { .. }))));
}
