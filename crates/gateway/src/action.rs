//! Step 5: the action. Which descriptor a product, a version and a name stand for, and where its function is registered.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rookery_api::Request;
use rookery_api::codec::{ErrorCode as _, Mismatch, Structure, Value};
use rookery_api::region::{self, Support};
use rookery_api::shape::{ActionShape, Kind, ProductShape, Status, StructureShape};

use crate::address::Address;
use crate::call::{Call, Caller, Language, RequestId};
use crate::common_parameters::{CommonParameters, Style};
use crate::error::{CommonError, Refusal};
use crate::identity::Identity;
use crate::never_read::Unread;
use crate::permission::{self, Asked, Asking, Circumstances, Operation, Resource};
use crate::reply::Members;

/// What an action answers in the end, boxed so that all actions have one type.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Members, Failure>> + Send>>;

/// Where a call happens, apart from its parameters.
#[derive(Clone)]
pub struct Place {
    /// Who calls.
    pub caller: Caller,
    /// The region; empty for products without regions.
    pub region: String,
    /// The language of the reply.
    pub language: Language,
    /// The id of the reply.
    pub request_id: RequestId,
    /// Where the request came from, when, and how.
    pub circumstances: Circumstances,
}

impl Place {
    fn call<R>(self, request: R) -> Call<R> {
        let Self { caller, region, language, request_id, circumstances } = self;
        Call { request, caller, region, language, request_id, circumstances }
    }
}

/// How a call began: with an action that was let in, or that was not.
pub(crate) struct Begun {
    /// The permission asked for, where the call came that far.
    pub(crate) asked: Option<Asked>,
    /// The action, which has not run yet.
    pub(crate) answer: Result<Answer, Failure>,
}

/// An action that failed.
#[derive(Debug)]
pub struct Failure {
    /// The code on the wire.
    pub code: &'static str,
    /// The words for the client.
    pub message: String,
    /// What is wrong with the request, more exactly than the client's words say it; for the trace.
    pub detail: Option<String>,
    /// What went wrong inside, which the client is not told.
    pub internal: Option<String>,
}

impl Failure {
    /// A common error in the language of the call.
    #[must_use]
    pub fn common(error: &CommonError, language: Language) -> Self {
        Self {
            code: error.code(),
            message: error.message(language).into_owned(),
            detail: error.detail(),
            internal: None,
        }
    }
}

/// Builds the request, asks for permission and begins the action.
type Handler = Box<dyn Fn(Value, Place, &dyn Identity) -> Begun + Send + Sync>;

/// What a call with these parameters touches.
type Touched = Box<dyn Fn(Value, Place) -> Result<Vec<String>, Mismatch> + Send + Sync>;

/// An action that is registered.
pub(crate) struct Registered {
    pub(crate) handler: Handler,
    touched: Touched,
    /// The members of its request that the action never takes.
    pub(crate) unread: &'static [&'static str],
}

/// Why an action of the platform cannot be real on one machine, in the languages of the replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A clause without a full stop: "no API of the platform makes such a cluster".
    pub english: &'static str,
    /// The same.
    pub chinese: &'static str,
}

/// What an [`Actions`] says of an action of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its function is registered.
    Implemented,
    /// It answers `UnsupportedOperation`, and will: this is why.
    Unsupported(Reason),
    /// It answers `UnsupportedOperation` as yet.
    Missing,
}

/// The products that exist, and the registered actions of one or more of them.
pub struct Actions {
    catalogue: &'static [&'static ProductShape],
    /// Of each product, by its name and version, the actions by their positions.
    registered: Vec<(&'static ProductShape, Vec<Option<Registered>>)>,
    unsupported: HashMap<(&'static str, &'static str, usize), Reason>,
}

impl Default for Actions {
    fn default() -> Self {
        Self::of(rookery_api::PRODUCTS)
    }
}

impl Actions {
    /// No actions yet of any product of the contract.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No actions yet of the products of `catalogue`.
    #[must_use]
    pub fn of(catalogue: &'static [&'static ProductShape]) -> Self {
        Self { catalogue, registered: Vec::new(), unsupported: HashMap::new() }
    }

    /// The products that exist here, whether or not anything of them is registered.
    #[must_use]
    pub fn catalogue(&self) -> &'static [&'static ProductShape] {
        self.catalogue
    }

    /// Registers the function of one action, and the one that names what a call of it touches. Which action follows from the type
    /// of its request.
    pub fn add<R, E, F>(
        &mut self,
        resources: impl Fn(&Call<R>) -> Vec<Resource> + Send + Sync + 'static,
        function: impl Fn(Call<R>) -> F + Send + Sync + 'static,
    ) where
        R: Request,
        E: Refusal,
        F: Future<Output = Result<R::Response, E>> + Send + 'static,
    {
        let action = R::PRODUCT.actions.get(R::ACTION).map_or("", |action| action.name);
        let operation = Operation { product: R::PRODUCT.name, action };
        let operation_name = operation.to_string();
        let resources = Arc::new(resources);
        let named = Arc::clone(&resources);
        let touched: Touched = Box::new(move |value, place| {
            let call = place.call(R::from_structure(value)?);
            let name = |resource: Resource| resource.qualified(R::PRODUCT.name, &call.region, &call.caller);
            Ok(named(&call).into_iter().map(name).collect())
        });
        let handler: Handler = Box::new(move |value, place, identity| {
            let language = place.language;
            let (asked, permitted) =
                permitted(value, place, identity, &*resources, (operation, &operation_name));
            let answer = permitted.map(|call| Box::pin(write_reply(function(call), language)) as Answer);
            Begun { asked, answer }
        });
        let registered = Registered { handler, touched, unread: &[] };
        self.keep(R::PRODUCT, R::ACTION, registered);
    }

    fn keep(&mut self, product: &'static ProductShape, position: usize, registered: Registered) {
        if let Some(place) = self.place(product, position) {
            *place = Some(registered);
        }
    }

    /// Where an action of the product is registered, or would be.
    fn place(&mut self, product: &'static ProductShape, position: usize) -> Option<&mut Option<Registered>> {
        let at = self.registered.iter().position(|(known, _)| is_same(known, product));
        let at = at.unwrap_or_else(|| {
            let places = product.actions.iter().map(|_| None).collect();
            self.registered.push((product, places));
            self.registered.len() - 1
        });
        self.registered.get_mut(at)?.1.get_mut(position)
    }

    /// Says why the action of a request cannot be real here; its calls are refused with these words, whatever else is registered.
    pub fn refuse<R: Request>(&mut self, reason: Reason) {
        if let Some(place) = self.place(R::PRODUCT, R::ACTION) {
            *place = None;
        }
        self.unsupported.insert((R::PRODUCT.name, R::PRODUCT.version, R::ACTION), reason);
    }

    /// Takes over the actions of another product.
    pub fn extend(&mut self, other: Actions) {
        for (product, places) in other.registered {
            for (position, registered) in places.into_iter().enumerate() {
                if let Some(registered) = registered {
                    self.keep(product, position, registered);
                }
            }
        }
        self.unsupported.extend(other.unsupported);
    }

    /// Says which members of their requests actions never take, for the trace.
    pub fn never_reading(&mut self, table: &[Unread]) {
        for unread in table {
            let of_product = |(product, _): &&mut (&ProductShape, _)| {
                product.name == unread.product && product.version == unread.version
            };
            let Some((product, places)) = self.registered.iter_mut().find(of_product) else { continue };
            let position = product.position(unread.action);
            if let Some(Some(registered)) = position.and_then(|at| places.get_mut(at)) {
                registered.unread = unread.members;
            }
        }
    }

    /// What is registered of an action, or why there is nothing.
    pub(crate) fn registered(&self, found: &Found) -> Result<&Registered, CommonError> {
        self.at(found.product, found.position).ok_or_else(|| CommonError::NotImplemented {
            action: found.shape.name,
            reason: self
                .unsupported
                .get(&(found.product.name, found.product.version, found.position))
                .copied(),
        })
    }

    fn at(&self, product: &ProductShape, position: usize) -> Option<&Registered> {
        let (_, places) = self.registered.iter().find(|(known, _)| is_same(known, product))?;
        places.get(position)?.as_ref()
    }

    /// What every registered action touches when it is called with no more than it requires; a test asks, so that no action can be
    /// registered that needs no permission.
    pub fn touched(
        &self,
        place: &Place,
    ) -> impl Iterator<Item = (&'static ProductShape, &'static ActionShape, Result<Vec<String>, Mismatch>)>
    {
        let implemented = self.coverage().filter(|(_, _, standing)| *standing == Standing::Implemented);
        implemented.map(move |(product, action, _)| {
            let position = product.position(action.name).unwrap_or_default();
            let registered = self.at(product, position).ok_or(Mismatch);
            let touched =
                registered.and_then(|registered| (registered.touched)(least_of(action.input), place.clone()));
            (product, action, touched)
        })
    }

    /// Every action of the contract and whether it is registered here; the evidence page asks.
    pub fn coverage(&self) -> impl Iterator<Item = (&'static ProductShape, &'static ActionShape, Standing)> {
        self.catalogue.iter().flat_map(move |product| {
            product.actions.iter().enumerate().map(move |(position, action)| {
                let standing = match self.unsupported.get(&(product.name, product.version, position)) {
                    _ if self.at(product, position).is_some() => Standing::Implemented,
                    Some(reason) => Standing::Unsupported(*reason),
                    None => Standing::Missing,
                };
                (*product, action, standing)
            })
        })
    }
}

/// The smallest value of a shape: what is required, and in lists one of a kind.
fn least_of(shape: &StructureShape) -> Value {
    fn least(kind: &Kind) -> Value {
        match kind {
            Kind::String | Kind::Date | Kind::DateTime | Kind::DateTimeIso => Value::Text("x".to_owned()),
            Kind::Binary => Value::Bytes(vec![b'x']),
            Kind::Integer => Value::Integer(1),
            Kind::Unsigned => Value::Unsigned(1),
            Kind::Float => Value::Float(1.0),
            Kind::Boolean => Value::Boolean(false),
            Kind::List(kind) => Value::List(vec![least(kind)]),
            Kind::Structure(shape) => least_of(shape),
        }
    }
    let members = shape.members.iter();
    Value::Structure(
        members.map(|member| if member.required { least(&member.kind) } else { Value::Absent }).collect(),
    )
}

/// Whether these describe the same product. A shape is known by where it is, or else by what it says of itself.
fn is_same(one: &ProductShape, other: &ProductShape) -> bool {
    std::ptr::eq(one, other) || (one.name == other.name && one.version == other.version)
}

/// The typed part of every call before the action: the request is built, and the permission asked for. Gives what was asked, if anything,
/// and the call if it may go on.
fn permitted<R: Request>(
    value: Value,
    place: Place,
    identity: &dyn Identity,
    resources: &impl Fn(&Call<R>) -> Vec<Resource>,
    (operation, operation_name): (Operation, &str),
) -> (Option<Asked>, Result<Call<R>, Failure>) {
    let language = place.language;
    // Nothing can be said of a root by conditions.
    let request_tags = if place.caller.is_root() {
        Vec::new()
    } else {
        R::PRODUCT
            .actions
            .get(R::ACTION)
            .map_or_else(Vec::new, |action| permission::request_tags(&value, action.input))
    };
    let request = match R::from_structure(value) {
        Ok(request) => request,
        Err(mismatch) => {
            let failure = Failure::common(&CommonError::Internal, language);
            return (None, Err(Failure { internal: Some(mismatch.to_string()), ..failure }));
        }
    };
    let (request_id, circumstances) = (place.request_id, place.circumstances);
    let call = place.call(request);
    let asking = Asking {
        operation,
        operation_name,
        region: &call.region,
        resources: resources(&call),
        request_tags: &request_tags,
        circumstances,
    };
    let (asked, allowed) = permission::check(identity, &call.caller, request_id, asking);
    (Some(asked), allowed.map(|()| call).map_err(|error| Failure::common(&error, language)))
}

/// The typed part of every call after the action: its reply, or its refusal in the caller's language.
async fn write_reply<S: Structure, E: Refusal>(
    action: impl Future<Output = Result<S, E>>,
    language: Language,
) -> Result<Members, Failure> {
    match action.await {
        Ok(reply) => Ok(Members::of(&reply)),
        Err(error) if let Some(common) = error.common() => {
            Err(Failure { internal: error.internal(), ..Failure::common(&common, language) })
        }
        Err(error) => Err(Failure {
            code: error.code().name(),
            message: error.message(language),
            detail: None,
            internal: error.internal(),
        }),
    }
}

/// The action that a request means.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its product.
    pub product: &'static ProductShape,
    /// Its position in the product.
    pub position: usize,
    /// Its descriptor.
    pub shape: &'static ActionShape,
}

/// Finds the action in the catalogue: the product by the address, else by the service of the scope, else by action and version together.
pub fn find(
    catalogue: &'static [&'static ProductShape],
    address: &Address,
    scope_service: Option<&str>,
    common: &CommonParameters<'_>,
) -> Result<Found, CommonError> {
    let named = |name: &str| catalogue.iter().find(|product| product.name == name);
    if address.unknown_product {
        return Err(CommonError::NoSuchProduct);
    }
    let product = address.product.and_then(named).or_else(|| scope_service.and_then(named));
    if let Some(product) = product {
        let product = catalogue
            .iter()
            .find(|candidate| candidate.name == product.name && candidate.version == common.version)
            .ok_or_else(|| CommonError::NoSuchVersion {
                version: common.version.clone().into_owned(),
                service: product.name.to_owned(),
            })?;
        let found = found(product, &common.action).ok_or_else(|| CommonError::InvalidAction {
            action: common.action.clone().into_owned(),
            service: product.name.to_owned(),
            version: common.version.clone().into_owned(),
        });
        return found.and_then(still_offered);
    }
    catalogue
        .iter()
        .filter(|product| product.version == common.version)
        .find_map(|product| found(product, &common.action))
        .ok_or_else(|| CommonError::ActionNotFound(common.action.clone().into_owned()))
        .and_then(still_offered)
}

fn still_offered(found: Found) -> Result<Found, CommonError> {
    match found.shape.status {
        Status::Online | Status::Deprecated => Ok(found),
        Status::Offline => Err(CommonError::ActionOffline),
    }
}

fn found(product: &'static ProductShape, action: &str) -> Option<Found> {
    let position = product.position(action)?;
    let shape = product.actions.get(position)?;
    Some(Found { product, position, shape })
}

/// The region of a call: required, known, supported by the product and reachable through the address, each with its own error.
pub fn region(
    found: &Found,
    address: &Address,
    common: &CommonParameters<'_>,
) -> Result<&'static str, CommonError> {
    let Support::Only(supported) = region::support(found.product.name) else { return Ok("") };
    let name = if common.style == Style::Header { "X-TC-Region" } else { "Region" };
    let code = common.region.as_deref().ok_or(match common.style {
        Style::Header => CommonError::MissingHeader(name),
        Style::Parameter => CommonError::MissingParameter(name.to_owned()),
    })?;
    let region = region::find(code).ok_or(CommonError::InvalidCommonValue(name))?;
    if supported.contains(&region.code) && address.reaches(region) {
        Ok(region.code)
    } else {
        Err(CommonError::UnsupportedRegion)
    }
}

/// Declares the action files of a product and registers each function, once.
///
/// ```ignore
/// actions! { Tcr:
///     instance { create_instance, describe_instances }
///     signature { create_signature_policy }
/// }
/// ```
///
/// Each name is a file `instance/create_instance.rs` with `pub(crate) async fn create_instance(tcr: &Tcr, call: Call<…>)` and
/// `pub(crate) fn resources(tcr: &Tcr, call: &Call<…>) -> Vec<Resource>`. After the groups may follow what cannot be real here, by the types of the requests:
/// `; unsupported("why", "为什么") { ListWeChatWorkSubAccountsRequest }`.
#[macro_export]
macro_rules! actions {
    (
        $product:ty: $($group:ident { $($action:ident),+ $(,)? })+
        $(; unsupported($english:literal, $chinese:literal) { $($request:ty),+ $(,)? })*
    ) => {
        $(mod $group { $(pub(super) mod $action;)+ })+

        /// Registers every action of the product.
        #[must_use]
        pub fn register(product: &std::sync::Arc<$product>) -> $crate::Actions {
            let mut actions = $crate::Actions::new();
            $($({
                let (asked, acting) = (std::sync::Arc::clone(product), std::sync::Arc::clone(product));
                actions.add(move |call| $group::$action::resources(&asked, call), move |call| {
                    let product = std::sync::Arc::clone(&acting);
                    async move { $group::$action::$action(&product, call).await }
                });
            })+)+
            $($(actions.refuse::<$request>($crate::Reason { english: $english, chinese: $chinese });)+)*
            actions
        }
    };
}
