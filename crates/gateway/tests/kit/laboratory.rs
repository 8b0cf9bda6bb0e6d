//! The product `lab`: hand-made shapes of what no product of the models has (binary members, actions that are deprecated or gone), and
//! actions that echo their parameters.

use rookery_api::codec::{FromValue, Members, Mismatch, ObjectWriter, Value, write_value};
use rookery_api::products::tcr;
use rookery_api::shape::{ActionShape, Kind, MemberShape, ProductShape, Status, StructureShape};
use rookery_api::{Request, Structure};
use rookery_gateway::{Actions, Call, CommonError, Language, Refusal, Resource};

pub const VERSION: &str = "2026-01-01";

const fn member(name: &'static str, kind: Kind, required: bool) -> MemberShape {
    MemberShape { name, kind, required, nullable: true, always: false }
}

static PAIR: StructureShape = StructureShape {
    name: "Pair",
    members: &[
        member("Name", Kind::String, true),
        member("Values", Kind::List(&Kind::String), false),
        member("Deep", Kind::Structure(&LEAF), false),
    ],
};
static LEAF: StructureShape =
    StructureShape { name: "Leaf", members: &[member("Size", Kind::Unsigned, false)] };

/// One member of every kind but bytes.
pub static ECHO: StructureShape = StructureShape {
    name: "EchoRequest",
    members: &[
        member("Text", Kind::String, false),
        member("Date", Kind::Date, false),
        member("Int", Kind::Integer, false),
        member("Uint", Kind::Unsigned, false),
        member("Float", Kind::Float, false),
        member("Flag", Kind::Boolean, false),
        member("Texts", Kind::List(&Kind::String), false),
        member("Flags", Kind::List(&Kind::Boolean), false),
        member("Pairs", Kind::List(&Kind::Structure(&PAIR)), false),
        member("Pair", Kind::Structure(&PAIR), false),
    ],
};
/// As `UploadMedicalFile` and `UploadLog`, the platform's actions with bytes.
static UPLOAD: StructureShape = StructureShape {
    name: "UploadRequest",
    members: &[
        member("File", Kind::Binary, false),
        member("Name", Kind::String, false),
        member("Offset", Kind::Integer, false),
        member("Limit", Kind::Unsigned, false),
        member("Flag", Kind::Boolean, false),
        member("Texts", Kind::List(&Kind::String), false),
        member("Pairs", Kind::List(&Kind::Structure(&PAIR)), false),
    ],
};
static NOTHING: StructureShape = StructureShape { name: "NothingRequest", members: &[] };
static LARGE: StructureShape =
    StructureShape { name: "LargeRequest", members: &[member("Size", Kind::Unsigned, true)] };
static REPLY: StructureShape =
    StructureShape { name: "EchoResponse", members: &[member("Echo", Kind::String, true)] };

const fn action(name: &'static str, input: &'static StructureShape, status: Status) -> ActionShape {
    ActionShape { name, input, output: &REPLY, unsigned: false, status }
}

pub static PRODUCT: ProductShape = ProductShape {
    name: "lab",
    version: VERSION,
    actions: &[
        action("Echo", &ECHO, Status::Online),
        action("Forbidden", &NOTHING, Status::Online),
        action("Gone", &NOTHING, Status::Offline),
        action("Large", &LARGE, Status::Online),
        action("Old", &NOTHING, Status::Deprecated),
        action("Quiet", &NOTHING, Status::Deprecated),
        action("Rehearse", &NOTHING, Status::Online),
        action("Unbuilt", &NOTHING, Status::Online),
        action("Upload", &UPLOAD, Status::Online),
    ],
    errors: &[],
};

/// As the capture of cls `UploadLog` sends it, the platform's only octet-stream action: two headers and a body.
static UPLOAD_LOG: StructureShape = StructureShape {
    name: "UploadLogRequest",
    members: &[
        member("TopicId", Kind::String, true),
        member("HashKey", Kind::String, false),
        member("CompressType", Kind::String, false),
        member("Logs", Kind::Binary, true),
    ],
};

pub static CLS: ProductShape = ProductShape {
    name: "cls",
    version: "2020-10-16",
    actions: &[action("UploadLog", &UPLOAD_LOG, Status::Online)],
    errors: &[],
};

/// The laboratory beside the products of the contract.
pub static CATALOGUE: &[&ProductShape] =
    &[&PRODUCT, &tcr::PRODUCT, &rookery_api::products::sts::PRODUCT, &rookery_api::products::kms::PRODUCT];

/// A reply that says what reached the action.
pub struct Echo(pub Option<String>);

impl Structure for Echo {
    const SHAPE: &'static StructureShape = &REPLY;

    fn from_members(mut members: Members) -> Result<Self, Mismatch> {
        Ok(Self(members.take(0)?))
    }

    fn write_members(&self, writer: &mut ObjectWriter<'_>) {
        if let Self(Some(text)) = self {
            writer.member("Echo", text);
        }
    }
}

/// The value of a member, whatever it is.
struct Any(Value);

impl FromValue for Any {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        Ok(Self(value))
    }
}

macro_rules! request {
    ($type:ident, $shape:ident, $product:ident, $action:expr) => {
        pub struct $type(pub Value);

        impl Structure for $type {
            const SHAPE: &'static StructureShape = &$shape;

            fn from_members(mut members: Members) -> Result<Self, Mismatch> {
                let values = (0..$shape.members.len()).map(|at| members.take::<Any>(at).map(|any| any.0));
                Ok(Self(Value::Structure(values.collect::<Result<_, _>>()?)))
            }

            fn write_members(&self, _: &mut ObjectWriter<'_>) {}
        }

        impl Request for $type {
            type Response = Echo;
            const PRODUCT: &'static ProductShape = &$product;
            const ACTION: usize = $action;
        }
    };
}
request!(EchoRequest, ECHO, PRODUCT, 0);
request!(ForbiddenRequest, NOTHING, PRODUCT, 1);
request!(LargeRequest, LARGE, PRODUCT, 3);
request!(OldRequest, NOTHING, PRODUCT, 4);
request!(QuietRequest, NOTHING, PRODUCT, 5);
request!(RehearseRequest, NOTHING, PRODUCT, 6);
request!(UploadRequest, UPLOAD, PRODUCT, 8);
request!(UploadLogRequest, UPLOAD_LOG, CLS, 0);

#[derive(Debug, thiserror::Error)]
#[error("never")]
pub enum Never {}

impl Refusal for Never {
    type Code = tcr::ErrorCode;

    fn code(&self) -> tcr::ErrorCode {
        match *self {}
    }

    fn message(&self, _: Language) -> String {
        match *self {}
    }
}

/// What an action answers that was asked only whether it would.
#[derive(Debug, thiserror::Error)]
#[error("dry run")]
pub struct Rehearsed;

impl Refusal for Rehearsed {
    type Code = tcr::ErrorCode;

    fn code(&self) -> tcr::ErrorCode {
        tcr::ErrorCode::InternalError
    }

    fn message(&self, _: Language) -> String {
        "never shown".to_owned()
    }

    fn common(&self) -> Option<CommonError> {
        Some(CommonError::DryRunOperation)
    }
}

fn json(value: &Value, shape: &StructureShape) -> String {
    let mut text = Vec::new();
    write_value(value, shape, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The laboratory's actions, `Unbuilt` excepted.
pub fn actions() -> Actions {
    let mut actions = Actions::of(CATALOGUE);
    actions.add(
        |_: &Call<EchoRequest>| vec![Resource::any()],
        |call: Call<EchoRequest>| {
            Box::pin(async move { Ok::<_, Never>(Echo(Some(json(&call.request.0, &ECHO)))) })
        },
    );
    actions.add(
        |_: &Call<UploadRequest>| vec![Resource::any()],
        |call: Call<UploadRequest>| {
            Box::pin(async move { Ok::<_, Never>(Echo(Some(json(&call.request.0, &UPLOAD)))) })
        },
    );
    actions.add(
        |_: &Call<ForbiddenRequest>| vec![Resource::named("thing/forbidden")],
        |_: Call<ForbiddenRequest>| Box::pin(async { Ok::<_, Never>(Echo(None)) }),
    );
    actions.add(
        |_: &Call<OldRequest>| vec![Resource::any()],
        |_: Call<OldRequest>| Box::pin(async { Ok::<_, Never>(Echo(Some("old".to_owned()))) }),
    );
    actions.add(
        |_: &Call<QuietRequest>| vec![Resource::any()],
        |_: Call<QuietRequest>| Box::pin(async { Ok::<_, Never>(Echo(None)) }),
    );
    actions.add(
        |_: &Call<RehearseRequest>| vec![Resource::any()],
        |_: Call<RehearseRequest>| Box::pin(async { Err::<Echo, _>(Rehearsed) }),
    );
    actions.add(
        |_: &Call<LargeRequest>| vec![Resource::any()],
        |call: Call<LargeRequest>| {
            Box::pin(async move {
                let Value::Structure(members) = call.request.0 else { unreachable!() };
                let Some(Value::Unsigned(size)) = members.first() else { unreachable!() };
                Ok::<_, Never>(Echo(Some("x".repeat(usize::try_from(*size).unwrap()))))
            })
        },
    );
    actions
}
