//! Lists that come in pages of `Offset` and `Limit`, as a stream.

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use rookery_api::Request;
use rookery_api::codec::Nulls;
use rookery_api::shape::{ActionShape, Kind, ProductShape, StructureShape};
use serde_json::{Map, Value};

use crate::client::{Client, typed};
use crate::error::ClientError;
use crate::reply::Reply;

/// What `Offset` counts in an action, and how much a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    by_page: bool,
    limit: u64,
}

impl Paging {
    /// `Offset` counts records from 0: nearly every action.
    #[must_use]
    pub const fn records(limit: u64) -> Self {
        Self { by_page: false, limit }
    }

    /// `Offset` counts pages from 1: namespaces, repositories and images of TCR.
    #[must_use]
    pub const fn pages(limit: u64) -> Self {
        Self { by_page: true, limit }
    }

    /// What `Offset` counts in an action of the models: [`Paging::pages`] for the three of TCR, else [`Paging::records`].
    #[must_use]
    pub fn of(product: &str, action: &str, limit: u64) -> Self {
        let by_page = product == "tcr"
            && matches!(action, "DescribeNamespaces" | "DescribeRepositories" | "DescribeImages");
        Self { by_page, limit }
    }
}

impl Client {
    /// Every page of a list. The request's own `Offset` and `Limit` are replaced. Ends when the total (where the action tells one)
    /// has been seen or a page is empty or, without a total, shorter than asked; ends after the first error.
    ///
    /// Works for every action whose request has `Offset` and `Limit` and whose reply has one list; other actions give
    /// [`ClientError::NotPaged`].
    pub fn pages<R: Request>(
        &self,
        request: &R,
        paging: Paging,
    ) -> BoxStream<'static, Result<Reply<R::Response>, ClientError>> {
        let Some(action) = R::PRODUCT.actions.get(R::ACTION) else { return stream::empty().boxed() };
        let body = request.to_json(Nulls::Omitted);
        let pages = self.pages_json(R::PRODUCT, action, &body, paging);
        pages.and_then(|reply| std::future::ready(typed(&reply))).boxed()
    }

    /// Every item of a list: the items that `of` takes out of each page, in order.
    pub fn items<R: Request, T: Send + 'static>(
        &self,
        request: &R,
        paging: Paging,
        of: impl Fn(R::Response) -> Vec<T> + Send + 'static,
    ) -> BoxStream<'static, Result<T, ClientError>> {
        self.pages(request, paging)
            .map_ok(move |reply| stream::iter(of(reply.response).into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    /// Every page of a list, as the JSON text of `Response`; the parameters are a JSON object.
    #[must_use]
    pub fn pages_json(
        &self,
        product: &'static ProductShape,
        action: &'static ActionShape,
        body: &[u8],
        paging: Paging,
    ) -> BoxStream<'static, Result<Reply<String>, ClientError>> {
        let start = Walk::new(self.clone(), product, action, body, paging);
        stream::once(std::future::ready(start))
            .map_ok(|walk| stream::try_unfold(walk, Walk::step))
            .try_flatten()
            .boxed()
    }
}

/// The name of the one list in the replies of an action, where it has exactly one.
#[must_use]
pub fn list_of(shape: &'static StructureShape) -> Option<&'static str> {
    let mut lists = shape.members.iter().filter(|member| matches!(member.kind, Kind::List(_)));
    let first = lists.next()?;
    lists.next().is_none().then_some(first.name)
}

/// A walk over pages: where it stands.
struct Walk {
    client: Client,
    product: &'static ProductShape,
    action: &'static ActionShape,
    parameters: Map<String, Value>,
    list: &'static str,
    paging: Paging,
    /// Pages and items seen.
    pages: u64,
    items: u64,
    ended: bool,
}

impl Walk {
    fn new(
        client: Client,
        product: &'static ProductShape,
        action: &'static ActionShape,
        body: &[u8],
        paging: Paging,
    ) -> Result<Self, ClientError> {
        let not_paged = |reason| ClientError::NotPaged { action: action.name, reason };
        for name in ["Offset", "Limit"] {
            action.input.position(name).ok_or(not_paged("its request has no Offset and Limit"))?;
        }
        let list = list_of(action.output).ok_or(not_paged("its reply does not have exactly one list"))?;
        if paging.limit == 0 {
            return Err(not_paged("a page of 0 items has no end"));
        }
        let parameters =
            serde_json::from_slice(body).map_err(|error| ClientError::Unsendable(error.to_string()))?;
        Ok(Self { client, product, action, parameters, list, paging, pages: 0, items: 0, ended: false })
    }

    async fn step(mut self) -> Result<Option<(Reply<String>, Self)>, ClientError> {
        if self.ended {
            return Ok(None);
        }
        let offset = if self.paging.by_page { self.pages + 1 } else { self.items };
        for (name, number) in [("Offset", offset), ("Limit", self.paging.limit)] {
            self.parameters.insert(name.to_owned(), number.into());
        }
        let body = serde_json::to_vec(&self.parameters)
            .map_err(|error| ClientError::Unsendable(error.to_string()))?;
        let (product, action) = (self.product, self.action);
        let reply = self.client.call_json(product.name, product.version, action.name, &body).await?;

        let response: Map<String, Value> = serde_json::from_str(&reply.response)
            .map_err(|error| ClientError::Reply { status: 200, reason: error.to_string() })?;
        let found = response.get(self.list).and_then(Value::as_array).map_or(0, Vec::len) as u64;
        self.pages += 1;
        self.items += found;
        // A server may hold less in a page than was asked for, so a short page is the last one only where no total is told.
        self.ended = found == 0
            || match response.get("TotalCount").and_then(Value::as_u64) {
                Some(total) => self.items >= total,
                None => found < self.paging.limit,
            };
        Ok(Some((reply, self)))
    }
}
