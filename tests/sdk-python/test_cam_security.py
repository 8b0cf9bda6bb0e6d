"""Security settings and message receivers through the typed SDK."""

import organisation


def test_password_rules_hold_for_every_password_from_then_on(start, refusal):
    cam = organisation.cam(start())
    told = cam("GetPasswordRules")
    assert (told.Rules.MinimumLength, told.Modifier) == (8, "")
    cam("UpdatePasswordRules", Rules={"MinimumLength": 12, "MustContain": "A0", "ReusePasswordLimit": 2})
    told = cam("GetPasswordRules")
    assert (told.Rules.MinimumLength, told.Rules.MustContain, told.Rules.ReusePasswordLimit) == (12, "A0", 2)
    assert told.Modifier == cam("GetUserAppId").Uin and told.UpdateTime

    add = lambda password: cam("AddUser", Name="one", ConsoleLogin=1, Password=password)
    wrong = "InvalidParameter.PasswordViolatedRules"
    assert refusal(add, "SHORT-0").code == wrong
    assert refusal(add, "no-capital-letter-0").code == wrong
    first, second, third = "First-password-1", "Second-password-2", "Third-password-3"
    assert add(first).Password == first
    change = lambda password: cam("UpdateUser", Name="one", Password=password)
    assert refusal(change, first).code == wrong
    change(second)
    assert refusal(change, first).code == wrong
    change(third)
    change(first)  # only the last two are forbidden


RULES = [
    {"MinimumLength": 7}, {"MinimumLength": 33}, {"ReusePasswordLimit": 25}, {"ForcePasswordChange": -1},
    {"PasswordExpirationInvalidation": 3}, {"MustContain": "A" * 17},
]


def test_rules_that_nobody_could_obey_are_refused(cam, refusal):
    for rules in RULES:
        assert refusal(cam, "UpdatePasswordRules", Rules=rules).code == "InvalidParameter.PasswordRuleError", rules


def test_proofs_are_set_for_users_who_have_them(cam, user, refusal):
    uin = user(PhoneNum="13800000000", CountryCode="86").Uin
    none = {"Phone": 0, "Stoken": 0, "Wechat": 0}
    cam("SetMfaFlag", OpUin=uin, LoginFlag=none | {"Phone": 1}, ActionFlag=none | {"Stoken": 1})
    told = cam("DescribeSafeAuthFlagColl", SubUin=uin)
    assert (told.LoginFlag.Phone, told.LoginFlag.Stoken, told.ActionFlag.Phone, told.ActionFlag.Stoken) == (1, 0, 0, 1)
    cam("SetMfaFlag", OpUin=uin, LoginFlag=none)
    told = cam("DescribeSafeAuthFlagColl", SubUin=uin)
    assert (told.LoginFlag.Phone, told.ActionFlag.Stoken) == (0, 1), "what is not given stays"

    without = user().Uin
    phone = refusal(cam, "SetMfaFlag", OpUin=without, LoginFlag=none | {"Phone": 1})
    assert phone.code == "FailedOperation.UserNotBindPhone"
    wechat = refusal(cam, "SetMfaFlag", OpUin=without, ActionFlag=none | {"Wechat": 1})
    assert wechat.code == "FailedOperation.UserNotBindWechat"
    assert refusal(cam, "SetMfaFlag", OpUin=1, LoginFlag=none).code == "ResourceNotFound.UserNotExist"
    assert refusal(cam, "DescribeSafeAuthFlagColl", SubUin=1).code == "ResourceNotFound.UserNotExist"


def test_the_root_sets_its_own_proofs(start):
    cam = organisation.cam(start())
    flag = {"Phone": 0, "Stoken": 1, "Wechat": 0}
    assert cam("DescribeSafeAuthFlag").LoginFlag.Stoken == 0
    cam("SetMfaFlag", LoginFlag=flag)
    told = cam("DescribeSafeAuthFlag")
    assert (told.LoginFlag.Stoken, told.ActionFlag.Stoken, told.OffsiteFlag.VerifyFlag) == (1, 0, 0)
    assert cam("DescribeSafeAuthFlagIntl").LoginFlag.Stoken == 1
    cam("CreateSubAccountLoginIpPolicy", PolicyType=2, DisablePolicy=0)
    assert cam("DescribeSafeAuthFlagIntl").OffsiteFlag.VerifyFlag == 1
    cam("CreateSubAccountLoginIpPolicy", PolicyType=2, DisablePolicy=1)
    assert cam("DescribeSafeAuthFlag").OffsiteFlag.VerifyFlag == 0


def test_networks_of_a_log_in_policy_are_networks(cam, refusal):
    put = lambda *networks, **more: cam(
        "CreateSubAccountLoginIpPolicy", IpPolicies=[{"IP": ip, "Effect": effect} for ip, effect in networks], PolicyType=1, **more
    )
    put(("192.168.1.171", "Allow"), ("10.0.0.0/8", "Deny"), ApproverType="SubAccountLoginLimitApproval")
    assert refusal(put, ("300.0.0.1", "Allow")).code == "InvalidParameter.IPIllegal"
    assert refusal(put, ("10.0.0.1", "Maybe")).code == "InvalidParameter.EffectError"
    assert refusal(put, ("10.0.0.0/8", "Allow"), ("10.1.0.0/16", "Deny")).code == "InvalidParameter.IPRangeOverlapping"
    assert refusal(put, ApproverUin=[1]).code == "InvalidParameter.AssitApproverTypeError"


def test_a_receiver_from_its_creation_to_its_end(cam, refusal, unique):
    name = unique("receiver")
    make = {"Name": name, "CountryCode": "86", "Email": "a@example.com", "PhoneNumber": "13800000000", "Remark": "on call"}
    cam("CreateMessageReceiver", **make)
    assert refusal(cam, "CreateMessageReceiver", **make).code == "InvalidParameter.SubUserNameInUse"
    told = {receiver.Name: receiver for receiver in cam("ListReceiver", Offset=0, Limit=200).Receivers}[name]
    assert (told.Email, told.PhoneNumber, told.CountryCode, told.Remark) == ("a@example.com", "13800000000", "86", "on call")
    assert name in [user.Name for user in cam("ListAccounts", UserType="MessageReceiver").Users]
    cam("DeleteMessageReceiver", Name=name)
    assert refusal(cam, "DeleteMessageReceiver", Name=name).code == "ResourceNotFound.UserNotExists"
    assert refusal(cam, "CreateMessageReceiver", **make | {"Email": ""}).code == "InvalidParameter"
    assert refusal(cam, "ListReceiver", Limit=0).code == "InvalidParameter.ParamError"
