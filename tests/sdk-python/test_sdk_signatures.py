"""Every way in which the official SDK signs and sends a request verifies, and every wrong key is refused."""

import certifi
import pytest
from tencentcloud.sts.v20180813.models import GetCallerIdentityRequest

import sdk
from requester import UUID

ways = pytest.mark.parametrize(("sign", "method"), sdk.WAYS)


@ways
def test_who_am_i(sts, sign, method):
    told = sts(sign=sign, method=method).GetCallerIdentity(GetCallerIdentityRequest())
    assert told.AccountId == told.UserId == told.PrincipalId
    assert told.Arn == f"qcs::cam:{told.AccountId}:uin/{told.UserId}"
    assert UUID.fullmatch(told.RequestId)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_payload_may_stay_unsigned(sts, method):
    assert sts(method=method, unsigned=True).GetCallerIdentity(GetCallerIdentityRequest()).AccountId


@ways
def test_https_with_the_authority_of_the_cloud(sts, cloud, sign, method):
    client = sts(sign=sign, method=method, tls=cloud.endpoints["ca"])
    assert client.GetCallerIdentity(GetCallerIdentityRequest()).AccountId


def test_https_without_it_is_not_trusted(sts, cloud, refusal):
    error = refusal(sts(tls=certifi.where()).GetCallerIdentity, GetCallerIdentityRequest())
    assert error.code == "ClientNetworkError"
    assert "CERTIFICATE_VERIFY_FAILED" in error.message


WRONG_KEY = {
    "en-US": "The provided credentials could not be validated. Please check your signature is correct.",
    "zh-CN": "请求签名验证失败，请检查您的签名计算是否正确。",
}
UNKNOWN_ID = {
    "en-US": "The SecretId is not found, please ensure that your SecretId is correct.",
    "zh-CN": "SecretId不存在，请输入正确的密钥。",
}


@ways
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_a_wrong_key_is_a_signature_failure(sts, cloud, refusal, sign, method, language):
    wrong = sdk.credential(cloud, secret_key="x" * 32)
    error = refusal(sts(wrong, sign=sign, method=method, language=language).GetCallerIdentity, GetCallerIdentityRequest())
    assert (error.code, error.message) == ("AuthFailure.SignatureFailure", WRONG_KEY[language])
    assert UUID.fullmatch(error.requestId)


@ways
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_an_unknown_secret_id_is_not_found(sts, cloud, refusal, sign, method, language):
    unknown = sdk.credential(cloud, secret_id="AKID" + "x" * 32)
    error = refusal(sts(unknown, sign=sign, method=method, language=language).GetCallerIdentity, GetCallerIdentityRequest())
    assert (error.code, error.message) == ("AuthFailure.SecretIdNotFound", UNKNOWN_ID[language])


@ways
def test_a_token_that_is_not_the_keys_is_refused(sts, cloud, refusal, sign, method):
    foreign = sdk.credential(cloud, token="somebody's")
    error = refusal(sts(foreign, sign=sign, method=method).GetCallerIdentity, GetCallerIdentityRequest())
    assert error.code == "AuthFailure.TokenFailure"
    assert error.message.startswith("Token verification failed, please check if your Token is correct")
