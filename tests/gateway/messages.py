"""Codes of the platform's common errors, with the texts that were read in its real replies or its error data."""

SIGNATURE = (
    "AuthFailure.SignatureFailure",
    "The provided credentials could not be validated. Please check your signature is correct.",
)
SIGNATURE_ZH = ("AuthFailure.SignatureFailure", "请求签名验证失败，请检查您的签名计算是否正确。")
V1_BODY_TOO_LARGE = (
    "AuthFailure.SignatureFailure",
    "The provided credentials could not be validated because of exceeding request size limit, "
    "please use new signature method `TC3-HMAC-SHA256`.",
)
EXPIRED = ("AuthFailure.SignatureExpire", "The signature is expired, please request again.")
SECRET_ID = (
    "AuthFailure.SecretIdNotFound",
    "The SecretId is not found, please ensure that your SecretId is correct.",
)
SECRET_ID_ZH = ("AuthFailure.SecretIdNotFound", "SecretId不存在，请输入正确的密钥。")
SERVICE = (
    "AuthFailure.InvalidAuthorization",
    "The request `Authorization` header does not conform to tencentcloud standards: `Service` in Credential not valid.",
)
NOT_JSON = (
    "InvalidParameter",
    "The request content not valid json format for specified content-type=application/json.",
)
NO_EQUALS = ("InvalidParameter", "Url key and value should be splited by `=`.")
EMPTY_KEY = ("InvalidParameter", "The request has a parameter key which is empty string.")
REGION_UNSUPPORTED = ("UnsupportedRegion", "The action not support this region.")
CONTENT_SHA256 = ("InvalidParameterValue", "The value specified in `X-TC-Content-SHA256` is not correct.")

# The token's text is known only up to here.
TOKEN_CODE, TOKEN_TEXT = "AuthFailure.TokenFailure", "Token verification failed, please check if your Token is correct"

# Only the beginning is known: the part after the colon names what is wrong.
AUTHORIZATION_CODE = "AuthFailure.InvalidAuthorization"
AUTHORIZATION_TEXT = "The request `Authorization` header does not conform to tencentcloud standards: "


def missing(name):
    return "MissingParameter", f"The request is missing a required parameter `{name}`."


def missing_header(name):
    return "MissingParameter", f"The request header is missing a required common parameter `{name}`."


def invalid_value(name):
    return (
        "InvalidParameterValue",
        f"A value specified in `{name}` is not valid, is unsupported, or cannot be used.",
    )


def unknown(path):
    return "UnknownParameter", f"The parameter `{path}` is not recognized."


def repeated(path):
    return "InvalidParameter", f"Parameter `{path}` input repeated."


def indices(path):
    return (
        "InvalidParameter",
        f"Parameter `{path}` invalid array format, array index must be continuous and starts with 0.",
    )


def mistyped(path, expected=""):
    """Of the platform's words for types only `string` was seen; without `expected` the text ends before the word."""
    ending = f"`{expected}`" if expected else ""
    return "InvalidParameter", f"The value type of parameter `{path}` is not valid, input type should be {ending}"


def same(error, refusal):
    """Whether an error is the one expected, as far as its text is known."""
    code, message = refusal
    known = error[1].startswith(message) if message.endswith(" ") else error[1] == message
    return error[0] == code and known


def no_action(action, service, version):
    return (
        "InvalidAction",
        f"The request action=`{action}` is invalid or not found in service=`{service}` and version=`{version}`.",
    )


def no_version(version, service):
    return "NoSuchVersion", f"The specified api version=`{version}` does not exist in service=`{service}`."
