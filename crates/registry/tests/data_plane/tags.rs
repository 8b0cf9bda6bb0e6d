//! Row 8: listing tags.

use serde_json::json;

use crate::kit::{Kit, Reply};

const LIST: &str = "/v2/library/app/tags/list";

async fn kit_with(tags: &[&str]) -> Kit {
    let kit = Kit::new();
    for tag in tags {
        kit.image("library/app", tag, "one").await;
    }
    kit
}

fn tags(reply: &Reply) -> Vec<String> {
    serde_json::from_value(reply.json()["tags"].clone()).expect("a list")
}

#[tokio::test]
async fn tags_are_sorted_bytewise() {
    let kit = kit_with(&["b", "a", "B", "_", "1.10", "1.2"]).await;
    let reply = kit.get(LIST).await.is(200);
    assert_eq!(reply.json(), json!({"name": "library/app", "tags": ["1.10", "1.2", "B", "_", "a", "b"]}));
    assert!(!reply.headers.contains_key("link"));
}

#[tokio::test]
async fn pages_lead_to_each_other() {
    let kit = kit_with(&["a", "b", "c", "d", "e"]).await;
    let (mut path, mut seen) = (format!("{LIST}?n=2"), Vec::new());
    loop {
        let reply = kit.get(&path).await.is(200);
        assert!(tags(&reply).len() <= 2);
        seen.extend(tags(&reply));
        let link = reply.header("link");
        if link.is_empty() {
            break;
        }
        let (target, rel) = link.split_once("; ").expect("a link");
        assert_eq!(rel, "rel=\"next\"");
        path = target.trim_matches(['<', '>']).to_owned();
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    // An exact last page has no next one.
    assert!(!kit.get(format!("{LIST}?n=5")).await.is(200).headers.contains_key("link"));
}

#[tokio::test]
async fn last_is_exclusive_and_need_not_exist() {
    let kit = kit_with(&["a", "c", "d"]).await;
    assert_eq!(tags(&kit.get(format!("{LIST}?last=a")).await), ["c", "d"]);
    assert_eq!(tags(&kit.get(format!("{LIST}?last=b")).await), ["c", "d"]);
    assert_eq!(tags(&kit.get(format!("{LIST}?last=zzz")).await), [""; 0]);
    assert_eq!(tags(&kit.get(format!("{LIST}?n=1&last=a")).await), ["c"]);
}

#[tokio::test]
async fn no_tags_asked_for_are_no_tags() {
    let kit = kit_with(&["a"]).await;
    let reply = kit.get(format!("{LIST}?n=0")).await.is(200);
    assert_eq!(tags(&reply), [""; 0]);
    assert!(!reply.headers.contains_key("link"));
}

#[tokio::test]
async fn bad_page_lengths_and_unknown_repositories() {
    let kit = kit_with(&["a"]).await;
    for n in ["-1", "x", ""] {
        kit.get(format!("{LIST}?n={n}")).await.fails(400, "UNSUPPORTED");
    }
    kit.get(format!("{LIST}?last=%ff")).await.fails(400, "UNSUPPORTED");
    kit.get("/v2/never/written/tags/list").await.fails(404, "NAME_UNKNOWN");
    kit.post(LIST).await.fails(405, "UNSUPPORTED");
    kit.head(LIST).await.is(200);
}

#[tokio::test]
async fn a_name_that_another_begins_with_has_its_own_tags() {
    let kit = kit_with(&["a"]).await;
    kit.image("library/app2", "x", "one").await;
    kit.image("library/app/sub", "y", "one").await;
    assert_eq!(tags(&kit.get(LIST).await), ["a"]);
}
